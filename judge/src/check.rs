//! A whole check: from a plan to evidence. It ends at its end, at an
//! interruption, or when the server is gone; what was seen is kept either way.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use judge_core::evidence::{Evidence, Given};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::line::Line;
use crate::listener;
use crate::plan::Plan;
use crate::probe::{Probe, Spent};
use crate::script;
use crate::seen::Seen;
use crate::tls::{self, TrustError};

/// What came of it.
#[derive(Debug)]
pub struct Checked {
    /// What was seen.
    pub evidence: Evidence,
    /// What it cost.
    pub spent: Spent,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why it could not be finished, if it could not.
    pub failed: Option<String>,
    /// How long it took, by the wall.
    pub took: Duration,
}

/// Why nothing was seen at all.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// Nobody answers.
    #[error("{target} cannot be reached: {reason}")]
    Unreachable {
        /// The server.
        target: String,
        /// What went wrong.
        reason: String,
    },
    /// The webhook listener has no place.
    #[error("cannot listen for webhooks on {0}: {1}; choose another address with --webhook-listen")]
    Listen(SocketAddr, io::Error),
    /// No certificate can be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The system gave no runtime.
    #[error("cannot start: {0}")]
    Start(#[from] io::Error),
}

/// How long putting things back may take where the check ended early.
const FAREWELL: Duration = Duration::from_secs(2);

/// Checks until done, or until `interrupt` is.
///
/// # Errors
///
/// [`CheckError`] if the check could not begin.
pub fn check(plan: &Plan, interrupt: impl Future<Output = ()>) -> Result<Checked, CheckError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = tokio::task::LocalSet::new();
    let seen = Seen::begin(Evidence {
        secrets: plan.second_key.iter().chain([&plan.key]).cloned().collect(),
        given: given(plan),
        began: Some(Clock::wall()),
        ..Evidence::default()
    });
    let outcome = local.block_on(&runtime, run(plan, &seen, interrupt));
    seen.end();
    outcome
}

async fn run(
    plan: &Plan,
    evidence: &Seen,
    interrupt: impl Future<Output = ()>,
) -> Result<Checked, CheckError> {
    let clock = Rc::new(Clock::new());
    let mut listening = None;
    if let Some(address) = plan.webhook_listen {
        let bound = listener::listen(address, evidence.clone(), Rc::clone(&clock)).await;
        listening = Some(bound.map_err(|error| CheckError::Listen(address, error))?);
    }
    let secure = plan.target.server_name.is_some();
    let trusted = secure.then(|| tls::trust(plan.ca_file.as_deref()));
    let line = Line::new(plan.target.clone(), trusted.transpose()?);
    let mut probe = Probe::new(plan, line, evidence.clone(), Rc::clone(&clock));
    let gone = Rc::clone(&probe.gone);
    let (interrupted, failed) = tokio::select! {
        () = script::run(&mut probe, listening) => (false, None),
        () = gone.notified() => (false, Some(format!("{} does not answer any more", plan.target))),
        () = interrupt => (true, None),
    };
    if interrupted || failed.is_some() {
        // Whoever wants to go does not wait for a server that hangs.
        let _ = timeout(FAREWELL, probe.clean_up()).await;
    } else {
        probe.clean_up().await;
    }
    let ended_early = if interrupted {
        Some("interrupted".to_owned())
    } else {
        failed.clone()
    };
    evidence.lock().given.ended_early = ended_early;
    if let Some(reason) = probe.unreachable().filter(|_| !interrupted) {
        let target = plan.target.to_string();
        return Err(CheckError::Unreachable { target, reason });
    }
    Ok(Checked {
        evidence: evidence.lock().clone(),
        spent: probe.spent,
        interrupted,
        failed,
        took: clock.took(),
    })
}

fn given(plan: &Plan) -> Given {
    let lengths = [&plan.key]
        .into_iter()
        .chain(&plan.second_key)
        .map(String::len);
    Given {
        rents: !plan.read_only,
        second_key: plan.second_key.is_some(),
        webhooks: plan.webhook_listen.is_some(),
        key_lengths: if plan.made_up {
            Vec::new()
        } else {
            lengths.collect()
        },
        ..Given::default()
    }
}
