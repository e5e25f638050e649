//! Owns the campaign of nights: whole `exec` runs on a noisy metric whose true effects are known.
//! Does not know the rule.
//! Invariant: the noise comes from the dice alone, and the program sees nothing of it but what verify prints.

use serde_json::{Value, json};

use super::Figures;
use super::asked::Asked;
use super::bench::{Bench, make_folder, write_file};
use super::dice::Dice;
use super::rounds;

/// Trials of a night.
const TRIALS: u64 = 16;
/// The standard deviation of a run, as a share.
const SPREAD: f64 = 0.01;
/// More runs than a night can take.
const RUNS: usize = 600;
/// Three nights of thirteen have a good idea: 60 of 260.
const GOOD_NIGHTS: [u64; 3] = [4, 8, 12];
const CYCLE: u64 = 13;

const VERIFY: &str = "\
n=$(($(cat \"$NIGHT/count\") + 1))
echo $n > \"$NIGHT/count\"
noise=$(sed -n \"${n}p\" \"$NIGHT/noise\")
awk -v cost=\"$(cat src/cost)\" -v noise=\"$noise\" 'BEGIN { printf \"%.4f\\n\", cost * (1 + noise) }'
";

/// Each turn has an idea that does nothing; the good one gains three spreads.
const AGENT: &str = "\
n=$(($(cat \"$NIGHT/turn\") + 1))
echo $n > \"$NIGHT/turn\"
echo \"idea $n\" > src/idea
if [ $n = \"$(cat \"$NIGHT/good\")\" ]; then echo 97 > src/cost; fi
echo \"{\\\"message\\\": \\\"idea $n\\\"}\"
";

/// What the nights came to.
#[derive(Default)]
struct Nights {
    null: u32,
    null_told_as_gain: u32,
    good: u32,
    good_found: u32,
    /// Claims whose interval holds the truth.
    claims: u32,
    held: u32,
}

/// Plays nights until the time is over.
pub(crate) fn try_nights(asked: &Asked) -> Figures {
    let mut nights = Nights::default();
    let tried = rounds::try_rounds(asked, 1, |round, dice| {
        let is_good = GOOD_NIGHTS.contains(&(round % CYCLE));
        play_night(is_good, dice, &mut nights);
    });
    let is_whole = nights.null >= 200 && nights.good >= 60;
    let is_true = nights.null_told_as_gain * 200 <= nights.null * 7
        && nights.good_found * 60 >= nights.good * 48;
    Figures {
        line: format!(
            "{}; {} of {} nights without a good idea were told as a gain, {} of {} with one; the interval held the truth in {} of {} claims",
            tried.opening(asked),
            nights.null_told_as_gain,
            nights.null,
            nights.good_found,
            nights.good,
            nights.held,
            nights.claims
        ),
        held: tried.broken == 0 && (is_true || !is_whole),
    }
}

fn play_night(is_good: bool, dice: &mut Dice, nights: &mut Nights) {
    let bench = Bench::new(make_folder(), Bench::side_by_side);
    let night = bench.base.join("night");
    let good = if is_good { 1 + dice.below(TRIALS) } else { 0 };
    let noise: Vec<String> = (0..RUNS)
        .map(|_| format!("{:.6}", SPREAD * throw_normal(dice)))
        .collect();
    for (name, text) in [
        ("count", "0".to_owned()),
        ("turn", "0".to_owned()),
        ("good", good.to_string()),
        ("noise", noise.join("\n")),
        ("agent.sh", AGENT.to_owned()),
    ] {
        write_file(&night.join(name), &text);
    }
    bench.write("src/cost", "100\n");
    bench.write("src/idea", "none\n");
    bench.write("verify.sh", VERIFY);
    let config = json!({
        "goal": "faster", "tag": "night", "scope": ["src/**"],
        "metric": {"name": "ms", "direction": "lower"},
        "verify": {"command": "sh verify.sh"}, "env": ["NIGHT"],
        "agent": {"command": "sh \"$NIGHT/agent.sh\""}, "iterations": TRIALS,
    });
    bench.write("autoresearch.yaml", &config.to_string());
    bench.git(&["init", "-q", "-b", "main"]);
    bench.git(&["add", "-A"]);
    bench.git(&["commit", "-qm", "first"]);
    let mut exec = bench.tool(&["exec", "--config", "autoresearch.yaml"]);
    exec.env("NIGHT", &night);
    let said = bench.started(exec).finish();
    let last = said.out.lines().last().unwrap_or_default();
    let summary: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{said:?}"));
    let is_told = said.code == 0;
    assert!(said.code == i32::from(!is_told), "{said:?}");
    assert_eq!(summary["improved"], is_told, "{summary}");
    let kept = summary["counts"]["keep"].as_u64().unwrap();
    assert_eq!(summary["claim"].is_object(), kept > 0, "{summary}");
    nights.count(is_good, is_told);
    if kept > 0 {
        let name = format!("{}:src/cost", summary["commit"].as_str().unwrap());
        let cost: f64 = bench.git(&["show", &name]).trim().parse().unwrap();
        nights.count_claim(&summary["claim"], 1.0 - cost / 100.0);
    }
}

impl Nights {
    fn count(&mut self, is_good: bool, is_told: bool) {
        let (all, told) = if is_good {
            (&mut self.good, &mut self.good_found)
        } else {
            (&mut self.null, &mut self.null_told_as_gain)
        };
        *all += 1;
        *told += u32::from(is_told);
    }

    fn count_claim(&mut self, claim: &Value, effect: f64) {
        let percent = |name: &str| claim["gain"][name].as_f64().unwrap_or(f64::NAN);
        let truth = 100.0 * effect;
        self.claims += 1;
        self.held += u32::from(percent("low") <= truth && truth <= percent("high"));
    }
}

/// A normal number, as a sum of twelve even ones: its tails end at six deviations.
fn throw_normal(dice: &mut Dice) -> f64 {
    const STEPS: u32 = 1 << 30;
    let even = |dice: &mut Dice| {
        let thrown = u32::try_from(dice.below(u64::from(STEPS))).unwrap_or(0);
        f64::from(thrown) / f64::from(STEPS)
    };
    (0..12).map(|_| even(dice)).sum::<f64>() - 6.0
}
