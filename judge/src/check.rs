//! A whole check: from a plan to evidence. It ends at its end, at an
//! interruption, or when the server is gone; what was seen is kept either way.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use judge_core::amount::Amount;
use judge_core::evidence::{Evidence, Given};

use crate::clock::Clock;
use crate::control::Control;
use crate::line::Line;
use crate::listener;
use crate::probe::{Probe, Spent};
use crate::script;
use crate::target::Target;
use crate::tls::{self, TrustError};

/// What to check, and what it may cost.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server.
    pub target: Target,
    /// The authorities to trust with HTTPS, instead of those of the system.
    pub ca_file: Option<PathBuf>,
    /// The key of the account to check with.
    pub key: String,
    /// The key of another account.
    pub second_key: Option<String>,
    /// Whether the keys were made up for this check, and so are no evidence.
    pub made_up: bool,
    /// Where to listen for webhooks.
    pub webhook_listen: Option<SocketAddr>,
    /// How long to wait for an SMS.
    pub wait_sms: Duration,
    /// Whether to wait for the end of a rental, however long that takes. It is
    /// waited for anyway where an SMS may take as long.
    pub wait_expiry: bool,
    /// Whether nothing may be rented.
    pub read_only: bool,
    /// What may be spent at most, if there is a limit.
    pub max_spend: Option<Amount>,
}

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

thread_local! {
    static UNDER_WAY: RefCell<Option<Rc<RefCell<Evidence>>>> = const { RefCell::new(None) };
}

/// What the check that this thread is doing has seen so far: for a panic hook,
/// which is all that is left to run where a panic ends the process.
#[must_use]
pub fn under_way() -> Option<Evidence> {
    let seen = UNDER_WAY.try_with(|under_way| {
        let evidence = under_way.try_borrow().ok()?.clone()?;
        let seen = evidence.try_borrow().ok()?.clone();
        Some(seen)
    });
    seen.ok().flatten()
}

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
    let outcome = local.block_on(&runtime, run(plan, interrupt));
    UNDER_WAY.take();
    outcome
}

async fn run(plan: &Plan, interrupt: impl Future<Output = ()>) -> Result<Checked, CheckError> {
    let clock = Rc::new(Clock::new());
    let began = Duration::from_secs_f64(Clock::wall());
    let evidence = Rc::new(RefCell::new(Evidence {
        secrets: plan.second_key.iter().chain([&plan.key]).cloned().collect(),
        given: given(plan),
        began: Some(began.as_secs_f64()),
        ..Evidence::default()
    }));
    UNDER_WAY.set(Some(Rc::clone(&evidence)));
    let mut listening = None;
    if let Some(address) = plan.webhook_listen {
        let bound = listener::listen(address, Rc::clone(&evidence), Rc::clone(&clock)).await;
        listening = Some(bound.map_err(|error| CheckError::Listen(address, error))?);
    }
    let reached = reach(plan, &evidence, listening).await?;
    let mut probe = Probe::new(plan, reached, Rc::clone(&evidence), Rc::clone(&clock));
    let gone = Rc::clone(&probe.gone);
    let (interrupted, failed) = tokio::select! {
        () = script::run(&mut probe) => (false, None),
        () = gone.notified() => (false, Some(format!("{} does not answer any more", plan.target))),
        () = interrupt => (true, None),
    };
    if failed.is_none() {
        probe.clean_up().await;
    }
    let ended_early = if interrupted {
        Some("interrupted".to_owned())
    } else {
        failed.clone()
    };
    evidence.borrow_mut().given.ended_early = ended_early;
    if let Some(reason) = probe.unreachable().filter(|_| !interrupted) {
        let target = plan.target.to_string();
        return Err(CheckError::Unreachable { target, reason });
    }
    let evidence = evidence.borrow().clone();
    let took = Duration::from_secs_f64(Clock::wall()).saturating_sub(began);
    Ok(Checked {
        evidence,
        spent: probe.spent,
        interrupted,
        failed,
        took,
    })
}

/// A line to the server, and its control API, which is told where webhooks go.
async fn reach(
    plan: &Plan,
    evidence: &RefCell<Evidence>,
    listening: Option<SocketAddr>,
) -> Result<(Line, Option<Control>), CheckError> {
    let secure = plan.target.server_name.is_some();
    let trusted = secure.then(|| tls::trust(plan.ca_file.as_deref()));
    let mut line = Line::new(plan.target.clone(), trusted.transpose()?);
    let keys = plan.second_key.iter().cloned();
    let keys = [plan.key.clone()].into_iter().chain(keys).collect();
    let mut control = None;
    if plan.target.is_loopback() && !plan.read_only {
        control = Control::find(&mut line, keys).await;
    }
    if let (Some(control), Some(bound)) = (&mut control, listening) {
        let set = control
            .listen(&mut line, &format!("http://{bound}/otplab-check"))
            .await;
        evidence.borrow_mut().given.webhooks_set = set;
    }
    Ok((line, control))
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
