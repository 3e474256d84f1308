//! Whether a machine is fit to measure on: what was found out about it, judged.
//! Who finds it out is somebody else.
//!
//! | check | warns | bad |
//! | --- | --- | --- |
//! | `open-files` | fewer than 4,096 | fewer than 256 |
//! | `ports` | fewer than 10,000 | fewer than 1,000 |
//! | `timer` | p99 of waking up later than 1 ms | later than 50 ms |
//! | `cores` | one | |
//! | `quota` | less than all cores | less than one core |
//! | `others` | over 20 % of the machine | over 60 % |
//! | `steal` | over 1 % | over 10 % |
//! | `governor` | one that saves power | |
//! | `clock` | over 100 ns to read, or steps over 1 µs | over 1 µs, or steps over 1 ms |
//! | `loopback` | p99 of a round trip over 1 ms | over 50 ms |
//!
//! The limits of waking up are those at which the verdict on a run becomes
//! doubtful and invalid ([`crate::validity`]).

use serde::Serialize;

use crate::units;

/// What was found out; what could not be is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Facts {
    /// Files that this process may have open now.
    pub open_files: Option<u64>,
    /// As many as it may raise that to.
    pub open_files_most: Option<u64>,
    /// Local ports for outgoing connections.
    pub ports: Option<u64>,
    /// How late a sleep of 1 ms wakes, in microseconds.
    pub timer_us: Option<Delay>,
    /// Cores that this process may run on.
    pub cores: Option<u32>,
    /// Cores' worth of time that its group may use, where that is limited.
    pub quota: Option<f64>,
    /// Share of the machine that was busy while nothing was asked of it.
    pub others: Option<f64>,
    /// Share of the time that the host kept for others.
    pub steal: Option<f64>,
    /// How frequencies are chosen; several if cores differ.
    pub governor: Option<String>,
    /// What the kernel tells the time by.
    pub clock_source: Option<String>,
    /// What reading the clock takes, in nanoseconds.
    pub clock_cost_ns: Option<f64>,
    /// The smallest step that the clock was seen to make, in nanoseconds.
    pub clock_step_ns: Option<u64>,
    /// A byte to this machine and back over TCP, in microseconds.
    pub loopback_us: Option<Delay>,
}

/// A delay that was measured many times, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delay {
    /// How many times.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// What one in a hundred exceeded.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// This system does not tell.
    Unknown,
    /// Nothing to change.
    Ok,
    /// Some measurements will suffer.
    Warn,
    /// Most will.
    Bad,
}

/// One line of the examination.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub check: &'static str,
    /// How it came out.
    pub verdict: Standing,
    /// What was found.
    pub figure: String,
    /// What that means for a measurement.
    pub meaning: String,
    /// What to change; null where nothing has to be.
    pub advice: Option<&'static str>,
}

impl Standing {
    /// As a word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "n/a",
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    /// `value` above the first limit warns, above the second is bad.
    fn above<T: PartialOrd>(value: T, (warn, bad): (T, T)) -> Self {
        match value {
            value if value > bad => Self::Bad,
            value if value > warn => Self::Warn,
            _ => Self::Ok,
        }
    }

    /// `value` below the first limit warns, below the second is bad.
    fn below<T: PartialOrd>(value: T, (warn, bad): (T, T)) -> Self {
        match value {
            value if value < bad => Self::Bad,
            value if value < warn => Self::Warn,
            _ => Self::Ok,
        }
    }
}

/// Delays that make a run doubtful and invalid, in microseconds.
const LATE: (u64, u64) = (1_000, 50_000);

/// Files that are open for other reasons than a connection.
const OTHER_FILES: u64 = 32;

impl Facts {
    /// Everything that was looked at, judged.
    pub fn judge(&self) -> Vec<Finding> {
        vec![
            self.open_files(),
            self.ports(),
            self.timer(),
            self.cores(),
            self.quota(),
            self.others(),
            self.steal(),
            self.governor(),
            self.clock(),
            self.loopback(),
        ]
    }

    fn open_files(&self) -> Finding {
        let Some(files) = self.open_files else {
            return unknown("open-files", "no connection opens once they are used up");
        };
        let connections = files.saturating_sub(OTHER_FILES);
        Finding::new(
            "open-files",
            Standing::below(files, (4096, 256)),
            match self.open_files_most {
                Some(most) if most > files => format!(
                    "{}, and up to {} if asked for",
                    units::count(files),
                    units::count(most)
                ),
                _ => units::count(files),
            },
            format!(
                "about {} connections, or {} with the embedded mock, whose ends count too",
                units::count(connections),
                units::count(connections / 2)
            ),
            "raise it for the shell that starts otplab: ulimit -n 65536",
        )
    }

