//! Owns what is meant by the conditions of a config: comparisons with a number, and metrics that no keep makes worse.
//! Does not know whether verify prints what they name; the start does.
//! Invariant: each wrong part of a condition is one problem at its place.

use crate::config::condition::{Condition, Op, WatchedMetric};
use crate::config::file::{ConditionFile, ConfigFile};
use crate::config::meaning::ConfigMeaning;
use crate::metric::definition::Direction;

impl ConfigMeaning<'_> {
    pub(super) fn resolve_conditions(
        &mut self,
        key: &str,
        conditions: &[ConditionFile],
    ) -> Vec<Condition> {
        if conditions
            .iter()
            .any(|condition| condition.metric.is_empty())
        {
            self.note_error(
                key,
                "a condition names no metric",
                "write `{metric: NAME, op: \">=\", value: NUMBER}`",
            );
        }
        let mut meant = Vec::new();
        for (index, condition) in conditions.iter().enumerate() {
            let place = format!("{key}[{index}]");
            if condition.op == Op::NotWorse {
                continue;
            }
            if condition.direction.is_some() {
                self.note_error(
                    &format!("{place}.direction"),
                    "a comparison with a number has no direction",
                    "leave it out; it is for `op: not-worse`",
                );
            }
            let Some(value) = &condition.value else {
                self.note_error(
                    &format!("{place}.value"),
                    "the number to compare with is missing",
                    "write `{metric: NAME, op: \">=\", value: NUMBER}`",
                );
                continue;
            };
            let value = self.parse_quantity(&format!("{place}.value"), value);
            meant.extend(value.map(|value| Condition {
                metric: condition.metric.clone(),
                op: condition.op,
                value,
            }));
        }
        meant
    }

    /// The metrics that no keep makes worse.
    pub(super) fn resolve_watched(&mut self, file: &ConfigFile) -> Vec<WatchedMetric> {
        for (index, condition) in file.stop_when.iter().enumerate() {
            if condition.op == Op::NotWorse {
                self.note_error(
                    &format!("stop_when[{index}].op"),
                    "`not-worse` compares a trial with the kept state, and a run ends by a number",
                    "use it in `keep_when`, or compare with a value here",
                );
            }
        }
        let mut watched = Vec::new();
        for (index, condition) in file.keep_when.iter().enumerate() {
            if condition.op != Op::NotWorse {
                continue;
            }
            let place = format!("keep_when[{index}]");
            if condition.value.is_some() {
                self.note_error(
                    &format!("{place}.value"),
                    "`not-worse` compares with the kept state, not with a number",
                    "leave the value out, or use an op such as `<=`",
                );
            }
            if condition.metric == file.metric.name {
                self.note_error(
                    &format!("{place}.metric"),
                    "a keep makes the metric itself better",
                    "name another metric that verify prints",
                );
            }
            watched.push(WatchedMetric {
                metric: condition.metric.clone(),
                direction: condition.direction.unwrap_or(Direction::Lower),
            });
        }
        watched
    }
}
