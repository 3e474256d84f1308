//! A session with the mock made of arbitrary bytes: settings, requests, passing
//! time, webhooks and a tester's interference, with what must hold whatever
//! they say. Not a test by itself: `arbitrary` plays random sessions, and
//! `fuzz/` includes this file and plays those that reach new code.

use std::time::Duration;

use contract::{ApiKey, Moment};
use mock_server_core::control::Step;
use mock_server_core::requests::Matcher;
use mock_server_core::settings::{SettingsFile, TimeScale};
use mock_server_core::{
    Body, Delivery, Media, Mock, Reply, Request, Scope, WebhookAttempt, WebhookOutcome,
};

const KEYS: [[u8; 60]; 3] = [[b'a'; 60], [b'b'; 60], [b'c'; 60]];

/// The first id that a mock gives to a rental.
const FIRST_ID: u32 = 13_322_954;

const LAWS: [&str; 6] = [
    "never",
    "0s",
    "2s",
    "typical",
    "uniform(1s,2000s)",
    "0.5*1s + 0.5*never",
];

const FAULTS: [&str; 25] = [
    "*: status(503) every 5",
    "*: status(304) nth 2",
    "*: rate_limit(2s) probability 0.2",
    "*: html_error nth 3",
    "rent: no_numbers nth 2",
    "rent: insufficient_balance first 1",
    "*: reset_peer every 4 after_commit",
    "*: empty_response nth 5",
    "*: random_data nth 6",
    "check_otp: timeout nth 4",
    "*: latency(exp(1s)) probability 0.5",
    "*: truncate_body nth 4",
    "*: truncate_body(1000000)",
    "*: reset_after_bytes(3) between 2 and 4",
    "*: malformed_chunk nth 9",
    "*: slow_body(5s) ttl 10s",
    "rent: sms_never every 2",
    "rent: sms_late(1000s)",
    "rent: sms_duplicate",
    "rent: sms_second_code(10s) after 1",
    "rent: webhook_drop every 3",
    "rent: webhook_duplicate(concurrent)",
    "rent: webhook_reorder every 2",
    "rent: webhook_early nth 2",
    "rent: webhook_late(1000s)",
];

const DIALECTS: [&str; 8] = [
    "preset=default",
    "preset=laravel",
    "preset=strict",
    "preset=hostile",
    "charge=sms, refund=30m, late_sms=charged, idempotency=honoured",
    "refund=unseen, readable=10m, late_sms=delivered",
    "webhook_order=before_rent_answer, webhook_duplicate=concurrent, no_code=zero",
    "refund=none, active_rentals=2, rate_limit=2/s",
];

const METHODS: [&str; 6] = ["GET", "GET", "GET", "POST", "DELETE", "get"];

const PATHS: [&str; 6] = [
    "/api/v1/profile",
    "/api/v1/number/rent",
    "/api/v1/rentals/history",
    "/api/v1/number/check-otp/",
    "/api/v1/number/check-otp/13322954/",
    "/",
];

const QUERIES: [&str; 3] = ["page=2&per_page=3", "page=18446744073709551615", "%zz&=&&"];

const MEDIA: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain; charset=\"",
];

const BODIES: [&str; 5] = [
    r#"{"service":"whatsapp"}"#,
    "service=telegram",
    "--x\r\nContent-Disposition: form-data; name=\"service\"\r\n\r\nwhatsapp\r\n--x--\r\n",
    r#"{"service":["#,
    "",
];

const ACCEPTED: [&str; 3] = ["application/json", "text/html", "*/*;q=0"];

const PREFERENCES: [&str; 4] = [
    "fault=status(418)",
    "respond-async, fault=\"latency(2s)\"",
    "fault=sms_never",
    "fault=",
];

/// Seconds that pass at once: enough for an SMS, for a rental to end, for nothing.
const SECONDS: [u64; 6] = [0, 1, 15, 600, 1200, 100_000];

/// Steps of a session at most, so that none takes long.
const STEPS: usize = 200;

/// Plays the session that `bytes` mean. Panics if anything does not hold.
pub(crate) fn play(bytes: &[u8]) {
    let mut session = Session::begin(Input(bytes));
    for _ in 0..STEPS {
        if session.input.0.is_empty() {
            break;
        }
        session.step();
    }
    session.look();
}

/// Plays the first half of the session that `bytes` mean, takes it all to a fresh
/// server in a snapshot, and plays the rest on both. Panics if anyone could tell.
pub(crate) fn move_house(bytes: &[u8]) {
    let mut here = Session::begin(Input(bytes));
    let rest = here.input.0.len() / 2;
    while here.input.0.len() > rest {
        here.step();
    }
    let mut there = here.moved();
    for _ in 0..STEPS {
        if here.input.0.is_empty() {
            break;
        }
        here.step();
        there.step();
        assert_eq!(there.seen, here.seen);
        here.seen.clear();
        there.seen.clear();
    }
    let all = |session: &mut Session<'_>| {
        session.look();
        session.mock.ledgers(session.now, Scope::Server)
    };
    assert_eq!(all(&mut there), all(&mut here));
}

