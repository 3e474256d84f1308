//! Room for connections: each is an open file to the system, and the usual limit
//! of 1024 is a habit of old programs, which a server is free to leave.

use mock_server::limits::ConnectionCount;

/// Open files that are no connections: 256 webhooks at once, refusals, and what
/// every server has.
const OTHERS: u64 = 400;

/// Raises the limit of open files as far as it goes. Returns how many of the
/// `wanted` connections it leaves room for.
pub(super) fn make_room(wanted: ConnectionCount) -> ConnectionCount {
    let enough = wanted.number() as u64 + OTHERS;
    match rlimit::increase_nofile_limit(u64::MAX) {
        // Where the system is so tight, half is for connections.
        Ok(files) if files < enough => {
            ConnectionCount::nearest(files.saturating_sub(OTHERS).max(files / 2))
        }
        // What the limit is nobody knows; then it is found out in use.
        _ => wanted,
    }
}
