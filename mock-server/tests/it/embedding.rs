//! The mock as a test uses it: started, asked, and gone again, with everything
//! that the control API does as functions.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use mock_server::{
    Account, AccountPatch, Answer, Instant, Matcher, Mock, RentalQuery, Sms, StateWord, TimeScale,
    Times, Waited, Wish, WrittenEndpoint,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SECOND: Duration = Duration::from_secs(1);

/// What the client under test would do: status and body.
fn ask(mock: &Mock, account: &Account, line: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(mock.address()).expect("it listens");
    let (method, path) = line.split_once(' ').expect("a method and a path");
    let (key, length) = (account.key(), body.len());
    write!(
        stream,
        "{method} /api/v1{path} HTTP/1.1\r\nhost: {}\r\nauth: {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}",
        mock.address()
    )
    .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let status = head[9..12].parse().expect("a status");
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn rent(mock: &Mock, account: &Account) -> u32 {
    let (status, rental) = ask(
        mock,
        account,
        "POST /number/rent",
        r#"{"service":"google"}"#,
    );
    assert_eq!(status, 200, "{rental}");
    let id = rental["rental"]["id"].as_u64().expect("an id");
    id.try_into().expect("a small one")
}

fn poll(mock: &Mock, account: &Account, id: u32) -> Value {
    ask(mock, account, &format!("GET /number/check-otp/{id}"), "").1
}

fn frozen() -> Mock {
    let mock = Mock::builder().sms_delay("5s").frozen();
    mock.start().expect("it starts")
}

fn of(operation: &str) -> Matcher {
    Matcher {
        operation: Some(operation.to_owned()),
        ..Matcher::default()
    }
}

#[test]
fn a_test_moves_time_and_sees_what_happened() {
    let mock = frozen();
    let account = mock.account();
    let id = rent(&mock, &account);
    assert_eq!(poll(&mock, &account, id)["sms_received"], false);
    let fired = account.advance(5 * SECOND).done();
    assert_eq!(fired.len(), 1, "{fired:?}");
    assert_eq!(fired[0].rental_id, Some(id));
    let code = poll(&mock, &account, id)["sms_code"].clone();
    let rental = account.rental(id).expect("it was rented");
    assert_eq!(
        (code.as_str(), rental.state),
        (Some(&*rental.code), StateWord::Completed)
    );
    assert_eq!(
        account.verify(&of("check_otp"), Times::Exactly(2)).result,
        Answer::Pass
    );
    assert_eq!(account.requests(&of("rent")).len(), 1);
    assert!(account.ledger().conserved);
    assert_eq!(account.clock().pace, 0.0);
    account.reset();
    assert!(account.rentals(&RentalQuery::default()).is_empty());
    assert_eq!(account.view().rentals, 0);
    account.set_pace(TimeScale::REAL);
    assert_eq!(account.clock().pace, 1.0);
}

#[test]
fn a_tester_sends_sms_ends_rentals_and_breaks_things() {
    let mock = frozen();
    let account = mock.account();
    let (first, second) = (rent(&mock, &account), rent(&mock, &account));
    account
        .send_sms(first, Sms::code("123456"))
        .expect("a live one");
    assert_eq!(poll(&mock, &account, first)["sms_code"], "123456");
    account.expire(second).expect("a live one");
    assert_eq!(poll(&mock, &account, second)["success"], false);
    assert!(account.expire(first).is_err() && account.send_sms(7, Sms::default()).is_err());

    let rule = account
        .add_fault("check_otp: status(503) first 1")
        .expect("a rule");
    let path = format!("GET /number/check-otp/{first}");
    assert_eq!(ask(&mock, &account, &path, "").0, 503);
    assert_eq!(account.faults()[0].fired, 1);
    let rule = account
        .replace_fault(rule.id, "check_otp: status(500)")
        .expect("it is there");
    assert_eq!(ask(&mock, &account, &path, "").0, 500);
    account.remove_fault(rule.id).expect("it is there");
    account.remove_faults();
    assert_eq!(ask(&mock, &account, &path, "").0, 200);
    let error = account.add_fault("check_otp: sulk").expect_err("no fault");
    assert!(error.to_string().contains("sulk"), "{error}");

    let poor = AccountPatch {
        balance: Some("0.50".parse().expect("an amount")),
        ..AccountPatch::default()
    };
    account.amend(poor).expect("no webhooks leave");
    assert_eq!(
        ask(
            &mock,
            &account,
            "POST /number/rent",
            r#"{"service":"google"}"#
        )
        .0,
        402
    );
    let away = AccountPatch {
        webhook_url: Some("http://192.0.2.7/sms".parse().expect("an address")),
        ..AccountPatch::default()
    };
    assert!(account.amend(away).is_err());
}

#[test]
fn a_snapshot_is_gone_on_from() {
    let mock = frozen();
    let account = mock.account();
    let id = rent(&mock, &account);
    let snapshot = account.snapshot();
    account.advance(5 * SECOND).done();
    assert_eq!(poll(&mock, &account, id)["sms_received"], true);
    account.restore(snapshot).expect("its own");
    assert_eq!(poll(&mock, &account, id)["sms_received"], false);
}

#[test]
fn no_test_sees_another() {
    let mock = frozen();
    let (ours, theirs) = (mock.account(), mock.account());
    assert_ne!(ours.key(), theirs.key());
    let id = rent(&mock, &ours);
    assert!(theirs.rental(id).is_none());
    assert!(theirs.requests(&Matcher::default()).is_empty());
    theirs.advance(5 * SECOND).done();
    assert_eq!(poll(&mock, &ours, id)["sms_received"], false);
    assert_eq!(mock.everybody().accounts().len(), 2);
    // A name always has the same key, and that the same numbers.
    let named = mock.account_named("it rents");
    let same = frozen().account_named("it rents");
    assert_eq!(named.key(), same.key());
    assert_ne!(named.key(), mock.account_named("it polls").key());
    let chosen = mock.account_with_key(&"k".repeat(60)).expect("a key");
    assert!(chosen.rental(rent(&mock, &chosen)).is_some());
    assert!(mock.account_with_key("short").is_err());
}

#[test]
fn what_is_not_understood_is_told_when_it_starts() {
    let error = Mock::builder().sms_delay("soon").balance("much").start();
    let error = error.expect_err("no law").to_string();
    assert!(error.starts_with(r#"sms_delay "soon": "#), "{error}");
}

#[test]
fn with_strict_keys_accounts_are_known_and_nobody_else() {
    let mock = Mock::builder().strict_keys().start().expect("it starts");
    let account = mock.account();
    assert_eq!(ask(&mock, &account, "GET /profile", "").0, 200);
    let other = Mock::builder()
        .seed(9)
        .start()
        .expect("it starts")
        .account();
    assert_eq!(ask(&mock, &other, "GET /profile", "").0, 401);
}

#[test]
fn it_ends_when_it_is_dropped_and_tells_what_clients_did() {
    let mock = Mock::builder()
        .sms_delay("5s")
        .frozen()
        .lint()
        .start()
        .expect("it starts");
    let (account, address) = (mock.account(), mock.address());
    let id = rent(&mock, &account);
    for _ in 0..20 {
        poll(&mock, &account, id);
    }
    let report = serde_json::to_string(&account.lint()).expect("JSON");
    assert!(report.contains("connection-per-request"), "{report}");
    mock.stop();
    assert!(TcpStream::connect(address).is_err());
    // Whoever still has an account is not stopped by that.
    assert_eq!(account.advance(SECOND).done(), []);
}

#[test]
fn a_clock_is_moved_to_a_date_and_not_back() {
    let mock = Mock::builder()
        .sms_delay("never")
        .frozen()
        .start()
        .expect("well-formed");
    let account = mock.account();
    rent(&mock, &account);
    let date = |text: &str| text.parse::<Instant>().expect("a date");
    let moved = account.advance_to(date("2099-01-01T00:00:00Z"));
    let fired = moved.expect("it is later").done();
    assert_eq!(fired.len(), 1, "the rental ended: {fired:?}");
    assert!(
        account.clock().now.starts_with("2099-01-01"),
        "{:?}",
        account.clock()
    );
    let back = account.advance_to(date("2098-12-31T23:59:59Z"));
    let refused = back.map(|_| ()).expect_err("time has one direction");
    assert!(
        refused.to_string().contains("no clock runs backwards"),
        "{refused}"
    );
}

/// Takes webhooks in the runtime of the test itself.
async fn receiver() -> (String, tokio::task::JoinHandle<String>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!("http://{}/sms", listener.local_addr().expect("an address"));
    let received = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a webhook");
        let mut text = String::new();
        let mut part = [0; 4096];
        while !text.ends_with('}') {
            let read = stream.read(&mut part).await.expect("it is sent");
            text += std::str::from_utf8(&part[..read]).expect("text");
        }
        let answer = b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.expect("it listens");
        text
    });
    (url, received)
}

#[tokio::test]
async fn an_asynchronous_test_awaits_what_takes_time() {
    let (url, received) = receiver().await;
    let mock = Mock::builder().sms_delay("5s").webhook_url(&url).frozen();
    let mock = mock.start().expect("it starts");
    let account = mock.account();
    let id = rent(&mock, &account);
    let wish = Wish::Delivery {
        rental_id: id,
        outcome: mock_server::DeliveryGoal::Acknowledged,
    };
    let delivered = account.wait(wish, 60 * SECOND);
    let fired = account.advance(5 * SECOND).await;
    assert_eq!(
        fired
            .iter()
            .filter(|fired| fired.acknowledged == Some(true))
            .count(),
        1
    );
    assert_eq!(delivered.await, Waited::Happened);
    assert!(
        received
            .await
            .expect("no panic")
            .contains(&format!("\"rental_id\":{id}"))
    );
    let deliveries = account.deliveries(Some(id));
    assert_eq!(deliveries.len(), 1);
    let endpoints = account.endpoints();
    assert_eq!((endpoints.len(), endpoints[0].acknowledged), (1, 1));
    account.replay(deliveries[0].id).expect("it was posted");
    let second = WrittenEndpoint {
        url: url.parse().expect("an address"),
        secret: None,
        retry: None,
        truth: false,
    };
    let second = account.add_endpoint(second).expect("this machine");
    assert_eq!(account.endpoints().len(), 2);
    let removed = account.remove_endpoint(second.endpoint.id);
    removed.expect("it is there");
    let nothing = Wish::Rental {
        rental_id: 7,
        state: mock_server::Goal::Ended,
    };
    assert_eq!(account.wait(nothing, SECOND).await, Waited::NoSuchRental);
    let never = Wish::Request {
        matcher: of("history"),
        count: 1,
    };
    assert_eq!(
        account.wait(never, Duration::from_millis(1)).await,
        Waited::TimedOut
    );
}
