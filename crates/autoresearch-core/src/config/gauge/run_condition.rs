//! Owns `RunCondition`: under what one run of `exit_rate` stands, by its number and by what is varied.
//! Does not run anything, and does not look for zones on the machine.
//! Invariant: it follows from the number alone, so that the kept state and a trial meet the same, run by run.

use crate::config::choices::Vary;

/// The number of a run, counted from 0.
const RUN: &str = "AUTORESEARCH_RUN";
/// The variables that hold the seed: one for any command, and the one that Python reads by itself.
const SEEDS: [&str; 2] = ["AUTORESEARCH_SEED", "PYTHONHASHSEED"];

/// The places through which the runs go round. There are five, and every second run is under load: so ten runs meet each
/// place with and without it. The second and the last are a day apart. Chatham has summer time when New York has none, and
/// the other way round. The hours of Kolkata begin at half past, those of Chatham at a quarter to.
const ZONES: [Zone; 5] = [
    Zone {
        name: "UTC",
        rule: "UTC0",
    },
    Zone {
        name: "Pacific/Chatham",
        rule: "<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
    },
    Zone {
        name: "America/New_York",
        rule: "EST5EDT,M3.2.0,M11.1.0",
    },
    Zone {
        name: "Asia/Kolkata",
        rule: "IST-5:30",
    },
    Zone {
        name: "Pacific/Pago_Pago",
        rule: "SST11",
    },
];

/// A time zone, in the two forms in which `TZ` can name it.
#[derive(Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its name: what every program reads where the machine has the data of time zones. Node and Go read nothing else.
    pub name: &'static str,
    /// Its rule as POSIX has it: what the C library and Python read without that data.
    pub rule: &'static str,
}

/// How `TZ` names the zone of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneForm {
    Name,
    Rule,
}

/// What one run is told, and what is beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCondition {
    /// From 1, as the output counts the runs.
    number: u32,
    seed: Option<u32>,
    zone: Option<&'static Zone>,
    load: bool,
}

impl RunCondition {
    /// That of a run, counted from 1.
    #[must_use]
    pub fn of_run(number: u32, vary: &[Vary]) -> Self {
        let turn = number.saturating_sub(1);
        let place = usize::try_from(turn).unwrap_or_default() % ZONES.len();
        Self {
            number,
            seed: vary.contains(&Vary::Seed).then_some(number),
            zone: vary.contains(&Vary::Zone).then(|| &ZONES[place]),
            load: vary.contains(&Vary::Load) && number.is_multiple_of(2),
        }
    }

    /// Are the cores to be busy with something else?
    #[must_use]
    pub fn is_under_load(&self) -> bool {
        self.load
    }

    /// The zone of the run, where zones are varied.
    #[must_use]
    pub fn zone(&self) -> Option<&'static Zone> {
        self.zone
    }

    /// The variables that the command gets besides those of the config.
    #[must_use]
    pub fn list_variables(&self, form: ZoneForm) -> Vec<(&'static str, String)> {
        let seeds = self.seed.into_iter();
        let seeds = seeds.flat_map(|seed| SEEDS.map(|name| (name, seed.to_string())));
        let zone = self.zone.map(|zone| ("TZ", zone.in_form(form).to_owned()));
        let number = self.number.saturating_sub(1).to_string();
        std::iter::once((RUN, number))
            .chain(seeds)
            .chain(zone)
            .collect()
    }

    /// What differs from other runs, as it can be set again by hand: `seed 7, zone UTC, load`; empty where nothing is varied.
    #[must_use]
    pub fn tell(&self, form: ZoneForm) -> String {
        let seed = self.seed.map(|seed| format!("seed {seed}"));
        let zone = self.zone.map(|zone| format!("zone {}", zone.in_form(form)));
        let load = self.load.then(|| "load".to_owned());
        let told: Vec<String> = [seed, zone, load].into_iter().flatten().collect();
        told.join(", ")
    }
}

impl Zone {
    /// What `TZ` holds.
    #[must_use]
    pub fn in_form(&self, form: ZoneForm) -> &'static str {
        match form {
            ZoneForm::Name => self.name,
            ZoneForm::Rule => self.rule,
        }
    }
}

/// What a person should know where the machine does not know the zones by their names: some programs know them by nothing else.
#[must_use]
pub fn warn_of_zone_rules(vary: &[Vary], is_known: impl Fn(&str) -> bool) -> Option<String> {
    let unknown = ZONES.iter().find(|zone| !is_known(zone.name))?;
    vary.contains(&Vary::Zone).then(|| {
        format!(
            "warning: this machine does not know the time zone {}, so `TZ` is a rule ({}): Node and Go read no rule, and their runs \
             all stay in UTC; install the data of time zones (tzdata)",
            unknown.name, unknown.rule
        )
    })
}

