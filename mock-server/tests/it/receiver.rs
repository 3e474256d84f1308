//! A receiver of webhooks over HTTP: what reaches it whatever goes wrong, what is
//! left when the server stops, and endpoints that are added while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use mock_server::Running;
use mock_server_core::WebhookSettings;
use mock_server_core::queue::Pending;
use serde_json::{Value, json};

use crate::arm::{Answer, get, key, over_http, posting, rent, settings};
use crate::control::{control, start};
use crate::webhook::read_request;

/// A post, as it arrived.
struct Post {
    path: String,
    headers: BTreeMap<String, String>,
    event: Value,
}

/// Answers one post after the other with the status that `answer` gives to a
/// rental's nth post, and hands each on; for as long as the test runs.
fn receiver(
    answer: impl Fn(u64, u32) -> &'static str + Send + 'static,
) -> (SocketAddr, Receiver<Post>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (sender, posts) = mpsc::channel();
    thread::spawn(move || receive(&listener, &answer, &sender));
    (address, posts)
}

fn receive(
    listener: &TcpListener,
    answer: &dyn Fn(u64, u32) -> &'static str,
    sender: &Sender<Post>,
) {
    let mut seen = BTreeMap::<u64, u32>::new();
    for stream in listener.incoming() {
        let mut stream = stream.expect("a post");
        let text = read_request(&mut stream);
        let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
        let event: Value = serde_json::from_str(body).expect("JSON");
        let rental = event["rental_id"].as_u64().expect("an id");
        let count = seen.entry(rental).or_default();
        *count += 1;
        let status = answer(rental, *count);
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let mut lines = head.lines();
        let line = lines.next().expect("a request line");
        let path = line.split(' ').nth(1).expect("a path").to_owned();
        let headers = lines.filter_map(|line| line.split_once(": "));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let post = Post {
            path,
            headers: headers.collect(),
            event,
        };
        // Before the answer, after which the server may be done with it.
        if sender.send(post).is_err() {
            return;
        }
        // Whoever has given up does not read it.
        let _ = stream.write_all(answer.as_bytes());
    }
}

fn url(address: SocketAddr, path: &str) -> String {
    format!("http://{address}{path}")
}

fn to(address: SocketAddr) -> WebhookSettings {
    WebhookSettings::new(url(address, "/sms").parse().expect("an address"))
}

fn rented(address: SocketAddr, key: &str) -> u64 {
    let answer = over_http(address, rent(key, "service=whatsapp")).json();
    answer["rental"]["id"].as_u64().expect("a rental")
}

/// Waits until no webhook is to be posted any more.
fn settle(address: SocketAddr) {
    let body = r#"{"until":{"for":"webhooks"},"timeout":"60s"}"#;
    let waited = control(address, None, "POST", "wait", body).json();
    assert_eq!(waited, json!({ "satisfied": true }));
}

