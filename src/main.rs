//! `otplab`: a laboratory for programs that wait for a one-time password.
//!
//! This package composes the crates and decides nothing: [`cli`] mirrors what
//! was typed, each file of [`command`] turns that into settings and runs one
//! crate with them, [`exit`] says how it went.

mod cli;
mod command;
mod exit;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Serve(arguments) => command::serve::run(&arguments),
        Command::Load(arguments) => command::load::run(&arguments),
        Command::Simulate(arguments) => command::simulate::run(&arguments),
        Command::Polling(command) => command::polling::run(&command),
        Command::Check(arguments) => command::check::run(&arguments),
        Command::Diff(arguments) => command::diff::run(&arguments),
        Command::Report(arguments) => command::report::run(&arguments),
        Command::Schema(arguments) => command::schema::run(&arguments),
        Command::Readyz(arguments) => command::readyz::run(&arguments),
        Command::Doctor(arguments) => command::doctor::run(&arguments),
    };
    outcome.unwrap_or_else(|error| report(&error)).into()
}

/// One line on stderr for whatever kept a command from being judged.
#[expect(clippy::print_stderr, reason = "the only place where errors are shown")]
fn report(error: &anyhow::Error) -> Exit {
    eprintln!("otplab: {error:#}");
    Exit::CouldNotJudge
}
