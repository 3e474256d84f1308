//! What can be typed. Each subcommand has a file here that only mirrors its
//! flags; defaults that a file may override are filled in by `command`.

pub(crate) mod doctor;
pub(crate) mod load;
pub(crate) mod polling;
pub(crate) mod report;
pub(crate) mod secret;
pub(crate) mod serve;

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
    /// What polling strategies cost, and which is best.
    #[command(subcommand)]
    Polling(Box<polling::PollingCommand>),
    /// Report a run again, from the directory it has written.
    Report(Box<report::ReportArguments>),
    /// Examine this machine: is it fit to measure on?
    Doctor(doctor::DoctorArguments),
}
