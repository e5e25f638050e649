//! Owns one night: an `exec` run on a noisy metric, with an agent whose ideas are known.
//! Does not know the rule, nor what is counted.
//! Invariant: the program sees nothing of noise and ideas but what verify prints and the agent edits.

use serde_json::{Value, json};

use super::bench::{Bench, make_folder, write_file};
use super::dice::Dice;

/// The standard deviation of a run, as a share.
pub(crate) const SPREAD: f64 = 0.01;
/// More runs than a night can take, with those that are made of its commits afterwards.
pub(crate) const RUNS: usize = 800;

const VERIFY: &str = "\
n=$(($(cat \"$NIGHT/count\") + 1))
echo $n > \"$NIGHT/count\"
noise=$(sed -n \"${n}p\" \"$NIGHT/noise\")
awk -v cost=\"$(cat src/cost)\" -v noise=\"$noise\" 'BEGIN { printf \"%.4f\\n\", cost * (1 + noise) }'
";

/// Each turn has an idea, which changes the cost by its factor.
const AGENT: &str = "\
n=$(($(cat \"$NIGHT/turn\") + 1))
echo $n > \"$NIGHT/turn\"
echo \"idea $n\" > src/idea
factor=$(sed -n \"${n}p\" \"$NIGHT/factors\")
awk -v cost=\"$(cat src/cost)\" -v factor=\"$factor\" 'BEGIN { printf \"%.9g\\n\", cost * factor }' > \"$NIGHT/cost\"
cat \"$NIGHT/cost\" > src/cost
echo \"{\\\"message\\\": \\\"idea $n\\\"}\"
";

/// The same with three ideas at once: a turn proposes them, and each is an edit in a tree of its own.
const AGENT_OF_BATCHES: &str = "\
brief=$(cat)
case $brief in
  *'Now: propose'*) echo '{\"message\": \"\", \"hypotheses\": [\"one\", \"two\", \"three\"]}';;
  *) echo \"idea $PWD $$\" > src/idea; echo '{\"message\": \"an idea\"}';;
esac
";

/// The repository of a night, whose cost is 100.
pub(crate) struct Night(pub Bench);

/// What a night came to.
pub(crate) struct Morning {
    /// Did `exec` tell a gain?
    pub is_told: bool,
    pub kept: u64,
    /// Trials, or batches where there are several ideas at once.
    pub iterations: u64,
    pub claim: Value,
    /// The last kept commit.
    pub commit: String,
}

impl Night {
    /// `noise` is what each run of verify adds, and `factors` what each idea makes of the cost.
    pub(crate) fn new(noise: &[f64], factors: &[f64]) -> Self {
        Self::with_agent(noise, factors, (AGENT, 1))
    }

    /// The same with three ideas at once, none of which does anything.
    pub(crate) fn of_batches(noise: &[f64], batches: usize) -> Self {
        Self::with_agent(noise, &vec![1.0; batches], (AGENT_OF_BATCHES, 3))
    }

    fn with_agent(noise: &[f64], factors: &[f64], (agent, workers): (&str, u32)) -> Self {
        let night = Self(Bench::new(make_folder(), Bench::side_by_side));
        let list = |of: &[f64]| {
            let lines: Vec<String> = of.iter().map(|number| format!("{number:.6}")).collect();
            lines.join("\n")
        };
        for (name, text) in [
            ("count", "0"),
            ("turn", "0"),
            ("noise", &list(noise)),
            ("factors", &list(factors)),
            ("agent.sh", agent),
        ] {
            write_file(&night.0.base.join("night").join(name), text);
        }
        let bench = &night.0;
        bench.write("src/cost", "100\n");
        bench.write("src/idea", "none\n");
        bench.write("verify.sh", VERIFY);
        let config = json!({
            "goal": "faster", "tag": "night", "scope": ["src/**"],
            "metric": {"name": "ms", "direction": "lower"},
            "verify": {"command": "sh verify.sh"}, "env": ["NIGHT"],
            "agent": {"command": "sh \"$NIGHT/agent.sh\""}, "iterations": factors.len(),
            "parallel": {"workers": workers},
        });
        bench.write("autoresearch.yaml", &config.to_string());
        bench.git(&["init", "-q", "-b", "main"]);
        bench.git(&["add", "-A"]);
        bench.git(&["commit", "-qm", "first"]);
        night
    }

    pub(crate) fn live_through(&self) -> Morning {
        let mut exec = self.0.tool(&["exec", "--config", "autoresearch.yaml"]);
        exec.env("NIGHT", self.0.base.join("night"));
        let said = self.0.started(exec).finish();
        let last = said.out.lines().last().unwrap_or_default();
        let summary: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{said:?}"));
        let is_told = said.code == 0;
        assert!(said.code == i32::from(!is_told), "{said:?}");
        assert_eq!(summary["improved"], is_told, "{summary}");
        let kept = summary["counts"]["keep"].as_u64().unwrap();
        assert_eq!(summary["claim"].is_object(), kept > 0, "{summary}");
        let counts = summary["counts"].as_object().into_iter().flatten();
        let ended = ["keep", "discard", "crash", "no_op"];
        let iterations = counts.filter(|(name, _)| ended.contains(&name.as_str()));
        let iterations = iterations.filter_map(|(_, count)| count.as_u64()).sum();
        let commit = summary["commit"].as_str().unwrap_or_default().to_owned();
        Morning {
            is_told,
            kept,
            iterations,
            claim: summary["claim"].clone(),
            commit,
        }
    }

    /// The gain that a commit truly has, as a share.
    pub(crate) fn find_truth(&self, commit: &str) -> f64 {
        let name = format!("{commit}:src/cost");
        let cost: f64 = self.0.git(&["show", &name]).trim().parse().unwrap();
        1.0 - cost / 100.0
    }
}

impl Morning {
    /// The ends of the claim's interval, as shares; not a number where nothing could be claimed.
    pub(crate) fn claimed(&self) -> (f64, f64) {
        let share = |name: &str| self.claim["gain"][name].as_f64().unwrap_or(f64::NAN) / 100.0;
        (share("low"), share("high"))
    }
}

/// A normal number, as a sum of twelve even ones: its tails end at six deviations.
pub(crate) fn throw_normal(dice: &mut Dice) -> f64 {
    const STEPS: u32 = 1 << 30;
    let even = |dice: &mut Dice| {
        let thrown = u32::try_from(dice.below(u64::from(STEPS))).unwrap_or(0);
        f64::from(thrown) / f64::from(STEPS)
    };
    (0..12).map(|_| even(dice)).sum::<f64>() - 6.0
}
