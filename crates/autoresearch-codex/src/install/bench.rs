//! Owns the home in which the tests of this room install: a world below a temporary folder, and a stand-in for Codex.
//! Does not expect anything.
//! Invariant: nothing outside the temporary folder is read or written.

#![cfg(test)]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use autoresearch_core::agent::outage::OutagePatience;
use autoresearch_sys::env::{Clock, ProcessRole, World};
use autoresearch_sys::error::{Failure, Result};
use serde_json::{Value, json};

use super::places::{HOOK_NAME, installed_path};
use super::plan::{InstallPlan, InstallReport, InstallState};
use super::remove::{RemovalScope, apply_removal, plan_removal};
use super::skill::InstallTarget;
use super::{InstallRequest, apply_installation, plan_installation};
use crate::config::our_hooks::HOOKS;
use crate::config::rules::StartRule;

/// Every file and folder, with its rights and its bytes.
pub(crate) type Everything = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// What makes a home unfit.
pub(crate) type Obstacle = fn(&mut InstallBench);

pub(crate) const USERS_HOOKS: &str = r#"{ "hooks":{"Stop":[
	{"hooks":[{"type":"command","command":"say done"}]} ] } }"#;
pub(crate) const USERS_CONFIG: &str = "# mine\nmodel = \"m\"   # odd\n";

pub(crate) struct InstallBench {
    folder: tempfile::TempDir,
    pub world: World,
}

