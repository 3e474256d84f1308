//! A rental along its line of time, and the money with it.

use contract::Truth;
use std::time::Duration;

use crate::client::Client;

#[test]
fn a_code_appears_at_its_moment_and_stays() {
    let mut client = Client::new(r#"sms_delay = "2s""#);
    let (id, phone) = client.rent();
    assert!(!client.at(1.999).sees_sms(id));
    assert_eq!(client.newest_row().status, "pending");
    assert!(client.at(2.0).sees_sms(id));
    let row = client.newest_row();
    assert_eq!(
        (row.status.as_ref(), row.phone_number.as_ref()),
        ("completed", phone.as_str())
    );
    assert!(client.at(1e6).sees_sms(id), "long after the end as well");
    assert_eq!(client.balance(), "998.56", "paid for and kept");
}

#[test]
fn without_an_sms_the_end_brings_the_money_back() {
    let mut client = Client::new(r#"sms_delay = "never""#);
    let (id, _) = client.rent();
    assert_eq!(client.at(1199.999).balance(), "998.56");
    assert_eq!(client.at(1200.0).balance(), "1000.00");
    let poll = client.poll(id);
    assert_eq!(
        (poll.status, poll.body.as_ref()),
        (
            200,
            br#"{"success":false,"sms_received":false,"message":"This rental has expired without receiving an SMS."}"#
                .as_slice()
        )
    );
    let row = client.newest_row();
    assert_eq!((row.status.as_ref(), row.sms_code), ("expired", None));
    assert_eq!(client.at(5000.0).balance(), "1000.00", "once and not again");
}

#[test]
fn money_that_came_back_can_be_spent() {
    let mut client = Client::new("sms_delay = \"never\"\nbalance = \"1.44\"");
    client.rent();
    assert_eq!(client.at(1199.0).post_rent().status, 402);
    assert_eq!(client.at(1200.0).post_rent().status, 200);
}

#[test]
fn a_late_sms_is_dropped() {
    let mut client = Client::new(r#"sms_delay = "1200s""#);
    let (id, _) = client.rent();
    assert!(!client.at(1200.0).sees_sms(id));
    assert!(!client.at(9000.0).sees_sms(id));
    assert_eq!(client.balance(), "1000.00");
}

#[test]
fn created_at_is_the_wall_clock_in_utc() {
    let mut client = Client::new("");
    client.at(46.7).rent();
    assert_eq!(client.newest_row().created_at, "2026-06-11 03:21:00");
}

#[test]
fn the_truth_counts_from_the_sms_to_the_answers_leaving() {
    let rules = "sms_delay = \"2s\"\nfaults = [\"check_otp: latency(300ms)\"]";
    let mut client = Client::new(rules);
    let (id, _) = client.rent();
    assert_eq!(
        client.at(1.9).poll(id).truth,
        None,
        "decided before it came"
    );
    let expected = Truth {
        delay: Duration::from_secs(2),
        readable: Duration::from_millis(800),
    };
    assert_eq!(client.at(2.5).poll(id).truth, Some(expected));
}

#[test]
fn time_never_runs_backwards_for_an_account() {
    let mut client = Client::new(r#"sms_delay = "2s""#);
    let (id, _) = client.rent();
    assert!(client.at(2.0).sees_sms(id));
    assert!(
        client.at(1.0).sees_sms(id),
        "told by a thread that came late"
    );
}

#[test]
fn half_a_second_of_life_is_announced_as_one() {
    let mut client = Client::new(r#"rental_life = "500ms""#);
    let body = client.post_rent().body;
    let text = std::str::from_utf8(&body).expect("text");
    assert!(text.contains(r#""expires_in_seconds":1}"#), "{text}");
}
