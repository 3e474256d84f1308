//! Both clients against a server that sends prepared bytes: the same answers,
//! the same failures.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::Duration;

use contract::{ApiKey, Cents, Dice, Moment};
use loadgen_core::answer::{Answer, Failure};
use loadgen_core::arrivals::{Arrivals, Shard};
use loadgen_core::call::Order;
use loadgen_core::fleet::{Fleet, Output, Plan, Role};
use loadgen_core::stop::Stop;
use tokio::runtime::{Builder, LocalOptions};

use super::{Carried, Client, Factory, Line, Opening};
use crate::clock::Clock;
use crate::target::Target;

const PROFILE: &str =
    r#"{"success":true,"user":{"name":"A","email":"a@example.com","balance":"340.50"}}"#;

/// What a server does with its connections, one after the other.
type Script = Vec<Vec<Step>>;

#[derive(Clone, Copy)]
enum Step {
    /// Reads to the end of a request's head.
    Request,
    Say(&'static str),
    /// Says the profile, with these header lines before the length.
    Profile(&'static str),
    /// Lets the client make its next request, as the end of a connection does.
    Next,
    /// Says nothing until the client goes away.
    Nothing,
}

use Step::{Next, Nothing, Profile, Request, Say};

/// Carries out a script; says where, and when the client may go on.
fn server(script: Script) -> (SocketAddr, Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("bound");
    let (next, may_go_on) = mpsc::channel();
    std::thread::spawn(move || {
        let mut listener = Some(listener);
        let connections = script.len();
        for (number, steps) in (1..).zip(script) {
            let (stream, _) = listener.as_ref().expect("kept").accept().expect("a client");
            if number == connections {
                listener = None;
            }
            // A client that has gone away ends its connection's part.
            let _ = serve(stream, &steps, &next);
            let _ = next.send(());
        }
    });
    (address, may_go_on)
}

fn serve(mut stream: TcpStream, steps: &[Step], next: &Sender<()>) -> io::Result<()> {
    for step in steps {
        match step {
            Request => read_request(&mut stream)?,
            Say(text) => stream.write_all(text.as_bytes())?,
            Profile(headers) => {
                let length = PROFILE.len();
                let head = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: {length}");
                stream.write_all(format!("{head}\r\n\r\n{PROFILE}").as_bytes())?;
            }
            Next => next.send(()).map_err(io::Error::other)?,
            Nothing => stream.read(&mut [0; 64]).map(|_| ())?,
        }
    }
    Ok(())
}

fn read_request(stream: &mut impl Read) -> io::Result<()> {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        seen.push(byte[0]);
    }
    Ok(())
}

/// The order to read a balance.
fn order() -> Order {
    let plan = Plan {
        arrivals: Arrivals::users(1),
        stop: Stop::default(),
        role: Role::ReadBalance,
        accounts: 1,
        dice: Dice::new(1),
    };
    let mut fleet = Fleet::new(Arc::new(plan), Shard::WHOLE, Moment::START);
    match fleet.poll_output(Moment::START) {
        Output::Send(order) => order,
        output => panic!("a user was to start, not {output:?}"),
    }
}

type Outcome = Result<Answer, Failure>;

/// What `requests` requests over one connection come to, and how many
/// connections that took.
fn carried(
    client: Client,
    script: Script,
    requests: usize,
    patience: Duration,
) -> (Vec<Outcome>, usize) {
    let (address, may_go_on) = server(script);
    let line = Rc::new(Line {
        target: Target::parse(&format!("http://{address}"), &[]).expect("loopback"),
        keys: Arc::new([ApiKey::made_up(Dice::new(1), 0)]),
        truth: true,
        request_timeout: patience,
        clock: Clock::start(),
    });
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_all().build_local(LocalOptions::default());
    let carried = runtime.expect("a runtime").block_on(async {
        let factory = Factory::new(client, &line).expect("a host");
        let mut connection = factory.connection(&line);
        let mut carried = vec![connection.carry(&order()).await];
        for _ in 1..requests {
            may_go_on.recv().expect("the script goes on");
            // What the server has done is known to the kernel; let the runtime ask it.
            tokio::time::sleep(Duration::from_millis(2)).await;
            carried.push(connection.carry(&order()).await);
        }
        carried
    });
    let opened = |one: &&Carried| matches!(one.opening, Opening::Took(_));
    let openings = carried.iter().filter(opened).count();
    let outcomes = carried.into_iter().map(|one| one.outcome).collect();
    (outcomes, openings)
}

const CLIENTS: [Client; 2] = [Client::Lean, Client::Hyper];
const LONG: Duration = Duration::from_secs(60);
const BALANCE: Outcome = Ok(Answer::Balance(Cents(34_050)));

/// Both clients come to this when a request is answered so.
fn check(expected: &Outcome, answer: &[Step]) {
    for client in CLIENTS {
        let steps = [&[Request], answer].concat();
        let (outcomes, _) = carried(client, vec![steps], 1, LONG);
        assert_eq!(outcomes, std::slice::from_ref(expected), "{client:?}");
    }
}

#[test]
fn both_clients_read_every_framing() {
    check(&BALANCE, &[Profile(""), Nothing]);
    check(&BALANCE, &[Profile("Connection: close\r\n")]);
    check(&BALANCE, &[Profile("Connection: close\r\n"), Nothing]);
    check(
        &BALANCE,
        &[Say("HTTP/1.1 100 Continue\r\n\r\n"), Profile(""), Nothing],
    );
    check(&BALANCE, &[Say("HTTP/1.0 200 OK\r\n\r\n"), Say(PROFILE)]);
    check(&BALANCE, &[Say("HTTP/1.1 200 OK\r\n\r\n"), Say(PROFILE)]);
    let chunks = [
        Say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        Say("27;a=b\r\n{\"success\":true,\"user\":{\"name\":\"A\",\"ema\r\n"),
        Say("27\r\nil\":\"a@example.com\",\"balance\":\"340.50\"}\r\n"),
        Say("1\r\n}\r\n0\r\nX: y\r\n\r\n"),
        Nothing,
    ];
    check(&BALANCE, &chunks);
    check(
        &Err(Failure::Body),
        &[Say("HTTP/1.1 204 No Content\r\n\r\n"), Nothing],
    );
}

#[test]
fn both_clients_call_a_failure_by_the_same_name() {
    const SIZED: &str = "HTTP/1.1 200 OK\r\nContent-Length: ";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let status = [Say("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), Nothing];
    check(&Err(Failure::Status(503)), &status);
    for cut in [
        &[] as &[Step],
        &[Say("HTTP/1.1 200 OK\r\nContent-")],
        &[Say(SIZED), Say("9\r\n\r\n{")],
        &[Say(CHUNKED), Say("5\r\n{")],
    ] {
        check(&Err(Failure::Closed), cut);
    }
    for wrong in [
        &[Say("SSH-2.0-OpenSSH_9.7\r\n\r\n"), Nothing] as &[Step],
        &[Say("HTTP/1.1 200 OK\r\nno colon\r\n\r\n"), Nothing],
        &[Say(SIZED), Say("two\r\n\r\n{}"), Nothing],
        &[Say(SIZED), Say("99999999\r\n\r\n"), Nothing],
        &[Say(CHUNKED), Say("xyz\r\n"), Nothing],
        &[Say(CHUNKED), Say("1\r\nabc\r\n"), Nothing],
    ] {
        check(&Err(Failure::Protocol), wrong);
    }
}

#[test]
fn a_connection_is_used_again_until_the_server_ends_it() {
    for client in CLIENTS {
        let kept = vec![vec![
            Request,
            Profile(""),
            Next,
            Request,
            Profile(""),
            Nothing,
        ]];
        let kept = carried(client, kept, 2, LONG);
        assert_eq!(kept, (vec![BALANCE, BALANCE], 1), "{client:?}");
        let fresh = || vec![Request, Profile(""), Nothing];
        for first in [
            vec![Request, Profile("")],
            vec![Request, Profile("Connection: close\r\n"), Next, Nothing],
            // Something unasked.
            vec![
                Request,
                Profile(""),
                Say("HTTP/1.1 408 Late\r\n\r\n"),
                Next,
                Nothing,
            ],
        ] {
            let (outcomes, openings) = carried(client, vec![first, fresh()], 2, LONG);
            assert_eq!(
                (outcomes.last(), openings),
                (Some(&BALANCE), 2),
                "{client:?}"
            );
        }
    }
}

#[test]
fn silence_is_a_timeout() {
    for client in CLIENTS {
        let script = vec![vec![Request, Say("HTTP/1.1 200 OK\r\n"), Nothing]];
        let (outcomes, _) = carried(client, script, 1, Duration::from_millis(100));
        assert_eq!(outcomes, [Err(Failure::Timeout)], "{client:?}");
    }
}

#[test]
fn a_server_that_has_gone_cannot_be_connected_to() {
    for client in CLIENTS {
        let (outcomes, openings) = carried(client, vec![vec![Request, Profile("")]], 2, LONG);
        let expected = vec![BALANCE, Err(Failure::Connect)];
        assert_eq!((outcomes, openings), (expected, 1), "{client:?}");
    }
}

#[test]
fn a_machine_without_descriptors_or_ports_is_no_unreachable_server() {
    let limits = [
        io::Error::from_raw_os_error(23),
        io::Error::from_raw_os_error(24),
        io::ErrorKind::AddrNotAvailable.into(),
    ];
    for limit in limits {
        assert_eq!(Opening::failed(&limit), Opening::LimitHit, "{limit}");
    }
    let refused = io::ErrorKind::ConnectionRefused.into();
    assert_eq!(Opening::failed(&refused), Opening::Failed);
}
