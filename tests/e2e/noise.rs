//! Noisy metrics, with noise that is the same in every test: what is kept, what a changing machine does, and what is claimed.

use std::process::Stdio;

use serde_json::Value;

use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, processes_with, wait_until};

/// Deviations in thousandths of the value: normal ones of one per cent, in an order that no run is aware of.
pub(crate) const DEVIATIONS: [i32; 40] = [
    3, -7, 12, -2, 8, -14, 5, -9, 1, 11, -4, 6, -12, 9, -1, -6, 15, -3, 4, -10, 7, 2, -8, 13, -5,
    10, -11, 0, 6, -13, 3, 9, -7, 14, -2, -9, 5, 8, -4, -6,
];

/// Prints the cost that the code names, times the speed of the machine, with the next deviation of a list.
pub(crate) const VERIFY: &str = "\
test -s src/cost || exit 1
n=$(($(cat \"$BED/count\") + 1))
echo $n > \"$BED/count\"
noise=$(sed -n \"$(((n - 1) % 40 + 1))p\" \"$BED/noise\")
awk -v cost=\"$(cat src/cost)\" -v speed=\"$(cat \"$BED/speed\")\" -v noise=\"$noise\" \\
  'BEGIN { printf \"%.3f\\n\", cost * speed * (1 + noise / 1000) }'
";

const CONFIG: &str = "\
goal: faster
tag: demo
scope: [\"src/**\"]
metric: {name: ms, direction: lower}
verify: {command: \"sh verify.sh\", timeout: 20s}
env: [BED]
";

/// A benchmark that costs 100, on a machine of speed 1.
pub(crate) struct NoisyBed(pub Testbed);

impl NoisyBed {
    pub(crate) fn new(deviations: &[i32]) -> Self {
        let bed = Testbed::new();
        bed.write("verify.sh", VERIFY);
        bed.write("src/cost", "100\n");
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "a benchmark"]);
        let bed = Self(bed);
        bed.set("count", "0");
        bed.set("speed", "1");
        bed.set_noise(deviations);
        bed
    }

    pub(crate) fn set(&self, name: &str, text: &str) {
        std::fs::write(self.0.home.join(name), text).unwrap();
    }

    pub(crate) fn set_noise(&self, deviations: &[i32]) {
        let lines: Vec<String> = (0..40)
            .map(|at| deviations[at % deviations.len()].to_string())
            .collect();
        self.set("noise", &lines.join("\n"));
    }

    pub(crate) fn run(&self, words: &[&str]) -> Answer {
        let place = self.0.home.display().to_string();
        self.0.run_with(words, &[("BED", &place)])
    }

    pub(crate) fn start(&self, more: &str) -> Answer {
        let file = self.0.home.join("config.yaml");
        std::fs::write(&file, format!("{CONFIG}{more}")).unwrap();
        self.run(&["start", "--config", file.to_str().unwrap()])
            .ok()
    }

    pub(crate) fn try_cost(&self, cost: &str) -> Value {
        self.0.write("src/cost", cost);
        self.run(&["trial", "-m", "another cost", "--json"])
            .ok()
            .json()
    }

    /// Waits until the latest run of the kept state vouches for nothing any more, however long a verify takes here.
    fn outwait_freshness(&self) {
        let start = &self.records("start")[0];
        let runs = start["runs"].as_array().unwrap().iter();
        let took = runs.map(|run| run["took_ms"].as_u64().unwrap()).max();
        std::thread::sleep(std::time::Duration::from_millis(10 * took.unwrap()));
    }

    pub(crate) fn records(&self, event: &str) -> Vec<Value> {
        let journal = self.0.read("autoresearch-results/demo/journal.jsonl");
        let records = journal
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        records
            .map(|record| record["event"][event].clone())
            .filter(|found| !found.is_null())
            .collect()
    }
}

fn sides(decision: &Value) -> String {
    let runs = decision["runs"].as_array().unwrap().iter();
    runs.map(|run| &run["side"].as_str().unwrap()[..1])
        .collect()
}

#[test]
fn a_placebo_is_not_kept_a_gain_is_with_its_interval_and_the_end_measures_both_commits_afresh() {
    let bed = NoisyBed::new(&DEVIATIONS);
    let started = bed.start("").out;
    for said in [
        "  metric    ms = 100 (lower is better)\n",
        "  noise     0.97 % a run (6 runs): a change smaller than about ",
        "  limits    50 iterations; 28 runs of verify (",
        ") are kept back for weak keeps and the claim at the end\n",
    ] {
        assert!(started.contains(said), "{started}");
    }
    let placebo = bed.try_cost("100 \n");
    assert_eq!(
        (&placebo["verdict"], &placebo["reason"]),
        (&"discard".into(), &"cannot-tell".into()),
        "{placebo}"
    );
    let gain = bed.try_cost("90\n");
    assert_eq!(gain["verdict"], "keep", "{gain}");
    let low = gain["gain"]["low"].as_f64().unwrap();
    assert!((5.0..10.0).contains(&low), "{gain}");
    let kept = &bed.records("verdict")[1];
    assert!(sides(kept).matches('c').count() >= 2, "{kept}");
    let worse = bed.try_cost("120\n");
    assert_eq!(worse["reason"], "worse-metric", "{worse}");
    let rows = bed.run(&["log", "--json"]).ok().json();
    let told = rows["rows"][2]["description"].as_str().unwrap();
    assert!(told.contains(" [a gain of "), "{told}");
    let ended = bed.run(&["finish", "--json"]).ok().json();
    let claim = &ended["claim"];
    assert_eq!(
        (&claim["pairs"], &ended["improved"]),
        (&6.into(), &true.into())
    );
    let bounds = ["low", "high"].map(|end| claim["gain"][end].as_f64().unwrap());
    assert!(
        bounds[0] <= 10.0 && 10.0 <= bounds[1],
        "the truth is 10: {claim}"
    );
    assert_eq!(claim["verify_runs"], 14, "two of them warm the trees up");
    assert_eq!(bed.0.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn a_machine_that_got_faster_is_no_gain_and_one_that_got_slower_hides_none() {
    for (speed, cost, verdict) in [("0.9", "100 \n", "discard"), ("1.15", "80\n", "keep")] {
        let bed = NoisyBed::new(&DEVIATIONS);
        bed.start("");
        bed.outwait_freshness();
        bed.set("speed", speed);
        let tried = bed.try_cost(cost);
        assert_eq!(tried["verdict"], verdict, "{speed}: {tried}");
        let decision = &bed.records("verdict")[0];
        assert!(sides(decision).contains('i'), "{speed}: {decision}");
    }
}

#[test]
fn the_kept_state_is_measured_in_one_tree_that_stays_for_the_next_trial_and_goes_at_the_end() {
    let bed = NoisyBed::new(&DEVIATIONS);
    bed.start("");
    let trees = || bed.0.git(&["worktree", "list"]).lines().count();
    assert_eq!(trees(), 1, "a start leaves none");
    for cost in ["80\n", "64\n"] {
        bed.set("speed", "0.97");
        assert_eq!(bed.try_cost(cost)["verdict"], "keep");
    }
    assert_eq!(trees(), 2);
    bed.run(&["finish", "--no-claim"]).ok();
    assert_eq!(trees(), 1);
}

#[test]
fn an_exact_metric_that_shows_two_values_is_noisy_from_then_on() {
    let bed = NoisyBed::new(&[0]);
    let started = bed.start("");
    assert!(
        started.out.contains("noise     none: 3 equal runs"),
        "{started:?}"
    );
    bed.set_noise(&DEVIATIONS);
    let better = bed.try_cost("95\n");
    assert_eq!(better["verdict"], "keep", "{better}");
    let decision = &bed.records("verdict")[0];
    assert!(sides(decision).contains("iiiiii"), "{decision}");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["deterministic"], false);
    assert_eq!(bed.try_cost("85\n")["verdict"], "keep");
}

#[test]
fn what_verify_needs_and_no_clean_checkout_has_is_told_first() {
    let bed = NoisyBed::new(&[0]);
    bed.0.write(".gitignore", "extra\n");
    bed.0.write("extra", "5\n");
    bed.0.write(
        "verify.sh",
        "test -s src/cost || exit 1\ncat src/cost extra 2>/dev/null | awk '{ sum += $1 } END { print sum }'\n",
    );
    bed.0.git(&["add", "-A"]);
    bed.0
        .git(&["commit", "-qm", "with a file that git ignores"]);
    bed.start("view: off\n");
    assert_eq!(bed.try_cost("60\n")["verdict"], "keep");
    assert_answer!(bed.run(&["finish"]).ok(), @"
    a clean checkout of the last commit gives 60 and not 65: verify depends on files that are not committed
    run `demo` ended: user-stop (finished by a person)
    improved: ms 105 -> 65, 1 trial kept on autoresearch/demo
    claim: a gain of 42.86 %: a clean checkout of the last commit was measured again
      <commit> experiment: another cost
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p <commit>..autoresearch/demo`, then `git merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
}

#[test]
fn where_the_kept_state_cannot_be_measured_the_start_says_so_and_nothing_is_claimed() {
    let bed = NoisyBed::new(&DEVIATIONS);
    bed.0.write(".gitignore", "data\n");
    bed.0.write("data", "here\n");
    bed.0
        .write("verify.sh", &format!("test -e data || exit 4\n{VERIFY}"));
    bed.0.git(&["add", "-A"]);
    bed.0.git(&["commit", "-qm", "with data"]);
    let started = bed.start("view: off\n");
    let warning = "the kept state cannot be measured again in a tree of its own (verify failed: exit status 4)";
    assert!(started.out.contains(warning), "{started:?}");
    let kept = bed.try_cost("80\n");
    assert_eq!(kept["verdict"], "keep", "{kept}");
    assert!(!sides(&bed.records("verdict")[0]).contains('i'));
    let ended = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(ended["improved"], false, "{ended}");
    let why = ended["claim"]["why"].as_str().unwrap();
    assert!(why.contains("exit status 4"), "{ended}");
}

#[test]
fn a_gain_is_not_measured_afresh_where_nobody_wants_that() {
    for (more, words) in [
        ("claim: never\n", &["finish"][..]),
        ("", &["finish", "--no-claim"]),
    ] {
        let bed = NoisyBed::new(&DEVIATIONS);
        bed.start(more);
        bed.try_cost("80\n");
        let ended = bed.run(words).ok();
        let said = "the gain is what the trials measured: it was not measured afresh";
        assert!(ended.out.contains(said), "{ended:?}");
        assert_eq!(bed.records("claim"), [] as [Value; 0]);
    }
}

#[test]
fn a_finished_run_is_measured_afresh_when_somebody_asks_for_it() {
    let bed = NoisyBed::new(&DEVIATIONS);
    bed.start("");
    bed.try_cost("80\n");
    bed.run(&["finish", "--no-claim"]).ok();
    let asked = bed.run(&["finish", "--claim", "--json"]).ok().json();
    assert_eq!(asked["claim"]["pairs"], 6, "{asked}");
    let again = bed.run(&["finish", "--claim", "--json"]).ok().json();
    assert_eq!(again["claim"], asked["claim"], "once is enough");
    assert_eq!(bed.records("claim").len(), 1);
    assert_eq!(bed.0.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn an_interrupted_claim_ends_the_run_without_one() {
    let bed = NoisyBed::new(&DEVIATIONS);
    // Where the file `slow` stands, verify says that it runs, and waits.
    let verify =
        format!("[ ! -e \"$BED/slow\" ] || {{ : > \"$BED/waits\"; sleep 1000; }}\n{VERIFY}");
    bed.0.write("verify.sh", &verify);
    bed.0.git(&["commit", "-qam", "a verify that can wait"]);
    bed.start("");
    bed.try_cost("80\n");
    bed.set("slow", "");
    let mut command = bed.0.command(&["finish"]);
    let child = command.stdout(Stdio::piped()).spawn().unwrap();
    let waits = bed.0.home.join("waits");
    wait_until("the claim is measured", || waits.exists());
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let told = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(0), "{told}");
    assert!(
        told.contains("it was not measured afresh, because that was interrupted"),
        "{told}"
    );
    assert_eq!(bed.0.git(&["branch", "--show-current"]).trim(), "main");
    assert_eq!(bed.0.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(
        processes_with(&bed.0.home.display().to_string()),
        [] as [String; 0]
    );
}

#[test]
fn the_runs_of_the_claim_are_kept_back_from_the_budget_and_announced() {
    let bed = NoisyBed::new(&DEVIATIONS);
    let started = bed.start("budget: {verify_runs: 20}\n");
    let said = "; 28 runs of verify (";
    assert!(started.out.contains(said), "{started:?}");
    // Of twenty, a fifth is kept back: trials have sixteen.
    let mut cost = 100.0;
    let status = || bed.run(&["status", "--json"]).ok().json();
    while status()["end"].is_null() {
        cost *= 0.8;
        bed.try_cost(&format!("{cost}\n"));
    }
    assert_eq!(status()["end"], "budget");
    let verdicts = bed.records("verdict");
    let runs: u64 = verdicts
        .iter()
        .map(|found| found["verify_runs"].as_u64().unwrap())
        .sum();
    let last = verdicts.last().unwrap()["verify_runs"].as_u64().unwrap();
    assert!(
        runs >= 16 && runs - last < 16,
        "{runs} with {last} in the last"
    );
}

#[test]
fn an_exec_in_which_nothing_helps_claims_nothing_and_exits_with_1() {
    let bed = NoisyBed::new(&DEVIATIONS);
    let agent = "n=$(cat \"$BED/turn\"); echo $((n + 1)) > \"$BED/turn\"; echo \"100 # $n\" > src/cost; echo '{\"message\": \"a placebo\"}'\n";
    bed.set("agent.sh", agent);
    bed.set("turn", "0");
    let config = format!(
        "{CONFIG}agent: {{command: 'sh \"$BED/agent.sh\"', timeout: 20s}}\niterations: 4\n"
    );
    bed.set("config.yaml", &config);
    let file = bed.0.home.join("config.yaml");
    let answer = bed.run(&["exec", "--config", file.to_str().unwrap()]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let last = answer.out.lines().last().unwrap();
    let summary: Value = serde_json::from_str(last).unwrap();
    assert_eq!(
        (&summary["improved"], &summary["claim"]),
        (&false.into(), &Value::Null)
    );
    assert_eq!(summary["counts"]["discard"], 4, "{summary}");
}

#[test]
fn a_further_metric_may_get_worse_within_its_noise_and_not_beyond() {
    let bed = NoisyBed::new(&DEVIATIONS);
    bed.0.write("src/memory", "64\n");
    // The memory of a run is as noisy as its time.
    let both = "printf \"METRIC mb=%.3f\\nMETRIC ms=%.3f\\n\", memory * (1 - noise / 1000),";
    let verify = VERIFY.replace("printf \"%.3f\\n\",", both);
    let verify = verify.replace("awk -v", "awk -v memory=\"$(cat src/memory)\" -v");
    bed.0.write("verify.sh", &verify);
    bed.0.git(&["add", "-A"]);
    bed.0.git(&["commit", "-qm", "memory"]);
    let started = bed.start("keep_when: [{metric: mb, op: not-worse}]\n");
    assert!(started.out.contains("ms = 100"), "{started:?}");
    bed.0.write("src/memory", "80\n");
    let worse = bed.try_cost("80\n");
    assert_eq!(worse["reason"], "keep-when", "{worse}");
    let detail = worse["detail"].as_str().unwrap();
    assert!(detail.contains("mb not-worse: a gain of -2"), "{worse}");
    bed.0.write("src/memory", "64.1\n");
    let within = bed.try_cost("80\n");
    assert_eq!(within["verdict"], "keep", "{within}");
    bed.0.write("src/memory", "50\n");
    assert_eq!(bed.try_cost("60\n")["verdict"], "keep");
    bed.0.write("src/memory", "64\n");
    let back = bed.try_cost("40\n");
    assert_eq!(
        back["reason"], "keep-when",
        "against what is kept now: {back}"
    );
}

#[test]
fn a_noisy_metric_beside_an_exact_one_is_known_before_the_first_trial_and_holds() {
    let bed = NoisyBed::new(&DEVIATIONS);
    bed.0.write("src/memory", "64\n");
    let both = "printf \"METRIC mb=%.3f\\nMETRIC ms=%.3f\\n\", memory * (1 + noise / 1000),";
    let verify = VERIFY.replace(
        "printf \"%.3f\\n\", cost * speed * (1 + noise / 1000)",
        &format!("{both} cost"),
    );
    let verify = verify.replace("awk -v", "awk -v memory=\"$(cat src/memory)\" -v");
    bed.0.write("verify.sh", &verify);
    bed.0.git(&["add", "-A"]);
    bed.0.git(&["commit", "-qm", "memory"]);
    let started = bed.start("keep_when: [{metric: mb, op: not-worse}]\n");
    assert!(started.out.contains("none: 6 equal runs"), "{started:?}");
    bed.0.write("src/memory", "80\n");
    assert_eq!(bed.try_cost("90\n")["reason"], "keep-when");
    assert_eq!(bed.try_cost("90\n")["verdict"], "keep");
    bed.0.write("src/memory", "80\n");
    assert_eq!(bed.try_cost("80\n")["reason"], "keep-when");
}

#[test]
fn a_watched_metric_that_verify_does_not_print_is_refused_at_start() {
    let bed = NoisyBed::new(&[0]);
    let file = bed.0.home.join("config.yaml");
    let config = format!("{CONFIG}keep_when: [{{metric: mb, op: not-worse}}]\n");
    std::fs::write(&file, config).unwrap();
    let refused = bed.run(&["start", "--config", file.to_str().unwrap()]);
    let refused = refused.fails(3);
    let said = "the condition `mb not-worse` names a metric that verify does not print";
    assert!(refused.err.contains(said), "{refused:?}");
}

/// More processes than cores before the first command are named as a cause of much noise, and of nothing else.
#[test]
fn a_busy_machine_is_named_where_the_runs_differ_by_much() {
    let start = |deviations: &[i32], load: &str| {
        let bed = NoisyBed::new(deviations);
        let file = bed.0.home.join("config.yaml");
        std::fs::write(&file, CONFIG).unwrap();
        let place = bed.0.home.display().to_string();
        let words = ["start", "--config", file.to_str().unwrap(), "--json"];
        let variables = [("BED", place.as_str()), ("SEALED_LOAD", load)];
        let told = bed.0.run_with(&words, &variables).ok().json();
        let warnings = told["warnings"].as_array().unwrap().iter();
        let noisy = warnings.filter_map(|line| {
            line.as_str()
                .filter(|line| line.contains("runs of the untouched tree"))
        });
        let shown: Vec<&str> = noisy.collect();
        format!("{}\n{}", told["noise"]["causes"], shown.join("\n"))
    };
    let wild = [100, -150, 210, -60, 160, -200];
    assert_answer!(start(&wild, "8.13/2"), @r#"
    ["load"]
    warning: runs of the untouched tree differ by 17 %: other programs kept the machine busy before the first run (load 8.1 on 2 cores): end them or wait, then start again; let verify repeat the work and print the median or the minimum, count instructions (`perf stat -e instructions:u`) instead of time, pin it to one core (`taskset`), or set `min_improvement` to what matters
    "#);
    assert_answer!(start(&wild, "2/2"), @"
    []
    warning: runs of the untouched tree differ by 17 %: let verify repeat the work and print the median or the minimum, count instructions (`perf stat -e instructions:u`) instead of time, pin it to one core (`taskset`), or set `min_improvement` to what matters
    ");
    assert_answer!(start(&DEVIATIONS, "8.13/2"), @"[]");
}
