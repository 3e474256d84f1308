//! Where an account's webhooks go, and whether they still do.

use contract::Moment;
use schemars::JsonSchema;
use serde::Serialize;

use crate::mock::Mock;
use crate::scope::{Scope, redacted};

/// The receiver of an account's webhooks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EndpointView {
    /// The first characters of its key, and a number to tell it apart.
    pub account: String,
    /// How many attempts have failed since the last that was acknowledged.
    pub failures: u32,
    /// Whether these were so many that the account has no webhooks any more; a
    /// reset gives them back.
    pub disabled: bool,
}

impl Mock {
    /// How the receivers stand of the accounts that have one.
    pub fn webhook_endpoints(&mut self, now: Moment, scope: Scope) -> Vec<EndpointView> {
        self.advance(now);
        let places = self.places(scope).into_iter();
        let views = places.filter_map(|place| {
            let (key, account) = self.account_mut(place);
            account.settings.webhook.as_ref()?;
            let (failures, disabled) = account.webhooks.failures();
            Some(EndpointView {
                account: redacted(key),
                failures,
                disabled,
            })
        });
        views.collect()
    }
}