/// Does a run of `exit_rate` set this variable itself?
#[must_use]
pub fn is_set_by_runs(name: &str, vary: &[Vary]) -> bool {
    let condition = RunCondition::of_run(1, vary);
    let variables = condition.list_variables(ZoneForm::Name);
    variables.iter().any(|(set, _)| *set == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Vary; 3] = [Vary::Seed, Vary::Zone, Vary::Load];

    fn tell(vary: &[Vary], form: ZoneForm) -> String {
        let rows = (1..=6).map(|number| {
            let condition = RunCondition::of_run(number, vary);
            let variables = condition.list_variables(form).into_iter();
            let variables = variables.map(|(name, value)| format!(" {name}={value}"));
            let told = condition.tell(form);
            format!("{told}:{}\n", variables.collect::<String>())
        });
        rows.collect()
    }

    #[test]
    fn a_run_has_the_conditions_of_its_number() {
        insta::assert_snapshot!(tell(&ALL, ZoneForm::Name), @"
        seed 1, zone UTC: AUTORESEARCH_RUN=0 AUTORESEARCH_SEED=1 PYTHONHASHSEED=1 TZ=UTC
        seed 2, zone Pacific/Chatham, load: AUTORESEARCH_RUN=1 AUTORESEARCH_SEED=2 PYTHONHASHSEED=2 TZ=Pacific/Chatham
        seed 3, zone America/New_York: AUTORESEARCH_RUN=2 AUTORESEARCH_SEED=3 PYTHONHASHSEED=3 TZ=America/New_York
        seed 4, zone Asia/Kolkata, load: AUTORESEARCH_RUN=3 AUTORESEARCH_SEED=4 PYTHONHASHSEED=4 TZ=Asia/Kolkata
        seed 5, zone Pacific/Pago_Pago: AUTORESEARCH_RUN=4 AUTORESEARCH_SEED=5 PYTHONHASHSEED=5 TZ=Pacific/Pago_Pago
        seed 6, zone UTC, load: AUTORESEARCH_RUN=5 AUTORESEARCH_SEED=6 PYTHONHASHSEED=6 TZ=UTC
        ");
        insta::assert_snapshot!(tell(&[Vary::Zone], ZoneForm::Rule), @"
        zone UTC0: AUTORESEARCH_RUN=0 TZ=UTC0
        zone <+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45: AUTORESEARCH_RUN=1 TZ=<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45
        zone EST5EDT,M3.2.0,M11.1.0: AUTORESEARCH_RUN=2 TZ=EST5EDT,M3.2.0,M11.1.0
        zone IST-5:30: AUTORESEARCH_RUN=3 TZ=IST-5:30
        zone SST11: AUTORESEARCH_RUN=4 TZ=SST11
        zone UTC0: AUTORESEARCH_RUN=5 TZ=UTC0
        ");
        insta::assert_snapshot!(tell(&[], ZoneForm::Name), @"
        : AUTORESEARCH_RUN=0
        : AUTORESEARCH_RUN=1
        : AUTORESEARCH_RUN=2
        : AUTORESEARCH_RUN=3
        : AUTORESEARCH_RUN=4
        : AUTORESEARCH_RUN=5
        ");
    }

    #[test]
    fn ten_runs_meet_every_place_with_load_and_without() {
        let met = |load: bool| {
            let runs = (1..=10).map(|number| RunCondition::of_run(number, &ALL));
            let mut names: Vec<&str> = runs
                .filter(|run| run.is_under_load() == load)
                .filter_map(|run| run.zone().map(|zone| zone.name))
                .collect();
            names.sort_unstable();
            names
        };
        assert_eq!(met(true), met(false));
        assert_eq!(met(true).len(), ZONES.len());
    }

    #[test]
    fn a_machine_without_zones_is_warned_of_only_where_zones_are_varied() {
        let small = |name: &str| name == "UTC";
        insta::assert_snapshot!(warn_of_zone_rules(&ALL, small).unwrap(), @"warning: this machine does not know the time zone Pacific/Chatham, so `TZ` is a rule (<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45): Node and Go read no rule, and their runs all stay in UTC; install the data of time zones (tzdata)");
        assert_eq!(warn_of_zone_rules(&[Vary::Seed, Vary::Load], small), None);
        assert_eq!(warn_of_zone_rules(&ALL, |_| true), None);
    }

    #[test]
    fn what_a_run_sets_is_known_by_what_is_varied() {
        assert!(is_set_by_runs("AUTORESEARCH_RUN", &[]));
        assert!(is_set_by_runs("PYTHONHASHSEED", &ALL) && is_set_by_runs("TZ", &ALL));
        assert!(!is_set_by_runs("PYTHONHASHSEED", &[Vary::Zone]));
        assert!(!is_set_by_runs("PATH", &ALL));
    }
}
