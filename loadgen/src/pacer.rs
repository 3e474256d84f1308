//! Waking a worker on time. The runtime's own timers tick in milliseconds,
//! which would add a millisecond of slip to every poll. An alarm clock with
//! one alarm; setting it again is cheap if nothing changes.

#[cfg(target_os = "linux")]
mod kernel;
#[cfg(any(test, not(target_os = "linux")))]
mod thread;

#[cfg(target_os = "linux")]
pub(crate) use kernel::Pacer;
#[cfg(not(target_os = "linux"))]
pub(crate) use thread::Pacer;

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Pacer, thread};

    const SOON: Duration = Duration::from_millis(3);

    /// One test for both kinds, which share no trait because only one is ever used.
    macro_rules! keeps_time {
        ($pacer:ty) => {{
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let pacer = <$pacer>::start().expect("an alarm clock");
                for due in [SOON, SOON, Duration::ZERO] {
                    let due = Instant::now() + due;
                    pacer.set(Some(due));
                    pacer.set(Some(due));
                    pacer.rung().await;
                    assert!(Instant::now() >= due, "too early");
                }
                // An earlier alarm takes the place of a later one.
                let begin = Instant::now();
                pacer.set(Some(begin + Duration::from_secs(3600)));
                pacer.set(Some(begin + SOON));
                pacer.rung().await;
                assert!(begin.elapsed() < Duration::from_secs(3600));
                // One that was cleared does not ring.
                pacer.set(Some(Instant::now() + SOON));
                pacer.set(None);
                let silence = tokio::time::timeout(2 * SOON, pacer.rung()).await;
                assert!(silence.is_err(), "it rang without being set");
            });
        }};
    }

    #[test]
    fn an_alarm_rings_once_and_never_early() {
        keeps_time!(Pacer);
        keeps_time!(thread::Pacer);
    }
}