    fn ports(&self) -> Finding {
        let Some(ports) = self.ports else {
            return unknown("ports", "so many connections may be open to one server");
        };
        Finding::new(
            "ports",
            Standing::below(ports, (10_000, 1_000)),
            units::count(ports),
            "so many connections may be open, or closed within the last minute, to one server"
                .to_owned(),
            "widen the range: sysctl net.ipv4.ip_local_port_range='1024 65535'",
        )
    }

    fn timer(&self) -> Finding {
        let Some(late) = self.timer_us else {
            return unknown("timer", "what is due is sent so much later");
        };
        Finding::new(
            "timer",
            Standing::above(late.p99, LATE),
            format!("a sleep of 1ms wakes {} late", late.text()),
            "what is due at a moment is sent about so much later; it is reported as slip"
                .to_owned(),
            "stop other programs; in a virtual machine ask for cores of its own",
        )
    }

    fn cores(&self) -> Finding {
        let Some(cores) = self.cores else {
            return unknown("cores", "generator and server need one each");
        };
        let (standing, meaning) = match cores {
            1 => (
                Standing::Warn,
                "generator and server take turns: each one's work is in the other's times",
            ),
            _ => (
                Standing::Ok,
                "generator and server can have cores of their own",
            ),
        };
        Finding::new(
            "cores",
            standing,
            cores.to_string(),
            meaning.to_owned(),
            "run the server on another machine, or give this one a second core",
        )
    }

    fn quota(&self) -> Finding {
        let Some(quota) = self.quota else {
            return Finding::new(
                "quota",
                Standing::Ok,
                "none".to_owned(),
                "nobody is stopped for having used too much".to_owned(),
                "",
            );
        };
        let all = f64::from(self.cores.unwrap_or(1));
        Finding::new(
            "quota",
            Standing::below(quota, (all, 1.0)),
            format!("{} cores' worth of time", units::digits(quota)),
            "who has used it up stands still until the next period begins, up to 100ms".to_owned(),
            "raise the group's cpu.max: the CPU limit of the container or service",
        )
    }

    fn others(&self) -> Finding {
        let Some(share) = self.others else {
            return unknown("others", "other programs' work delays both sides");
        };
        Finding::new(
            "others",
            Standing::above(share, (0.2, 0.6)),
            format!("{} of the machine was busy", units::percent(share)),
            "this second asked nothing of it, so that is other programs; they delay both sides"
                .to_owned(),
            "wait for them to end, or stop them",
        )
    }

    fn steal(&self) -> Finding {
        let Some(share) = self.steal else {
            return unknown("steal", "what the host takes is missing here");
        };
        Finding::new(
            "steal",
            Standing::above(share, (0.01, 0.1)),
            format!("{} of the time", units::percent(share)),
            "the host gave that to others: both sides stood still and could not know".to_owned(),
            "use a machine whose cores are not shared",
        )
    }

    fn governor(&self) -> Finding {
        let Some(governor) = &self.governor else {
            return unknown("governor", "usual in a virtual machine: its host decides");
        };
        let steady = governor == "performance";
        let (standing, meaning) = if steady {
            (Standing::Ok, "cores run at one speed")
        } else {
            (
                Standing::Warn,
                "cores slow down when they have little to do, so a low rate looks slower than a high one",
            )
        };
        Finding::new(
            "governor",
            standing,
            governor.clone(),
            meaning.to_owned(),
            "cpupower frequency-set -g performance, while you measure",
        )
    }

    fn clock(&self) -> Finding {
        let (Some(cost), Some(step)) = (self.clock_cost_ns, self.clock_step_ns) else {
            return unknown("clock", "every request reads it three times");
        };
        let by_cost = Standing::above(cost, (100.0, 1000.0));
        let by_step = Standing::above(step, (1_000, 1_000_000));
        let source = self.clock_source.as_deref().unwrap_or("source unknown");
        Finding::new(
            "clock",
            by_cost.max(by_step),
            format!(
                "{source}, {}ns to read, in steps of {}ns",
                units::digits(cost.round()),
                units::count(step)
            ),
            "every request reads it three times; histograms tell microseconds apart".to_owned(),
            "use a machine whose clock source is tsc (or arch_sys_counter, kvm-clock), not one that asks the chipset",
        )
    }

    fn loopback(&self) -> Finding {
        let Some(trip) = self.loopback_us else {
            return unknown("loopback", "no server answers sooner than that");
        };
        Finding::new(
            "loopback",
            Standing::above(trip.p99, LATE),
            format!("a byte there and back takes {}", trip.text()),
            "no server answers sooner; a service time near this is the kernel's".to_owned(),
            "stop other programs; it is one thread waking another, nothing more",
        )
    }
}

