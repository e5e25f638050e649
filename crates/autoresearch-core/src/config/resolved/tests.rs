//! The amounts of a config in the unit that the baseline showed.

use proptest::prelude::{prop_assert_eq, proptest};
use serde_json::json;

use super::*;
use crate::config::check_config;
use crate::metric::measurement::read_measurement;

fn make_config(more: &serde_json::Value) -> Config {
    let mut document = json!({
        "goal": "faster", "scope": ["src/**"], "metric": {"name": "p95", "direction": "lower"},
        "verify": {"command": "./bench"}, "guard": {"command": "./test"},
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    check_config(&document).config.unwrap()
}

fn settle(more: &serde_json::Value, printed: &str) -> Result<Config, Box<OtherUnit>> {
    let config = make_config(more);
    let (_, reading) = read_measurement(printed, &config.metric, None).unwrap();
    config.into_metric_units(&reading)
}

#[test]
fn every_amount_is_in_the_unit_that_verify_printed() {
    let more = json!({
        "metric": {"name": "p95", "direction": "lower", "target": "0.5 s"},
        "min_improvement": "20 ms",
        "keep_when": [{"metric": "heap", "op": "<", "value": "1 GiB"}, {"metric": "p95", "op": "<", "value": 900}],
        "stop_when": [{"metric": "p95", "op": "<=", "value": "400000 us"}],
    });
    let config = settle(&more, "METRIC p95=980 ms\nMETRIC heap=64 MiB").unwrap();
    assert_eq!(config.metric.target_number(), Some(500.into()));
    assert_eq!(
        config.min_improvement.unwrap().for_incumbent(&980.into()),
        20.into()
    );
    let bounds = |conditions: &[Condition]| -> Vec<String> {
        conditions.iter().map(ToString::to_string).collect()
    };
    assert_eq!(bounds(&config.keep_when), ["heap < 1024", "p95 < 900"]);
    assert_eq!(bounds(&config.stop_when), ["p95 <= 400"]);
}

#[test]
fn an_amount_in_a_unit_that_does_not_convert_is_named_with_its_place() {
    for (more, place) in [
        (
            json!({"metric": {"name": "p95", "direction": "lower", "target": "3 MB"}}),
            "metric.target",
        ),
        (json!({"min_improvement": "3 MB"}), "min_improvement"),
        (
            json!({"keep_when": [{"metric": "p95", "op": "<", "value": 1}, {"metric": "p95", "op": "<", "value": "3 MB"}]}),
            "keep_when[1].value",
        ),
        (
            json!({"stop_when": [{"metric": "p95", "op": "<", "value": "3 MB"}]}),
            "stop_when[0].value",
        ),
        (
            json!({"stop_when": [{"metric": "never", "op": "<", "value": "3 MB"}]}),
            "stop_when[0].value",
        ),
    ] {
        let refused = settle(&more, "METRIC p95=980 ms").unwrap_err();
        assert_eq!(refused.place, place);
        assert_eq!(refused.typed.to_string(), "3 MB");
    }
}

#[test]
fn the_outputs_of_an_older_config_have_their_usual_room() {
    let usual = Outputs::default();
    assert_eq!(usual.file_bytes(), 4 << 20);
    assert_eq!(usual.total_bytes(), 256 << 20);
}

proptest! {
    #[test]
    fn amounts_without_a_unit_stay_as_they_were_typed(target in -1_000_i64..1_000, minimum in 1_i64..1_000) {
        let more = json!({
            "metric": {"name": "p95", "direction": "lower", "target": target},
            "min_improvement": minimum,
        });
        prop_assert_eq!(settle(&more, "METRIC p95=980 ms").unwrap(), make_config(&more));
    }

    #[test]
    fn a_share_grows_with_the_incumbent_and_never_changes_its_sign(percent in 1_i64..100, value in 1_i64..1_000) {
        let share = Amount::Percent(percent.into());
        let part = share.for_incumbent(&value.into());
        prop_assert_eq!(&part * &100.into(), Value::from(percent * value));
    }
}
