//! What can be typed. Each subcommand has a file here that only mirrors its
//! flags; defaults that a file may override are filled in by `command`.

pub(crate) mod check;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod lint_format;
pub(crate) mod listen_address;
pub(crate) mod load;
pub(crate) mod polling;
pub(crate) mod readyz;
pub(crate) mod report;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod serve;
pub(crate) mod simulate;

use clap::{Parser, Subcommand};

/// A laboratory for programs that rent a phone number and wait for a one-time password.
#[derive(Debug, Parser)]
#[command(name = "otplab", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a local fake of the CodySMS API.
    Serve(Box<serve::ServeArguments>),
    /// Load a server, or an embedded fake, with customers who rent, poll and confirm.
    Load(Box<load::LoadArguments>),
    /// Run a scenario under virtual time: no sockets, no waiting, the same seed the same bytes.
    Simulate(Box<simulate::SimulateArguments>),
    /// What polling strategies cost, and which is best.
    #[command(subcommand)]
    Polling(Box<polling::PollingCommand>),
    /// Judge whether a server keeps the contract, clause by clause.
    Check(Box<check::CheckArguments>),
    /// Compare the answers of two servers to the same script.
    Diff(Box<diff::DiffArguments>),
    /// Report a run again, from the directory it has written.
    Report(Box<report::ReportArguments>),
    /// Print the JSON Schema of a file, for editors.
    Schema(schema::SchemaArguments),
    /// Ask a server whether it is ready: exit code 0 if it is, 2 if not.
    Readyz(readyz::ReadyzArguments),
    /// Examine this machine: is it fit to measure on?
    Doctor(doctor::DoctorArguments),
}
