//! The rest of a client: it rents, and asks as the code below says.

use std::io::{Read, Write};

fn call(port: &str, key: &str, method: &str, path: &str, body: &str) -> String {
    let mut stream = std::net::TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let length = body.len();
    let head = format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuth: {key}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The value of a JSON field that holds digits.
fn field(answer: &str, name: &str) -> Option<String> {
    let (_, rest) = answer.split_once(&format!("\"{name}\":"))?;
    let digits = rest.trim_start_matches('"').chars().take_while(char::is_ascii_digit);
    Some(digits.collect())
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [port, key] = &arguments[..] else {
        panic!("port and key");
    };
    let rent = call(port, key, "POST", "/number/rent", "{\"service\":\"whatsapp\"}");
    let path = format!("/number/check-otp/{}", field(&rent, "id").unwrap());
    let rented_at = tokio::time::Instant::now();
    let mut asked = Vec::new();
    let check_otp = || {
        asked.push(rented_at.elapsed().as_millis());
        std::future::ready(field(&call(port, key, "GET", &path, ""), "sms_code"))
    };
    let code = tokio::block_on(wait_for_code(check_otp, rented_at));
    let code = code.unwrap_or_else(|| "none".to_owned());
    println!("{code} {} {}", asked.len(), asked.last().unwrap());
}

