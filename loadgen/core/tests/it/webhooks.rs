//! Customers who count on webhooks: what one means between two polls and during
//! one, before its rent's answer, twice, late and never.

use std::time::Duration;

use contract::{Cents, Moment, Operation};
use loadgen_core::answer::{Answer, Failure, Rented, Row};
use loadgen_core::arrivals::Shard;
use loadgen_core::call::{Call, Order, Times};
use loadgen_core::fleet::{Fleet, Output};
use loadgen_core::tally::{Tally, WebhookTally};
use loadgen_core::webhook::Pushed;

use crate::world::plan;

const ID: u64 = 13_322_954;

/// Polls at 10, 20 seconds and so on unless a webhook comes first.
const PATIENT: &str = "webhook(fallback=fixed(10s))";

/// One customer, and the time.
struct Life {
    fleet: Fleet,
    now: Moment,
    under_way: Option<(Order, Moment)>,
    /// When what was asked.
    calls: Vec<(u64, Operation)>,
}

fn life(polling: &str, more: &str) -> Life {
    let text = format!(
        "[arrivals]\nusers = 1\n[stop]\ncount = 1\n[users]\npolling = \"{polling}\"\n{more}"
    );
    Life {
        fleet: Fleet::new(plan(&text), Shard::WHOLE, Moment::START),
        now: Moment::START,
        under_way: None,
        calls: Vec::new(),
    }
}

impl Life {
    /// Goes on to this second; whether there is an end before.
    fn on_to(&mut self, seconds: u64) -> bool {
        let until = Moment::START + Duration::from_secs(seconds);
        loop {
            match self.fleet.poll_output(self.now) {
                Output::Send(order) => {
                    let second = self.now.since_start().as_secs();
                    self.calls.push((second, order.call.operation()));
                    self.under_way = Some((order, self.now));
                }
                Output::Wait(next) if next <= until => self.now = next,
                Output::Wait(_) => {
                    self.now = until;
                    return false;
                }
                Output::Done => return true,
            }
        }
    }

    fn answered(&mut self, outcome: Result<Answer, Failure>) {
        let (order, sent) = self.under_way.take().expect("a request is under way");
        let times = Times {
            intended: order.intended,
            sent,
            answered: self.now,
        };
        self.fleet.handle_answer(order, times, outcome);
    }

    /// What a server without an SMS says; the history has it.
    fn answer(&mut self) {
        let (order, _) = self.under_way.expect("a request is under way");
        self.answered(Ok(match order.call {
            Call::Rent(_) => Answer::Rented(Rented {
                id: ID,
                phone: 12_025_550_100,
                cost: Cents(144),
                expires_in: Duration::from_secs(60),
            }),
            Call::CheckOtp(_) => Answer::Waiting,
            Call::History(_) => Answer::History(vec![Row {
                id: ID,
                cost: Cents(144),
                code: Some("0042".into()),
                completed: true,
            }]),
            Call::Profile => Answer::Balance(Cents(0)),
        }));
    }

    fn poll_brings_the_code(&mut self) {
        self.answered(Ok(Answer::Received {
            code: "0042".into(),
            truth: None,
        }));
    }

    fn webhook(&mut self) {
        let body = format!(
            r#"{{"event":"sms.received","timestamp":1,"rental_id":{ID},"phone":"1","service_slug":"x","raw_text":"0042","sms_code":"0042"}}"#
        );
        let truth = Some("delay_us=3000000 readable_us=7");
        let pushed = Pushed::read(body.as_bytes(), truth).expect("documented");
        self.fleet.handle_webhook(self.now, pushed);
    }

    fn end(self) -> (Vec<(u64, Operation)>, Tally) {
        (self.calls, self.fleet.finished().0)
    }
}

use Operation::{CheckOtp, History, Rent};

#[test]
fn a_webhook_is_counted_once_by_the_fleet_whose_customer_it_is_for() {
    let text =
        format!("[arrivals]\nusers = 2\n[stop]\ncount = 2\n[users]\npolling = \"{PATIENT}\"\n");
    let received = [0, 1].map(|index| {
        let mut life = life(PATIENT, "");
        life.fleet = Fleet::new(plan(&text), Shard { index, of: 2 }, Moment::START);
        life.on_to(1);
        // The first worker's customer has no rental.
        if index == 1 {
            life.answer();
        }
        life.webhook();
        life.end().1.webhooks.received
    });
    assert_eq!(received, [0, 1]);
}

