//! What a dialect makes of the end of a rental: polls after it, an SMS after
//! it, and the money.

use contract::Moment;
use contract::body::CheckOtp;
use mock_server_core::control::{Event, LedgerView, Scope};

use crate::client::Client;
use crate::control::advance;

const OF_RENT: &str = "998.56";
const WHOLE: &str = "1000.00";

fn client(dialect: &str, law: &str) -> Client {
    Client::new(&format!("sms_delay = \"{law}\"\ndialect = \"{dialect}\""))
}

/// The status of a poll, and the code that it shows.
fn poll(client: &mut Client, id: u64) -> (u16, Option<String>) {
    let reply = client.poll(id);
    let body: Option<CheckOtp<'_>> = serde_json::from_slice(&reply.body).ok();
    let code = body.and_then(|body| body.sms_code);
    (reply.status, code.map(std::borrow::Cow::into_owned))
}

fn ledger(client: &mut Client) -> LedgerView {
    let mut ledgers = client.mock.ledgers(client.now, Scope::Server);
    let ledger = ledgers.pop().expect("one account");
    assert!(ledger.conserved, "{ledger:?}");
    ledger
}

#[test]
fn after_the_end_a_poll_is_refused_in_the_way_of_the_service() {
    for (dialect, status, success) in [
        ("default", 200, Some(false)),
        ("expired=waiting", 200, Some(true)),
        ("expired=410", 410, None),
        ("expired=404", 404, None),
    ] {
        let mut client = client(dialect, "never");
        let (id, _) = client.rent();
        let reply = client.at(1200.0).poll(id);
        assert_eq!(reply.status, status, "{dialect}");
        let poll: Option<CheckOtp<'_>> = serde_json::from_slice(&reply.body).ok();
        assert_eq!(poll.map(|poll| poll.success), success, "{dialect}");
        assert_eq!(client.balance(), WHOLE, "{dialect}");
    }
}

#[test]
fn a_code_may_be_gone_some_time_after_the_end() {
    let mut client = client("readable=10m", "2s");
    let (id, _) = client.rent();
    assert_eq!(poll(client.at(1799.999), id).0, 200);
    assert_eq!(poll(client.at(1800.0), id), (404, None));
    assert_eq!(client.newest_row().status, "completed");
}

#[test]
fn a_late_sms_is_dropped_or_comes_free_or_is_charged() {
    for (dialect, shown, left) in [
        ("late_sms=dropped", false, WHOLE),
        ("late_sms=delivered", true, WHOLE),
        ("late_sms=charged", true, OF_RENT),
        ("late_sms=charged, refund=none", true, OF_RENT),
        ("late_sms=charged, charge=sms", true, OF_RENT),
        ("late_sms=delivered, charge=sms", true, WHOLE),
    ] {
        let mut client = client(dialect, "1260s");
        let (id, _) = client.rent();
        assert!(!client.at(1259.0).sees_sms(id), "{dialect}");
        assert_eq!(client.newest_row().status, "expired", "{dialect}");
        assert_eq!(client.at(1260.0).sees_sms(id), shown, "{dialect}");
        assert_eq!(client.balance(), left, "{dialect}");
        ledger(&mut client);
    }
}

#[test]
fn a_late_sms_has_its_webhook_and_can_come_by_hand() {
    let mut client = client("late_sms=charged", "never");
    let me = client.me();
    let (id, _) = client.rent();
    client.at(1300.0);
    assert_eq!(client.balance(), WHOLE);
    let late = client
        .mock
        .deliver_sms(client.now, me, id as u32, Some("777"), None);
    assert_eq!(late, Ok(()));
    assert_eq!(poll(&mut client, id), (200, Some("777".to_owned())));
    assert_eq!(client.balance(), OF_RENT);
    // An end by hand makes a late SMS of one that was still to come.
    let mut client = self::client("late_sms=delivered", "10s");
    let me = client.me();
    let (id, _) = client.rent();
    client.at(3.0);
    client
        .mock
        .expire(client.now, me, id as u32)
        .expect("pending");
    assert!(!client.at(9.0).sees_sms(id));
    assert!(client.at(10.0).sees_sms(id));
    assert_eq!(client.balance(), WHOLE);
}

#[test]
fn a_late_sms_takes_back_a_refund_that_is_spent_already() {
    let mut client =
        Client::new("sms_delay = \"1300s\"\nbalance = \"1.44\"\ndialect = \"late_sms=charged\"");
    client.rent();
    client.at(1250.0).rent();
    assert_eq!(client.balance(), "0.00");
    assert_eq!(client.at(1300.0).balance(), "-1.44");
    ledger(&mut client);
}

#[test]
fn a_refund_takes_its_time_or_never_comes() {
    for (dialect, at_end, later) in [
        ("refund=at_end", WHOLE, WHOLE),
        ("refund=none", OF_RENT, OF_RENT),
        ("refund=unseen", OF_RENT, OF_RENT),
        ("refund=30m", OF_RENT, WHOLE),
    ] {
        let mut client = client(dialect, "never");
        client.rent();
        assert_eq!(client.at(1200.0).balance(), at_end, "{dialect}");
        ledger(&mut client);
        assert_eq!(client.at(3000.0).balance(), later, "{dialect}");
        ledger(&mut client);
    }
    let mut unseen = client("refund=unseen, status_words=refunded", "never");
    unseen.rent();
    assert_eq!(unseen.at(1200.0).newest_row().status, "refunded");
}

