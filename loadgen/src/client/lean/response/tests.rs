//! Answers, whole and in every kind of pieces.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{Broken, Reader, Response};

/// What an answer came to: status, truth, body, and whether the connection lives.
type Read = Result<Option<(u16, Option<String>, Vec<u8>, bool)>, Broken>;

fn owned(response: &Response<'_>) -> (u16, Option<String>, Vec<u8>, bool) {
    (
        response.status,
        response.truth.map(str::to_owned),
        response.body.to_vec(),
        response.reusable,
    )
}

/// Reads an answer that comes in these pieces, after which the connection ends.
fn read(pieces: &[&[u8]]) -> Read {
    let mut reader = Reader::default();
    reader.clear();
    let mut pieces = pieces.iter().filter(|piece| !piece.is_empty());
    while let Some(piece) = pieces.next() {
        if let Some(response) = reader.feed(piece)? {
            let read = owned(&response);
            // A connection on which more follows is dropped, however that is noticed.
            return pieces
                .next()
                .map_or(Ok(Some(read)), |_| Err(Broken::Malformed));
        }
    }
    reader.end().map(|response| Some(owned(&response)))
}

/// The pieces of `bytes` between these places, which may be in any order.
fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2)
        .map(|pair| &bytes[pair[0]..pair[1]])
        .collect()
}

/// Reads an answer whole, in two pieces cut anywhere, and byte by byte: all the same.
fn everyhow(answer: &str) -> Read {
    let bytes = answer.as_bytes();
    let whole = read(&[bytes]);
    for cut in 0..bytes.len() {
        assert_eq!(
            read(&pieces(bytes, &[cut])),
            whole,
            "{answer:?} cut at {cut}"
        );
    }
    let single: Vec<_> = bytes.chunks(1).collect();
    assert_eq!(read(&single), whole, "{answer:?} byte by byte");
    whole
}

fn check(answers: &[(&str, u16, &str, bool)]) {
    for (answer, status, body, reusable) in answers {
        let expected = (*status, None, body.as_bytes().to_vec(), *reusable);
        assert_eq!(everyhow(answer), Ok(Some(expected)), "{answer:?}");
    }
}

#[test]
fn an_answer_ends_where_its_head_says() {
    check(&[
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            200,
            "{}",
            true,
        ),
        ("HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n", 503, "", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n{}",
            200,
            "{}",
            true,
        ),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", true),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            304,
            "",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\n\r\nto the end",
            200,
            "to the end",
            false,
        ),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            200,
            "{}",
            false,
        ),
        ("HTTP/1.0 200 OK\r\n\r\n{}", 200, "{}", false),
    ]);
}

#[test]
fn who_keeps_the_connection_and_who_does_not() {
    check(&[
        (
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\na",
            200,
            "a",
            true,
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\na",
            200,
            "a",
            false,
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 1\r\n\r\na",
            200,
            "a",
            true,
        ),
    ]);
}

#[test]
fn interim_answers_are_passed_over() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    check(&[(&format!("{interim}{last}"), 200, "{}", true)]);
}

#[test]
fn chunks_are_joined_and_their_trailers_thrown_away() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    check(&[
        (&format!("{head}0\r\n\r\n"), 200, "", true),
        (
            &format!("{head}3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"),
            200,
            "abc0123456789",
            true,
        ),
        (
            &format!("{head}02\r\n\r\n\r\n0\r\nA: b\r\nC: d\r\n\r\n"),
            200,
            "\r\n",
            true,
        ),
    ]);
}

#[test]
fn the_truth_is_found_in_any_case() {
    let answer =
        "HTTP/1.1 200 OK\r\nX-Otplab-Truth: delay_us=1 readable_us=2\r\nContent-Length: 1\r\n\r\na";
    let (_, truth, ..) = everyhow(answer).expect("well-formed").expect("complete");
    assert_eq!(truth.as_deref(), Some("delay_us=1 readable_us=2"));
}

