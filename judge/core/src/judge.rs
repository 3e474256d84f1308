//! The judging: one file per part of the contract, each a function from the
//! story to entries in the docket.

mod check_otp;
mod client;
mod cross;
mod history;
mod money;
mod paging;
mod profile;
mod rent;
mod repeat;
mod traffic;
mod transport;
mod webhook;

pub use self::client::LINT;
pub(crate) use self::money::{charged_at_rent, refunded};
use crate::docket::Docket;
use crate::evidence::Evidence;
use crate::story::Story;
use crate::verdict::{Choice, Judgement};

/// Judges evidence.
#[must_use]
pub fn judge(evidence: &Evidence, choice: &Choice) -> Judgement {
    let story = Story::of(evidence);
    let mut docket = Docket::default();
    transport::judge(&story, &mut docket);
    traffic::judge(&story, &mut docket);
    profile::judge(&story, &mut docket);
    money::judge(&story, &mut docket);
    rent::judge(&story, &mut docket);
    check_otp::judge(&story, &mut docket);
    repeat::judge(&story, &mut docket);
    history::judge(&story, &mut docket);
    paging::judge(&story, &mut docket);
    webhook::judge(&story, &mut docket);
    cross::judge(&story, &mut docket);
    client::judge(&story, &mut docket);
    Judgement::of(&story, &docket, choice)
}
