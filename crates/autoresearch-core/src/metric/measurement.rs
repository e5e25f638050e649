//! Owns `Measurement`: what verify printed, as numbers in the units of the run.
//! Does not run verify, and does not look at its exit status.
//! Invariant: format and units are those that the baseline showed; what does not convert into them is not a measurement.

mod printed;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use self::printed::NoMetric;
use self::printed::{PrintedMetrics, read_output};
use crate::metric::cases::Cases;
use crate::metric::definition::{Direction, Format, Metric};
use crate::metric::unit::{Doubt, Quantity, Unit};
use crate::metric::value::Value;

/// The numbers of one run of verify, in the units of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The metric of the config.
    pub value: Value,
    /// Every metric that was printed, by name, the one of the config included.
    pub metrics: BTreeMap<String, Value>,
    /// Further metrics that gave no usable number, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub missing: BTreeMap<String, String>,
    /// What was printed of single cases. Records hold it of the baseline and of keeps.
    #[serde(default, skip_serializing_if = "Cases::is_empty")]
    pub cases: Cases,
}

/// How the outputs of a run are read: the baseline showed it, and it does not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// How verify prints; never `Auto`.
    pub format: Format,
    /// The unit of each metric, by name.
    pub units: BTreeMap<String, Unit>,
}

/// Reads the stdout of verify. Without a reading the output makes its own, as the first one at the baseline does.
pub fn read_measurement(
    stdout: &str,
    metric: &Metric,
    reading: Option<&Reading>,
) -> Result<(Measurement, Reading), NoMetric> {
    let format = reading.map_or(metric.format, |reading| reading.format);
    let printed = read_output(stdout, &metric.name, format)?;
    let reading = reading
        .cloned()
        .unwrap_or_else(|| Reading::from_printed(&printed));
    let measurement = reading.convert_printed(printed, metric)?;
    Ok((measurement, reading))
}

/// Takes what was measured without an output. The reading is made alike, so that a run keeps its units.
pub fn take_measurement(
    measured: BTreeMap<String, Quantity>,
    metric: &Metric,
    reading: Option<&Reading>,
) -> Result<(Measurement, Reading), NoMetric> {
    let measured = PrintedMetrics {
        format: Format::Measured,
        metrics: measured,
        missing: BTreeMap::new(),
        cases: BTreeMap::new(),
    };
    let reading = reading
        .cloned()
        .unwrap_or_else(|| Reading::from_printed(&measured));
    let measurement = reading.convert_printed(measured, metric)?;
    Ok((measurement, reading))
}

impl Reading {
    /// The reading that an output shows.
    fn from_printed(printed: &PrintedMetrics) -> Self {
        let unit = |(name, quantity): (&String, &Quantity)| (name.clone(), quantity.unit.clone());
        Self {
            format: printed.format,
            units: printed.metrics.iter().map(unit).collect(),
        }
    }

    /// The unit of a metric; none for one that the baseline did not print.
    #[must_use]
    pub fn unit_of(&self, name: &str) -> Unit {
        self.units.get(name).cloned().unwrap_or_default()
    }

    /// A count of as many cases as were printed is the sum of them.
    fn compare_with_cases(
        &self,
        metric: &Metric,
        value: &Value,
        cases: &Cases,
    ) -> Result<(), NoMetric> {
        let of = self.unit_of(&metric.name).count_cases();
        let of = of.and_then(|of| usize::try_from(of).ok());
        match (of, cases.count_ones()) {
            (Some(of), Some(ones))
                if of == cases.len() && value.to_string() != ones.to_string() =>
            {
                Err(NoMetric::CasesDiffer {
                    metric: metric.name.clone(),
                    printed: format!("{value} of {of}"),
                    ones,
                    counted: match metric.direction {
                        Direction::Lower => "fail",
                        Direction::Higher => "pass",
                    },
                })
            }
            _ => Ok(()),
        }
    }

