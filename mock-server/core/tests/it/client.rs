//! One customer with a clock to turn.

use std::time::Duration;

use contract::body::{CheckOtp, History, HistoryRow, Profile, Rent};
use contract::{ApiKey, Moment};
use jiff::Timestamp;
use mock_server_core::control::Scope;
use mock_server_core::{Mock, Reply, Request, SettingsFile};

/// 2026-06-11T03:20:14Z, the documentation's `created_at`.
const EPOCH: i64 = 1_781_148_014;

const KEY: [u8; 60] = [b'k'; 60];

/// A mock, its time, and a customer with one key.
pub(crate) struct Client {
    pub(crate) mock: Mock,
    pub(crate) now: Moment,
}

impl Client {
    /// A mock with the settings of a `[mock]` table.
    pub(crate) fn new(toml: &str) -> Self {
        let file: SettingsFile = contract::document::parse("settings", toml).expect(toml);
        Self::with(file.resolve(7))
    }

    pub(crate) fn with(settings: impl Into<mock_server_core::Settings>) -> Self {
        let epoch = Timestamp::from_second(EPOCH).expect("in range");
        Self {
            mock: Mock::new(settings.into(), epoch),
            now: Moment::START,
        }
    }

    /// The customer, for control requests.
    pub(crate) fn me(&mut self) -> Scope {
        let key = ApiKey::from_bytes(&KEY).expect("well-formed");
        self.mock.scope(self.now, key).expect("any key will do")
    }

    /// Turns the clock to `seconds` after the start.
    pub(crate) fn at(&mut self, seconds: f64) -> &mut Self {
        self.now = Moment::START + Duration::from_secs_f64(seconds);
        self
    }

    pub(crate) fn get(&mut self, target: &str) -> Reply {
        let request = Request {
            truth: true,
            ..Request::plain("GET", target, &KEY)
        };
        self.mock.handle(self.now, &request)
    }

    pub(crate) fn post_rent(&mut self) -> Reply {
        let request = Request {
            body: mock_server_core::Body::Whole(br#"{"service":"whatsapp"}"#),
            ..Request::plain("POST", "/api/v1/number/rent", &KEY)
        };
        self.mock.handle(self.now, &request)
    }

    /// Rents, and must succeed; id and phone.
    pub(crate) fn rent(&mut self) -> (u64, String) {
        let reply = self.post_rent();
        let body: Rent<'_> = serde_json::from_slice(&reply.body).expect("a rental");
        (body.rental.id, body.rental.phone.into_owned())
    }

    pub(crate) fn poll(&mut self, id: u64) -> Reply {
        self.get(&format!("/api/v1/number/check-otp/{id}"))
    }

    /// Whether the poll of `id` shows an SMS.
    pub(crate) fn sees_sms(&mut self, id: u64) -> bool {
        let reply = self.poll(id);
        let body: CheckOtp<'_> = serde_json::from_slice(&reply.body).expect("a poll");
        body.sms_received
    }

    pub(crate) fn balance(&mut self) -> String {
        let reply = self.get("/api/v1/profile");
        let body: Profile<'_> = serde_json::from_slice(&reply.body).expect("a profile");
        body.user.balance.to_string()
    }

    /// The newest row of the history.
    pub(crate) fn newest_row(&mut self) -> HistoryRow<'static> {
        let reply = self.get("/api/v1/rentals/history");
        let body: History<'_> = serde_json::from_slice(&reply.body).expect("a history");
        let row = body.data.into_iter().next().expect("a row");
        HistoryRow {
            id: row.id,
            phone_number: row.phone_number.into_owned().into(),
            service_name: row.service_name.into_owned().into(),
            cost: row.cost,
            sms_code: row.sms_code.map(|code| code.into_owned().into()),
            status: row.status.into_owned().into(),
            created_at: row.created_at.into_owned().into(),
        }
    }
}
