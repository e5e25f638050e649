//! Owns whether a value could be one more run of a tree that was run a few times: for the checks of a start.
//! Does not decide trials; `evidence` does.
//! Invariant: a tree whose runs were all equal gives no other value.

/// Runs of the same tree lie within this many spreads of each other: of six runs, one in a hundred does not.
const BAND: f64 = 4.0;
/// The spread of single runs: the sum of squared deviations and its degrees of freedom. No degrees of freedom mean that all
/// runs were equal.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    squares: f64,
    freedom: u32,
}

impl Noise {
    /// The noise of some runs of the same tree; deterministic when all are equal.
    #[must_use]
    pub fn of_runs(runs: &[f64]) -> Self {
        let differ = |pair: &[f64]| pair[0].total_cmp(&pair[1]).is_ne();
        if !runs.windows(2).any(differ) {
            return Self::default();
        }
        let middle = mean_of(runs);
        Self {
            squares: runs.iter().map(|run| (run - middle).powi(2)).sum(),
            freedom: u32::try_from(runs.len() - 1).unwrap_or(u32::MAX),
        }
    }

    /// Did every baseline run give the same value?
    #[must_use]
    pub fn is_deterministic(&self) -> bool {
        self.freedom == 0
    }

    /// The standard deviation of a single run.
    #[must_use]
    pub fn run_spread(&self) -> f64 {
        if self.freedom == 0 {
            0.0
        } else {
            (self.squares / f64::from(self.freedom)).sqrt()
        }
    }

    /// Could this be one more run of the tree that gave these runs?
    #[must_use]
    pub fn could_be_run_of(&self, runs: &[f64], value: f64) -> bool {
        let parts = 1.0 + 1.0 / count_as_double(runs.len().max(1));
        (value - mean_of(runs)).abs() <= BAND * self.run_spread() * parts.sqrt()
    }
}

/// The arithmetic mean; not a number for no values.
#[must_use]
pub fn mean_of(runs: &[f64]) -> f64 {
    runs.iter().sum::<f64>() / count_as_double(runs.len())
}

fn count_as_double(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_runs_prove_the_metric_deterministic() {
        assert!(Noise::of_runs(&[47.0, 47.0]).is_deterministic());
        let noise = Noise::of_runs(&[10.0, 12.0, 11.0]);
        assert!(!noise.is_deterministic());
        assert!((noise.run_spread() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_value_within_four_spreads_could_be_one_more_run() {
        let runs = [10.0, 12.0, 11.0];
        let noise = Noise::of_runs(&runs);
        assert!(noise.could_be_run_of(&runs, 15.0) && !noise.could_be_run_of(&runs, 16.0));
        let exact = Noise::of_runs(&[3.0, 3.0]);
        assert!(
            exact.could_be_run_of(&[3.0, 3.0], 3.0) && !exact.could_be_run_of(&[3.0, 3.0], 3.1)
        );
    }
}
