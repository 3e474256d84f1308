//! The fleet in virtual time, against a server that is a few lines long.

mod customers;
mod known_answer;
mod stall;
mod world;
