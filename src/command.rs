//! One file per subcommand: from what was typed to a finished run.

mod capacity;
pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod doctor;
mod embedded;
pub(crate) mod load;
pub(crate) mod polling;
pub(crate) mod readyz;
pub(crate) mod report;
mod scenario;
pub(crate) mod schema;
mod seed;
pub(crate) mod serve;
mod server;
pub(crate) mod simulate;
mod strategy;
