//! Nothing: the benches are in `main.rs`. A package needs a target that
//! builds without them.
