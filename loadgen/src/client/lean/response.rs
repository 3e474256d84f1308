//! An HTTP/1.1 answer, put together from the pieces in which it arrives. It
//! does no I/O, so a test can cut an answer wherever it likes.
//!
//! The grammar is httparse's. Where RFC 9112 lets a recipient choose between
//! repairing and refusing, this refuses: a measuring instrument that guesses
//! where an answer ends would count the next one wrong.

use std::mem::MaybeUninit;

use contract::truth;
use httparse::{Header, ParserConfig, Status};

use super::chunks::{Broken, Chunks};
use crate::client::MAX_ANSWER;

/// A complete answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Response<'a> {
    pub(super) status: u16,
    /// The value of the mock's truth header.
    pub(super) truth: Option<&'a str>,
    /// When to ask again, as the server writes it.
    pub(super) retry_after: Option<&'a str>,
    pub(super) body: &'a [u8],
    /// Whether the connection may carry another request.
    pub(super) reusable: bool,
}

/// Bytes of a head, and its headers, at most.
const MAX_HEAD: usize = 16 << 10;
const MAX_HEADERS: usize = 64;

/// Reads one answer at a time.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// What came so far; empty for an answer that comes in one piece.
    bytes: Vec<u8>,
    chunks: Chunks,
}

impl Reader {
    /// Forgets everything: the next byte is the first of an answer.
    pub(super) fn clear(&mut self) {
        if self.bytes.capacity() > MAX_HEAD {
            self.bytes = Vec::new();
        }
        self.bytes.clear();
        self.chunks = Chunks::default();
    }

    /// Takes the bytes that arrived; the answer, if it is complete with them.
    pub(super) fn feed<'a>(&'a mut self, fresh: &'a [u8]) -> Result<Option<Response<'a>>, Broken> {
        // Almost every answer comes in one piece and is read where it lies.
        if self.bytes.is_empty()
            && let Some(response) = in_one_piece(fresh)
        {
            return Ok(Some(response));
        }
        if self.bytes.len() + fresh.len() > MAX_ANSWER {
            return Err(Broken::Malformed);
        }
        self.bytes.extend_from_slice(fresh);
        self.proceed()
    }

    /// The connection has ended; for some answers that is their end.
    pub(super) fn end(&self) -> Result<Response<'_>, Broken> {
        match Head::parse(&self.bytes)? {
            Some(head) if head.framing == Framing::ToEnd => {
                Ok(head.response(&self.bytes[head.length..]))
            }
            _ => Err(Broken::Cut),
        }
    }

    fn proceed(&mut self) -> Result<Option<Response<'_>>, Broken> {
        self.skip_interim()?;
        let Some(head) = Head::parse(&self.bytes)? else {
            return match self.bytes.len() {
                0..=MAX_HEAD => Ok(None),
                _ => Err(Broken::Malformed),
            };
        };
        let rest = &self.bytes[head.length..];
        let body = match head.framing {
            Framing::Length(length) if rest.len() == length => rest,
            Framing::Length(length) if rest.len() > length => return Err(Broken::Malformed),
            Framing::Length(_) | Framing::ToEnd => return Ok(None),
            Framing::Chunked => match self.chunks.decode(rest)? {
                Some(body) => body,
                None => return Ok(None),
            },
        };
        Ok(Some(head.response(body)))
    }

    /// Interim answers say nothing about ours. A switch of protocols, which
    /// looks like one, was never asked for.
    fn skip_interim(&mut self) -> Result<(), Broken> {
        while let Some(head) = Head::parse(&self.bytes)?
            && head.status < 200
        {
            if head.status == 101 {
                return Err(Broken::Malformed);
            }
            self.bytes.drain(..head.length);
        }
        Ok(())
    }
}

fn in_one_piece(bytes: &[u8]) -> Option<Response<'_>> {
    let head = Head::parse(bytes).ok()??;
    let body = &bytes[head.length..];
    let complete = head.framing == Framing::Length(body.len()) && head.status >= 200;
    complete.then(|| head.response(body))
}

