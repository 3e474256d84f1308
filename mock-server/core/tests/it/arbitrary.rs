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
