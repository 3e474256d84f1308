//! Where in the stream of HTTP/2 frames a connection is: between two frames, or
//! in the middle of something that has to go on. Nothing else of the frames is
//! looked at; what they mean is hyper's business.

/// What every client says first (RFC 9113, 3.4).
const PREFACE: usize = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".len();

/// Length, type, flags and stream.
const HEAD: usize = 9;

const HEADERS: u8 = 1;
const CONTINUATION: u8 = 9;
const END_HEADERS: u8 = 4;

/// How far the client's frames are.
#[derive(Debug)]
pub(crate) struct Frames {
    head: [u8; HEAD],
    /// How much of `head` is there.
    filled: usize,
    /// Bytes of the present frame that are still to come.
    missing: usize,
    /// Whether a request's headers go on in the next frame.
    unfinished: bool,
}

impl Default for Frames {
    /// At the beginning of a connection.
    fn default() -> Self {
        Self {
            head: [0; HEAD],
            filled: 0,
            missing: PREFACE,
            unfinished: false,
        }
    }
}

impl Frames {
    /// These bytes came. Returns whether something ended among them.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) -> bool {
        let mut ended = false;
        while !bytes.is_empty() {
            let taken = if self.missing > 0 {
                let taken = self.missing.min(bytes.len());
                self.missing -= taken;
                taken
            } else {
                self.fill(bytes)
            };
            bytes = &bytes[taken..];
            ended |= !self.is_under_way();
        }
        ended
    }

    /// Whether more has to come.
    pub(crate) const fn is_under_way(&self) -> bool {
        self.missing > 0 || self.filled > 0 || self.unfinished
    }

    fn fill(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(HEAD - self.filled);
        self.head[self.filled..][..taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        if self.filled == HEAD {
            let [a, b, c, kind, flags, ..] = self.head;
            self.filled = 0;
            self.missing = u32::from_be_bytes([0, a, b, c]) as usize;
            if matches!(kind, HEADERS | CONTINUATION) {
                self.unfinished = flags & END_HEADERS == 0;
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, 1];
        frame.extend(std::iter::repeat_n(7, length.into()));
        frame
    }

    #[test]
    fn a_connection_is_under_way_within_frames_and_between_the_parts_of_a_head() {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        let mut rests = vec![bytes.len()];
        for (kind, flags, length, is_whole) in [
            (4, 0, 0, true),
            (HEADERS, END_HEADERS, 12, true),
            (0, 1, 200, true),
            (HEADERS, 0, 3, false),
            (CONTINUATION, 0, 3, false),
            (CONTINUATION, END_HEADERS, 3, true),
        ] {
            bytes.extend(frame(kind, flags, length));
            if is_whole {
                rests.push(bytes.len());
            }
        }
        for step in 1..30 {
            let (mut frames, mut passed) = (Frames::default(), 0);
            assert!(frames.is_under_way(), "the preface is missing");
            for part in bytes.chunks(step) {
                let before = passed;
                passed += part.len();
                let ended = frames.pass(part);
                assert_eq!(!frames.is_under_way(), rests.contains(&passed), "{passed}");
                let ends = rests
                    .iter()
                    .any(|rest| (before + 1..=passed).contains(rest));
                assert_eq!(ended, ends, "{before} to {passed}");
            }
        }
    }
}
