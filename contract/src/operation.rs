//! The operation table: the four documented endpoints, and which of them a
//! request line means. What an operation does is the mock's business.

use std::fmt;
use std::str::FromStr;

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// Read name, e-mail address and balance.
    Profile,
    /// Rent a number for one service.
    Rent,
    /// Ask whether the one-time password has arrived: the polling hot path.
    CheckOtp,
    /// List the account's rentals.
    History,
}

/// One row of the operation table (CLAUSES B1).
struct Row {
    operation: Operation,
    name: &'static str,
    method: &'static str,
    path: &'static str,
}

const TABLE: [Row; 4] = [
    Row {
        operation: Operation::Profile,
        name: "profile",
        method: "GET",
        path: "/api/v1/profile",
    },
    Row {
        operation: Operation::Rent,
        name: "rent",
        method: "POST",
        path: "/api/v1/number/rent",
    },
    Row {
        operation: Operation::CheckOtp,
        name: "check_otp",
        method: "GET",
        path: CHECK_OTP,
    },
    Row {
        operation: Operation::History,
        name: "history",
        method: "GET",
        path: "/api/v1/rentals/history",
    },
];

/// The path of check-otp up to the rental's id.
const CHECK_OTP: &str = "/api/v1/number/check-otp/";

impl Operation {
    /// All operations, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Profile, Self::Rent, Self::CheckOtp, Self::History];

    /// The name used in fault rules, reports and thresholds.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The one HTTP method that the operation has.
    pub const fn method(self) -> &'static str {
        self.row().method
    }

    /// The path; that of check-otp lacks the rental's id at its end.
    pub const fn path(self) -> &'static str {
        self.row().path
    }

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// No operation has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no operation is named {0:?}; there are profile, rent, check_otp and history")]
pub struct UnknownOperation(String);

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(name: &str) -> Result<Self, UnknownOperation> {
        Self::ALL
            .into_iter()
            .find(|operation| operation.name() == name)
            .ok_or_else(|| UnknownOperation(name.to_owned()))
    }
}

/// What a request line asks for, with what stands in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route<'a> {
    /// `GET /api/v1/profile`
    Profile,
    /// `POST /api/v1/number/rent`
    Rent,
    /// `GET /api/v1/number/check-otp/{id}`; the id as written.
    CheckOtp(&'a str),
    /// `GET /api/v1/rentals/history`
    History,
}

/// Why a request line means no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteError {
    /// No operation lives at this path.
    NoSuchPath,
    /// One does, with this other method.
    WrongMethod(Operation),
}

impl<'a> Route<'a> {
    /// Which operation `method` and `path` (without the query) mean.
    ///
    /// # Errors
    ///
    /// [`RouteError`] tells an unknown path from a wrong method.
    pub fn find(method: &str, path: &'a str) -> Result<Self, RouteError> {
        // The hot path first: almost every request is a poll.
        let route = match path.strip_prefix(CHECK_OTP) {
            Some(id) if !id.is_empty() && !id.contains('/') => Self::CheckOtp(id),
            _ => Self::at(path)?,
        };
        let operation = route.operation();
        if method == operation.method() {
            Ok(route)
        } else {
            Err(RouteError::WrongMethod(operation))
        }
    }

    fn at(path: &str) -> Result<Self, RouteError> {
        TABLE
            .iter()
            .filter(|row| row.operation != Operation::CheckOtp)
            .find(|row| row.path == path)
            .map(|row| match row.operation {
                Operation::Profile => Self::Profile,
                Operation::Rent => Self::Rent,
                Operation::History | Operation::CheckOtp => Self::History,
            })
            .ok_or(RouteError::NoSuchPath)
    }

    /// The operation, without what stands in the path.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Profile => Operation::Profile,
            Self::Rent => Operation::Rent,
            Self::CheckOtp(_) => Operation::CheckOtp,
            Self::History => Operation::History,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum() {
        for operation in Operation::ALL {
            assert_eq!(operation.row().operation, operation);
            assert_eq!(operation.name().parse(), Ok(operation));
        }
    }

    #[test]
    fn each_documented_line_finds_its_operation() {
        for (method, path, expected) in [
            ("GET", "/api/v1/profile", Route::Profile),
            ("POST", "/api/v1/number/rent", Route::Rent),
            (
                "GET",
                "/api/v1/number/check-otp/13322954",
                Route::CheckOtp("13322954"),
            ),
            ("GET", "/api/v1/rentals/history", Route::History),
        ] {
            assert_eq!(Route::find(method, path), Ok(expected));
        }
    }

    #[test]
    fn a_wrong_method_is_told_from_a_wrong_path() {
        assert_eq!(
            Route::find("GET", "/api/v1/number/rent"),
            Err(RouteError::WrongMethod(Operation::Rent))
        );
        for path in [
            "/",
            "/api/v1/profile/",
            "/api/v1/number/check-otp/",
            "/api/v1/number/check-otp/1/2",
        ] {
            assert_eq!(
                Route::find("GET", path),
                Err(RouteError::NoSuchPath),
                "{path}"
            );
        }
    }
}