impl InstallBench {
    /// A home without Codex.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let home = base.join("home");
        let project = base.join("project");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(&project).unwrap();
        let program = base.join("built");
        std::fs::write(&program, "program 1").unwrap();
        let vars = [("HOME", home.clone()), ("CODEX_SCRIPT", base.clone())];
        let vars = vars.map(|(name, value)| (name.into(), value.into()));
        let world = World {
            cwd: project,
            reader_at: None,
            program,
            state_folder: home.join(".local/state/codex-autoresearch"),
            data_folder: home.join(".local/share/codex-autoresearch"),
            vars: vars.into_iter().collect(),
            clock: Clock::Fixed("2026-11-25T23:58:53Z".parse().unwrap()),
            session: None,
            role: ProcessRole::Command,
            patience: OutagePatience::default(),
            load: || None,
            step: |_| {},
            progress: |_| {},
            interrupted: Arc::default(),
            dealing: Arc::default(),
        };
        Self { folder, world }
    }

    /// A home of Codex with these files.
    pub(crate) fn with_codex_home(files: &[(&str, &str)]) -> Self {
        let bench = Self::new();
        std::fs::create_dir(bench.path("home/.codex")).unwrap();
        for (name, text) in files {
            bench.write(&format!("home/.codex/{name}"), text);
        }
        bench
    }

    /// A home of Codex with hooks in an odd form, a configuration with comments, and rights of the user's.
    pub(crate) fn of_a_user() -> Self {
        let files = [("hooks.json", USERS_HOOKS), ("config.toml", USERS_CONFIG)];
        let bench = Self::with_codex_home(&files);
        bench.set_mode("home/.codex/hooks.json", 0o640);
        bench.set_mode("home/.codex/config.toml", 0o644);
        bench
    }

    /// Puts the stand-in for Codex on `PATH`. It lists our hooks in this group of each event, and others.
    pub(crate) fn with_codex(mut self, group: usize, others: &[Value]) -> Self {
        let stand_in = concat!(env!("CARGO_MANIFEST_DIR"), "/stand-in:/usr/bin:/bin");
        let home = self.path("home/.codex");
        let vars = [
            ("PATH", stand_in.into()),
            ("CODEX_HOME", home.into_os_string()),
        ];
        self.world
            .vars
            .extend(vars.map(|(name, value)| (name.into(), value)));
        let list = |status: &str| {
            let ours = self.list_our_hooks(group, status);
            let all: Vec<Value> = ours.into_iter().chain(others.to_vec()).collect();
            json!({"data": [{"hooks": all, "warnings": [], "errors": []}]}).to_string()
        };
        self.write("listed", &list("untrusted"));
        self.write("trusted", &list("trusted"));
        let lines = self.list_our_hooks(group, "").into_iter().map(|hook| {
            format!(
                "\n[hooks.state.{}]\ntrusted_hash = {}\n",
                hook["key"], hook["currentHash"]
            )
        });
        self.write("lines", &lines.collect::<String>());
        self
    }

    fn list_our_hooks(&self, group: usize, status: &str) -> Vec<Value> {
        let program = installed_path(&self.world, HOOK_NAME);
        let file = self.path("home/.codex/hooks.json");
        let hook = |hook: &crate::config::our_hooks::Hook| {
            json!({
                "key": hook.format_trust_key(&file, group, 0),
                "command": hook.format_command(program.to_str().unwrap()),
                "eventName": hook.snake,
                "currentHash": format!("sha256:{}", hook.word),
                "trustStatus": status,
            })
        };
        HOOKS.iter().map(hook).collect()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn set_mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
    }

    /// Everything below the home and the project.
    pub(crate) fn read_everything(&self) -> Everything {
        let mut found = Everything::new();
        for name in ["home", "project"] {
            read_below(&self.path(name), &mut found);
        }
        found
    }

    /// A text without the temporary folder in it, and without the trailing blanks of a diff.
    pub(crate) fn show(&self, text: &impl ToString) -> String {
        let text = text
            .to_string()
            .replace(&self.path("").display().to_string(), "/");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        lines.join("\n")
    }

    pub(crate) fn show_failure(&self, failure: &Failure) -> String {
        let causes = failure
            .causes
            .iter()
            .map(|cause| format!("\ncause: {cause}"));
        let hint = failure.hint.iter().map(|hint| format!("\nhint: {hint}"));
        let more: String = causes.chain(hint).collect();
        self.show(&format!(
            "{}: {}{more}",
            failure.kind.as_str(),
            failure.error
        ))
    }

    pub(crate) fn plan(&self, request: &InstallRequest) -> Result<InstallPlan> {
        plan_installation(&self.world, request)
    }

    /// The plan, as the person sees it before the yes.
    pub(crate) fn show_plan(&self, request: &InstallRequest) -> String {
        let plan = self.plan(request).unwrap();
        self.show(&plan.to_report(InstallState::Planned))
    }

    pub(crate) fn try_install(&self, request: &InstallRequest) -> Result<InstallReport> {
        apply_installation(&self.world, self.plan(request)?)
    }

    pub(crate) fn install(&self, request: &InstallRequest) -> String {
        self.show(&self.try_install(request).unwrap())
    }

    pub(crate) fn show_removal(&self, scope: RemovalScope) -> String {
        let plan = plan_removal(&self.world, scope).unwrap();
        let report = plan.to_report(InstallState::Planned);
        self.show(&format!("{}:\n{report}", report.action))
    }

    pub(crate) fn remove(&self, scope: RemovalScope) -> String {
        let plan = plan_removal(&self.world, scope).unwrap();
        self.show(&apply_removal(&self.world, plan, scope).unwrap())
    }
}

pub(crate) fn ask_for_hooks() -> InstallRequest {
    InstallRequest {
        hooks: true,
        ..InstallRequest::default()
    }
}

pub(crate) fn ask_for_rule(start: StartRule) -> InstallRequest {
    InstallRequest {
        rule: Some(start),
        ..InstallRequest::default()
    }
}

pub(crate) fn ask_for_skill(target: InstallTarget) -> InstallRequest {
    InstallRequest {
        target: Some(target),
        ..InstallRequest::default()
    }
}

fn read_below(folder: &Path, found: &mut Everything) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let (path, meta) = (entry.path(), entry.path().symlink_metadata().unwrap());
        let bytes = if meta.is_symlink() {
            path.read_link()
                .unwrap()
                .into_os_string()
                .into_encoded_bytes()
        } else if meta.is_dir() {
            read_below(&path, found);
            Vec::new()
        } else {
            std::fs::read(&path).unwrap()
        };
        found.insert(path, (meta.permissions().mode(), bytes));
    }
}
