//! What may be wrong with the SMS of a rental, and what several such faults
//! come to together.

use std::time::Duration;

use super::WebhookPlan;

/// A fault of the rental that a request makes; its answer is as ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmsFault {
    /// `sms_never`: no SMS. The rental ends and is refunded.
    Never,
    /// `sms_late(30s)`: the SMS comes this much later than it would.
    Late(Duration),
    /// `sms_duplicate`: its event is sent twice.
    Duplicate,
    /// `sms_second_code(10s)`: this long after the first SMS another comes, with
    /// an event of its own and another code, which is the one shown from then on.
    SecondCode(Duration),
}

/// All that is to happen to the SMS of one rental.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SmsPlan {
    /// How much later it comes; `None` means never.
    pub(crate) later: Option<Duration>,
    /// Whether its event is sent twice.
    pub(crate) duplicated: bool,
    /// How long after it a second one follows, if one does.
    pub(crate) second_after: Option<Duration>,
    /// What is to happen to its webhooks.
    pub(crate) webhook: WebhookPlan,
}

impl SmsPlan {
    /// Nothing out of the ordinary.
    pub(crate) const ORDINARY: Self = Self {
        later: Some(Duration::ZERO),
        duplicated: false,
        second_after: None,
        webhook: WebhookPlan::ORDINARY,
    };

    /// The plan with one more fault: delays add up, never is final, and of two
    /// second codes the first rule's counts.
    pub(crate) fn suffer(&mut self, fault: SmsFault) {
        match fault {
            SmsFault::Never => self.later = None,
            SmsFault::Late(more) => {
                self.later = self.later.map(|later| later.saturating_add(more));
            }
            SmsFault::Duplicate => self.duplicated = true,
            SmsFault::SecondCode(after) => {
                self.second_after = self.second_after.or(Some(after));
            }
        }
    }
}
