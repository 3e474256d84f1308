//! The client of `benches/speed`: as lean as one without an event queue can be,
//! so that the server is the limit. It keeps every connection busy with a fixed
//! number of requests, one written after another without waiting for answers,
//! and visits the connections in turn. It judges nothing but status 200. With a
//! pipeline it never sleeps: waking it would be work for the server.
//!
//! ```text
//! usage: speed-client (rent|poll) ADDRESS[,ADDRESS] CONNECTIONS DEPTH ACCOUNTS COUNT
//!        speed-client ready STARTS OTPLAB
//! ```
//!
//! Rents COUNT numbers, or rents one for each account and polls them COUNT
//! times, and prints the seconds that the COUNT requests took. `poll` waits for
//! a line on standard input before it begins and after it has ended, so that
//! the script may look at the server in between. `ready` starts the server
//! STARTS times and prints the median of the milliseconds to its first answer.
//! Several servers share the connections; they must be fresh, so that the same
//! rentals have the same ids.

use std::error::Error;
use std::io::{self, BufRead, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Longer than any answer takes to come; the script must end.
const PATIENCE: Duration = Duration::from_secs(20);

const USAGE: &str = "see the head of benches/bin/client.rs";

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["ready", starts, otplab] => ready(starts.parse()?, otplab),
        [what, address, numbers @ ..] => load(what, address, numbers),
        _ => Err(USAGE.into()),
    }
}

fn load(what: &str, addresses: &str, numbers: &[&str]) -> Outcome<()> {
    let numbers = numbers.iter().map(|number| number.parse());
    let numbers: Vec<usize> = numbers.collect::<Result<_, _>>()?;
    let [connections, depth, accounts, count] = numbers.as_slice() else {
        return Err(USAGE.into());
    };
    let rents: Vec<_> = (0..*accounts).map(rent).collect();
    let addresses: Vec<&str> = addresses.split(',').collect();
    let mut load = Load::open(&addresses, *connections, *depth)?;
    match what {
        "rent" => say_seconds(load.run(&rents, *count)?),
        "poll" => {
            let mut ids = Vec::new();
            for address in &addresses {
                ids = rent_one_each(address, &rents)?;
            }
            let polls: Vec<_> = ids.iter().enumerate().map(|(n, id)| poll(n, *id)).collect();
            pause()?;
            say_seconds(load.run(&polls, *count)?)?;
            pause()
        }
        _ => Err(USAGE.into()),
    }
}

