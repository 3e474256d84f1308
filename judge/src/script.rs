//! The probe script: what is asked, in which order. Each step asks more than it
//! would need to, because the judge finds what matters by itself.

use std::net::SocketAddr;

use judge_core::evidence::Who;

use crate::probe::{BEARER, Probe};
use crate::{looking, renting};

/// From the beginning to the end.
pub(crate) async fn run(probe: &mut Probe<'_>, listening: Option<SocketAddr>) {
    probe.find_control(listening).await;
    let first = probe.get(Who::First, "/profile").await;
    if first.status == 0 {
        return;
    }
    keys(probe).await;
    probe.get(Who::First, "/profile").await;
    probe.get(Who::First, "/profile").await;
    looking::history(probe, Who::First).await;
    if probe.plan.second_key.is_some() {
        probe.get(Who::Second, "/profile").await;
        probe.get(Who::Second, "/rentals/history").await;
    }
    if probe.plan.read_only {
        without_key(probe, "1").await;
        looking::unknown_ids(probe).await;
        looking::paging(probe).await;
        return;
    }
    renting::refused(probe).await;
    let Some(main) = renting::first(probe).await else {
        without_key(probe, "1").await;
        return;
    };
    renting::second_key(probe, &main).await;
    renting::more(probe).await;
    without_key(probe, &main.id).await;
    probe
        .ask(
            Who::Nobody,
            "POST",
            "/number/rent",
            Some(("application/json", renting::WHATSAPP)),
        )
        .await;
    looking::unknown_ids(probe).await;
    looking::wait_for_sms(probe).await;
    looking::after_sms(probe).await;
    looking::paging(probe).await;
    renting::ended(probe).await;
    renting::lacking(probe).await;
}

/// Wrong keys, and the right one in other clothes.
async fn keys(probe: &mut Probe<'_>) {
    probe.get(Who::Stranger, "/profile").await;
    probe.get(Who::Stranger, "/rentals/history").await;
    probe.get(Who::OtherScheme(BEARER), "/profile").await;
    probe
        .get(Who::OtherScheme("`Authorization: Bearer KEY`"), "/profile")
        .await;
}

/// The reading operations without a key.
async fn without_key(probe: &mut Probe<'_>, id: &str) {
    probe.get(Who::Nobody, "/profile").await;
    probe.get(Who::Nobody, "/rentals/history").await;
    probe
        .get(Who::Nobody, &format!("/number/check-otp/{id}"))
        .await;
}
