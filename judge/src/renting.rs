//! The part of the script that rents, or tries to.

use judge_core::evidence::Who;

use crate::looking;
use crate::probe::{Held, Probe};

pub(crate) const WHATSAPP: &str = r#"{"service":"whatsapp"}"#;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// Rents that have to be refused, with a look at the money and the rows around them.
pub(crate) async fn refused(probe: &mut Probe<'_>) {
    let reply = probe
        .ask(Who::First, "POST", "/number/rent", Some((JSON, "{}")))
        .await;
    probe.keep(Who::First, &reply);
    probe.get(Who::First, "/profile").await;
    probe.get(Who::First, "/rentals/history").await;
    let path = "/number/rent?service=whatsapp";
    let reply = probe.get(Who::First, path).await;
    if let Some(held) = probe.keep(Who::First, &reply) {
        probe
            .get(Who::First, &format!("/number/check-otp/{}", held.id))
            .await;
    }
}

/// The first rental: as JSON, and where that is refused as a form.
pub(crate) async fn first(probe: &mut Probe<'_>) -> Option<Held> {
    probe.get(Who::First, "/profile").await;
    let mut held = probe.rent(Who::First, (JSON, WHATSAPP)).await;
    if held.is_none() {
        held = probe.rent(Who::First, (FORM, "service=whatsapp")).await;
    }
    if held.is_none() {
        for slug in ["telegram", "google"] {
            let body = format!("service={slug}");
            held = probe.rent(Who::First, (FORM, &body)).await;
            if held.is_some() {
                break;
            }
        }
    }
    let held = held?;
    let path = format!("/number/check-otp/{}", held.id);
    // The balance between rent and poll tells which of the two costs what.
    probe.get(Who::First, "/profile").await;
    probe.get(Who::First, &path).await;
    probe.get(Who::First, &path).await;
    probe.get(Who::First, &path).await;
    probe.get(Who::First, "/profile").await;
    probe.get(Who::First, "/rentals/history").await;
    probe.get(Who::First, &path).await;
    Some(held)
}

/// What the second key sees, before and after it rents for itself.
pub(crate) async fn second_key(probe: &mut Probe<'_>, main: &Held) {
    if probe.plan.second_key.is_none() {
        return;
    }
    let foreign = format!("/number/check-otp/{}", main.id);
    probe.get(Who::Second, "/profile").await;
    probe.get(Who::Second, "/rentals/history").await;
    probe.get(Who::Second, &foreign).await;
    let mut own = probe.rent(Who::Second, (JSON, WHATSAPP)).await;
    if own.is_none() {
        own = probe.rent(Who::Second, (FORM, "service=whatsapp")).await;
    }
    if let Some(own) = own {
        let path = format!("/number/check-otp/{}", own.id);
        probe.get(Who::Second, "/profile").await;
        probe.get(Who::Second, &path).await;
        probe.get(Who::First, &path).await;
    }
}

/// The other documented services, the other encoding, the same again, and odd ones.
pub(crate) async fn more(probe: &mut Probe<'_>) {
    probe.get(Who::First, "/profile").await;
    for (slug, form) in [("telegram", true), ("google", false), ("whatsapp", false)] {
        let encoded = format!("service={slug}");
        let json = format!(r#"{{"service":"{slug}"}}"#);
        let both = [(FORM, encoded.as_str()), (JSON, json.as_str())];
        let (first, other) = if form {
            (both[0], both[1])
        } else {
            (both[1], both[0])
        };
        let mut held = probe.rent(Who::First, first).await;
        if held.is_none() {
            held = probe.rent(Who::First, other).await;
        }
        if let Some(held) = held {
            probe.get(Who::First, "/profile").await;
            probe
                .get(Who::First, &format!("/number/check-otp/{}", held.id))
                .await;
        }
    }
    probe.get(Who::First, "/profile").await;
    for body in [
        r#"{"service":"otplab-unknown-service"}"#,
        r#"{"service":""}"#,
        r#"{"service":5}"#,
        r#"{"service":["whatsapp"]}"#,
    ] {
        odd(probe, body).await;
        probe.get(Who::First, "/profile").await;
    }
    odd(probe, r#"{"service":"WhatsApp"}"#).await;
    probe.get(Who::First, "/profile").await;
    looking::history(probe, Who::First).await;
}

async fn odd(probe: &mut Probe<'_>, body: &str) {
    if probe.may_rent() {
        let reply = probe
            .ask(Who::First, "POST", "/number/rent", Some((JSON, body)))
            .await;
        probe.keep(Who::First, &reply);
    }
}

/// What an ended rental looks like, where one can be ended.
pub(crate) async fn ended(probe: &mut Probe<'_>) {
    let honest = !probe.is_virtual();
    let wait_sms = probe.plan.wait_sms;
    let soon = probe.held.iter().any(|held| held.life <= wait_sms);
    if honest && !soon && !probe.plan.wait_expiry {
        return;
    }
    if let Some(held) = without_code(probe).await {
        let path = format!("/number/check-otp/{}", held.id);
        if honest {
            until_the_end(probe, &held).await;
        }
        if honest || probe.expire(&held.id).await {
            probe.get(Who::First, &path).await;
            probe.get(Who::First, "/profile").await;
            probe.get(Who::First, "/rentals/history").await;
        }
    }
    // And those that have their code: is it still there?
    let completed = probe
        .held
        .iter()
        .find(|held| held.who == Who::First && held.received.is_some())
        .cloned();
    if let Some(completed) = completed {
        until_the_end(probe, &completed).await;
        let path = format!("/number/check-otp/{}", completed.id);
        probe.get(Who::First, &path).await;
    }
}

/// A rental that will end without a code: one that is still waiting, or a new one.
async fn without_code(probe: &mut Probe<'_>) -> Option<Held> {
    let ours = probe.held.iter().filter(|held| held.who == Who::First);
    let waiting = ours.filter(|held| held.received.is_none());
    // When the last has ended, all have, and it is certain what came back.
    if let Some(last) = waiting.max_by_key(|held| held.rented + held.life) {
        return Some(last.clone());
    }
    let body = (JSON, r#"{"service":"telegram"}"#);
    let held = probe.rent(Who::First, body).await;
    match held {
        Some(held) => Some(held),
        None => probe.rent(Who::First, (FORM, "service=telegram")).await,
    }
}

async fn until_the_end(probe: &mut Probe<'_>, held: &Held) {
    let left = (held.rented + held.life).saturating_sub(probe.clock.now());
    probe.pause(left).await;
}

/// What a rent answers for want of numbers or of money, where that can be seen
/// without spending anything.
pub(crate) async fn lacking(probe: &mut Probe<'_>) {
    if probe.is_virtual() {
        probe.lack("no_numbers", "rent: no_numbers first 1").await;
        let rule = "rent: insufficient_balance first 1";
        probe.lack("insufficient_balance", rule).await;
    } else {
        probe.rent_without_money().await;
    }
}
