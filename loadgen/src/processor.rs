//! How busy the worker threads are, as the operating system counts it. Linux
//! tells; elsewhere nothing is known, and reports say so.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Names a thread of this process.
pub(crate) type Thread = PathBuf;

/// The calling thread, if the system names it.
pub(crate) fn this_thread() -> Option<Thread> {
    // The link says `<process>/task/<thread>`.
    let link = fs::read_link("/proc/thread-self").ok()?;
    let thread = link.file_name()?;
    Some(
        PathBuf::from("/proc/self/task")
            .join(thread)
            .join("schedstat"),
    )
}

/// The time that a thread has spent on a processor.
fn busy(thread: &Thread) -> Option<Duration> {
    let text = fs::read_to_string(thread).ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Watches some threads.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    threads: Vec<(Thread, Duration)>,
}

impl Watch {
    /// From now on also this one.
    pub(crate) fn add(&mut self, thread: Thread) {
        if let Some(so_far) = busy(&thread) {
            self.threads.push((thread, so_far));
        }
    }

    /// The time that the busiest has spent on a processor since the last call.
    pub(crate) fn busiest(&mut self) -> Option<Duration> {
        let spent = self.threads.iter_mut().filter_map(|(thread, before)| {
            let now = busy(thread)?;
            let spent = now.saturating_sub(*before);
            *before = now;
            Some(spent)
        });
        spent.max()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_works_is_seen_to_work() {
        let mut watch = Watch::default();
        watch.add(this_thread().expect("Linux names its threads"));
        watch.busiest();
        let mut sum = 0_u64;
        // Counted in work, not in time: a busy machine takes longer for it.
        for number in 0..20_000_000_u64 {
            sum = std::hint::black_box(sum ^ number);
        }
        assert!(watch.busiest() > Some(Duration::ZERO), "{sum}");
    }
}