#[test]
fn a_thousand_sms_reach_a_receiver_that_fails_a_fifth_of_them() {
    let fails = |rental: u64| rental.is_multiple_of(5);
    let (receiver, posts) = receiver(move |rental, count| match fails(rental) && count <= 2 {
        true => "503 Busy",
        false => "204 Fine",
    });
    let toml = "sms_delay = \"uniform(0s,300ms)\"\ndialect = \"webhook_retry=5x50ms\"\n\
                faults = [\"rent: webhook_duplicate(concurrent) every 7\", \
                \"rent: webhook_duplicate(20ms) every 11\", \"rent: webhook_reorder every 3\"]";
    let running = start(posting(to(receiver), toml));
    let address = running.address();
    let ids: BTreeSet<_> = (0..1000)
        .map(|number| rented(address, &key(number % 4)))
        .collect();
    settle(address);
    let mut taken = BTreeMap::<u64, u32>::new();
    while let Ok(post) = posts.try_recv() {
        *taken
            .entry(post.event["rental_id"].as_u64().expect("an id"))
            .or_default() += 1;
    }
    assert_eq!(taken.keys().copied().collect::<BTreeSet<_>>(), ids);
    let all = taken.values().sum::<u32>();
    let log = control(address, None, "GET", "webhooks/deliveries?limit=5000", "").json();
    assert_eq!(log["evicted"], 0);
    let log = log["deliveries"].as_array().expect("a list");
    assert!(log.len() > 1200, "{} deliveries", log.len());
    let attempts = |delivery: &Value| delivery["attempts"].as_array().map_or(0, Vec::len);
    assert_eq!(log.iter().map(attempts).sum::<usize>(), all as usize);
    let mut by_rental = BTreeMap::<u64, usize>::new();
    for delivery in log {
        assert_eq!(delivery["state"], "acknowledged", "{delivery}");
        let last = delivery["attempts"].as_array().and_then(|all| all.last());
        assert_eq!(last.expect("one at least")["status"], 204);
        let rental = delivery["rental_id"].as_u64().expect("an id");
        *by_rental.entry(rental).or_default() += attempts(delivery);
    }
    assert_eq!(by_rental.len(), 1000);
    for (rental, attempts) in by_rental {
        assert!(attempts >= if fails(rental) { 3 } else { 1 }, "{rental}");
    }
    assert_eq!(running.stop().webhooks, Pending::default());
}

#[test]
fn a_stop_delivers_what_is_due_and_says_what_is_left() {
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let shut = Arc::clone(&gate);
    let (receiver, posts) = receiver(move |_, _| {
        let (open, opened) = &*shut;
        let open = open.lock().expect("the other side lives");
        drop(opened.wait_while(open, |open| !*open).expect("it lives"));
        "200 Fine"
    });
    let toml = "sms_delay = \"0s\"\nfaults = [\"rent: webhook_late(1h) nth 1\"]";
    let running = start(posting(to(receiver), toml));
    let ids: BTreeSet<_> = (0..200)
        .map(|_| rented(running.address(), &key(1)))
        .collect();
    let metrics = over_http(running.address(), get(&key(1), "/metrics")).body;
    let later = "otplab_webhooks_pending{state=\"scheduled\"} 1\n";
    assert!(metrics.contains(later), "{metrics}");
    let opening = thread::spawn(move || {
        let (open, opened) = &*gate;
        *open.lock().expect("the other side lives") = true;
        opened.notify_all();
    });
    let left = running.stop().webhooks;
    opening.join().expect("it does not panic");
    let expected = Pending {
        scheduled: 1,
        ..Pending::default()
    };
    assert_eq!(left, expected);
    let taken = posts
        .try_iter()
        .map(|post| post.event["rental_id"].as_u64());
    let taken: BTreeSet<_> = taken.flatten().collect();
    assert_eq!(taken.len(), 199);
    assert!(taken.is_subset(&ids));
}

/// A server with two endpoints that were added: one account's own, which signs, and
/// every account's; and what the control API answers to whom.
struct Added {
    running: Running,
    posts: Receiver<Post>,
    mine: String,
    made: Value,
    shared: Value,
}

impl Added {
    fn new() -> Self {
        let (receiver, posts) = receiver(|_, _| "200 Fine");
        let running = start(settings("sms_delay = \"0s\""));
        let mine = key(1);
        let own = json!({"url": url(receiver, "/own"), "secret": "auto", "retry": "none"});
        let all = json!({"url": url(receiver, "/all"), "truth": true});
        let add = |key: Option<&str>, endpoint: &Value| {
            let body = endpoint.to_string();
            control(running.address(), key, "POST", "webhooks/endpoints", &body).json()
        };
        let (made, shared) = (add(Some(&mine), &own), add(None, &all));
        Self {
            running,
            posts,
            mine,
            made,
            shared,
        }
    }

    fn ask(&self, key: Option<&str>, method: &str, call: &str) -> Answer {
        control(self.running.address(), key, method, call, "")
    }

