//! Where webhooks go: what somebody said about an endpoint, and the name that it
//! has. What waits for it is in its queue, in `outbox`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_with::{DeserializeFromStr, SerializeDisplay};

use crate::dialect::WebhookRetry;
use crate::fault::Origin;
use crate::settings::WebhookSettings;
use crate::webhook_url::WebhookUrl;

/// Names an endpoint of an account: who made it, and the how-manieth of theirs it
/// is, from 1. The settings have at most one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, DeserializeFromStr, SerializeDisplay,
)]
pub struct EndpointId {
    /// Who made it.
    pub origin: Origin,
    /// From 1.
    pub number: u32,
}

/// Not the name of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of an endpoint; they look like settings-1, account-1 and server-1")]
pub struct EndpointIdError(String);

impl EndpointId {
    /// The one that `webhook_url` is about.
    pub(crate) const SETTINGS: Self = Self {
        origin: Origin::Settings,
        number: 1,
    };

    /// Before all others, and nobody's.
    pub(crate) const LOWEST: Self = Self {
        origin: Origin::Account,
        number: 0,
    };
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.origin.word(), self.number)
    }
}

impl FromStr for EndpointId {
    type Err = EndpointIdError;

    fn from_str(text: &str) -> Result<Self, EndpointIdError> {
        let wrong = || EndpointIdError(text.to_owned());
        let id: crate::fault::RuleId = text.parse().map_err(|_| wrong())?;
        Ok(Self {
            origin: id.origin,
            number: id.number,
        })
    }
}

/// Endpoints that testers gave to every account, present and to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedEndpoints {
    pub(crate) endpoints: BTreeMap<EndpointId, Arc<WebhookSettings>>,
    /// How many there ever were.
    pub(crate) made: u32,
}

/// What was said about an endpoint, written down; but for its secret.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SavedEndpoint {
    #[schemars(with = "String")]
    pub(crate) id: EndpointId,
    #[schemars(with = "String")]
    pub(crate) url: WebhookUrl,
    #[schemars(with = "Option<String>")]
    pub(crate) retry: Option<WebhookRetry>,
    #[serde(default)]
    pub(crate) truth: bool,
}

impl SavedEndpoint {
    pub(crate) fn of(id: EndpointId, settings: &WebhookSettings) -> Self {
        Self {
            id,
            url: settings.url.clone(),
            retry: settings.retry,
            truth: settings.truth,
        }
    }

    pub(crate) fn settings(self) -> Arc<WebhookSettings> {
        Arc::new(WebhookSettings {
            url: self.url,
            secret: None,
            retry: self.retry,
            truth: self.truth,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        for text in ["settings-1", "account-2", "server-1"] {
            let id: EndpointId = text.parse().expect(text);
            assert_eq!(id.to_string(), text);
            assert!(id > EndpointId::LOWEST);
        }
        let error = "mine-1".parse::<EndpointId>().expect_err("not an id");
        assert!(error.to_string().contains("not the id of an endpoint"));
    }
}
