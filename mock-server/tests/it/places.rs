//! Where a server listens: at several places at once, Unix sockets among them.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use mock_server::{Place, Running, Server, StartError};

use crate::arm::{get, key, over_http, settings, written};
use crate::transport::PROFILE;

/// A directory that is gone at the end of the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("otplab-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("otplab.sock")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn at(places: &[&str]) -> Server {
    let places = places.iter().map(|place| place.parse().expect("a place"));
    Server {
        listen: places.collect(),
        ..Server::local()
    }
}

fn start(server: &Server) -> Result<Running, StartError> {
    server.start(settings(""))
}

fn listening_at(socket: &Path) -> Server {
    Server {
        listen: vec![Place::Unix(socket.to_owned())],
        ..Server::local()
    }
}

/// The first line of the answer to this request.
fn status(socket: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("it listens");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer.lines().next().unwrap_or_default().to_owned()
}

fn closing(target: &str, host: &str) -> String {
    let request = written(get(&key(1), target), "Connection: close\r\n");
    request.replace("Host: localhost", &format!("Host: {host}"))
}

#[test]
fn it_listens_at_several_places_and_they_are_one_server() {
    let running = start(&at(&["127.0.0.1:0", "127.0.0.2:0"])).expect("free ports");
    let addresses: Vec<_> = running.places().iter().filter_map(Place::address).collect();
    assert_eq!(running.address(), addresses[0], "named after the first");
    assert_eq!(addresses[1].ip().to_string(), "127.0.0.2");
    for address in &addresses {
        assert_ne!(address.port(), 0);
        let answer = over_http(*address, get(&key(1), "/__admin/clock"));
        assert_eq!(answer.status, 200);
    }
    for address in &addresses {
        let answer = over_http(*address, get(&key(1), "/metrics"));
        let seats = answer.body.matches("otplab_connections_open{").count();
        assert_eq!(seats, 1, "they are counted together: {}", answer.body);
    }
    let nowhere = start(&at(&[])).expect_err("nowhere");
    assert!(nowhere.to_string().contains("write it like"), "{nowhere}");
}

#[test]
fn one_place_that_is_taken_is_told_and_nothing_runs() {
    let first = start(&at(&["127.0.0.1:0"])).expect("a free port");
    let directory = Directory::new("taken");
    let taken = first.address().to_string();
    let both = Server {
        listen: vec![Place::Unix(directory.socket()), first.address().into()],
        ..Server::local()
    };
    let error = start(&both).expect_err("taken");
    assert!(
        error.to_string().contains(&format!("{taken} is in use")),
        "{error}"
    );
    assert!(!directory.socket().exists(), "the other is gone with it");
}

#[test]
fn a_unix_socket_answers_whatever_host_is_named_and_goes_with_the_server() {
    let directory = Directory::new("unix");
    let socket = directory.socket();
    let running = start(&listening_at(&socket)).expect("a free name");
    let permissions = fs::metadata(&socket).expect("it is there").permissions();
    assert_eq!(permissions.mode() & 0o777, 0o600);
    assert_eq!(status(&socket, &closing(PROFILE, "api")), "HTTP/1.1 200 OK");
    let control = closing("/__admin/clock", "whatever");
    assert_eq!(status(&socket, &control), "HTTP/1.1 200 OK");
    let page = control.replace("Host:", "Origin: http://localhost\r\nHost:");
    assert_eq!(status(&socket, &page), "HTTP/1.1 403 Forbidden");
    running.stop();
    assert!(!socket.exists());
}

#[test]
fn what_is_in_the_way_of_a_socket_is_replaced_only_if_nobody_needs_it() {
    let directory = Directory::new("stale");
    let socket = directory.socket();
    // Left behind by a program that was killed.
    drop(UnixListener::bind(&socket).expect("a free name"));
    assert!(socket.exists());
    let first = start(&listening_at(&socket)).expect("nobody listens there");
    let error = start(&listening_at(&socket)).expect_err("somebody does");
    let told = format!("unix:{} is in use", socket.display());
    assert!(error.to_string().contains(&told), "{error}");
    assert_eq!(status(&socket, &closing(PROFILE, "x")), "HTTP/1.1 200 OK");
    // Somebody else's file of that name is not ours to remove.
    fs::remove_file(&socket).expect("ours");
    fs::write(&socket, "precious").expect("a writable directory");
    first.stop();
    let error = start(&listening_at(&socket)).expect_err("no socket");
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert!(cause.unwrap_or_default().contains("no socket"), "{error}");
    assert_eq!(fs::read(&socket).expect("it is there"), b"precious");
}

#[test]
fn a_reset_over_a_unix_socket_is_its_end() {
    let directory = Directory::new("reset");
    let socket = directory.socket();
    let server = listening_at(&socket);
    let faulty = settings(r#"faults = ["profile: reset_peer", "history: truncate_body(10)"]"#);
    let _running = server.start(faulty).expect("a free name");
    let mut stream = UnixStream::connect(&socket).expect("it listens");
    let asked = written(get(&key(1), PROFILE), "");
    stream.write_all(asked.as_bytes()).expect("it reads");
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    assert!(bytes.is_empty(), "{end:?}");
    let history = closing("/api/v1/rentals/history", "x");
    assert_eq!(status(&socket, &history), "HTTP/1.1 200 OK");
}
