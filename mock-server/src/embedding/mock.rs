//! A server for tests. What it answers is decided by the mock of
//! `mock-server-core`, which has the same name and does no I/O.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use contract::key::KeyError;
use contract::{ApiKey, Dice};
use mock_server_core::Settings;

use super::account::Account;
use super::builder::{BuildError, Builder};
use super::control::Control;
use super::underway::Hands;
use crate::feed::Happenings;
use crate::server::{Running, Server, StartError, Stopped};

/// The CodySMS API on a free port of this machine, until this is dropped.
///
/// One may serve a whole test program: with an [account](Self::account) for each
/// test, no test sees another.
///
/// ```
/// use std::time::Duration;
///
/// use mock_server::{Answer, Matcher, Mock, StateWord, Times};
///
/// # fn rent(api: &str, key: &str) -> u32 {
/// #     use std::io::{Read, Write};
/// #     let host = api.trim_start_matches("http://").trim_end_matches("/api/v1");
/// #     let mut stream = std::net::TcpStream::connect(host).expect("it listens");
/// #     let body = r#"{"service":"whatsapp"}"#;
/// #     write!(stream, "POST /api/v1/number/rent HTTP/1.1\r\nhost: {host}\r\nauth: {key}\r\n\
/// #         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
/// #         .expect("it reads");
/// #     let mut answer = String::new();
/// #     stream.read_to_string(&mut answer).expect("it answers");
/// #     let (_, id) = answer.split_once(r#""id":"#).expect("a rental");
/// #     id.split(',').next().and_then(|id| id.parse().ok()).expect("a number")
/// # }
/// // Time stands still, so that nothing depends on how fast the machine is.
/// let mock = Mock::builder().sms_delay("5s").frozen().start()?;
/// let account = mock.account();
///
/// // The client under test rents a number: `POST {api}/number/rent`.
/// let id = rent(&mock.api(), account.key());
///
/// assert_eq!(account.advance(Duration::from_secs(4)).done(), []);
/// account.advance(Duration::from_secs(1)).done();
/// let rental = account.rental(id).expect("it was rented");
/// assert_eq!(rental.state, StateWord::Completed);
/// let rents = Matcher { operation: Some("rent".to_owned()), ..Matcher::default() };
/// assert_eq!(account.verify(&rents, Times::Exactly(1)).result, Answer::Pass);
/// # Ok::<(), mock_server::BuildError>(())
/// ```
#[derive(Debug)]
pub struct Mock {
    running: Running,
    everybody: Control,
    dice: Dice,
    made: AtomicU64,
}

impl Mock {
    /// One as `otplab serve` starts it, with the seed 0.
    ///
    /// # Errors
    ///
    /// If the system gives no port or no thread.
    pub fn start() -> Result<Self, BuildError> {
        Self::builder().start()
    }

    /// One that is to be otherwise.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A server and settings of any kind, such as a file's.
    ///
    /// # Errors
    ///
    /// [`StartError`], and then nothing runs.
    pub fn on(server: &Server, settings: Settings) -> Result<Self, StartError> {
        let dice = Dice::new(settings.account.seed);
        let hands = Hands::start()?;
        let running = server.start(settings)?;
        let everybody = Control::new(running.state(), hands, None);
        Ok(Self {
            running,
            everybody,
            dice,
            made: AtomicU64::new(0),
        })
    }

    /// Where it is, like `http://127.0.0.1:43210`.
    pub fn url(&self) -> String {
        self.running.url(&self.running.address().into())
    }

    /// Where the documented API is, like `http://127.0.0.1:43210/api/v1`: what a client takes
    /// in the place of `https://codysms.com/api/v1`.
    pub fn api(&self) -> String {
        format!("{}/api/v1", self.url())
    }

    /// The address where it listens.
    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// An account that nobody else has, with a key of its own: one for each test.
    pub fn account(&self) -> Account {
        let made = self.made.fetch_add(1, Ordering::Relaxed);
        self.opened(ApiKey::made_up(self.dice, made))
    }

    /// The account of this name, always with the same key, and therefore with the same
    /// numbers and codes, in whatever order tests run.
    pub fn account_named(&self, name: &str) -> Account {
        // FNV-1a, whose figures are in its specification; far from the small numbers
        // of accounts without a name.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        self.opened(ApiKey::made_up(self.dice, hash | 1 << 63))
    }

    /// The account of this key.
    ///
    /// # Errors
    ///
    /// If no key of this mock's dialect is like that.
    pub fn account_with_key(&self, key: &str) -> Result<Account, KeyError> {
        let read = |mock: &mut mock_server_core::Mock, _| mock.read_key(key.as_bytes());
        let known = self.running.state().with(read)?;
        Ok(Account::open(&self.everybody, known, key))
    }

    fn opened(&self, key: ApiKey) -> Account {
        Account::open(&self.everybody, key, key.secret())
    }

    /// What may be done to all accounts at once.
    pub const fn everybody(&self) -> &Control {
        &self.everybody
    }

    /// Listens to what happens from now on.
    pub fn happenings(&self) -> Happenings {
        self.running.happenings()
    }

    /// Lets what is in flight finish, posts the webhooks that are due, and ends; says what
    /// is left undone and what was found about the clients. Dropping ends it, too.
    pub fn stop(self) -> Stopped {
        self.running.stop()
    }
}
