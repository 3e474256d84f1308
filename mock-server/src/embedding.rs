//! The mock inside a test: started with a line, stopped when it is dropped, and
//! everything that the control API does as typed functions, without HTTP.
//!
//! | module | holds |
//! | --- | --- |
//! | `mock`, `builder` | a server for tests, and how it is to be |
//! | `account` | one account of it, for one test |
//! | `control` | what a tester may do to one account, or to all |
//! | `underway` | what takes time, to be awaited or waited for |

mod account;
mod builder;
mod control;
mod mock;
mod underway;

pub use self::account::Account;
pub use self::builder::{BuildError, Builder};
pub use self::control::{AddressError, Control, ForeignHost, RestoreError, RuleError, Sms};
pub use self::mock::Mock;
pub use self::underway::Underway;
