//! Owns the choices of a config that mean the same as typed and as true: one of a few words each, and labels.
//! Does not know what follows from a choice.
//! Invariant: the word of a choice is the same in files, in the schema and in texts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// The word in files and commands.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }
    };
}

words! {
    /// The way of working.
    #[derive(Default)]
    Mode {
        /// Improve a metric until the end.
        #[default]
        Loop = "loop",
        /// Make a plan.
        Plan = "plan",
        /// Find the cause of a fault.
        Debug = "debug",
        /// Make failing checks pass.
        Fix = "fix",
        /// Find and fix weaknesses.
        Security = "security",
        /// Bring a change to release.
        Ship = "ship",
        /// Run without a person, as in CI.
        Exec = "exec",
    }
}

words! {
    /// The shell that reads a command.
    #[derive(Default)]
    Shell {
        /// `/bin/sh`.
        #[default]
        Sh = "sh",
        /// The bash on `PATH`, with `-o pipefail`: a command that fails anywhere in a pipe is a failure.
        Bash = "bash",
    }
}

words! {
    /// What differs between the runs of `exit_rate`.
    #[derive(PartialOrd, Ord)]
    Vary {
        /// `AUTORESEARCH_SEED` and `PYTHONHASHSEED` are the number of the run: 1, 2, 3, ...
        Seed = "seed",
        /// `TZ` goes round through five places of the world.
        Zone = "zone",
        /// Every second run has as many busy threads beside it as there are cores.
        Load = "load",
    }
}

words! {
    /// What edited code can do to a measurement instead of improving it.
    #[derive(PartialOrd, Ord)]
    SuspectPattern {
        /// It names the script of verify or guard, or a variable that only a test runner sets.
        NamesHarness = "names-harness",
        /// It reads the frames or the stack of its caller.
        ReadsFrames = "reads-frames",
        /// It replaces a clock, or has another library loaded.
        PatchesClock = "patches-clock",
        /// It replaces equality, an assertion or a built-in.
        PatchesEquality = "patches-equality",
        /// It replaces standard output, or prints what verify should print.
        ForgesOutput = "forges-output",
        /// It ends the process with success, or runs code at its exit.
        ExitsEarly = "exits-early",
        /// It keeps something for the next run.
        KeepsState = "keeps-state",
        /// It behaves by the date, the age of the machine or the number of a process.
        BehavesByTime = "behaves-by-time",
        /// It opens a network connection in a file that had none.
        OpensNetwork = "opens-network",
        /// It takes the place of a module that verify imports, or is loaded by itself.
        ShadowsModule = "shadows-module",
        /// It runs code that is written as data.
        HidesCode = "hides-code",
        /// It compares with a number or a text of verify's own input.
        KnowsInput = "knows-input",
        /// It keeps answers from one call to the next.
        RemembersAnswers = "remembers-answers",
        /// It does its work only when somebody compares, shows or counts with the answer.
        PutsOffWork = "puts-off-work",
        /// It brings what a build makes, or changes the times by which a build decides.
        BringsBuild = "brings-build",
        /// Its tests ask less than before.
        EmptiesChecks = "empties-checks",
    }
}

impl SuppressionRule {
    /// Is it what counts when nothing is written?
    #[must_use]
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

impl SuspectPattern {
    /// Is it what honest code does as well? Then a keep is flagged, and nothing is refused for it.
    #[must_use]
    pub fn is_flag_only(self) -> bool {
        matches!(
            self,
            Self::KnowsInput
                | Self::RemembersAnswers
                | Self::PutsOffWork
                | Self::BringsBuild
                | Self::EmptiesChecks
        )
    }
}

words! {
    /// Where the trials are made.
    #[derive(Default)]
    Isolation {
        /// On a branch `autoresearch/<run>` in the work tree where the run starts.
        #[default]
        Branch = "branch",
        /// In a separate work tree of the run.
        Worktree = "worktree",
        /// On the branch that is checked out.
        InPlace = "in-place",
    }
}

words! {
    /// Do verify and guard see the folders of `link` and `copy` at their own paths, in a view of the run's tree?
    #[derive(Default)]
    ViewUse {
        /// Where the system allows it.
        #[default]
        Auto = "auto",
        /// Never: they are links and copies in the tree.
        Off = "off",
    }
}

words! {
    /// How a failed trial is undone.
    #[derive(Default)]
    Rollback {
        /// The branch goes back to the incumbent.
        #[default]
        Reset = "reset",
        /// A commit on top undoes the trial.
        Revert = "revert",
    }
}

words! {
    /// Whether the repository's git hooks run on trial commits.
    #[derive(Default)]
    RepositoryHooks {
        /// Trial commits bypass the hooks.
        #[default]
        Bypass = "bypass",
        /// `pre-commit`, `prepare-commit-msg` and `commit-msg` run, and may refuse a trial.
        Run = "run",
    }
}

words! {
    /// Whether the gain is measured afresh at the end.
    #[derive(Default)]
    ClaimMode {
        /// Where something was kept.
        #[default]
        Auto = "auto",
        /// Not at all: the gain is what the trials measured.
        Never = "never",
    }
}

words! {
    /// What becomes of a trial that mutes findings: an ignore, a skipped test, a looser rule, an escape.
    #[derive(Default)]
    SuppressionRule {
        /// It is void where the metric counts findings.
        #[default]
        Auto = "auto",
        /// It is void, whatever the metric is.
        Void = "void",
        /// Nothing: it is not searched.
        Allow = "allow",
    }
}

words! {
    /// What happens after failed trials in a row.
    #[derive(Default)]
    LadderMode {
        /// Nothing.
        Off = "off",
        /// The next step only says what would be due; the program refuses nothing and ends no run.
        Advise = "advise",
        /// The agent must log what is due before the next trial; the run ends when the ladder does.
        #[default]
        Enforce = "enforce",
    }
}

/// Labels that are required of a trial (`autoresearch trial --label NAME`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequiredLabels {
    /// A trial without all of these is not kept.
    #[serde(default)]
    pub keep: Vec<String>,
    /// The target ends the run only when the kept state carries all of these.
    #[serde(default)]
    pub stop: Vec<String>,
}

impl ViewUse {
    /// Is it what counts when nothing is written?
    #[must_use]
    pub fn is_auto(&self) -> bool {
        *self == Self::Auto
    }
}

/// The check at start that the metric reacts to the files of the scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReactionRule {
    /// Why the run starts without this check. A person's decision: the reason stands in the answer of `start` and in the log.
    #[serde(default)]
    pub exempt: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_choice_is_the_one_in_files() {
        macro_rules! assert_words {
            ($($choice:expr),+ $(,)?) => {
                $(assert_eq!(serde_json::to_value($choice).unwrap(), $choice.as_str());)+
            };
        }
        assert_words!(
            Mode::Loop,
            Mode::Plan,
            Mode::Debug,
            Mode::Fix,
            Mode::Security,
            Mode::Ship,
            Mode::Exec
        );
        assert_words!(Shell::Sh, Shell::Bash);
        assert_words!(Isolation::Branch, Isolation::Worktree, Isolation::InPlace);
        assert_words!(Rollback::Reset, Rollback::Revert);
        assert_words!(RepositoryHooks::Bypass, RepositoryHooks::Run);
        assert_words!(ClaimMode::Auto, ClaimMode::Never);
        assert_words!(
            SuppressionRule::Auto,
            SuppressionRule::Void,
            SuppressionRule::Allow
        );
        assert_words!(LadderMode::Off, LadderMode::Advise, LadderMode::Enforce);
    }
}
