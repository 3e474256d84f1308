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
    local.block_on(&runtime, run(plan, interrupt))
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
    let mut listening = None;
    if let Some(address) = plan.webhook_listen {
        let bound = listener::listen(address, Rc::clone(&evidence), Rc::clone(&clock)).await;
        listening = Some(bound.map_err(|error| CheckError::Listen(address, error))?);
    }
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
    let mut probe = Probe::new(
        plan,
        (line, control),
        Rc::clone(&evidence),
        Rc::clone(&clock),
    );
    let interrupted = tokio::select! {
        () = script::run(&mut probe) => false,
        () = interrupt => true,
    };
    probe.clean_up().await;
    if interrupted {
        evidence.borrow_mut().given.ended_early = Some("interrupted".to_owned());
    }
    if let Some(reason) = probe.unreachable() {
        let target = plan.target.to_string();
        return Err(CheckError::Unreachable { target, reason });
    }
    let evidence = evidence.borrow().clone();
    let took = Duration::from_secs_f64(Clock::wall()).saturating_sub(began);
    Ok(Checked {
        evidence,
        spent: probe.spent,
        interrupted,
        took,
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
