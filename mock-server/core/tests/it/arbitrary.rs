//! Whatever is asked, the mock answers, and its money adds up. `fuzz/` searches
//! the same sessions for longer and with more sense.

use proptest::prelude::*;

use crate::session::play;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_session_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        play(&bytes);
    }
}
