//! An agent that uses git itself in a work tree of the run's own: its turn is void, nothing is lost, and the run goes on.

use serde_json::Value;

use crate::testbed::{Answer, CONFIG, Testbed};

/// Does the first line of `$HOME/moves`, and answers.
const AGENT: &str = r#"cat > "$HOME/brief-$(ls "$HOME" | grep -c '^brief')"
move=$(head -n 1 "$HOME/moves"); sed -i 1d "$HOME/moves"
eval "$move" >&2
echo "{\"message\": \"a move\", \"strategy\": \"another way\"}"
"#;

const EDIT: &str = "seq 4 | sed s/.*/any/ > src/a";

/// A run of these moves in a work tree of its own, or of the user's.
fn exec(moves: &[&str], isolation: &str) -> (Testbed, Answer) {
    let bed = Testbed::new();
    std::fs::write(bed.home.join("agent.sh"), AGENT).unwrap();
    std::fs::write(bed.home.join("moves"), moves.join("\n") + "\n").unwrap();
    std::fs::write(
        bed.home.join(".gitconfig"),
        "[user]\nname = Agent\nemail = agent@localhost\n",
    )
    .unwrap();
    let config = format!(
        "{CONFIG}agent: {{command: 'sh \"$HOME/agent.sh\"', timeout: 20s}}\nisolation: {isolation}\n"
    );
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, config).unwrap();
    let count = moves.len().to_string();
    let arguments = [
        "exec",
        "--config",
        file.to_str().unwrap(),
        "--iterations",
        &count,
    ];
    let answer = bed.run(&arguments);
    (bed, answer)
}

fn lines(answer: &Answer) -> Vec<Value> {
    let parsed = answer.out.lines().map(serde_json::from_str);
    parsed
        .map(|line| line.unwrap_or_else(|error| panic!("{error}: {answer:?}")))
        .collect()
}

/// Something that an agent does to HEAD after its edit voids that trial alone, and the brief of the next turn says so.
#[track_caller]
fn is_undone(git: &str, words: &str) -> Testbed {
    let first = format!("{EDIT}; {git}");
    let (bed, answer) = exec(&[&first, EDIT], "worktree");
    let lines = lines(&answer);
    assert_eq!(lines[0]["reason"], "head-moved", "{git}: {answer:?}");
    let detail = lines[0]["detail"].as_str().unwrap();
    assert!(detail.contains(words), "`{words}` is missing in {detail}");
    assert_eq!(lines[1]["verdict"], "keep", "{git}: {answer:?}");
    assert_eq!(bed.story()[1..], ["1 discard", "2 keep"]);
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    let brief = std::fs::read_to_string(bed.home.join("brief-1")).unwrap();
    assert!(brief.contains("make them again without git"), "{brief}");
    let named = brief
        .split("`git show ")
        .nth(1)
        .map(|rest| rest.split('`').next());
    let named = named.flatten().unwrap_or_else(|| panic!("{brief}"));
    let shown = bed.git(&["show", "--format=", named, "--", "src/a"]);
    assert!(
        git.contains("--allow-empty") || shown.contains("any\n"),
        "{git}: {shown}"
    );
    bed
}

#[test]
fn a_commit_of_the_agents_is_undone_and_stays_reachable() {
    let bed = is_undone("git add -A; git commit -qm mine", "1 commit");
    let kept = bed.git(&["show", "refs/autoresearch/demo/foreign-1:src/a"]);
    assert_eq!(kept, "any\n".repeat(4));
    is_undone("git commit -q --allow-empty -m nothing", "1 commit");
    is_undone("git commit -qa --amend -m rewritten", "HEAD was moved");
}

#[test]
fn another_branch_and_a_detached_head_are_undone() {
    let bed = is_undone(
        "git switch -qc mine; git commit -qam mine",
        "another branch",
    );
    let theirs = bed.git(&["show", "mine:src/a"]);
    assert_eq!(theirs, "any\n".repeat(4), "the agent's branch stays");
    is_undone("git checkout -q --detach", "detached");
}

#[test]
fn a_reset_behind_the_kept_state_is_undone_and_the_keep_stays() {
    let better = "seq 3 | sed s/.*/any/ > src/a";
    let reset = format!("{better}; git reset -q --soft HEAD~1");
    let (bed, answer) = exec(&[EDIT, &reset, better], "worktree");
    let lines = lines(&answer);
    assert_eq!(lines[1]["reason"], "head-moved", "{answer:?}");
    assert_eq!(bed.story()[1..], ["1 keep", "2 discard", "3 keep"]);
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 2);
}

#[test]
fn a_merge_that_was_left_in_conflict_is_undone() {
    is_undone(
        "git commit -qam one; git switch -qc other HEAD~1; seq 2 > src/a; git commit -qam two; git merge -q autoresearch/demo",
        "a merge was left unfinished",
    );
}

#[test]
fn what_was_staged_in_the_scope_and_is_not_in_the_files_is_gone_after_the_trial() {
    for after in ["keep", "discard"] {
        let bed = Testbed::started(CONFIG);
        bed.git(&["rm", "--quiet", "--cached", "src/b"]);
        let count = if after == "keep" { 4 } else { 9 };
        assert_eq!(bed.try_count(count), after);
        assert_eq!(bed.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn staged_edits_are_a_trial_like_others_and_stashed_ones_are_none() {
    let staged = format!("{EDIT}; git add -A");
    let stashed = "seq 3 | sed s/.*/any/ > src/a; git stash -q";
    let (bed, answer) = exec(
        &[&staged, stashed, "seq 2 | sed s/.*/any/ > src/a"],
        "worktree",
    );
    assert_eq!(lines(&answer).len(), 4, "{answer:?}");
    assert_eq!(bed.story()[1..], ["1 keep", "2 no-op", "3 keep"]);
}

#[test]
fn in_the_users_own_work_tree_a_commit_is_never_undone() {
    let first = format!("{EDIT}; git commit -qam mine");
    let (bed, answer) = exec(&[&first, EDIT], "branch");
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(
        answer.err.contains("that this run did not make"),
        "{answer:?}"
    );
    assert_eq!(bed.git(&["log", "-1", "--format=%s"]), "mine\n");
}
