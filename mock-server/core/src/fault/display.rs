//! How rules and their parts are written: as `grammar` reads them, under our
//! own names, and without what goes without saying.

use std::fmt;
use std::time::Duration;

use contract::TimeSpan;

use super::{Damage, Fault, FaultRule, Phase, SmsFault, Substitute, Target, WebhookFault, When};

impl fmt::Display for FaultRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}{}", self.target, self.fault, self.when)?;
        if let Some(ttl) = self.ttl {
            write!(f, " ttl {}", TimeSpan(ttl))?;
        }
        match self.fault {
            Fault::Instead(_, Phase::AfterCommit) => f.write_str(" after_commit"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every => f.write_str("*"),
            Self::Only(operation) => operation.fmt(f),
        }
    }
}

/// Without its phase, which a rule writes at its end.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency(law) => write!(f, "latency({law})"),
            Self::Instead(substitute, _) => substitute.fmt(f),
            Self::Damage(damage) => damage.fmt(f),
            Self::Sms(fault) => fault.fmt(f),
            Self::Webhook(fault) => fault.fmt(f),
        }
    }
}

impl fmt::Display for Substitute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(code) => write!(f, "status({code})"),
            Self::RateLimit(wait) => write!(f, "rate_limit({})", TimeSpan(*wait)),
            Self::NoNumbers => f.write_str("no_numbers"),
            Self::InsufficientBalance => f.write_str("insufficient_balance"),
            Self::HtmlError(code) => write!(f, "html_error({code})"),
            Self::ResetPeer => f.write_str("reset_peer"),
            Self::EmptyResponse => f.write_str("empty_response"),
            Self::RandomData => f.write_str("random_data"),
            Self::Timeout => f.write_str("timeout"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TruncateBody(None) => f.write_str("truncate_body"),
            Self::TruncateBody(Some(bytes)) => write!(f, "truncate_body({bytes})"),
            Self::ResetAfterBytes(bytes) => write!(f, "reset_after_bytes({bytes})"),
            Self::MalformedJson => f.write_str("malformed_json"),
            Self::MalformedChunk => f.write_str("malformed_chunk"),
            Self::SlowBody(time) => write!(f, "slow_body({})", TimeSpan(*time)),
            Self::SlowClose(time) => write!(f, "slow_close({})", TimeSpan(*time)),
        }
    }
}

impl fmt::Display for SmsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("sms_never"),
            Self::Late(time) => write!(f, "sms_late({})", TimeSpan(*time)),
            Self::Duplicate => f.write_str("sms_duplicate"),
            Self::SecondCode(time) => write!(f, "sms_second_code({})", TimeSpan(*time)),
        }
    }
}

impl fmt::Display for WebhookFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("webhook_drop"),
            Self::Duplicate(Self::AGAIN_AFTER) => f.write_str("webhook_duplicate"),
            Self::Duplicate(Duration::ZERO) => f.write_str("webhook_duplicate(concurrent)"),
            Self::Duplicate(after) => write!(f, "webhook_duplicate({})", TimeSpan(*after)),
            Self::Reorder => f.write_str("webhook_reorder"),
            Self::Early => f.write_str("webhook_early"),
            Self::Late(time) => write!(f, "webhook_late({})", TimeSpan(*time)),
            Self::BadSignature => f.write_str("webhook_bad_signature"),
            Self::StaleTimestamp => f.write_str("webhook_stale_timestamp"),
        }
    }
}

/// With the space before it, since [`When::Always`] is written as nothing.
impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => Ok(()),
            Self::First(count) => write!(f, " first {count}"),
            Self::Nth(count) => write!(f, " nth {count}"),
            Self::Every(count) => write!(f, " every {count}"),
            Self::After(count) => write!(f, " after {count}"),
            Self::Between(first, last) => write!(f, " between {first} and {last}"),
            Self::Probability(chance) => write!(f, " probability {chance}"),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::AfterCommit => "after_commit",
        })
    }
}
