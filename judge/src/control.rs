//! The control API of an otplab server, if it has one: its clock is moved
//! instead of waited for, and only for the accounts of the check. What is said
//! here is no evidence.

use std::time::Duration;

use serde_json::{Value, json};

use crate::line::{Line, Outgoing};

/// A control API and the keys whose accounts it may touch.
#[derive(Debug)]
pub(crate) struct Control {
    keys: Vec<String>,
    /// Whether a webhook address was set, for the account of each key before.
    before: Vec<Value>,
}

impl Control {
    /// The control API of the server at the other end of the line, if there is one.
    pub(crate) async fn find(line: &mut Line, keys: Vec<String>) -> Option<Self> {
        let answer = line
            .carry(&outgoing("GET", "/__admin/", None, None))
            .await
            .ok()?;
        let ours = answer.status == 200
            && String::from_utf8_lossy(&answer.body).contains("/__admin/clock/advance");
        ours.then_some(Self {
            keys,
            before: Vec::new(),
        })
    }

    /// Moves the accounts' time; says whether it moved.
    pub(crate) async fn advance(&self, line: &mut Line, step: Duration) -> bool {
        let mut moved = true;
        for key in &self.keys {
            let body = json!({ "duration": format!("{}ms", step.as_millis()) });
            let asked = outgoing("POST", "/__admin/clock/advance", Some(key), Some(&body));
            moved &= line
                .carry(&asked)
                .await
                .is_ok_and(|answer| answer.status == 200);
        }
        moved
    }

    /// Ends a rental of the first key now; says whether it ended.
    pub(crate) async fn expire(&self, line: &mut Line, id: &str) -> bool {
        let target = format!("/__admin/rentals/{id}/expire");
        let asked = outgoing("POST", &target, self.keys.first(), None);
        line.carry(&asked)
            .await
            .is_ok_and(|answer| answer.status == 200)
    }

    /// Adds a fault rule for the first key; its id.
    pub(crate) async fn add_fault(&self, line: &mut Line, rule: &str) -> Option<String> {
        let body = json!({ "rule": rule });
        let asked = outgoing("POST", "/__admin/faults", self.keys.first(), Some(&body));
        let answer = line.carry(&asked).await.ok()?;
        let shown: Value = serde_json::from_slice(&answer.body).ok()?;
        let id = shown.get("id")?.as_str().map(str::to_owned);
        id.filter(|_| answer.status == 200)
    }

    /// Takes it away.
    pub(crate) async fn remove_fault(&self, line: &mut Line, id: &str) {
        let target = format!("/__admin/faults/{id}");
        let asked = outgoing("DELETE", &target, self.keys.first(), None);
        let _ = line.carry(&asked).await;
    }

    /// Lets webhooks of the accounts go to this address; says whether they do.
    pub(crate) async fn listen(&mut self, line: &mut Line, url: &str) -> bool {
        let mut set = true;
        for key in &self.keys {
            let shown = line
                .carry(&outgoing("GET", "/__admin/accounts", Some(key), None))
                .await;
            let shown = shown
                .ok()
                .and_then(|answer| serde_json::from_slice::<Value>(&answer.body).ok());
            let pointer = |value: &Value, path: &str| value.pointer(path).cloned();
            let before = shown.as_ref().and_then(|shown| {
                pointer(shown, "/accounts/0/settings/webhook_url")
                    .or_else(|| pointer(shown, "/default/webhook_url"))
            });
            self.before.push(before.unwrap_or(Value::Null));
            let asked = outgoing(
                "PATCH",
                "/__admin/accounts",
                Some(key),
                Some(&json!({ "webhook_url": url })),
            );
            set &= line
                .carry(&asked)
                .await
                .is_ok_and(|answer| answer.status == 200);
        }
        set
    }

    /// Puts the webhook addresses back.
    pub(crate) async fn restore(&mut self, line: &mut Line) {
        for (key, before) in self.keys.iter().zip(self.before.drain(..)) {
            let body = json!({ "webhook_url": before });
            let _ = line
                .carry(&outgoing(
                    "PATCH",
                    "/__admin/accounts",
                    Some(key),
                    Some(&body),
                ))
                .await;
        }
    }
}

fn outgoing(method: &str, target: &str, key: Option<&String>, body: Option<&Value>) -> Outgoing {
    let mut headers: Vec<_> = key.map(|key| ("auth", key.clone())).into_iter().collect();
    if body.is_some() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    Outgoing {
        method: method.to_owned(),
        target: target.to_owned(),
        headers,
        body: body
            .map(|body| body.to_string().into_bytes())
            .unwrap_or_default(),
    }
}
