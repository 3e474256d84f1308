//! One file per subcommand: from what was typed to a finished run.

mod embedded;
pub(crate) mod load;
mod scenario;
mod seed;
pub(crate) mod serve;
