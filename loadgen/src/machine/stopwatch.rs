//! What has to be measured about a machine, each within a second.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use loadgen_core::fitness::Delay;
use loadgen_core::latencies::Latencies;

/// How long sleeps are watched.
const WATCH: Duration = Duration::from_secs(1);

/// What is slept each time.
const NAP: Duration = Duration::from_millis(1);

/// How late a sleep of [`NAP`] wakes.
pub(super) fn timer() -> Delay {
    let begun = Instant::now();
    let mut late = Latencies::default();
    while begun.elapsed() < WATCH {
        let asleep = Instant::now();
        thread::sleep(NAP);
        late.record(asleep.elapsed().saturating_sub(NAP));
    }
    delay(&late)
}

/// What reading the clock takes, and the smallest step it makes, in nanoseconds.
pub(super) fn clock() -> (f64, u64) {
    const READINGS: u32 = 1000;
    // The best of some: whoever is interrupted has not measured the clock.
    let costs = (0..20).map(|_| {
        let begun = Instant::now();
        for _ in 0..READINGS {
            std::hint::black_box(Instant::now());
        }
        begun.elapsed().as_nanos() as f64 / f64::from(READINGS)
    });
    let cost = costs.fold(f64::INFINITY, f64::min);
    let steps = (0..1000).filter_map(|_| {
        let before = Instant::now();
        let mut after = Instant::now();
        // A coarse clock says the same for a while, though not for ever.
        for _ in 0..1_000_000 {
            if after > before {
                break;
            }
            after = Instant::now();
        }
        u64::try_from(after.duration_since(before).as_nanos())
            .ok()
            .filter(|step| *step > 0)
    });
    (cost, steps.min().unwrap_or(u64::MAX))
}

/// A byte to another thread and back, over TCP on this machine.
pub(super) fn loopback() -> io::Result<Delay> {
    const TRIPS: u32 = 2000;
    const PATIENCE: Duration = Duration::from_millis(500);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut near = TcpStream::connect(listener.local_addr()?)?;
    let (mut far, _) = listener.accept()?;
    for end in [&near, &far] {
        end.set_nodelay(true)?;
        // Nobody waits for ever for a byte that got lost.
        end.set_read_timeout(Some(PATIENCE))?;
    }
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut byte = [0];
            while far.read_exact(&mut byte).is_ok() && far.write_all(&byte).is_ok() {}
        });
        let (mut trips, begun) = (Latencies::default(), Instant::now());
        for _ in 0..TRIPS {
            let sent = Instant::now();
            near.write_all(&[1])?;
            near.read_exact(&mut [0])?;
            trips.record(sent.elapsed());
            if begun.elapsed() > PATIENCE {
                break;
            }
        }
        // Without the near end, the far one has nothing to wait for.
        drop(near);
        Ok(delay(&trips))
    })
}

fn delay(times: &Latencies) -> Delay {
    let quantile = |quantile| times.quantile(quantile).unwrap_or(0);
    Delay {
        count: times.count(),
        p50: quantile(0.5),
        p99: quantile(0.99),
        max: times.greatest().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_measured_is_plausible() {
        let trips = loopback().expect("a loopback interface");
        assert!(trips.count > 0 && trips.p50 <= trips.p99 && trips.p99 <= trips.max);
        let (cost, step) = clock();
        assert!(cost > 0.0 && cost.is_finite() && step > 0);
    }
}
