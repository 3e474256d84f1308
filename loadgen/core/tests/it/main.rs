//! The fleet in virtual time, against a server that is a few lines long.

mod bounds;
mod crowd;
mod customers;
mod known_answer;
mod retry;
mod stall;
mod webhooks;
mod world;
