//! Owns the reading of how busy the machine is.
//! Does not say what that means; `calibration` of the core does.
//! Invariant: where the system does not tell it, nothing is told.

use std::path::Path;

use autoresearch_core::decide::calibration::MachineLoad;

use crate::regular_files::read_text;

/// A machine of thousands of cores has so much to tell.
const MOST: u64 = 1 << 20;

/// How many processes ran or waited for a core on average over the last minute, on how many cores. Linux tells both; elsewhere
/// it is not known.
#[must_use]
pub(crate) fn read_machine_load() -> Option<MachineLoad> {
    let averages = read_text(Path::new("/proc/loadavg"), MOST).ok()?;
    let statistics = read_text(Path::new("/proc/stat"), MOST).ok()?;
    parse_load(&averages, &statistics)
}

/// The average is that of the whole machine, so its cores are counted, and not those that this process may use.
fn parse_load(averages: &str, statistics: &str) -> Option<MachineLoad> {
    let running: f64 = averages.split(' ').next()?.parse().ok()?;
    let is_core = |line: &&str| {
        let rest = line.strip_prefix("cpu");
        rest.is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
    };
    let cores = u32::try_from(statistics.lines().filter(is_core).count()).ok()?;
    let is_known = cores > 0 && running.is_finite() && running >= 0.0;
    is_known.then_some(MachineLoad { running, cores })
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATISTICS: &str = "cpu  1 2 3\ncpu0 1 2 3\ncpu1 0 0 0\nintr 5\nctxt 7\n";

    #[test]
    fn the_average_of_the_last_minute_stands_first_and_each_core_has_a_line() {
        let load = parse_load("8.13 7.14 5.77 11/187 30684\n", STATISTICS).unwrap();
        assert_eq!((load.running, load.cores), (8.13, 2));
        assert!(load.is_crowded());
    }

    #[test]
    fn what_is_no_load_is_not_known() {
        for averages in ["", "busy", "NaN 1 1", "-1 0 0"] {
            assert_eq!(parse_load(averages, STATISTICS), None, "{averages}");
        }
        assert_eq!(parse_load("1.0 1.0 1.0", "intr 5\n"), None);
    }

    #[test]
    fn this_machine_tells_a_load_or_nothing() {
        let is_linux = cfg!(target_os = "linux");
        assert!(!is_linux || read_machine_load().is_some_and(|load| load.cores > 0));
    }
}
