//! A dialect written down again: each value as it is read. Reading is in `value`,
//! `status`, `schedule` and `words`; a test holds the two together.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use contract::TimeSpan;

use super::{
    ActiveRentals, Expired, Quota, RateLimit, Readable, Refund, RentStatus, Status, Unauthorized,
    UnknownService, WebhookAck, WebhookDuplicate, WebhookOrder, WebhookRetry, WebhookSignature,
    WrongMethod, Zone,
};

/// `Serialize` as the text that `Display` writes.
macro_rules! written_as_text {
    ($($name:ty),+ $(,)?) => {$(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

written_as_text!(
    ActiveRentals,
    Expired,
    RateLimit,
    Readable,
    Refund,
    RentStatus,
    Status,
    Unauthorized,
    UnknownService,
    WebhookAck,
    WebhookDuplicate,
    WebhookOrder,
    WebhookRetry,
    WebhookSignature,
    WrongMethod,
    Zone,
);

/// `Display` of types that are a word or something with a word around it.
macro_rules! displayed {
    ($($name:ident { $($pattern:pat => $($argument:expr),+;)+ })+) => {$(
        impl Display for $name {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                match self {
                    $($pattern => write!(f, $($argument),+),)+
                }
            }
        }
    )+};
}

displayed! {
    Status {
        status => "{}", status.code();
    }
    Unauthorized {
        Self::Status(status) => "{status}";
        Self::Redirect => "redirect";
    }
    UnknownService {
        Self::Status(status) => "{status}";
        Self::Accept => "accept";
    }
    Expired {
        Self::Status(status) => "{status}";
        Self::Refusal => "refusal";
        Self::Waiting => "waiting";
    }
    RentStatus {
        Self::Ok => "200";
        Self::Created => "201";
    }
    WrongMethod {
        Self::NotAllowed => "405";
        Self::NotFound => "404";
    }
    Readable {
        Self::Forever => "forever";
        Self::For(time) => "{}", span(time);
    }
    Refund {
        Self::AtEnd => "at_end";
        Self::None => "none";
        Self::Unseen => "unseen";
        Self::After(delay) => "{}", span(delay);
    }
    RateLimit {
        Self::Off => "off";
        Self::Realistic => "realistic";
        Self::Hostile => "hostile";
        Self::Own(quota) => "{quota}";
    }
    ActiveRentals {
        Self::Off => "off";
        Self::AtMost(count) => "{count}";
    }
    WebhookAck {
        Self::Any2xx => "2xx";
        Self::Only200 => "200";
    }
    WebhookRetry {
        Self::None => "none";
        Self::Plivo => "plivo";
        Self::Vonage => "vonage";
        Self::DisableAfter50 => "disable_after_50";
        Self::Sendly => "sendly";
        Self::Svix => "svix";
        Self::Spaced { attempts, spacing } => "{attempts}x{}", span(spacing);
    }
    WebhookOrder {
        Self::PollFirst => "poll_first";
        Self::BeforeRentAnswer => "before_rent_answer";
        Self::WebhookFirst(lead) => "webhook_first({})", span(lead);
        Self::Delayed(delay) => "delayed({})", span(delay);
    }
    WebhookDuplicate {
        Self::Off => "off";
        Self::Concurrent => "concurrent";
        Self::Probability(chance) => "{chance}";
    }
    // A secret is not for anybody to read.
    WebhookSignature {
        Self::None => "none";
        Self::Secret(_) | Self::Standard(_) => "…";
    }
    Zone {
        Self(zone) => "{}", zone.iana_name().unwrap_or("UTC");
    }
}

impl Display for Quota {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let unit = match self.window.as_secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

const fn span(duration: &Duration) -> TimeSpan {
    TimeSpan(*duration)
}