/// What matters of a head.
struct Head<'a> {
    status: u16,
    truth: Option<&'a str>,
    retry_after: Option<&'a str>,
    framing: Framing,
    keep_alive: bool,
    /// Bytes up to the body.
    length: usize,
}

/// How one knows where the body ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    /// After so many bytes.
    Length(usize),
    /// Where its chunks say.
    Chunked,
    /// With the connection.
    ToEnd,
}

impl<'a> Head<'a> {
    /// The head at the begin of `bytes`; nothing if it is not complete.
    fn parse(bytes: &'a [u8]) -> Result<Option<Self>, Broken> {
        let mut space = [const { MaybeUninit::<Header<'_>>::uninit() }; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = ParserConfig::default().parse_response_with_uninit_headers(
            &mut response,
            bytes,
            &mut space,
        );
        let Status::Complete(length) = parsed.map_err(|_| Broken::Malformed)? else {
            return Ok(None);
        };
        let (Some(status), Some(minor)) = (response.code, response.version) else {
            return Err(Broken::Malformed);
        };
        let fields = Fields::read(response.headers)?;
        if status < 100 || length > MAX_HEAD {
            return Err(Broken::Malformed);
        }
        Ok(Some(Self {
            status,
            truth: fields.truth,
            retry_after: fields.retry_after,
            framing: fields.framing(status, minor)?,
            keep_alive: !fields.close && (minor == 1 || fields.keep_alive),
            length,
        }))
    }

    fn response(&self, body: &'a [u8]) -> Response<'a> {
        Response {
            status: self.status,
            truth: self.truth,
            retry_after: self.retry_after,
            body,
            reusable: self.keep_alive && self.framing != Framing::ToEnd,
        }
    }
}

/// The header fields that matter.
#[derive(Default)]
struct Fields<'a> {
    truth: Option<&'a str>,
    retry_after: Option<&'a str>,
    length: Option<usize>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl<'a> Fields<'a> {
    fn read(headers: &[Header<'a>]) -> Result<Self, Broken> {
        let mut fields = Self::default();
        for header in headers {
            let is = |name: &str| header.name.eq_ignore_ascii_case(name);
            if is("content-length") {
                let length = content_length(header.value)?;
                if fields.length.is_some_and(|other| other != length) {
                    return Err(Broken::Malformed);
                }
                fields.length = Some(length);
            } else if is("transfer-encoding") {
                // Any other coding is one that was not asked for.
                if fields.chunked || !header.value.eq_ignore_ascii_case(b"chunked") {
                    return Err(Broken::Malformed);
                }
                fields.chunked = true;
            } else if is("connection") {
                fields.close |= names(header.value, b"close");
                fields.keep_alive |= names(header.value, b"keep-alive");
            } else if is(truth::HEADER) {
                fields.truth = std::str::from_utf8(header.value).ok();
            } else if is("retry-after") {
                fields.retry_after = Some(std::str::from_utf8(header.value).unwrap_or_default());
            }
        }
        Ok(fields)
    }

    fn framing(&self, status: u16, minor: u8) -> Result<Framing, Broken> {
        match (self.length, self.chunked) {
            // Two ends, or chunks in a version that has none: one of the two lies.
            (Some(_), true) => Err(Broken::Malformed),
            (None, true) if minor == 0 => Err(Broken::Malformed),
            _ if matches!(status, 100..=199 | 204 | 304) => Ok(Framing::Length(0)),
            (Some(length), false) => Ok(Framing::Length(length)),
            (None, true) => Ok(Framing::Chunked),
            (None, false) => Ok(Framing::ToEnd),
        }
    }
}

fn content_length(value: &[u8]) -> Result<usize, Broken> {
    let digits = std::str::from_utf8(value).map_err(|_| Broken::Malformed)?;
    // `parse` would take a sign.
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let length = digits.parse().ok().filter(|_| plain);
    length
        .filter(|length| *length <= MAX_ANSWER)
        .ok_or(Broken::Malformed)
}

/// Whether a list, such as that of the `Connection` field, has this word.
fn names(list: &[u8], word: &[u8]) -> bool {
    list.split(|byte| *byte == b',')
        .any(|element| element.trim_ascii().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