    /// The printed quantities in the units of the run. Where a prefix may mean 1000 or 1024, the metric of the config is
    /// read in the way that flatters it least; a further metric whose unit does not convert is a missing one.
    fn convert_printed(
        &self,
        printed: PrintedMetrics,
        metric: &Metric,
    ) -> Result<Measurement, NoMetric> {
        let PrintedMetrics {
            metrics: quantities,
            mut missing,
            cases,
            ..
        } = printed;
        let mut metrics = BTreeMap::new();
        for (name, quantity) in quantities {
            let own = name == metric.name;
            let doubt = match metric.direction {
                _ if !own => Doubt::Refuse,
                Direction::Lower => Doubt::Larger,
                Direction::Higher => Doubt::Smaller,
            };
            let Some(unit) = self.units.get(&name) else {
                metrics.insert(name, quantity.number);
                continue;
            };
            if let Some(number) = quantity.in_unit(unit, doubt) {
                metrics.insert(name, number);
                continue;
            }
            let error = NoMetric::UnitChanged {
                printed: quantity.to_string(),
                unit: if unit.is_none() {
                    "no unit".to_owned()
                } else {
                    format!("`{}`", unit.as_str())
                },
            };
            if own {
                return Err(error);
            }
            missing.insert(name, error.to_string());
        }
        let value = metrics
            .get(&metric.name)
            .cloned()
            .ok_or_else(|| NoMetric::NoLine(metric.name.clone()))?;
        let cases = cases.into_iter();
        let cases = cases.map(|(id, result)| (id, result.to_value(metric.direction)));
        let cases = Cases::of_run(cases.collect());
        self.compare_with_cases(metric, &value, &cases)?;
        Ok(Measurement {
            value,
            metrics,
            missing,
            cases,
        })
    }
}

impl Measurement {
    /// The same without its cases, where nobody compares them any more.
    #[must_use]
    pub fn without_cases(self) -> Self {
        Self {
            cases: Cases::default(),
            ..self
        }
    }