/// Bytes that decisions are taken from; when they are used up, the first choice is taken.
#[derive(Clone, Copy)]
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        self.0.split_off_first().copied().unwrap_or_default()
    }

    fn some(&mut self) -> bool {
        self.byte().is_multiple_of(4)
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.byte()) % choices.len()]
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken.to_vec()
    }

    /// One of the choices, or now and then anything.
    fn text(&mut self, choices: &[&str]) -> String {
        if self.some() {
            String::from_utf8_lossy(&self.bytes()).into_owned()
        } else {
            self.one_of(choices).to_owned()
        }
    }

    fn seconds(&mut self) -> Duration {
        Duration::from_secs(self.one_of(&SECONDS))
    }

    fn outcome(&mut self) -> WebhookOutcome {
        self.one_of(&[WebhookOutcome::Acknowledged, WebhookOutcome::Failed])
    }
}

struct Session<'a> {
    input: Input<'a>,
    mock: Mock,
    now: Moment,
    /// Webhooks that are being posted.
    posting: Vec<WebhookAttempt>,
    /// What was seen from outside.
    seen: Vec<String>,
    /// Whether an SMS may come so late that its refund is spent already.
    debts: bool,
}

impl<'a> Session<'a> {
    fn begin(mut input: Input<'a>) -> Self {
        let faults: Vec<_> = (0..input.byte() % 4)
            .map(|_| input.one_of(&FAULTS))
            .collect();
        let mut toml = format!(
            "sms_delay = {:?}\nfaults = {faults:?}\nbalance = {:?}\nrental_life = {:?}\n\
             journal_max = {}\ntime_scale = {:?}\ndialect = {:?}\n",
            input.one_of(&LAWS),
            input.one_of(&["1000.00", "0.00", "2.50"]),
            input.one_of(&["1200s", "1ms", "10s"]),
            input.one_of(&[1000, 0, 3]),
            input.one_of(&["1", "0", "60", "86400"]),
            input.one_of(&DIALECTS),
        );
        if input.some() {
            toml += "webhook_url = \"http://127.0.0.1:9/hook\"\n";
        }
        let file: SettingsFile = contract::document::parse("session", &toml).expect(&toml);
        let debts = ["hostile", "late_sms=charged"];
        Self {
            debts: debts.iter().any(|charged| toml.contains(charged)),
            mock: Mock::new(file.resolve(7), jiff::Timestamp::UNIX_EPOCH),
            input,
            now: Moment::START,
            posting: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// The same session on another server, which knew nothing of it before.
    fn moved(&mut self) -> Self {
        // What is on its way when a snapshot is taken is posted again by the other.
        while !self.posting.is_empty() {
            self.answer_webhook();
        }
        let snapshot = self.mock.snapshot(self.now, Scope::Server);
        let mut snapshot = serde_json::to_value(snapshot).expect("plain");
        snapshot["keys"] = KEYS
            .iter()
            .map(|key| String::from_utf8_lossy(key))
            .collect();
        let file = "seed = 99\nsms_delay = \"3s\"\ndialect = \"strict\"\nbalance = \"0.00\"";
        let file: SettingsFile = contract::document::parse("other", file).expect(file);
        let mut mock = Mock::new(file.resolve(8), jiff::Timestamp::UNIX_EPOCH);
        let snapshot = serde_json::from_value(snapshot).expect("as it was written");
        mock.restore(self.now, None, snapshot).expect("a snapshot");
        self.seen.clear();
        Self {
            input: self.input,
            mock,
            now: self.now,
            posting: Vec::new(),
            seen: Vec::new(),
            debts: self.debts,
        }
    }

    fn step(&mut self) {
        match self.input.byte() % 16 {
            0 => self.now += self.input.seconds(),
            1 => self.now += Duration::from_millis(u64::from(self.input.byte())),
            2 => {
                let attempt = self.mock.take_due_webhook(self.now);
                self.seen.push(format!("{attempt:?}"));
                self.posting.extend(attempt);
            }
            3 => self.answer_webhook(),
            4 => self.advance(),
            5 => {
                let pace = self.input.one_of(&[TimeScale::REAL, TimeScale::FROZEN]);
                let scope = self.scope();
                self.mock.set_pace(self.now, scope, pace);
            }
            6 if self.input.some() => {
                let scope = self.scope();
                self.mock.reset(self.now, scope);
            }
            7 => self.look(),
            8 => self.interfere(),
            _ => self.ask(),
        }
    }

    fn scope(&mut self) -> Scope {
        let key = self.input.one_of(&KEYS);
        let key = ApiKey::from_bytes(&key).expect("a key");
        let account = self.mock.scope(self.now, key).expect("any key is known");
        self.input.one_of(&[Scope::Server, account])
    }

    fn answer_webhook(&mut self) {
        if let Some(attempt) = self.posting.pop() {
            let outcome = self.input.outcome();
            self.mock
                .webhook_answered(self.now, attempt.delivery, outcome);
        }
    }

    /// One more endpoint, or one less, which may be refused.
    fn change_endpoints(&mut self) {
        let scope = self.scope();
        let id = self.input.one_of(&["account-1", "server-1", "settings-1"]);
        let id = id.parse().expect("an id");
        let done = if self.input.some() {
            let removed = self.mock.remove_endpoint(self.now, scope, id);
            format!("{removed:?}")
        } else {
            let retry = self.input.one_of(&["none", "3x1s", "svix"]);
            let written = format!(r#"{{"url":"http://127.0.0.1:9/more","retry":"{retry}"}}"#);
            let written = serde_json::from_str(&written).expect("an endpoint");
            let made = self.mock.add_endpoint(self.now, scope, written);
            format!("{made:?}")
        };
        self.seen.push(done);
    }

    /// An SMS or an end by hand, which may be refused.
    fn interfere(&mut self) {
        if self.input.some() {
            return self.change_endpoints();
        }
        let scope = self.scope();
        let id = FIRST_ID + u32::from(self.input.byte() % 16);
        if self.input.some() {
            let done = self.mock.expire(self.now, scope, id);
            self.seen.push(format!("{done:?}"));
        } else {
            let code = self.input.text(&["123456", ""]);
            let code = Some(code.as_str()).filter(|code| !code.is_empty());
            let done = self.mock.deliver_sms(self.now, scope, id, code, None);
            self.seen.push(format!("{done:?}"));
        }
    }

    fn advance(&mut self) {
        let (scope, duration) = (self.scope(), self.input.seconds());
        let mut advance = self.mock.begin_advance(self.now, scope, duration);
        loop {
            match self.mock.step(self.now, &mut advance) {
                Step::Post(attempt) => {
                    let outcome = self.input.outcome();
                    self.mock
                        .webhook_answered(self.now, attempt.delivery, outcome);
                    advance.posted(outcome);
                }
                Step::Wait => {
                    assert!(!self.posting.is_empty(), "it waits for nobody");
                    self.answer_webhook();
                }
                Step::Done => break,
            }
        }
        let fired = advance.finish();
        self.seen.push(format!("{fired:?}"));
        assert!(fired.is_sorted_by_key(|fired| &fired.at));
    }

    fn ask(&mut self) {
        let input = &mut self.input;
        let method = input.text(&METHODS);
        let mut path = input.text(&PATHS);
        if path.ends_with("check-otp/") {
            path += &(FIRST_ID + u32::from(input.byte() % 16)).to_string();
        }
        let query = input.some().then(|| input.text(&QUERIES));
        let auth = match input.byte() % 16 {
            0 => None,
            1 => Some(input.bytes()),
            other => Some(KEYS[usize::from(other) % KEYS.len()].to_vec()),
        };
        let content_type = (!input.some()).then(|| input.text(&MEDIA));
        let accept = input.some().then(|| input.text(&ACCEPTED));
        let twice = input.some();
        let prefer = input.some().then(|| input.text(&PREFERENCES));
        let body = input.text(&BODIES);
        let request = Request {
            method: &method,
            path: &path,
            query: query.as_deref(),
            auth: auth.as_deref(),
            content_type: content_type.as_deref(),
            accept: accept.as_deref(),
            idempotency_key: twice.then_some("twice"),
            prefer: prefer.as_deref(),
            truth: input.some(),
            sought: None,
            connection: None,
            body: match input.byte() {
                0 => Body::TooLarge,
                1 => Body::Incomplete,
                _ => Body::Whole(body.as_bytes()),
            },
        };
        let mut reply = self.mock.handle(self.now, &request);
        // A fault that is asked for may be that the body is no JSON.
        let sound = !prefer.is_some_and(|prefer| prefer.contains("malformed_json"));
        hold(&reply, sound);
        self.seen.push(format!("{reply:?}"));
        self.posting.extend(reply.take_posts());
    }

    /// What must hold of everything that the mock has in store.
    fn look(&mut self) {
        for ledger in self.mock.ledgers(self.now, Scope::Server) {
            assert!(ledger.conserved, "{ledger:?}");
            let solvent = ledger.balance >= contract::Cents::ZERO;
            assert!(solvent || self.debts, "{ledger:?}");
        }
        let everything = self
            .mock
            .requests(Scope::Server, &Matcher::default(), usize::MAX);
        let mut pairs = everything.windows(2);
        assert!(pairs.all(|pair| pair[0].number > pair[1].number));
        let pending = self.mock.pending_webhooks(self.now);
        self.seen.push(format!("{pending:?}"));
    }
}

/// What must hold of every reply, whose body is JSON if it is `sound`.
fn hold(reply: &Reply, sound: bool) {
    assert!((100..600).contains(&reply.status), "{reply:?}");
    let length = reply.body.len();
    match reply.delivery {
        Delivery::Whole { .. } | Delivery::Trickle { .. } | Delivery::Linger { .. } => {
            let json = serde_json::from_slice::<serde_json::Value>(&reply.body);
            let right = reply.media != Media::Json || reply.body.is_empty() || json.is_ok();
            assert!(right || !sound, "{reply:?}");
        }
        Delivery::Cut { bytes, .. } | Delivery::CutByReset { bytes, .. } => {
            assert!(bytes < length || length == 0, "{reply:?}");
        }
        _ => {}
    }
}
