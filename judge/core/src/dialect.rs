//! The dialect of a server: what the documentation leaves open, measured, as a
//! file from which `otplab serve --config` makes a mock that does the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use crate::evidence::{Evidence, Who};
use crate::judge::{charged_at_rent, refunded};
use crate::reading::{Body, id_text};
use crate::story::{Asked, Call, Case, Operation, Rental, Story};

/// Settings by name, and the names of those that could not be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    settings: BTreeMap<&'static str, String>,
}

/// What can be measured at all; the rest of a dialect never shows by itself.
const NAMES: [&str; 24] = [
    "error_body",
    "unauthorized",
    "missing_service",
    "unknown_service",
    "slug_case",
    "rent_content",
    "rent_status",
    "no_such_rental",
    "wrong_method",
    "expired",
    "repeat_read",
    "charge",
    "refund",
    "status_words",
    "no_code",
    "history_order",
    "paging",
    "rate_limit",
    "webhook_duplicate",
    "time_zone",
    "timestamp",
    "extra_fields",
    "insufficient_balance",
    "no_numbers",
];

/// What never shows to one who rents and polls.
const NEVER: [&str; 10] = [
    "key_format",
    "readable",
    "late_sms",
    "active_rentals",
    "webhook_ack",
    "webhook_timeout",
    "webhook_retry",
    "webhook_signature",
    "webhook_order",
    "idempotency",
];

/// Measures.
#[must_use]
pub fn measure(evidence: &Evidence) -> Measured {
    let story = Story::of(evidence);
    let mut measured = Measured::default();
    measured.refusals(&story);
    measured.renting(&story);
    measured.lacking(&story);
    measured.rentals(&story);
    measured.history(&story);
    measured.webhooks(&story);
    measured
}

impl Measured {
    /// The file.
    #[must_use]
    pub fn text(&self, server: &str) -> String {
        let missing: Vec<_> = NAMES
            .iter()
            .filter(|name| !self.settings.contains_key(*name))
            .copied()
            .collect();
        let mut out = format!(
            "# The dialect of {server}, as `otplab check` has measured it:\n#\n#     otplab serve --config THIS-FILE\n"
        );
        if !missing.is_empty() {
            writeln!(
                out,
                "#\n# Not seen, and therefore as by default: {}.",
                missing.join(", ")
            )
            .expect("writing to a string");
        }
        writeln!(
            out,
            "#\n# Never measured, and therefore as by default: {}.",
            NEVER.join(", ")
        )
        .expect("writing to a string");
        out += "\n[dialect]\n";
        for (name, value) in &self.settings {
            writeln!(out, "{name} = {}", Value::from(value.as_str())).expect("writing to a string");
        }
        out
    }

    fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.settings.insert(name, value.into());
    }

    /// A refusal's status, if the mock can answer with it.
    fn status(&mut self, name: &'static str, call: Option<&Call<'_>>) {
        if let Some(call) =
            call.filter(|call| call.status == 200 || (400..600).contains(&call.status))
        {
            self.set(name, call.status.to_string());
        }
    }

    fn refusals(&mut self, story: &Story<'_>) {
        let answered = || {
            story
                .calls
                .iter()
                .filter(|call| call.status != 0 && call.status != 429)
        };
        let nobody = answered()
            .find(|call| call.who() == Who::Nobody && call.operation == Operation::Profile);
        match nobody.map(|call| call.status) {
            Some(301..=308) => self.set("unauthorized", "redirect"),
            _ => self.status("unauthorized", nobody),
        }
        let unknown = answered().find(|call| match &call.operation {
            Operation::CheckOtp(id) => {
                call.who() == Who::First && story.rental(id).is_none() && !call.granted()
            }
            _ => false,
        });
        self.status("no_such_rental", unknown);
        let omitted = story
            .rents()
            .find(|(call, asked)| **asked == Asked::Nothing && !call.granted());
        let omitted = omitted
            .map(|(call, _)| call)
            .filter(|call| call.status != 0);
        self.status("missing_service", omitted);
        let other = answered().find(|call| matches!(&call.operation, Operation::Other(path) if path.ends_with("/number/rent")));
        if let Some(status @ (404 | 405)) = other.map(|call| call.status) {
            self.set("wrong_method", status.to_string());
        }
        // Whether every refusal is a 200 shows where a status cannot.
        let all_good = [nobody, unknown, omitted]
            .iter()
            .flatten()
            .all(|call| call.status == 200);
        if let Some(form) = unknown.or(omitted).map(form) {
            let seen = nobody.is_some() && unknown.is_some() && omitted.is_some();
            self.set(
                "error_body",
                if seen && all_good && form == "envelope" {
                    "http200"
                } else {
                    form
                },
            );
        }
        self.limits(story);
    }

    fn limits(&mut self, story: &Story<'_>) {
        let limited: Vec<_> = story
            .calls
            .iter()
            .filter(|call| call.status == 429)
            .collect();
        let told = limited.iter().any(|call| {
            let answer = call.exchange.answer.as_ref().ok();
            answer.is_some_and(|answer| answer.header("retry-after").is_some())
        });
        self.set(
            "rate_limit",
            match (limited.is_empty(), told) {
                (true, _) => "off",
                (false, true) => "realistic",
                (false, false) => "hostile",
            },
        );
    }

    fn renting(&mut self, story: &Story<'_>) {
        let asked_for = |slug: &str| {
            let rents = story
                .rents()
                .filter(|(call, _)| call.status != 0 && call.status != 429);
            rents
                .into_iter()
                .find(|(_, asked)| **asked == Asked::Service(slug.to_owned()))
                .map(|(call, _)| call)
        };
        if let Some(unknown) = asked_for("otplab-unknown-service") {
            if unknown.granted() {
                self.set("unknown_service", "accept");
            } else {
                self.status("unknown_service", Some(unknown));
            }
        }
        if let Some(upper) = asked_for("WhatsApp") {
            self.set("slug_case", if upper.granted() { "any" } else { "lower" });
        }
        let taken = |media: &str| {
            let mut rents = story.rents().filter(|(call, asked)| {
                let documented = matches!(asked, Asked::Service(slug) if crate::story::DOCUMENTED.contains(&slug.as_str()));
                documented && call.exchange.content_type.as_deref().is_some_and(|given| given.contains(media)) && call.status != 0 && call.status != 429
            });
            let first = rents.next()?.0.granted();
            Some(first || rents.any(|(call, _)| call.granted()))
        };
        match (taken("json"), taken("urlencoded")) {
            (Some(true), Some(true)) => self.set("rent_content", "any"),
            (Some(true), Some(false)) => self.set("rent_content", "json"),
            (Some(false), Some(true)) => self.set("rent_content", "form"),
            _ => {}
        }
        let granted = story.rents().find(|(call, _)| call.granted());
        if let Some(status @ (200 | 201)) = granted.map(|(call, _)| call.status) {
            self.set("rent_status", status.to_string());
        }
        if let Some(at_rent) = charged_at_rent(story, Who::First) {
            self.set("charge", if at_rent { "rent" } else { "sms" });
        }
        let objects = story
            .calls
            .iter()
            .filter(|call| call.who() == Who::First && call.operation == Operation::Profile);
        let mut users = objects.filter_map(|call| call.success_object()?.get("user")?.as_object());
        if let Some(user) = users.next() {
            let known = ["name", "email", "balance"];
            let extra = user.keys().any(|name| !known.contains(&name.as_str()));
            self.set("extra_fields", if extra { "some" } else { "none" });
        }
    }

    /// How a lack of numbers or of money is told: where it was brought about, or
    /// where the balance was below every price that was seen.
    fn lacking(&mut self, story: &Story<'_>) {
        let cheapest = story.rentals.iter().filter_map(|rental| rental.cost).min();
        let poor = |call: &Call<'_>| {
            let profiles = story.profiles(Who::First);
            let before = profiles.filter(|profile| profile.index < call.index);
            let balance = before.filter_map(Call::balance).last();
            balance
                .zip(cheapest)
                .is_some_and(|(balance, cheapest)| balance < cheapest)
        };
        let refused = story.rents().find(|(call, asked)| {
            let documented = matches!(asked, Asked::Service(slug) if crate::story::DOCUMENTED.contains(&slug.as_str()));
            let refused = !call.granted() && call.status != 0 && call.status != 429;
            documented && refused && call.who() == Who::First && poor(call)
        });
        self.status("insufficient_balance", refused.map(|(call, _)| call));
        for (name, status) in &story.evidence.lacking {
            if *status == 200 || (400..600).contains(status) {
                self.set(name, status.to_string());
            }
        }
    }

    /// What polls show twice, and after the end.
    fn rentals(&mut self, story: &Story<'_>) {
        for rental in story.rentals_of(Who::First) {
            let received = story.received(rental);
            let again = received.and_then(|first| {
                story.polls(rental).find(|call| {
                    call.index > first.index && !Story::may_have_ended(rental, call.sent())
                })
            });
            match again.map(Call::case) {
                Some(Case::Waiting) => self.set("repeat_read", "once"),
                Some(Case::Received) => self.set("repeat_read", "latest"),
                _ => {}
            }
            if received.is_none()
                && let Some(ended) = story
                    .polls(rental)
                    .find(|call| Story::may_have_ended(rental, call.sent()))
            {
                self.ended(story, rental, ended);
            }
        }
    }

    fn ended(&mut self, story: &Story<'_>, rental: &Rental, poll: &Call<'_>) {
        let success = poll
            .success_object()
            .and_then(|object| object.get("success"))
            .and_then(Value::as_bool);
        match (poll.case(), success) {
            (Case::Waiting, Some(true)) => self.set("expired", "waiting"),
            (_, Some(false)) if poll.status == 200 => self.set("expired", "refusal"),
            _ => self.status("expired", Some(poll)),
        }
        if let Some(refunded) = refunded(story, rental, poll) {
            self.set("refund", if refunded { "at_end" } else { "none" });
        }
    }

    fn history(&mut self, story: &Story<'_>) {
        let mut words: [Option<String>; 3] = Default::default();
        for call in story.first_pages(Who::First) {
            for row in call.rows() {
                let id = row.get("id").and_then(id_text);
                let Some(rental) = id.and_then(|id| story.rental(&id)) else {
                    continue;
                };
                let before = |poll: &Call<'_>| poll.index < call.index;
                let place = match story.received(rental) {
                    Some(poll) if before(poll) => 1,
                    None if Story::may_have_ended(rental, call.sent()) => 2,
                    // The SMS may have come without anybody having looked.
                    _ if waits_later(story, rental, call) => 0,
                    _ => continue,
                };
                let word = row.get("status").and_then(Value::as_str);
                if let Some(word) = word {
                    words[place] = Some(word.to_owned());
                }
                if place == 0 {
                    self.set(
                        "no_code",
                        match row.get("sms_code") {
                            None => "absent",
                            Some(Value::Null) => "null",
                            Some(Value::String(text)) if text.is_empty() => "empty",
                            Some(Value::String(text)) if text == "0" => "zero",
                            Some(_) => continue,
                        },
                    );
                }
                self.zone(story, rental, row.get("created_at").and_then(Value::as_str));
            }
            self.order(call);
        }
        if let [Some(pending), Some(completed), expired] = &words {
            let expired = expired.as_deref().unwrap_or("expired");
            self.set("status_words", format!("{pending}/{completed}/{expired}"));
        }
        self.paging(story);
    }

    fn order(&mut self, call: &Call<'_>) {
        let ids: Vec<_> = call
            .rows()
            .filter_map(|row| row.get("id")?.as_i64())
            .collect();
        match (ids.first(), ids.last()) {
            (Some(first), Some(last)) if first > last => self.set("history_order", "newest"),
            (Some(first), Some(last)) if first < last => self.set("history_order", "oldest"),
            _ => {}
        }
    }

    fn paging(&mut self, story: &Story<'_>) {
        let query = |wanted: &str| {
            let wanted = Operation::History(wanted.to_owned());
            story
                .histories(Who::First)
                .filter(|call| call.status != 0 && call.status != 429)
                .filter(|call| call.operation == wanted)
                .last()
        };
        let (Some(second), Some(offset), Some(bad)) = (
            query("page=2"),
            query("offset=1&limit=1"),
            query("page=abc"),
        ) else {
            return;
        };
        let page = second
            .success_object()
            .and_then(|object| object.get("current_page")?.as_i64());
        self.set(
            "paging",
            match (page, bad.granted()) {
                (Some(2), true) => "pages",
                (Some(2), false) => "strict",
                _ if offset.rows().count() == 1 && second.rows().count() > 1 => "offset",
                _ => "ignored",
            },
        );
    }

    /// The zone, by the hour that fits best.
    fn zone(&mut self, story: &Story<'_>, rental: &Rental, created: Option<&str>) {
        let (Some(began), Some(created)) = (story.evidence.began, created) else {
            return;
        };
        let Some(shown) = crate::har::seconds(&format!("{}Z", created.replace(' ', "T"))) else {
            return;
        };
        let hours = ((shown - began - rental.sent.as_secs_f64()) / 3600.0).round() as i64;
        match hours {
            0 => self.set("time_zone", "UTC"),
            // POSIX counts the other way round.
            -12..=14 => self.set("time_zone", format!("Etc/GMT{:+}", -hours)),
            _ => {}
        }
    }

    fn webhooks(&mut self, story: &Story<'_>) {
        let mut bodies: BTreeMap<&[u8], usize> = BTreeMap::new();
        for event in &story.evidence.events {
            *bodies.entry(&event.body).or_default() += 1;
            let Body::Object(object, _) = Body::read(&event.body) else {
                continue;
            };
            match object.get("timestamp") {
                Some(Value::Number(number))
                    if number.as_i64().is_some_and(|stamp| stamp < 10_000_000_000) =>
                {
                    self.set("timestamp", "seconds");
                }
                Some(Value::Number(_)) => self.set("timestamp", "milliseconds"),
                Some(Value::String(_)) => self.set("timestamp", "text"),
                _ => {}
            }
        }
        let counts: BTreeSet<_> = bodies.values().copied().collect();
        match counts.into_iter().collect::<Vec<_>>().as_slice() {
            [] => {}
            [1] => self.set("webhook_duplicate", "off"),
            [2] => self.set("webhook_duplicate", "concurrent"),
            _ => {}
        }
    }
}

/// Whether a later poll still waits.
fn waits_later(story: &Story<'_>, rental: &Rental, call: &Call<'_>) -> bool {
    story
        .polls(rental)
        .any(|poll| poll.index > call.index && poll.case() == Case::Waiting && poll.succeeded())
}

/// What a refusal looks like.
fn form(call: &Call<'_>) -> &'static str {
    match &call.body {
        Body::Empty => "empty",
        Body::Object(object, _) if object.contains_key("code") && object.contains_key("error") => {
            "coded"
        }
        Body::Object(object, _) if object.get("errors").is_some_and(Value::is_string) => "getatext",
        Body::Object(object, _) if !object.contains_key("success") => "laravel",
        Body::Object(..) | Body::OtherJson => "envelope",
        Body::Text => "html",
    }
}
