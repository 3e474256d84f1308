//! The contract against its written sources. One binary, so that it links once.

mod documented;
mod openapi;
mod purity;
