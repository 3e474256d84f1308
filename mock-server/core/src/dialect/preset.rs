//! Dialects with a name: what a kind of service does, all at once.

use serde::{Deserialize, Serialize};

use super::{Dialect, DialectFile};

/// A dialect with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// The defaults of CLAUSES part 2.
    Default,
    /// What a plain Laravel service does.
    Laravel,
    /// Narrow wherever it can be.
    Strict,
    /// Whatever a client should expect, at its worst.
    Hostile,
}

/// What a service does whose author took the framework's word for everything.
const LARAVEL: &str = "error_body=laravel, unauthorized=redirect, insufficient_balance=422, \
    no_numbers=422, status_words=refunded";

/// Nothing but the documented, and not much of that.
const STRICT: &str = "error_body=coded, missing_service=400, unknown_service=400, \
    slug_case=lower, rent_content=json, rent_status=201, expired=410, readable=1h, \
    paging=strict, rate_limit=realistic, active_rentals=20, webhook_ack=200, webhook_timeout=3s, \
    webhook_retry=none";

/// Everything that a careless client trips over, and no clause broken: an SMS may
/// precede the poll by a second (W15), a late one has to cost what it says (P7).
const HOSTILE: &str = "error_body=html, unauthorized=redirect, unknown_service=404, \
    rent_status=201, insufficient_balance=200, no_numbers=200, wrong_method=404, expired=waiting, \
    late_sms=charged, status_words=getatext, no_code=absent, history_order=oldest, paging=ignored, \
    rate_limit=hostile, webhook_ack=200, webhook_timeout=3s, webhook_retry=vonage, \
    webhook_order=webhook_first(500ms), webhook_duplicate=concurrent, time_zone=Etc/GMT+1, \
    extra_fields=some";

impl Preset {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Default, Self::Laravel, Self::Strict, Self::Hostile];

    /// All its settings.
    pub fn dialect(self) -> Dialect {
        let different = match self {
            Self::Default => return Dialect::default(),
            Self::Laravel => LARAVEL,
            Self::Strict => STRICT,
            Self::Hostile => HOSTILE,
        };
        let different: DialectFile = different
            .parse()
            .expect("invariant: a preset is made of settings");
        different.applied_to(&Dialect::default())
    }
}