#[test]
fn a_webhook_between_two_polls_saves_those_to_come() {
    let mut life = life(PATIENT, "");
    life.on_to(1);
    life.answer();
    life.on_to(12);
    life.answer();
    life.on_to(15);
    life.webhook();
    life.on_to(16);
    life.answer();
    assert!(life.on_to(60), "it is done");
    let (calls, tally) = life.end();
    assert_eq!(calls, [(0, Rent), (11, CheckOtp), (15, History)]);
    let rentals = &tally.rentals;
    assert_eq!((rentals.delivered, rentals.confirmed), (1, 1));
    assert_eq!(rentals.polls_delivered, 1, "the poll to come was not made");
    assert_eq!(rentals.time_to_code.greatest(), Some(14_000_000));
    assert_eq!(rentals.detection_lag.greatest(), Some(7));
    assert_eq!(rentals.lag_shares.server, 7);
    let expected = WebhookTally {
        received: 1,
        used: 1,
        ..WebhookTally::default()
    };
    assert_eq!(tally.webhooks, expected);
}

#[test]
fn a_poll_under_way_is_overtaken_and_not_made_again() {
    let retry = "retry = \"attempts(3,fixed(1s))\"\n";
    for outcome in [Ok(Answer::Waiting), Err(Failure::Timeout)] {
        let mut life = life(PATIENT, retry);
        life.on_to(1);
        life.answer();
        life.on_to(12);
        life.webhook();
        life.on_to(13);
        life.answered(outcome);
        life.on_to(14);
        life.answer();
        assert!(life.on_to(60), "it is done");
        let (calls, tally) = life.end();
        assert_eq!(calls, [(0, Rent), (11, CheckOtp), (13, History)]);
        assert_eq!(tally.rentals.polls_delivered, 1);
        assert_eq!(tally.rentals.time_to_code.greatest(), Some(11_000_000));
        assert_eq!(tally.rentals.confirmed, 1);
    }
}

#[test]
fn a_webhook_may_come_before_its_rent_is_answered_and_twice() {
    let mut life = life(PATIENT, "");
    life.on_to(1);
    life.webhook();
    life.webhook();
    life.on_to(2);
    life.answer();
    life.webhook();
    life.on_to(3);
    life.answer();
    assert!(life.on_to(60), "it is done");
    let (calls, tally) = life.end();
    assert_eq!(calls, [(0, Rent), (2, History)]);
    assert_eq!(tally.rentals.time_to_code.greatest(), Some(0));
    let webhooks = tally.webhooks;
    assert_eq!((webhooks.early, webhooks.used), (1, 1));
    assert_eq!((webhooks.duplicates, webhooks.received), (2, 3));
}

#[test]
fn a_history_may_show_later_what_a_webhook_told_early() {
    let row = |code: Option<&str>| {
        Ok(Answer::History(vec![Row {
            id: ID,
            cost: Cents(144),
            code: code.map(Into::into),
            completed: code.is_some(),
        }]))
    };
    for (shown, mismatches) in [(Some("0042"), 0), (Some("9999"), 1)] {
        let mut life = life(PATIENT, "");
        life.on_to(1);
        life.webhook();
        life.answer();
        life.on_to(2);
        life.answered(row(None));
        life.on_to(3);
        life.answered(row(shown));
        assert!(life.on_to(60), "it is done");
        let (calls, tally) = life.end();
        assert_eq!(calls, [(0, Rent), (1, History), (3, History)]);
        assert_eq!(tally.rentals.confirmed, 1 - mismatches);
        assert_eq!(tally.failures(), mismatches);
    }
}

#[test]
fn what_polls_found_first_is_late_or_lost() {
    for late in [true, false] {
        let mut life = life(PATIENT, "");
        life.on_to(1);
        life.answer();
        life.on_to(12);
        life.poll_brings_the_code();
        life.on_to(13);
        life.answer();
        assert!(!life.on_to(14), "it waits for the webhook");
        if late {
            life.webhook();
        }
        assert!(life.on_to(16), "and no longer than two seconds");
        let (_, tally) = life.end();
        let webhooks = tally.webhooks;
        assert_eq!(webhooks.late, u64::from(late));
        assert_eq!(webhooks.lost, u64::from(!late));
        assert_eq!((tally.rentals.confirmed, webhooks.used), (1, 0));
    }
}

#[test]
fn others_take_no_notice_of_webhooks() {
    let mut life = life("fixed(10s)", "");
    life.on_to(1);
    life.answer();
    life.webhook();
    life.on_to(12);
    life.poll_brings_the_code();
    life.on_to(13);
    life.answer();
    assert!(life.on_to(13), "it waits for no webhook");
    let (calls, tally) = life.end();
    assert_eq!(calls, [(0, Rent), (11, CheckOtp), (12, History)]);
    let webhooks = tally.webhooks;
    assert_eq!((webhooks.received, webhooks.used, webhooks.lost), (0, 0, 0));
}
