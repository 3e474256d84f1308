//! The part of the script that polls, waits and reads.

use std::time::Duration;

use judge_core::amount::Amount;
use judge_core::evidence::Who;
use serde_json::Value;

use crate::probe::{Held, Probe};

/// Between two polls on this machine …
const NEAR: Duration = Duration::from_millis(250);

/// … and elsewhere, where polling faster would be rude (C15).
const FAR: Duration = Duration::from_secs(3);

/// How long answers may lag behind an SMS.
const LAG: Duration = Duration::from_secs(5);

/// Pages at most: a long history is not read to its end.
const PAGES: u64 = 40;

/// The webhook is awaited so long after the code.
const WEBHOOK: Duration = Duration::from_millis(3500);

/// The history without parameters and, if there is more of it, its further pages.
pub(crate) async fn history(probe: &mut Probe<'_>, who: Who) -> Vec<Value> {
    let first = probe.get(who, "/rentals/history").await;
    let data = |json: &Value| {
        json.get("data")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let mut rows = data(&first.json);
    let total = first
        .json
        .get("total_records")
        .and_then(Value::as_u64)
        .unwrap_or_default();
    let size = rows.len() as u64;
    if size == 0 || size >= total {
        return rows;
    }
    for number in 2..=PAGES.min(total.div_ceil(size)) {
        let page = probe
            .get(who, &format!("/rentals/history?page={number}"))
            .await;
        let more = data(&page.json);
        if more.is_empty() || more.first() == rows.first() {
            break;
        }
        rows.extend(more);
    }
    if rows.len() as u64 == size {
        let path = format!("/rentals/history?offset={size}&limit={size}");
        rows.extend(data(&probe.get(who, &path).await.json));
    }
    rows
}

/// What the parameters of the history do.
pub(crate) async fn paging(probe: &mut Probe<'_>) {
    for query in [
        "page=2",
        "offset=1&limit=1",
        "page=abc",
        "page=1&per_page=1",
    ] {
        probe
            .get(Who::First, &format!("/rentals/history?{query}"))
            .await;
    }
}

/// Ids of no rental.
pub(crate) async fn unknown_ids(probe: &mut Probe<'_>) {
    for id in ["9007199254740991", "0", "-1", "abc"] {
        probe
            .get(Who::First, &format!("/number/check-otp/{id}"))
            .await;
    }
}

async fn poll(probe: &mut Probe<'_>, place: usize) {
    let Held { who, id, .. } = probe.held[place].clone();
    let reply = probe.get(who, &format!("/number/check-otp/{id}")).await;
    if reply.received() && probe.held[place].received.is_none() {
        probe.held[place].received = Some(probe.clock.now());
    }
}

/// Polls all rentals until each has its code or the time is over.
pub(crate) async fn wait_for_sms(probe: &mut Probe<'_>) {
    let near = probe.is_virtual() || probe.plan.target.is_loopback();
    let interval = if near { NEAR } else { FAR };
    probe.evidence.lock().given.poll_interval = Some(interval);
    let began = probe.clock.now();
    loop {
        for place in 0..probe.held.len() {
            let now = probe.clock.now();
            let held = &probe.held[place];
            if held.received.is_none() && now < held.rented + held.life {
                poll(probe, place).await;
            }
        }
        let now = probe.clock.now();
        let waiting = probe
            .held
            .iter()
            .filter(|held| held.received.is_none() && now < held.rented + held.life)
            .count();
        if waiting == 0 || now.saturating_sub(began) >= probe.plan.wait_sms {
            break;
        }
        // A server that counts requests gets one a second, for all rentals together.
        let polite = Duration::from_millis(1100) * u32::try_from(waiting).unwrap_or(1);
        let patient = if now.saturating_sub(began) > Duration::from_secs(10) {
            interval * 2
        } else {
            interval
        };
        let step = if probe.limited {
            polite.max(interval)
        } else {
            patient
        };
        probe.pause(step).await;
    }
}

/// Everything once the codes are there: the same again, what others see, money, history, webhooks.
pub(crate) async fn after_sms(probe: &mut Probe<'_>) {
    for place in 0..probe.held.len() {
        if probe.held[place].received.is_some() {
            poll(probe, place).await;
        }
    }
    let completed: Vec<_> = probe
        .held
        .iter()
        .enumerate()
        .filter(|(_, held)| held.received.is_some())
        .map(|(place, _)| place)
        .collect();
    if let Some(place) = completed.first() {
        for _ in 0..2 {
            poll(probe, *place).await;
        }
        let id = probe.held[*place].id.clone();
        probe
            .get(Who::Nobody, &format!("/number/check-otp/{id}"))
            .await;
    }
    if probe.plan.second_key.is_some() {
        foreign(probe).await;
    }
    settle(probe, Who::First).await;
    webhooks(probe).await;
    records(probe, Who::First).await;
    if probe.plan.second_key.is_some() {
        settle(probe, Who::Second).await;
        records(probe, Who::Second).await;
    }
}

/// Each key asks for a completed rental of the other.
async fn foreign(probe: &mut Probe<'_>) {
    for (who, other) in [(Who::First, Who::Second), (Who::Second, Who::First)] {
        let theirs = probe
            .held
            .iter()
            .find(|held| held.who == who && held.received.is_some());
        if let Some(id) = theirs.map(|held| held.id.clone()) {
            probe.get(other, &format!("/number/check-otp/{id}")).await;
        }
    }
}

/// Reads the balance until what was rented explains it, or the lag is over.
async fn settle(probe: &mut Probe<'_>, who: Who) {
    let opening = {
        let evidence = probe.evidence.lock();
        let mine = evidence
            .exchanges
            .iter()
            .filter(|exchange| exchange.who == who && exchange.target.ends_with("/profile"));
        let bodies = mine.filter_map(|exchange| exchange.answer.as_ref().ok());
        bodies
            .filter_map(|answer| balance(&serde_json::from_slice(&answer.body).ok()?))
            .next()
    };
    let ours: Vec<_> = probe.held.iter().filter(|held| held.who == who).collect();
    let sum = |held: &mut dyn Iterator<Item = &&Held>| {
        held.fold(Amount::ZERO, |sum, held| sum.plus(held.cost))
    };
    // Those without a code may have been paid for, or not, or no longer.
    let all = sum(&mut ours.iter());
    let completed = sum(&mut ours.iter().filter(|held| held.received.is_some()));
    let began = probe.clock.now();
    loop {
        let now = balance(&probe.get(who, "/profile").await.json);
        let settled = match (opening, now) {
            (Some(opening), Some(now)) => {
                let missing = opening.less(now);
                missing.same(all) || missing.same(completed)
            }
            _ => true,
        };
        if settled || probe.clock.now().saturating_sub(began) >= LAG {
            break;
        }
        probe.pause(Duration::from_secs(1)).await;
    }
}

fn balance(profile: &Value) -> Option<Amount> {
    Amount::of(profile.pointer("/user/balance")?)
}

/// Reads the history until every code is in it, or the lag is over.
async fn records(probe: &mut Probe<'_>, who: Who) {
    let began = probe.clock.now();
    loop {
        let rows = history(probe, who).await;
        let has_code = |held: &&Held| {
            rows.iter().any(|row| {
                let id = row
                    .get("id")
                    .map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
                id.as_ref() == Some(&held.id) && row.get("sms_code").is_some_and(Value::is_string)
            })
        };
        let mut completed = probe
            .held
            .iter()
            .filter(|held| held.who == who && held.received.is_some());
        if completed.all(|held| has_code(&held)) || probe.clock.now().saturating_sub(began) >= LAG {
            break;
        }
        probe.pause(Duration::from_secs(1)).await;
    }
}

/// Waits until each code has come as a webhook as well, or should have.
async fn webhooks(probe: &mut Probe<'_>) {
    if probe.plan.webhook_listen.is_none() {
        return;
    }
    let latest = probe.held.iter().filter_map(|held| held.received).max();
    let Some(latest) = latest else {
        return;
    };
    while probe.clock.now() < latest + WEBHOOK {
        let completed: Vec<_> = probe
            .held
            .iter()
            .filter(|held| held.received.is_some())
            .map(|held| held.id.clone())
            .collect();
        let came = {
            let evidence = probe.evidence.lock();
            let bodies: Vec<_> = evidence
                .events
                .iter()
                .map(|event| String::from_utf8_lossy(&event.body).into_owned())
                .collect();
            completed
                .iter()
                .all(|id| bodies.iter().any(|body| body.contains(id.as_str())))
        };
        if came {
            return;
        }
        probe.pause(NEAR).await;
    }
}
