//! What the operating system says about a machine. Linux writes most of it into
//! files; what another system does not say is not known.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, getrlimit};

/// How many files may be open: now, and at most.
pub(super) fn open_files() -> (Option<u64>, Option<u64>) {
    let limit = getrlimit(Resource::Nofile);
    // No limit is more than anybody needs.
    let number = |limit: Option<u64>| Some(limit.unwrap_or(u64::MAX));
    (number(limit.current), number(limit.maximum))
}

/// Local ports for outgoing connections.
pub(super) fn ports() -> Option<u64> {
    let text = read("/proc/sys/net/ipv4/ip_local_port_range")?;
    let mut ends = text.split_whitespace().map(str::parse::<u64>);
    let (first, last) = (ends.next()?.ok()?, ends.next()?.ok()?);
    Some((last + 1).saturating_sub(first))
}

/// Cores that this process may run on.
pub(super) fn cores() -> Option<u32> {
    read("/proc/self/status")
        .as_deref()
        .and_then(allowed)
        .or_else(|| u32::try_from(std::thread::available_parallelism().ok()?.get()).ok())
}

/// The count of a list like `0-3,8`.
fn allowed(status: &str) -> Option<u32> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let counts = line.trim().split(',').map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        Some((last + 1).saturating_sub(first))
    });
    counts.sum()
}

/// Cores' worth of time that this process's group may use: the least of its own
/// limit and those of the groups around it.
pub(super) fn quota() -> Option<f64> {
    let groups = read("/proc/self/cgroup")?;
    let limits = group_folders(&groups)
        .into_iter()
        .filter_map(|folder| limit(&folder));
    limits.reduce(f64::min)
}

/// Where the limits of this group and those around it are, for both versions of
/// the file system.
fn group_folders(groups: &str) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        let root = match controllers {
            "" => Path::new("/sys/fs/cgroup").to_owned(),
            some if some.split(',').any(|name| name == "cpu") => {
                Path::new("/sys/fs/cgroup").join(some)
            }
            _ => continue,
        };
        // A container may see its own group as the root, by whatever path.
        let own = root.join(path.trim_start_matches('/'));
        let around = own
            .ancestors()
            .take_while(|folder| folder.starts_with(&root));
        folders.extend(around.map(Path::to_owned));
    }
    folders
}

fn limit(folder: &Path) -> Option<f64> {
    let file = |name: &str| fs::read_to_string(folder.join(name)).ok();
    match file("cpu.max") {
        Some(text) => {
            let (quota, period) = text.trim().split_once(' ')?;
            share(quota, period)
        }
        None => share(&file("cpu.cfs_quota_us")?, &file("cpu.cfs_period_us")?),
    }
}

/// `max` and `-1` mean no limit.
fn share(quota: &str, period: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    Some(number(quota)? / number(period)?).filter(|share| *share > 0.0 && share.is_finite())
}

/// What the machine has done with its time so far, in the kernel's ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessorTime {
    total: u64,
    idle: u64,
    steal: u64,
}

pub(super) fn processor_time() -> Option<ProcessorTime> {
    ProcessorTime::parse(&read("/proc/stat")?)
}

impl ProcessorTime {
    fn parse(text: &str) -> Option<Self> {
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let ticks: Result<Vec<u64>, _> = line.split_whitespace().map(str::parse).collect();
        let ticks = ticks.ok()?;
        // user nice system idle iowait irq softirq steal; guests are in user already.
        let [_, _, _, idle, waiting, _, _, steal] = *ticks.first_chunk()?;
        Some(Self {
            total: ticks.iter().take(8).sum(),
            idle: idle + waiting,
            steal,
        })
    }

    /// The shares of the time since then that were busy, and stolen.
    pub(super) fn shares_since(self, before: Self) -> Option<(f64, f64)> {
        let spent = |now: u64, then: u64| now.saturating_sub(then) as f64;
        let total = spent(self.total, before.total);
        let (idle, steal) = (
            spent(self.idle, before.idle),
            spent(self.steal, before.steal),
        );
        (total > 0.0).then(|| (((total - idle - steal) / total).max(0.0), steal / total))
    }
}

/// How frequencies are chosen; several, in order, if cores differ.
pub(super) fn governor() -> Option<String> {
    let cores = fs::read_dir("/sys/devices/system/cpu").ok()?;
    let governors: BTreeSet<String> = cores
        .filter_map(|core| {
            let path = core.ok()?.path().join("cpufreq/scaling_governor");
            Some(fs::read_to_string(path).ok()?.trim().to_owned())
        })
        .collect();
    let names: Vec<_> = governors.into_iter().collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What the kernel tells the time by.
pub(super) fn clock_source() -> Option<String> {
    let text = read("/sys/devices/system/clocksource/clocksource0/current_clocksource")?;
    Some(text.trim().to_owned())
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_counted() {
        for (list, count) in [
            ("0", Some(1)),
            ("0-3", Some(4)),
            ("0-1,4,6-7", Some(5)),
            ("", None),
        ] {
            let status = format!("Name:\totplab\nCpus_allowed_list:\t{list}\nMems:\t0\n");
            assert_eq!(allowed(&status), count, "{list}");
        }
    }

    #[test]
    fn a_groups_limit_is_looked_for_in_all_groups_around_it() {
        let folders = |text: &str| -> Vec<String> {
            let folders = group_folders(text).into_iter();
            folders.map(|folder| folder.display().to_string()).collect()
        };
        assert_eq!(
            folders("0::/a/b\n"),
            ["/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"]
        );
        assert_eq!(
            folders("5:memory:/x\n4:cpu,cpuacct:/y\n"),
            ["/sys/fs/cgroup/cpu,cpuacct/y", "/sys/fs/cgroup/cpu,cpuacct"]
        );
        assert_eq!(share("150000", "100000\n"), Some(1.5));
        assert_eq!(share("max", "100000"), None);
        assert_eq!(share("-1\n", "100000"), None);
    }

    #[test]
    fn shares_are_of_the_time_between() {
        let parsed = |line: &str| ProcessorTime::parse(line).expect("well-formed");
        let before = parsed("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3\n");
        let after = parsed("cpu  130 0 110 740 110 0 0 10 90 0\n");
        let (busy, steal) = after.shares_since(before).expect("time has passed");
        assert!((busy - 0.4).abs() < 1e-9 && (steal - 0.1).abs() < 1e-9);
        assert_eq!(before.shares_since(before), None);
        assert_eq!(ProcessorTime::parse("cpu  1 2 3\n"), None);
    }
}