#[test]
fn an_advance_lists_a_refund_that_takes_its_time() {
    let mut client = client("refund=30m", "never");
    let me = client.me();
    client.rent();
    let names = |fired: Vec<mock_server_core::control::Fired>| {
        let events = fired.into_iter().map(|fired| fired.event);
        events.collect::<Vec<_>>()
    };
    let fired = advance(me, &mut client, 20);
    assert_eq!(names(fired), [Event::RentalExpired]);
    assert_eq!(ledger(&mut client).pending_refunds.to_string(), "1.44");
    let fired = advance(me, &mut client, 30);
    assert_eq!(names(fired), [Event::RentalRefunded]);
    assert_eq!(ledger(&mut client).refunded.to_string(), "1.44");
}

#[test]
fn a_late_sms_prevents_a_refund_that_takes_its_time() {
    let mut client = client("refund=30m, late_sms=charged", "1300s");
    client.rent();
    assert_eq!(client.at(1250.0).balance(), OF_RENT);
    assert_eq!(ledger(&mut client).pending_refunds.to_string(), "1.44");
    assert_eq!(client.at(1300.0).balance(), OF_RENT);
    assert_eq!(ledger(&mut client).pending_refunds.to_string(), "0.00");
    assert_eq!(client.at(9000.0).balance(), OF_RENT);
}

#[test]
fn a_rental_charged_at_its_sms_needs_the_money_from_the_rent_on() {
    let mut client =
        Client::new("sms_delay = \"10s\"\nbalance = \"2.00\"\ndialect = \"charge=sms\"");
    client.rent();
    assert_eq!(client.balance(), "2.00");
    assert_eq!(ledger(&mut client).reserved.to_string(), "1.44");
    assert_eq!(client.post_rent().status, 402, "0.56 is free");
    assert_eq!(client.at(9.999).balance(), "2.00");
    assert_eq!(client.at(10.0).balance(), "0.56");
    assert_eq!(ledger(&mut client).reserved.to_string(), "0.00");
    let mut never = self::client("charge=sms", "never");
    never.rent();
    assert_eq!(never.at(1200.0).balance(), WHOLE);
    let ledger = ledger(&mut never);
    assert_eq!(ledger.charged.to_string(), "0.00");
    assert_eq!(ledger.refunded.to_string(), "0.00");
}

#[test]
fn a_second_look_shows_the_newest_code_or_the_first_or_none() {
    for (dialect, second, third) in [
        ("repeat_read=latest", Some("1"), Some("2")),
        ("repeat_read=first", Some("1"), Some("1")),
        ("repeat_read=once", None, Some("2")),
    ] {
        let mut client = client(dialect, "never");
        let me = client.me();
        let (id, _) = client.rent();
        let deliver = |client: &mut Client, code| {
            client
                .mock
                .deliver_sms(client.now, me, id as u32, Some(code), None)
                .expect("not ended");
        };
        deliver(&mut client, "1");
        assert_eq!(poll(&mut client, id).1.as_deref(), Some("1"), "{dialect}");
        assert_eq!(poll(&mut client, id).1.as_deref(), second, "{dialect}");
        deliver(&mut client, "2");
        assert_eq!(poll(&mut client, id).1.as_deref(), third, "{dialect}");
        assert_eq!(client.newest_row().status, "completed", "{dialect}");
    }
}

#[test]
fn only_so_many_rentals_may_wait_at_once() {
    let mut client = client("active_rentals=2", "10s");
    let me = client.me();
    let (first, _) = client.rent();
    client.rent();
    assert_eq!(client.post_rent().status, 429);
    assert_eq!(client.balance(), "997.12", "a refusal costs nothing");
    client
        .mock
        .expire(client.now, me, first as u32)
        .expect("pending");
    client.rent();
    assert_eq!(client.at(9.999).post_rent().status, 429);
    client.at(10.0).rent();
    assert!(client.now > Moment::START);
}

#[test]
fn waiting_for_an_end_that_a_late_sms_has_overtaken_is_waiting_for_ever() {
    use mock_server_core::watch::{Goal, Watch, Wish};
    let mut client = client("late_sms=delivered", "1260s");
    let me = client.me();
    let (id, _) = client.rent();
    let mut watch = |seconds, state| {
        let wish = Wish::Rental {
            rental_id: id as u32,
            state,
        };
        let now = client.at(seconds).now;
        client.mock.watch(now, me, &wish)
    };
    let at = |seconds| Watch::NotBefore(Moment::START + std::time::Duration::from_secs(seconds));
    assert_eq!(watch(0.0, Goal::Ended), at(1200));
    assert_eq!(watch(0.0, Goal::Completed), at(1260));
    assert_eq!(watch(1200.0, Goal::Ended), Watch::Happened);
    let never = Watch::NotBefore(Moment::NEVER);
    assert_eq!(watch(1260.0, Goal::Expired), never);
}
