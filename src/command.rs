//! One file per subcommand: from what was typed to a finished run.

pub(crate) mod serve;