fn say_seconds(taken: Duration) -> Outcome<()> {
    Ok(say(&format!("{:.6}", taken.as_secs_f64()))?)
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Says that it waits, and does.
fn pause() -> Outcome<()> {
    say("waiting")?;
    io::stdin().lock().read_line(&mut String::new())?;
    Ok(())
}

/// From starting `otplab serve` to its first answer, several times.
fn ready(starts: usize, otplab: &str) -> Outcome<()> {
    let mut times = Vec::new();
    for _ in 0..starts {
        let begin = Instant::now();
        let mut server = Started::new(otplab)?;
        server.wait_for_answer(begin)?;
        times.push(begin.elapsed());
    }
    times.sort();
    let median = times.get(starts / 2).ok_or("no starts")?;
    say(&format!("{:.2}", median.as_secs_f64() * 1e3))?;
    Ok(())
}

/// A server that ends with this.
struct Started {
    child: Child,
    address: SocketAddr,
}

impl Started {
    fn new(otplab: &str) -> Outcome<Self> {
        // Free a moment ago, and nobody else is handed it so soon.
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = Command::new(otplab);
        command.args(["serve", "--seed", "1", "--listen", &address.to_string()]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn()?;
        Ok(Self { child, address })
    }

    fn wait_for_answer(&mut self, begin: Instant) -> Outcome<()> {
        let mut stream = loop {
            match TcpStream::connect(self.address) {
                Ok(stream) => break stream,
                Err(_) if begin.elapsed() < PATIENCE => thread::sleep(Duration::from_micros(100)),
                Err(error) => return Err(error.into()),
            }
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        if status == *b"HTTP/1.1 200" {
            Ok(())
        } else {
            Err("it is not ready".into())
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A key that differs from the others in its last digits.
fn key(account: usize) -> String {
    format!("{account:k>60}")
}

fn rent(account: usize) -> Vec<u8> {
    let body = r#"{"service":"whatsapp"}"#;
    format!(
        "POST /api/v1/number/rent HTTP/1.1\r\nHost: localhost\r\nAuth: {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        key(account),
        body.len()
    )
    .into()
}

fn poll(account: usize, id: u64) -> Vec<u8> {
    format!(
        "GET /api/v1/number/check-otp/{id} HTTP/1.1\r\nHost: localhost\r\nAuth: {}\r\n\r\n",
        key(account)
    )
    .into()
}

/// The ids of one rental per request, over a connection of its own.
fn rent_one_each(address: &str, rents: &[Vec<u8>]) -> Outcome<Vec<u64>> {
    let mut connection = Connection::open(address)?;
    let mut ids = Vec::new();
    for rent in rents {
        connection.stream.write_all(rent)?;
        let body = connection.answer()?;
        let digits = body
            .split("\"id\":")
            .nth(1)
            .ok_or("a rental without an id")?;
        let end = digits.find(|c: char| !c.is_ascii_digit());
        ids.push(digits[..end.unwrap_or(digits.len())].parse()?);
    }
    Ok(ids)
}

/// Connections that are kept busy.
struct Load {
    connections: Vec<Connection>,
    depth: usize,
}

impl Load {
    fn open(addresses: &[&str], connections: usize, depth: usize) -> Outcome<Self> {
        let in_turn = addresses.iter().cycle().take(connections);
        let connections = in_turn.map(|address| {
            let connection = Connection::open(address)?;
            connection.stream.set_nonblocking(depth > 1)?;
            Ok(connection)
        });
        Ok(Self {
            connections: connections.collect::<io::Result<_>>()?,
            depth,
        })
    }

    /// Sends `count` requests, taken from `requests` in turn, and reads their answers.
    fn run(&mut self, requests: &[Vec<u8>], count: usize) -> Outcome<Duration> {
        let mut requests = requests.iter().cycle().take(count);
        let mut unanswered = vec![0; self.connections.len()];
        let mut batch = Vec::new();
        let begin = Instant::now();
        loop {
            let mut busy = false;
            for (connection, unanswered) in self.connections.iter_mut().zip(&mut unanswered) {
                for _ in 0..std::mem::take(unanswered) {
                    connection.answer()?;
                }
                batch.clear();
                for request in requests.by_ref().take(self.depth) {
                    batch.extend_from_slice(request);
                    *unanswered += 1;
                }
                connection.write(&batch)?;
                busy |= *unanswered > 0;
            }
            if !busy {
                return Ok(begin.elapsed());
            }
        }
    }
}

/// A connection, and what was read of it and not yet looked at.
struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    begin: usize,
    end: usize,
}

impl Connection {
    fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream,
            buffer: vec![0; 64 * 1024],
            begin: 0,
            end: 0,
        })
    }

    /// The body of the next answer, which must have status 200.
    fn answer(&mut self) -> Outcome<&str> {
        let (head, length) = loop {
            let unread = &self.buffer[self.begin..self.end];
            if let Some(found) = measure(unread)?
                && found.0 + found.1 <= unread.len()
            {
                break found;
            }
            self.read()?;
        };
        let body = self.begin + head..self.begin + head + length;
        self.begin = body.end;
        Ok(std::str::from_utf8(&self.buffer[body])?)
    }

    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let written = persist(|| self.stream.write(bytes))?;
            bytes = &bytes[written..];
        }
        Ok(())
    }

    fn read(&mut self) -> Outcome<()> {
        self.buffer.copy_within(self.begin..self.end, 0);
        self.end -= self.begin;
        self.begin = 0;
        match persist(|| self.stream.read(&mut self.buffer[self.end..]))? {
            0 => Err("the server closed a connection".into()),
            length => {
                self.end += length;
                Ok(())
            }
        }
    }
}

/// Tries again and again while there is nothing to be had, but not for ever.
fn persist(mut attempt: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    let mut begin = None;
    loop {
        match attempt() {
            Err(error)
                if error.kind() == io::ErrorKind::WouldBlock
                    && begin.get_or_insert_with(Instant::now).elapsed() < PATIENCE => {}
            outcome => return outcome,
        }
    }
}

/// The lengths of the head and of the body of the answer that `bytes` begin
/// with, once the head is whole.
fn measure(bytes: &[u8]) -> Outcome<Option<(usize, usize)>> {
    const LENGTH: &[u8] = b"content-length: ";
    let mut length = None;
    let mut line = 0;
    while let Some(size) = bytes[line..].windows(2).position(|pair| pair == b"\r\n") {
        let text = &bytes[line..line + size];
        if line == 0 && !text.starts_with(b"HTTP/1.1 200 ") {
            return Err(String::from_utf8_lossy(text).into());
        }
        line += size + 2;
        if text.is_empty() {
            let length = length.ok_or("an answer without a length")?;
            return Ok(Some((line, length)));
        }
        if let Some(digits) = text.strip_prefix(LENGTH) {
            length = Some(std::str::from_utf8(digits)?.parse()?);
        }
    }
    Ok(None)
}
