//! The binary, end to end. One test binary, so that it links once.

mod serve;
