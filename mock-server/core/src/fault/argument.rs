//! The faults by name, each with its own arguments. Other tools' names for the
//! same faults are understood too, and written as ours.

use std::time::Duration;

use contract::expression::{ExpressionError, Sum, Term};
use contract::{Law, TimeSpan};

use super::{Damage, Fault, Phase, SmsFault, Substitute, WebhookFault};

/// What stands in for the argument of a bare `rate_limit`: the smallest wait
/// that Retry-After can express.
const SHORTEST_RETRY_AFTER: Duration = Duration::from_secs(1);

/// The status of a bare `html_error`: a proxy's that cannot reach its server.
const BAD_GATEWAY: u16 = 502;

/// WireMock's and Toxiproxy's names, as far as they are not ours as well.
const ALIASES: [(&str, &str); 5] = [
    ("CONNECTION_RESET_BY_PEER", "reset_peer"),
    ("EMPTY_RESPONSE", "empty_response"),
    ("MALFORMED_RESPONSE_CHUNK", "malformed_chunk"),
    ("RANDOM_DATA_THEN_CLOSE", "random_data"),
    ("limit_data", "truncate_body"),
];

/// Reads one fault. Of those that have a phase, it is that of a bare name.
pub(super) fn read_fault(text: &str) -> Result<Fault, ExpressionError> {
    let sum = Sum::parse(text)?;
    let term = sum.single()?;
    let name = our_name(term.word.text);
    if name == "latency" {
        return read_latency(term);
    }
    if let Some(damage) = read_damage(name, term).transpose()? {
        return Ok(Fault::Damage(damage));
    }
    if let Some(fault) = read_sms_fault(name, term).transpose()? {
        return Ok(Fault::Sms(fault));
    }
    if let Some(fault) = read_webhook_fault(name, term).transpose()? {
        return Ok(Fault::Webhook(fault));
    }
    let substitute = read_substitute(name, term)?;
    Ok(Fault::Instead(substitute, Phase::default()))
}

fn our_name(name: &str) -> &str {
    let alias = ALIASES.iter().find(|(theirs, _)| *theirs == name);
    alias.map_or(name, |(_, ours)| ours)
}

fn read_latency(term: &Term<'_>) -> Result<Fault, ExpressionError> {
    let arguments = term.exactly(1, "latency(200ms) or latency(lognormal(200ms,0.5))")?;
    Law::from_sum(arguments[0]).map(Fault::Latency)
}

fn read_damage(name: &str, term: &Term<'_>) -> Option<Result<Damage, ExpressionError>> {
    Some(match name {
        "truncate_body" if term.arguments.is_none() => Ok(Damage::TruncateBody(None)),
        "truncate_body" => bytes(term, "truncate_body(10)")
            .map(Some)
            .map(Damage::TruncateBody),
        "reset_after_bytes" => bytes(term, "reset_after_bytes(10)").map(Damage::ResetAfterBytes),
        "malformed_json" => bare(term, "malformed_json", Damage::MalformedJson),
        "malformed_chunk" => bare(term, "malformed_chunk", Damage::MalformedChunk),
        "slow_body" => duration(term, "slow_body(5s)").map(Damage::SlowBody),
        "slow_close" => duration(term, "slow_close(5s)").map(Damage::SlowClose),
        _ => return None,
    })
}

fn read_sms_fault(name: &str, term: &Term<'_>) -> Option<Result<SmsFault, ExpressionError>> {
    Some(match name {
        "sms_never" => bare(term, "sms_never", SmsFault::Never),
        "sms_late" => duration(term, "sms_late(30s)").map(SmsFault::Late),
        "sms_duplicate" => bare(term, "sms_duplicate", SmsFault::Duplicate),
        "sms_second_code" => duration(term, "sms_second_code(10s)").map(SmsFault::SecondCode),
        _ => return None,
    })
}

