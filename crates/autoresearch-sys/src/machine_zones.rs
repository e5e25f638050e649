//! Owns the look for the data of time zones.
//! Does not choose a zone; the core does.
//! Invariant: a name that is known here is known to every program that reads the machine's data.

use std::path::Path;

/// Where Linux and macOS keep them, and where C, Python and Go look.
const FOLDER: &str = "/usr/share/zoneinfo";

/// Does the machine have the data of this zone?
#[must_use]
pub fn has_zone(name: &str) -> bool {
    Path::new(FOLDER).join(name).is_file()
}

#[cfg(test)]
mod tests {
    use autoresearch_core::config::{RunCondition, Vary};
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn the_rule_of_a_zone_gives_the_hours_that_its_name_gives_in_the_data() {
        let runs = (1..=5).map(|number| RunCondition::of_run(number, &[Vary::Zone]));
        let (mut offsets, mut compared) = (Vec::new(), 0);
        for zone in runs.filter_map(|run| run.zone()) {
            let rule = TimeZone::posix(zone.rule).unwrap();
            let days = (0..365).map(|day| Timestamp::from_second(1_780_000_000 + day * 86_400));
            for day in days.map(Result::unwrap) {
                let by_rule = rule.to_offset(day);
                offsets.push(by_rule.seconds());
                if has_zone(zone.name) {
                    let by_name = TimeZone::get(zone.name).unwrap().to_offset(day);
                    assert_eq!(by_rule, by_name, "{} at {day}", zone.name);
                    compared += 1;
                }
            }
        }
        offsets.sort_unstable();
        offsets.dedup();
        let hours: Vec<f64> = offsets
            .iter()
            .map(|seconds| f64::from(*seconds) / 3600.0)
            .collect();
        assert_eq!(hours, [-11.0, -5.0, -4.0, 0.0, 5.5, 12.75, 13.75]);
        assert!(compared == 0 || compared == 5 * 365, "{compared}");
    }

    #[test]
    fn a_zone_that_is_not_in_the_data_is_not_known() {
        assert!(!has_zone("Moon/Copernicus"));
        assert_eq!(has_zone("UTC"), Path::new(FOLDER).join("UTC").exists());
    }
}
