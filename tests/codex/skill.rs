//! The skill in the real Codex: it is injected with its path, and what it and the tool's answers cost the model.

use crate::bench::Bench;
use crate::reply::{say, shell};
use crate::request::Request;
use crate::scene::{scene, set, skill, tell};

/// The usual estimate.
fn tokens(bytes: usize) -> usize {
    bytes / 4
}

/// The bytes of the skill's line in the list that Codex shows to the model.
fn listed(request: &Request) -> usize {
    let texts = request.texts_of("developer");
    let mut lines = texts.iter().flat_map(|text| text.lines());
    let line = lines.find(|line| line.starts_with("- codex-autoresearch: "));
    line.unwrap().len()
}

#[test]
fn the_skill_is_injected_with_its_path_and_a_run_costs_under_3000_tokens_up_to_the_first_trial() {
    let Some(bench) = scene() else { return };
    let engine = Bench::engine().display().to_string();
    bench.model.play([
        shell(&format!("{engine} doctor")),
        shell(&format!("{engine} config check")),
        shell(&format!("{engine} start --config autoresearch.yaml")),
        shell(&set(3)),
        shell(&format!("{engine} trial -m \"two fewer\"")),
        say("done"),
    ]);
    let prompt = "$codex-autoresearch get rid of the any types. Go.";
    bench.exec(prompt).sandbox("danger-full-access").run().ok();
    let last = bench.model.last();
    let injected: Vec<String> = last
        .texts_of("user")
        .into_iter()
        .filter(|text| text.starts_with("<skill>"))
        .collect();
    let [injected] = injected.as_slice() else {
        panic!("{injected:?}")
    };
    let folder = bench.bed.path(".agents/skills/codex-autoresearch");
    let path = format!("<path>{}/SKILL.md</path>", folder.display());
    assert!(injected.contains(&path), "{injected}");
    let text = std::fs::read_to_string(skill().join("SKILL.md")).unwrap();
    assert!(injected.contains(text.trim()));
    let listed = listed(&last);
    let outputs = last.outputs();
    let [doctor, check, start, _, trial] = outputs.as_slice() else {
        panic!("{outputs:?}")
    };
    let parts = [
        ("its line in the list of skills", listed),
        ("SKILL.md as it is injected", injected.len()),
        ("doctor", doctor.len()),
        ("config check", check.len()),
        ("start", start.len()),
    ];
    let before: usize = parts.iter().map(|(_, bytes)| bytes).sum();
    for (what, bytes) in parts {
        tell(&format!("{:>6} tokens  {what}", tokens(bytes)));
    }
    tell(&format!(
        "{:>6} tokens  from the invocation to the first trial",
        tokens(before)
    ));
    tell(&format!(
        "{:>6} tokens  the answer to a trial",
        tokens(trial.len())
    ));
    assert!(tokens(before) < 3_000, "{outputs:?}");
    assert!(tokens(trial.len()) < 300, "{trial}");
}
