//! The requests that virtual users make, and the instants each is known by.
//! How a request travels is the driver's business.

use std::fmt::Write;

use contract::{Moment, Operation, Service};

/// One request of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Read the balance.
    Profile,
    /// Rent a number.
    Rent(&'static Service),
    /// Ask for the code of the rental with this id.
    CheckOtp(u64),
    /// Read the history for the n-th time, from 1, each time further down.
    History(u32),
}

impl Call {
    /// The operation it belongs to.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Profile => Operation::Profile,
            Self::Rent(_) => Operation::Rent,
            Self::CheckOtp(_) => Operation::CheckOtp,
            Self::History(_) => Operation::History,
        }
    }

    /// The request target: path and query.
    pub fn target(&self) -> String {
        let mut target = String::new();
        self.write_target(&mut target);
        target
    }

    /// Appends the request target.
    pub fn write_target(&self, out: &mut String) {
        out.push_str(self.operation().path());
        let written = match self {
            Self::Profile | Self::Rent(_) | Self::History(1) => Ok(()),
            Self::CheckOtp(id) => write!(out, "{id}"),
            // Paging is undocumented, so the first reading is as documented. Later
            // ones ask for pages of a hundred; a server that does not know how
            // gives smaller pages, and the row is found a little later.
            Self::History(reading) => {
                let page = reading - 1;
                write!(out, "?page={page}&per_page=100")
            }
        };
        written.expect("invariant: a String takes everything");
    }

    /// The body, as JSON; only rent has one.
    pub fn body(&self) -> Option<String> {
        match self {
            Self::Rent(service) => Some(format!("{{\"service\":\"{}\"}}", service.slug)),
            _ => None,
        }
    }
}

/// Names a user of one fleet while it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub(crate) u32);

impl UserId {
    /// Its place among the users of its fleet, which others had before and will
    /// have after it.
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// A request that a fleet wants sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who asks.
    pub user: UserId,
    /// With which of the run's accounts, from 0.
    pub account: u32,
    /// What.
    pub call: Call,
    /// When the request was meant to be sent: from the plan, never from a clock
    /// read after a sleep.
    pub intended: Moment,
}

/// The three instants of a finished request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When it was meant to be sent.
    pub intended: Moment,
    /// When it was handed to its connection.
    pub sent: Moment,
    /// When its answer was complete, or given up.
    pub answered: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_written_as_documented() {
        let whatsapp = Service::find("whatsapp").expect("in the table");
        assert_eq!(
            Call::CheckOtp(13_322_954).target(),
            "/api/v1/number/check-otp/13322954"
        );
        assert_eq!(Call::History(1).target(), "/api/v1/rentals/history");
        assert_eq!(
            Call::History(2).target(),
            "/api/v1/rentals/history?page=1&per_page=100"
        );
        assert_eq!(
            Call::Rent(whatsapp).body().as_deref(),
            Some(r#"{"service":"whatsapp"}"#)
        );
    }
}