impl Delay {
    fn text(&self) -> String {
        let shown = |microseconds: u64| units::time(microseconds as f64);
        format!("{} (p50), {} (p99)", shown(self.p50), shown(self.p99))
    }
}

impl Finding {
    fn new(
        check: &'static str,
        verdict: Standing,
        figure: String,
        meaning: String,
        advice: &'static str,
    ) -> Self {
        Self {
            check,
            verdict,
            figure,
            meaning,
            advice: (verdict > Standing::Ok).then_some(advice),
        }
    }
}

fn unknown(check: &'static str, meaning: &str) -> Finding {
    Finding::new(
        check,
        Standing::Unknown,
        "this system does not tell".to_owned(),
        meaning.to_owned(),
        "",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Facts {
        let delay = |p50, p99| {
            let (count, max) = (900, p99);
            Some(Delay {
                count,
                p50,
                p99,
                max,
            })
        };
        Facts {
            open_files: Some(65_536),
            open_files_most: Some(1_048_576),
            ports: Some(28_232),
            timer_us: delay(58, 130),
            cores: Some(4),
            quota: None,
            others: Some(0.03),
            steal: Some(0.0),
            governor: Some("performance".to_owned()),
            clock_source: Some("tsc".to_owned()),
            clock_cost_ns: Some(22.4),
            clock_step_ns: Some(20),
            loopback_us: delay(14, 31),
        }
    }

    /// Checks that are not in order.
    fn troubles(facts: &Facts) -> Vec<(&'static str, Standing)> {
        let findings = facts.judge().into_iter();
        findings
            .filter(|finding| finding.verdict != Standing::Ok)
            .map(|finding| (finding.check, finding.verdict))
            .collect()
    }

    #[test]
    fn a_good_machine_has_nothing_to_change() {
        assert_eq!(troubles(&good()), []);
        assert!(
            good()
                .judge()
                .iter()
                .all(|finding| finding.advice.is_none())
        );
    }

    #[test]
    fn each_fault_is_found_by_its_own_check_and_only_by_it() {
        use Standing::{Bad, Warn};
        type Change = fn(&mut Facts);
        let late = |p99| {
            Some(Delay {
                p99,
                ..Delay::default()
            })
        };
        let cases: [(&str, Standing, Change); 15] = [
            ("open-files", Warn, |facts| facts.open_files = Some(1024)),
            ("open-files", Bad, |facts| facts.open_files = Some(128)),
            ("ports", Warn, |facts| facts.ports = Some(5000)),
            ("ports", Bad, |facts| facts.ports = Some(500)),
            ("cores", Warn, |facts| facts.cores = Some(1)),
            ("quota", Warn, |facts| facts.quota = Some(2.5)),
            ("quota", Bad, |facts| facts.quota = Some(0.5)),
            ("others", Warn, |facts| facts.others = Some(0.3)),
            ("others", Bad, |facts| facts.others = Some(0.9)),
            ("steal", Warn, |facts| facts.steal = Some(0.02)),
            ("steal", Bad, |facts| facts.steal = Some(0.2)),
            ("governor", Warn, |facts| {
                facts.governor = Some("powersave".to_owned());
            }),
            ("clock", Warn, |facts| facts.clock_cost_ns = Some(400.0)),
            ("clock", Bad, |facts| facts.clock_cost_ns = Some(2_000.0)),
            ("clock", Warn, |facts| facts.clock_step_ns = Some(100_000)),
        ];
        for (check, standing, change) in cases {
            let mut facts = good();
            change(&mut facts);
            assert_eq!(troubles(&facts), [(check, standing)]);
            let findings = facts.judge();
            let found = findings.iter().find(|finding| finding.check == check);
            assert!(
                found.and_then(|finding| finding.advice).is_some(),
                "{check}"
            );
        }
        for (p99, standing) in [(1_001, Warn), (50_001, Bad)] {
            let mut facts = good();
            facts.timer_us = late(p99);
            facts.loopback_us = late(p99);
            assert_eq!(
                troubles(&facts),
                [("timer", standing), ("loopback", standing)]
            );
        }
    }

    #[test]
    fn what_is_not_known_is_neither_good_nor_bad() {
        let found = troubles(&Facts::default());
        assert_eq!(
            found.len(),
            9,
            "{found:?}; a quota that nobody sees is none"
        );
        assert!(
            found
                .iter()
                .all(|(_, standing)| *standing == Standing::Unknown)
        );
    }
}