    /// The measurement of several runs of one tree: the means. A further metric counts only when every run gave it. `None`
    /// for no runs.
    #[must_use]
    pub fn mean_of(runs: &[Self]) -> Option<Self> {
        let first = runs.first()?;
        let mut missing = BTreeMap::new();
        for run in runs {
            missing.extend(run.missing.clone());
            for name in runs.iter().flat_map(|other| other.metrics.keys()) {
                if !run.metrics.contains_key(name) && !missing.contains_key(name) {
                    missing.insert(name.clone(), "one run did not print it".to_owned());
                }
            }
        }
        let middle = |values: Vec<Value>| {
            let equal = values.iter().all(|value| *value == values[0]);
            if equal {
                values.first().cloned()
            } else {
                Value::mean_of(&values)
            }
        };
        let metrics = first
            .metrics
            .keys()
            .filter(|name| !missing.contains_key(*name))
            .filter_map(|name| {
                let values = runs.iter().filter_map(|run| run.metrics.get(name).cloned());
                middle(values.collect()).map(|value| (name.clone(), value))
            })
            .collect();
        let value = middle(runs.iter().map(|run| run.value.clone()).collect())?;
        Some(Self {
            value,
            metrics,
            missing,
            cases: Cases::mean_of(runs.iter().map(|run| &run.cases)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(direction: Direction) -> Metric {
        Metric {
            name: "m".into(),
            direction,
            target: None,
            format: Format::Auto,
        }
    }

    /// What a trial gives, after what the baseline printed.
    fn after(baseline: &str, trial: &str) -> Result<Measurement, NoMetric> {
        let metric = metric(Direction::Lower);
        let (_, reading) = read_measurement(baseline, &metric, None).unwrap();
        read_measurement(trial, &metric, Some(&reading)).map(|(measurement, _)| measurement)
    }

    #[test]
    fn values_are_in_the_unit_of_the_baseline() {
        for (baseline, trial, value) in [
            ("998 ms", "1.02 s", "1020"),
            ("950K", "1.1M", "1126.4"),
            ("1.1M", "950K", "0.95"),
            ("1010K", "1.0M", "1024"),
            ("2 problems", "1 problem", "1"),
            ("12 problems", "0 problems", "0"),
            ("METRIC m=1.5 MiB", "METRIC m=900 KiB", "0.87890625"),
            ("58%", "57 percent", "57"),
        ] {
            let value_of = after(baseline, trial).map(|found| found.value.to_string());
            assert_eq!(value_of.as_deref(), Ok(value), "{baseline} -> {trial}");
        }
    }

    #[test]
    fn a_change_of_an_unknown_unit_is_refused() {
        for (baseline, trial) in [
            ("12 problems", "12 errors"),
            ("12 problems", "11"),
            ("12", "11 ms"),
            ("12 passing", "3 failing"),
            ("50", "58%"),
            ("12 m", "3 s"),
            ("METRIC m=3 of 60", "METRIC m=3 of 59"),
            ("METRIC m=3 of 60", "METRIC m=3"),
            ("METRIC m=3", "METRIC m=3 of 60"),
        ] {
            assert!(
                matches!(after(baseline, trial), Err(NoMetric::UnitChanged { .. })),
                "{baseline} -> {trial}"
            );
        }
    }

    #[test]
    fn the_format_of_the_baseline_holds() {
        for (baseline, trial) in [
            ("7", "METRIC m=0"),
            ("7", "{\"m\": 0}"),
            ("{\"m\": 7}", "METRIC m=0"),
            ("{\"m\": 7}", "0"),
            ("METRIC m=7", "{\"m\": 0}"),
            ("METRIC m=7", "0"),
            ("METRIC m=7", "METRIC m=7\nMETRIC m=0"),
        ] {
            assert!(after(baseline, trial).is_err(), "{baseline} -> {trial}");
        }
        assert_eq!(after("7", "METRIC m=0\n6").unwrap().value, Value::from(6));
        assert_eq!(
            after("{\"m\": 7}", "METRIC m=0\n{\n\"m\": 6\n}")
                .unwrap()
                .value,
            Value::from(6)
        );
    }

    #[test]
    fn a_further_metric_in_another_unit_is_missing() {
        let found = after(
            "METRIC m=7\nMETRIC heap=12 MB",
            "METRIC m=6\nMETRIC heap=3 errors",
        )
        .unwrap();
        assert!(!found.metrics.contains_key("heap"));
        assert!(found.missing["heap"].contains("3 errors"));
        let found = after(
            "METRIC m=7\nMETRIC heap=12 MiB",
            "METRIC m=6\nMETRIC heap=1 GiB\nMETRIC new=3",
        )
        .unwrap();
        assert_eq!(found.metrics["heap"], Value::from(1024));
        assert_eq!(found.metrics["new"], Value::from(3));
    }

    #[test]
    fn a_mean_has_only_the_metrics_that_every_run_gave() {
        let metric = metric(Direction::Lower);
        let run = |text: &str| read_measurement(text, &metric, None).unwrap().0;
        let runs = [
            run("{\"m\": 1, \"x\": 4, \"y\": 1}"),
            run("{\"m\": 2, \"x\": NaN, \"y\": 1}"),
        ];
        let mean = Measurement::mean_of(&runs).unwrap();
        assert_eq!(mean.value.to_string(), "1.5");
        assert_eq!(mean.metrics.keys().collect::<Vec<_>>(), ["m", "y"]);
        assert_eq!(mean.missing.keys().collect::<Vec<_>>(), ["x"]);
        assert_eq!(Measurement::mean_of(&[]), None);
    }

    #[test]
    fn a_measurement_of_an_older_journal_has_nothing_missing() {
        let found: Measurement =
            serde_json::from_str("{\"value\":41,\"metrics\":{\"m\":41}}").unwrap();
        assert!(found.missing.is_empty());
    }

    #[test]
    fn what_was_measured_has_the_units_of_the_run_and_no_output_is_read_in_its_place() {
        let metric = metric(Direction::Lower);
        let measured = |text: &str| BTreeMap::from([("m".to_owned(), text.parse().unwrap())]);
        let (_, reading) = take_measurement(measured("998 ms"), &metric, None).unwrap();
        assert_eq!(reading.unit_of("m").as_str(), "ms");
        let (found, _) = take_measurement(measured("1.5 s"), &metric, Some(&reading)).unwrap();
        assert_eq!(found.value, Value::from(1_500));
        for output in ["1", "METRIC m=1", "{\"m\": 1}"] {
            let read = read_measurement(output, &metric, Some(&reading));
            assert_eq!(read.unwrap_err(), NoMetric::Measured, "{output}");
        }
    }

    #[test]
    fn a_count_that_its_cases_contradict_is_refused() {
        let read = |direction, text: &str| {
            let read = read_measurement(text, &metric(direction), None);
            read.map_or_else(
                |error| error.to_string(),
                |(found, _)| found.value.to_string(),
            )
        };
        let cases = "METRIC_CASE a pass\nMETRIC_CASE b fail\nMETRIC_CASE c pass\n";
        let told = |direction, count: &str| read(direction, &format!("{cases}METRIC m={count}"));
        assert_eq!(told(Direction::Higher, "2 of 3"), "2");
        assert_eq!(told(Direction::Lower, "1 of 3"), "1");
        insta::assert_snapshot!(told(Direction::Higher, "1 of 3"), @"the metric `m` is 1 of 3, and the `METRIC_CASE` lines make 2 of them (`pass` counts 1): print both from one list");
        insta::assert_snapshot!(told(Direction::Lower, "2 of 3"), @"the metric `m` is 2 of 3, and the `METRIC_CASE` lines make 1 of them (`fail` counts 1): print both from one list");
        // Only some of the cases were printed, the metric is no count of them, or the cases are no counts.
        assert_eq!(told(Direction::Higher, "1 of 4"), "1");
        assert_eq!(told(Direction::Higher, "1"), "1");
        assert_eq!(
            read(Direction::Higher, "METRIC_CASE a 0.5\nMETRIC m=1 of 1"),
            "1"
        );
    }

    #[test]
    fn a_mean_has_the_means_of_the_cases() {
        let run = |value: u32| {
            let text = format!("METRIC m=1\nMETRIC_CASE a {value}");
            read_measurement(&text, &metric(Direction::Lower), None)
                .unwrap()
                .0
        };
        let mean = Measurement::mean_of(&[run(1), run(2)]).unwrap();
        let told = serde_json::to_string(&mean).unwrap();
        insta::assert_snapshot!(told, @r#"{"value":1,"metrics":{"m":1},"cases":{"values":{"a":1.5},"spreads":{"a":1}}}"#);
        assert_eq!(serde_json::from_str::<Measurement>(&told).unwrap(), mean);
        assert!(mean.without_cases().cases.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn a_worse_time_is_never_a_smaller_number(
            one in 1_i64..100_000, other in 1_i64..100_000, from in 0..4_usize, to in 0..4_usize,
        ) {
            let units = [("ns", 1_i64), ("µs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];
            let (from, to) = (units[from], units[to]);
            let found = after(&format!("{one} {}", from.0), &format!("{other} {}", to.0)).unwrap();
            proptest::prop_assert_eq!(Value::from(one).cmp(&found.value), (one * from.1).cmp(&(other * to.1)));
        }

        #[test]
        fn a_size_with_a_bare_prefix_is_never_flattered(one in 1_i64..100_000, other in 1_i64..100_000, base in 0..2_usize) {
            let base = [1_000, 1_024][base];
            let found = after(&format!("{one}K"), &format!("{other}M")).unwrap();
            if found.value < Value::from(one) {
                proptest::prop_assert!(other * base < one);
            }
        }
    }
}
