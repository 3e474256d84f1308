//! What can be found out about the machine, within two seconds and without any
//! privilege. What it means is decided in `loadgen_core::fitness`.
//!
//! | module | holds |
//! | --- | --- |
//! | `system` | what the operating system says, as text, and how it is read |
//! | `stopwatch` | what has to be measured: sleeping, reading the clock, loopback |

mod stopwatch;
mod system;

use loadgen_core::fitness::Facts;

/// Looks at everything.
pub fn facts() -> Facts {
    let (clock_cost_ns, clock_step_ns) = stopwatch::clock();
    let before = system::processor_time();
    let timer_us = stopwatch::timer();
    let after = system::processor_time();
    let (others, steal) = before
        .zip(after)
        .and_then(|(before, after)| after.shares_since(before))
        .unzip();
    let (open_files, open_files_most) = system::open_files();
    Facts {
        open_files,
        open_files_most,
        ports: system::ports(),
        timer_us: Some(timer_us),
        cores: system::cores(),
        quota: system::quota(),
        others,
        steal,
        governor: system::governor(),
        clock_source: system::clock_source(),
        clock_cost_ns: Some(clock_cost_ns),
        clock_step_ns: Some(clock_step_ns),
        loopback_us: stopwatch::loopback().ok(),
    }
}
