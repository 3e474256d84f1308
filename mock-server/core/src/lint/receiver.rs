//! The rules about how a client answers webhooks.

use std::time::Duration;

use contract::TimeSpan;

use super::finding::Findings;
use super::past::Past;
use super::rule::Rule;
use crate::deliveries::{Attempt, Delivery};
use crate::webhook::WebhookOutcome;

/// As long as the most impatient documented service waits.
const IMPATIENT: Duration = Duration::from_secs(3);

/// What the mock knows of an attempt that has just ended.
pub(super) struct Answered<'a> {
    pub(super) delivery: &'a Delivery,
    /// All deliveries of the same event.
    pub(super) pair: &'a [&'a Delivery],
    /// The request that made its rental, if its answer said so.
    pub(super) rent: Option<&'a Past>,
    pub(super) patience: Duration,
    /// Whether a receiver may refuse it for its signature or its age.
    pub(super) signed: bool,
    /// How fast the account's time runs.
    pub(super) pace: f64,
}

/// Judges it.
pub(super) fn judge(answered: &Answered<'_>, findings: &mut Findings) {
    let delivery = answered.delivery;
    let Some(attempt) = delivery.attempts.last() else {
        return;
    };
    let proof = answered.rent.map_or(&[][..], std::slice::from_ref);
    let subject = |rule| (rule, Some(delivery.account), delivery.id.rental);
    let took = attempt.report.took;
    if took > IMPATIENT.min(answered.patience) {
        let what = || {
            let took = TimeSpan(Duration::from_millis(took.as_millis() as u64));
            format!("{} took {took}", told(delivery, attempt))
        };
        findings.add(subject(Rule::WebhookSlowAck), what, proof);
    }
    if let Some((first, again)) = refused_again(answered) {
        let what = || format!("{first}; {again}");
        findings.add(subject(Rule::WebhookNotIdempotent), what, proof);
    }
}

/// The post that was taken, and one that began after that and was refused.
///
/// A refusal before it was ever taken is followed by an honest second try; of two
/// posts at one moment, the order in which they are answered says nothing.
fn refused_again(answered: &Answered<'_>) -> Option<(String, String)> {
    let posts = || {
        let deliveries = answered.pair.iter();
        deliveries.flat_map(|it| it.attempts.iter().map(move |attempt| (*it, attempt)))
    };
    let end = |attempt: &Attempt| {
        let took = attempt.report.took.as_secs_f64() * answered.pace;
        attempt.at + Duration::try_from_secs_f64(took).unwrap_or(Duration::MAX)
    };
    let taken = posts().filter(|(_, attempt)| is_taken(attempt));
    let (first, taken) = taken.min_by_key(|(_, attempt)| end(attempt))?;
    let mut refused = posts()
        .filter(|(_, attempt)| attempt.at >= end(taken) && is_refusal(attempt, answered.signed));
    let (again, refusal) = refused.next()?;
    Some((told(first, taken), told(again, refusal)))
}

fn told(delivery: &Delivery, attempt: &Attempt) -> String {
    let answer = match (attempt.report.status, &attempt.report.error) {
        (Some(status), _) => format!("was answered {status}"),
        (None, Some(error)) => format!("was not answered ({error})"),
        (None, None) => "was not answered".to_owned(),
    };
    format!(
        "delivery {}, attempt {}, {answer}",
        delivery.number, attempt.number
    )
}

/// Whether a receiver that looks closely does not believe it.
pub(super) fn is_forged(delivery: &Delivery) -> bool {
    let faults = delivery.faults.iter();
    faults.copied().any(|fault| {
        let words = fault.split('(').next().unwrap_or_default();
        matches!(words, "webhook_bad_signature" | "webhook_stale_timestamp")
    })
}

fn is_taken(attempt: &Attempt) -> bool {
    attempt.outcome == Some(WebhookOutcome::Acknowledged)
}

/// Whether an answer means the event and not the moment.
fn is_refusal(attempt: &Attempt, signed: bool) -> bool {
    let status = attempt.report.status.unwrap_or_default();
    let meant = match status {
        400 | 401 | 403 => !signed,
        408 | 410 | 425 | 429 => false,
        _ => (400..=500).contains(&status),
    };
    meant && attempt.outcome == Some(WebhookOutcome::Failed)
}
