//! The bytes of a request: everything that does not depend on the order is
//! written once, and one request is then a few copies. No I/O.

use std::fmt::Write;

use contract::{ApiKey, truth};
use loadgen_core::call::Order;

use crate::client::Line;

/// The parts that all requests of a worker share.
#[derive(Debug)]
pub(super) struct Template {
    /// From the end of the target to the begin of the key.
    before_key: String,
    /// From the end of the key to the end of the head.
    after_key: String,
}

impl Template {
    pub(super) fn new(line: &Line) -> Self {
        let truth = if line.truth {
            format!("{}: 1\r\n", truth::HEADER)
        } else {
            String::new()
        };
        Self {
            before_key: format!(" HTTP/1.1\r\nHost: {}\r\nAuth: ", line.target.authority),
            after_key: format!("\r\n{truth}"),
        }
    }

    /// Writes the request of an order into `out`, in place of what is there.
    pub(super) fn write(&self, order: &Order, key: &ApiKey, out: &mut String) {
        out.clear();
        out.push_str(order.call.operation().method());
        out.push(' ');
        order.call.write_target(out);
        out.push_str(&self.before_key);
        out.push_str(key.secret());
        out.push_str(&self.after_key);
        if let Some(body) = order.call.body() {
            let length = body.len();
            let head = format_args!(
                "Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            out.write_fmt(head)
                .expect("invariant: a String takes everything");
        } else {
            out.push_str("\r\n");
        }
    }
}
