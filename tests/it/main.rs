//! The whole of otplab, end to end. One binary, so that it links once.

mod binary;
mod cli_help;
mod clients;
mod doctor;
mod judge;
mod known_answer;
mod live;
mod load;
mod operations;
mod pages;
mod polling;
mod report;
mod results;
mod schema;
mod serve;
mod shapes;
mod shortcuts;
mod simulate;
mod tidy;
mod two_arms;
mod webhooks;
mod world;
