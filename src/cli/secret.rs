//! Flags whose value may hold a secret: what is wrong with it is told without
//! showing it, which clap by itself would.

use std::error::Error;
use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command};

/// Reads a `T`, and complains without the text that was none.
#[derive(Clone, Copy)]
pub(crate) struct Unshown<T>(PhantomData<T>);

impl<T> Default for Unshown<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> TypedValueParser for Unshown<T>
where
    T: FromStr<Err: Error> + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let name = argument.map_or_else(String::new, |argument| format!(" for '{argument}'"));
        let complain = |what: &str| {
            let message = format!("invalid value{name}: {what}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        };
        let text = value.to_str().ok_or_else(|| complain("it is not UTF-8"))?;
        text.parse()
            .map_err(|error: T::Err| complain(&error.to_string()))
    }
}