    /// Rents, waits until all is posted, and says what came, by path.
    fn rent(&self) -> Vec<Post> {
        rented(self.running.address(), &self.mine);
        settle(self.running.address());
        let mut taken: Vec<_> = self.posts.try_iter().collect();
        taken.sort_by(|one, other| one.path.cmp(&other.path));
        taken
    }
}

#[test]
fn endpoints_that_are_added_get_what_is_theirs() {
    let added = Added::new();
    let (made, shared) = (&added.made, &added.shared);
    assert_eq!(
        (&made["id"], &made["signature"]),
        (&json!("account-1"), &json!("standard_webhooks"))
    );
    let secret = made["secret"].as_str().expect("made up");
    assert!(secret.starts_with("whsec_"));
    assert_eq!(
        (&shared["id"], &shared["account"]),
        (&json!("server-1"), &Value::Null)
    );
    let taken = added.rent();
    let paths: Vec<_> = taken.iter().map(|post| &post.path).collect();
    assert_eq!(paths, ["/all", "/own"]);
    assert_eq!(taken[1].headers["webhook-id"], "msg_13322954_0");
    assert!(taken[0].headers["x-otplab-truth"].starts_with("delay_us=0 readable_us="));
    assert!(!taken[1].headers.contains_key("x-otplab-truth"));
    // Another account has the server's only, and no secret is told again.
    let others = added.ask(Some(&key(2)), "GET", "webhooks/endpoints").json();
    assert_eq!(others["endpoints"].as_array().map(Vec::len), Some(1));
    let shown = added.ask(Some(&added.mine), "GET", "webhooks/endpoints/account-1");
    assert!(!shown.body.contains("whsec_"), "{}", shown.body);
    assert_eq!(shown.json()["acknowledged"], 1);
}

#[test]
fn a_delivery_is_replayed_and_an_endpoint_goes() {
    let added = Added::new();
    let mine = Some(&*added.mine);
    added.rent();
    let log = added.ask(mine, "GET", "webhooks/deliveries").json();
    let first = log["deliveries"][1]["id"].as_u64().expect("an id");
    let replay = format!("webhooks/deliveries/{first}/replay");
    assert_eq!(added.ask(Some(&key(2)), "POST", &replay).status, 404);
    assert_eq!(added.ask(mine, "POST", &replay).status, 200);
    settle(added.running.address());
    assert_eq!(added.posts.try_iter().count(), 1);
    let again = format!("webhooks/deliveries/{first}");
    let again = added.ask(mine, "GET", &again).json();
    assert_eq!(again["attempts"].as_array().map(Vec::len), Some(2));
    let server = "webhooks/endpoints/server-1";
    assert_eq!(added.ask(mine, "DELETE", server).status, 409);
    assert_eq!(added.ask(None, "DELETE", server).status, 200);
    assert_eq!(added.ask(None, "DELETE", server).status, 404);
    let paths: Vec<_> = added.rent().into_iter().map(|post| post.path).collect();
    assert_eq!(paths, ["/own"]);
}

#[test]
fn an_endpoint_that_makes_no_sense_is_told_what_would() {
    let running = start(settings(""));
    let mine = key(1);
    for (body, expected) in [
        (
            json!({"url": "http://hooks.test/"}),
            "--allow-webhook-host hooks.test",
        ),
        (
            json!({"url": "https://127.0.0.1/"}),
            "is not a webhook address",
        ),
        (
            json!({"url": "http://127.0.0.1/", "secret": "hush"}),
            "or write auto",
        ),
        (
            json!({"url": "http://127.0.0.1/", "retry": "often"}),
            "5x15s",
        ),
        (json!({}), "missing field `url`"),
    ] {
        let body = body.to_string();
        let answer = control(
            running.address(),
            Some(&mine),
            "POST",
            "webhooks/endpoints",
            &body,
        );
        assert_eq!(answer.status, 400, "{body}");
        assert!(answer.body.contains(expected), "{}", answer.body);
    }
    let odd = control(
        running.address(),
        Some(&mine),
        "GET",
        "webhooks/endpoints/mine",
        "",
    );
    assert_eq!(odd.status, 404);
}
