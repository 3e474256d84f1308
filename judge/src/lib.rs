//! The contract judge's hands: it drives a server through the probe script,
//! listens to its webhooks, and writes down what came back. What that means is
//! for `judge-core` to say.
//!
//! | module | holds |
//! | --- | --- |
//! | [`target`] | which server, and the refusal to touch one that is not ours |
//! | [`mod@check`] | a whole check: from a plan to evidence |
//! | `script`, `renting`, `looking` | what is asked, in which order |
//! | `probe` | asking, with rate limits honoured and money counted |
//! | `line`, `listener` | one connection out, one listener for webhooks |
//! | `tls` | whose certificates a server may show |
//! | `control` | moving an otplab server's clock instead of waiting |
//! | `seen` | the evidence while it is gathered |
//! | `clock` | the time since the beginning, moved clocks included |
//! | [`report`] | the verdicts for people and for machines |

mod check;
mod clock;
mod control;
mod line;
mod listener;
mod looking;
mod plan;
mod probe;
mod renting;
pub mod report;
mod script;
mod seen;
pub mod target;
mod tls;

pub use self::check::{CheckError, Checked, check};
pub use self::plan::{Plan, Spending};
pub use self::seen::under_way;
pub use self::tls::{TrustError, trust};