#[test]
fn what_breaks_http_is_malformed() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let sized = "HTTP/1.1 200 OK\r\nContent-Length: ";
    for answer in [
        "not HTTP at all",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        &format!("{sized}2\r\n\r\n{{}}HTTP/1.1 200 OK\r\n"),
        &format!("{sized}+2\r\n\r\n{{}}"),
        &format!("{sized}2, 2\r\n\r\n{{}}"),
        &format!("{sized}\r\n\r\n{{}}"),
        &format!("{sized}99999999999999999999\r\n\r\n"),
        &format!("{sized}2\r\nContent-Length: 3\r\n\r\nabc"),
        &format!("{sized}2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        &format!("{chunked}\r\n0\r\n\r\n"),
        &format!("{chunked}xyz\r\n"),
        &format!("{chunked}1\r\nabc\r\n0\r\n\r\n"),
        &format!("{chunked}ffffffffffffffffff\r\n"),
        &format!("{chunked}0\r\n\r\nmore"),
        &format!("{chunked}0\r\nno colon\r\n\r\n"),
    ] {
        assert_eq!(everyhow(answer), Err(Broken::Malformed), "{answer:?}");
    }
}

#[test]
fn what_ends_too_early_is_cut() {
    for answer in [
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
    ] {
        assert_eq!(everyhow(answer), Err(Broken::Cut), "{answer:?}");
    }
}

/// Feeds the same piece for ever; the reader has to have enough at some point.
fn flood(begin: &str, piece: &str) -> Broken {
    let mut reader = Reader::default();
    assert_eq!(reader.feed(begin.as_bytes()), Ok(None));
    for _ in 0..100_000 {
        if let Err(broken) = reader.feed(piece.repeat(100).as_bytes()) {
            return broken;
        }
    }
    panic!("it reads {begin:?} for ever");
}

#[test]
fn nothing_is_read_without_end() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (begin, piece) in [
        ("HTTP/1.1 200 OK\r\n", "a: b\r\n"),
        ("HTTP/1.1 200 OK\r\na: ", "bbbb"),
        ("HTTP/1.1 200 OK\r\n\r\n", "body"),
        (chunked, "1\r\na\r\n"),
        (&format!("{chunked}1;"), "extension"),
        (&format!("{chunked}0\r\na: "), "trailer"),
    ] {
        assert_eq!(flood(begin, piece), Broken::Malformed, "{begin:?}");
    }
}

/// Words that bring random text near the grammar.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 200 OK\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 204 \r\n",
        "Content-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "\r\n",
        "3\r\nabc\r\n",
        "0\r\n",
        "abc",
        "\n",
        "\r",
        ":",
        "1;",
    ]);
    let word = prop_oneof![
        8 => words.prop_map(|word| word.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(word, 0..12).prop_map(|words| words.concat())
}

/// A well-formed answer, with the body it carries.
fn answer() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let chunks = vec(vec(any::<u8>(), 1..40), 0..6);
    (0..3, chunks, 0..3_usize).prop_map(|(framing, chunks, interim)| {
        let body = chunks.concat();
        let mut bytes = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(interim);
        let head = match framing {
            0 => format!("Content-Length: {}\r\n", body.len()),
            1 => "Transfer-Encoding: chunked\r\n".to_owned(),
            _ => String::new(),
        };
        bytes.extend(format!("HTTP/1.1 200 OK\r\n{head}\r\n").bytes());
        if framing == 1 {
            for chunk in &chunks {
                bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                bytes.extend(chunk);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"0\r\n\r\n");
        } else {
            bytes.extend(&body);
        }
        (bytes, body)
    })
}

proptest! {
    #[test]
    fn no_bytes_in_any_pieces_make_it_panic(
        bytes in prop_oneof![soup(), vec(any::<u8>(), 0..300)],
        cuts in vec(any::<usize>(), 0..8),
    ) {
        let whole = read(&[&bytes]);
        let parts = read(&pieces(&bytes, &cuts));
        // Where something is wrong in two ways, the pieces decide which is seen first.
        if let Ok(answer) = whole {
            prop_assert_eq!(parts, Ok(answer));
        } else {
            prop_assert!(parts.is_err());
        }
    }

    #[test]
    fn a_valid_answer_is_the_same_in_any_pieces(
        (bytes, body) in answer(),
        cuts in vec(any::<usize>(), 0..12),
    ) {
        let read = read(&pieces(&bytes, &cuts));
        let (status, _, actual, _) = read.expect("well-formed").expect("complete");
        prop_assert_eq!((status, actual), (200, body));
    }
}