fn read_webhook_fault(
    name: &str,
    term: &Term<'_>,
) -> Option<Result<WebhookFault, ExpressionError>> {
    let named = |fault| bare(term, name, fault);
    Some(match name {
        "webhook_drop" => named(WebhookFault::Drop),
        "webhook_duplicate" => again_after(term).map(WebhookFault::Duplicate),
        "webhook_reorder" => named(WebhookFault::Reorder),
        "webhook_early" => named(WebhookFault::Early),
        "webhook_late" => duration(term, "webhook_late(30s)").map(WebhookFault::Late),
        "webhook_bad_signature" => named(WebhookFault::BadSignature),
        "webhook_stale_timestamp" => named(WebhookFault::StaleTimestamp),
        _ => return None,
    })
}

fn again_after(term: &Term<'_>) -> Result<Duration, ExpressionError> {
    const USAGE: &str = "webhook_duplicate, webhook_duplicate(2s) or webhook_duplicate(concurrent)";
    if term.arguments.is_none() {
        return Ok(WebhookFault::AGAIN_AFTER);
    }
    match term.exactly(1, USAGE)?[0].word()?.text {
        "concurrent" => Ok(Duration::ZERO),
        _ => duration(term, USAGE),
    }
}

fn read_substitute(name: &str, term: &Term<'_>) -> Result<Substitute, ExpressionError> {
    let named = |substitute: Substitute| bare(term, name, substitute);
    match name {
        "status" => status(term, "status(503)").map(Substitute::Status),
        "rate_limit" if term.arguments.is_none() => Ok(Substitute::RateLimit(SHORTEST_RETRY_AFTER)),
        "rate_limit" => duration(term, "rate_limit or rate_limit(2s)").map(Substitute::RateLimit),
        "html_error" if term.arguments.is_none() => Ok(Substitute::HtmlError(BAD_GATEWAY)),
        "html_error" => page_status(term).map(Substitute::HtmlError),
        "no_numbers" => named(Substitute::NoNumbers),
        "insufficient_balance" => named(Substitute::InsufficientBalance),
        "reset_peer" => named(Substitute::ResetPeer),
        "empty_response" => named(Substitute::EmptyResponse),
        "random_data" => named(Substitute::RandomData),
        "timeout" => named(Substitute::Timeout),
        other => Err(term.word.error(format!(
            "no fault is named {other:?}; there are status(503), rate_limit(2s), html_error, \
             latency(200ms), timeout, reset_peer, reset_after_bytes(10), empty_response, \
             random_data, malformed_chunk, malformed_json, truncate_body, slow_body(5s), \
             slow_close(5s), no_numbers, insufficient_balance, sms_never, sms_late(30s), \
             sms_duplicate, sms_second_code(10s), webhook_drop, webhook_duplicate, \
             webhook_reorder, webhook_early, webhook_late(30s), webhook_bad_signature and \
             webhook_stale_timestamp"
        ))),
    }
}

fn bare<T>(term: &Term<'_>, name: &str, fault: T) -> Result<T, ExpressionError> {
    term.exactly(0, name).map(|_| fault)
}

fn duration(term: &Term<'_>, usage: &str) -> Result<Duration, ExpressionError> {
    let word = term.exactly(1, usage)?[0].word()?;
    word.read().map(|TimeSpan(duration)| duration)
}

fn bytes(term: &Term<'_>, usage: &str) -> Result<usize, ExpressionError> {
    let word = term.exactly(1, usage)?[0].word()?;
    word.text.parse().map_err(|_| {
        word.error(format!(
            "{:?} is not a number of bytes; write it like {usage}",
            word.text
        ))
    })
}

fn status(term: &Term<'_>, usage: &str) -> Result<u16, ExpressionError> {
    let word = term.exactly(1, usage)?[0].word()?;
    match word.text.parse() {
        Ok(code) if (200..=599).contains(&code) => Ok(code),
        Ok(100..=199) => Err(word.error(
            "a status below 200 announces an answer and is none; choose one from 200 to 599",
        )),
        _ => Err(word.error(format!(
            "{:?} is not an HTTP status; choose one from 200 to 599",
            word.text
        ))),
    }
}

fn page_status(term: &Term<'_>) -> Result<u16, ExpressionError> {
    match status(term, "html_error or html_error(502)")? {
        code @ (204 | 205 | 304) => Err(term
            .word
            .error(format!("an answer with status {code} has no page"))),
        code => Ok(code),
    }
}
