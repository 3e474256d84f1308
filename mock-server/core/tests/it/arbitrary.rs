//! Whatever is asked, the mock answers, and its money adds up. `fuzz/` searches
//! the same sessions for longer and with more sense.

use proptest::prelude::*;

use crate::session::{move_house, play};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_session_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        play(&bytes);
    }

    #[test]
    fn nobody_can_tell_that_a_server_went_on_from_a_snapshot(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
    ) {
        move_house(&bytes);
    }
}

/// A concurrent duplicate had failed once before the move.
#[test]
fn attempts_are_counted_on_after_a_snapshot() {
    move_house(&[
        0x2d, 0x20, 0x61, 0x63, 0x74, 0x69, 0x76, 0xfe, 0x00, 0xbf, 0xff, 0xff, 0x01, 0xf1, 0xf7,
        0xff, 0x04, 0x00, 0x59, 0x00, 0x00, 0x42, 0xff, 0x01, 0xf1, 0xf7, 0xbf, 0x04, 0x00, 0x59,
        0x00, 0x00, 0x42, 0x64,
    ]);
}
