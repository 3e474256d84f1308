//! The chunked transfer coding, decoded as far as bytes are there. No I/O.

use httparse::{EMPTY_HEADER, Status};

/// A size line with all its extensions, and the trailers, at most.
const MAX_LINE: usize = 1 << 10;
const MAX_TRAILERS: usize = 16 << 10;

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// The connection ended in the middle.
    Cut,
    /// It breaks HTTP, goes on after its end, or is larger than any answer of this API.
    Malformed,
}

/// Where the decoder stands.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    /// How much of the coded body is used up.
    at: usize,
    expected: Expected,
    /// What is decoded so far.
    body: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum Expected {
    #[default]
    Size,
    /// So many bytes.
    Data(usize),
    /// The end of the line after the data.
    LineEnd,
    Trailers,
    Nothing,
}

impl Chunks {
    /// Goes on with `coded`, which is the coded body from its first byte and
    /// begins with what was given before. The body, if it is complete.
    pub(super) fn decode(&mut self, coded: &[u8]) -> Result<Option<&[u8]>, Broken> {
        while self.step(&coded[self.at..])? {}
        match self.expected {
            Expected::Nothing if self.at == coded.len() => Ok(Some(&self.body)),
            Expected::Nothing => Err(Broken::Malformed),
            _ => Ok(None),
        }
    }

    /// One step; says whether there may be another.
    fn step(&mut self, rest: &[u8]) -> Result<bool, Broken> {
        match self.expected {
            // httparse takes a line without a digit for the size 0.
            Expected::Size if rest.first().is_some_and(|byte| !byte.is_ascii_hexdigit()) => {
                return Err(Broken::Malformed);
            }
            Expected::Size => {
                let size = httparse::parse_chunk_size(rest).map_err(|_| Broken::Malformed)?;
                let Status::Complete((used, size)) = size else {
                    return within(rest, MAX_LINE);
                };
                self.at += used;
                self.expected = match usize::try_from(size) {
                    Ok(0) => Expected::Trailers,
                    Ok(size) => Expected::Data(size),
                    Err(_) => return Err(Broken::Malformed),
                };
            }
            Expected::Data(size) => {
                let here = size.min(rest.len());
                self.body.extend_from_slice(&rest[..here]);
                self.at += here;
                if here < size {
                    self.expected = Expected::Data(size - here);
                    return Ok(false);
                }
                self.expected = Expected::LineEnd;
            }
            Expected::LineEnd => match rest {
                [] | [b'\r'] => return Ok(false),
                [b'\r', b'\n', ..] => {
                    self.at += 2;
                    self.expected = Expected::Size;
                }
                _ => return Err(Broken::Malformed),
            },
            Expected::Trailers => {
                // They are checked and thrown away: none of them is known.
                let mut trailers = [EMPTY_HEADER; 16];
                let parsed = httparse::parse_headers(rest, &mut trailers);
                let Status::Complete((used, _)) = parsed.map_err(|_| Broken::Malformed)? else {
                    return within(rest, MAX_TRAILERS);
                };
                self.at += used;
                self.expected = Expected::Nothing;
            }
            Expected::Nothing => return Ok(false),
        }
        Ok(true)
    }
}

/// More has to come, unless there is too much already.
const fn within(rest: &[u8], limit: usize) -> Result<bool, Broken> {
    if rest.len() > limit {
        return Err(Broken::Malformed);
    }
    Ok(false)
}
