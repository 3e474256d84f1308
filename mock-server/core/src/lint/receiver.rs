//! The rules about how a client answers webhooks.

use std::time::Duration;

use contract::TimeSpan;

use super::finding::Findings;
use super::rule::Rule;
use crate::deliveries::{Attempt, Delivery};
use crate::webhook::WebhookOutcome;

/// As long as the most impatient documented service waits.
const IMPATIENT: Duration = Duration::from_secs(3);

/// Judges the attempt that has just ended; `pair` are all deliveries of the same event.
pub(super) fn judge(
    (delivery, pair): (&Delivery, &[&Delivery]),
    patience: Duration,
    findings: &mut Findings,
) {
    let Some(attempt) = delivery.attempts.last() else {
        return;
    };
    let subject = |rule| (rule, Some(delivery.account), delivery.id.rental);
    let took = attempt.report.took;
    if took > IMPATIENT.min(patience) || took >= patience {
        let what = || {
            let (number, took) = (delivery.number, TimeSpan(took));
            format!("delivery {number}, attempt {}: {took}", attempt.number)
        };
        findings.add(subject(Rule::WebhookSlowAck), what, &[]);
    }
    let took_it = pair.iter().any(|it| it.attempts.iter().any(is_taken));
    let refused = pair
        .iter()
        .flat_map(|it| it.attempts.iter().map(move |attempt| (*it, attempt)));
    // A refusal before it was ever taken is followed by an honest second try; of two posts at
    // one moment, the order in which they are answered says nothing.
    let first = pair
        .iter()
        .flat_map(|it| &it.attempts)
        .filter(|attempt| is_taken(attempt));
    let Some(first) = first.map(|attempt| attempt.at).min().filter(|_| took_it) else {
        return;
    };
    let mut refused = refused.filter(|(_, attempt)| is_refused(attempt) && attempt.at >= first);
    if let Some((again, refusal)) = refused.next() {
        let what = || {
            let status = refusal.report.status.unwrap_or_default();
            format!(
                "delivery {}, attempt {}: {status}",
                again.number, refusal.number
            )
        };
        findings.add(subject(Rule::WebhookNotIdempotent), what, &[]);
    }
}

fn is_taken(attempt: &Attempt) -> bool {
    attempt.outcome == Some(WebhookOutcome::Acknowledged)
}

fn is_refused(attempt: &Attempt) -> bool {
    attempt.outcome == Some(WebhookOutcome::Failed) && attempt.report.status.is_some()
}
