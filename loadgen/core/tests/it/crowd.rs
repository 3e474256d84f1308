//! Mixed populations in virtual time: each behaves as it says, and is counted apart.

use std::collections::BTreeMap;
use std::time::Duration;

use contract::{Cents, Moment, Operation};
use loadgen_core::answer::{Answer, Rented, Row};
use loadgen_core::call::{Call, Order};

use crate::world::{plan, run};

/// Of ten users eight are patient, one is not, and one reads its history.
const MIXED: &str = r#"
arrivals = "10"
[stop]
duration = "100s"
[users]
polling = "fixed(2s)"
accounts = 1000
[[populations]]
name = "patient"
share = "80%"
[[populations]]
name = "impatient"
share = "10%"
polling = "fixed(100ms)"
give_up = "3s"
[[populations]]
name = "reader"
share = "10%"
do = "read_history"
polling = "fixed(1s)"
give_up = "10s"
"#;

#[test]
fn each_population_does_what_it_says_and_is_counted_apart() {
    // The SMS is there after five seconds, by when the impatient have left.
    let mut rented: BTreeMap<u64, Moment> = BTreeMap::new();
    let (tally, ..) = run(plan(MIXED), 100, |now, order: &Order| {
        let id = u64::from(order.account);
        let answer = match order.call {
            Call::Rent(_) => {
                rented.insert(id, now);
                Answer::Rented(Rented {
                    id,
                    phone: 12_025_550_100,
                    cost: Cents(144),
                    expires_in: Duration::from_secs(60),
                })
            }
            Call::CheckOtp(id) if now.since(rented[&id]) >= Duration::from_secs(5) => {
                Answer::Received {
                    code: "0042".into(),
                    truth: None,
                }
            }
            Call::CheckOtp(_) => Answer::Waiting,
            Call::History(_) => Answer::History(vec![Row {
                id,
                cost: Cents(144),
                code: Some("0042".into()),
                completed: true,
            }]),
            Call::Profile => Answer::Balance(Cents(0)),
        };
        (Duration::ZERO, Ok(answer))
    });
    let [patient, impatient, reader] = tally.populations() else {
        panic!("{} populations", tally.populations().len());
    };
    // Eight slots, each busy for six seconds with three polls: 17 users in a hundred seconds.
    assert_eq!(patient.rentals.started, 8 * 17);
    assert_eq!(patient.rentals.delivered, 8 * 17);
    assert_eq!(patient.rentals.confirmed, 8 * 17);
    assert_eq!(patient.rentals.polls_delivered, 3 * 8 * 17);
    // One slot, three seconds with thirty polls: 34 users.
    assert_eq!(impatient.rentals.started, 34);
    assert_eq!(impatient.rentals.abandoned, 34);
    assert_eq!(impatient.rentals.polls_undelivered, 34 * 30);
    // One slot, eleven readings in ten seconds.
    assert_eq!((reader.rentals.started, reader.requests), (0, 10 * 11));
    let rentals = &tally.rentals;
    assert_eq!(rentals.started, 8 * 17 + 34);
    assert_eq!(rentals.abandoned, 34);
    assert_eq!(tally.operation(Operation::History).requests, 8 * 17 + 110);
    let requests: u64 = tally.populations().iter().map(|one| one.requests).sum();
    assert_eq!(requests, tally.requests());
}
