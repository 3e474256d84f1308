//! The control API of an otplab server, if it has one: its clock is moved
//! instead of waited for, and only for the accounts of the check. What is said
//! here is no evidence.

use std::time::Duration;

use judge_core::har;
use serde_json::{Value, json};

use crate::line::{Line, Outgoing};

/// A control API and the keys whose accounts it may touch.
#[derive(Debug)]
pub(crate) struct Control {
    keys: Vec<String>,
    /// Whether a webhook address was set, for the account of each key before.
    before: Vec<Value>,
    /// The fault rule that may be there.
    fault: Option<String>,
    /// How fast the time of each key's account ran before, where that was not as it is.
    paces: Vec<(String, f64)>,
}

/// A rule that nobody could take away ends by itself.
const RULE_LIFE: &str = "ttl 59s";

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
            fault: None,
            paces: Vec::new(),
        })
    }

    /// Gives all accounts one time that runs as it is, for which none goes back;
    /// says what it is, in seconds since 1970.
    pub(crate) async fn align(&mut self, line: &mut Line) -> Option<f64> {
        let mut times = Vec::new();
        for key in &self.keys {
            let asked = outgoing("GET", "/__admin/clock", Some(key), None);
            let shown: Value = serde_json::from_slice(&line.carry(&asked).await.ok()?.body).ok()?;
            let clock = shown.pointer("/clocks/0")?;
            times.push(har::seconds(&format!(
                "{}Z",
                clock.get("now")?.as_str()?.replace(' ', "T")
            ))?);
            let pace = clock.get("pace").and_then(Value::as_f64).unwrap_or(1.0);
            if (pace - 1.0).abs() > f64::EPSILON {
                self.paces.push((key.clone(), pace));
                let asked = outgoing("POST", "/__admin/clock/resume", Some(key), None);
                line.carry(&asked).await.ok()?;
            }
        }
        let latest = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for (key, time) in self.keys.iter().zip(times) {
            if time < latest {
                let body = json!({ "duration": format!("{}s", latest - time) });
                let asked = outgoing("POST", "/__admin/clock/advance", Some(key), Some(&body));
                line.carry(&asked).await.ok()?;
            }
        }
        latest.is_finite().then_some(latest)
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

    /// Adds a fault rule for the first key; says whether it is there.
    pub(crate) async fn add_fault(&mut self, line: &mut Line, rule: &str) -> bool {
        let rule = format!("{rule} {RULE_LIFE}");
        let body = json!({ "rule": rule });
        // It may be there although the answer never comes.
        self.fault = Some(rule);
        let asked = outgoing("POST", "/__admin/faults", self.keys.first(), Some(&body));
        line.carry(&asked)
            .await
            .is_ok_and(|answer| answer.status == 200)
    }

    /// Takes it away, if it is there. It is known by its text, which is as odd
    /// as its life.
    pub(crate) async fn remove_fault(&mut self, line: &mut Line) {
        let Some(rule) = self.fault.clone() else {
            return;
        };
        let asked = outgoing("GET", "/__admin/faults", self.keys.first(), None);
        let listed = line.carry(&asked).await.ok();
        let listed: Value = listed
            .and_then(|answer| serde_json::from_slice(&answer.body).ok())
            .unwrap_or_default();
        let faults = listed.get("faults").and_then(Value::as_array);
        let ours = faults
            .into_iter()
            .flatten()
            .filter(|fault| fault.get("rule").and_then(Value::as_str) == Some(&rule));
        for id in ours.filter_map(|fault| fault.get("id")?.as_str()) {
            let target = format!("/__admin/faults/{id}");
            let asked = outgoing("DELETE", &target, self.keys.first(), None);
            let _ = line.carry(&asked).await;
        }
        self.fault = None;
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

    /// Puts everything back: the webhook addresses, how fast time runs, and no
    /// fault rule.
    pub(crate) async fn restore(&mut self, line: &mut Line) {
        self.remove_fault(line).await;
        for (key, pace) in self.paces.drain(..) {
            let body = json!({ "scale": pace });
            let asked = outgoing("POST", "/__admin/clock/scale", Some(&key), Some(&body));
            let _ = line.carry(&asked).await;
        }
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
