//! Owns the order of the candidates: what fits the sentence and can run here comes first.
//! Does not make them.
//! Invariant: nothing that the machine lacks something for is proposed; it is listed apart, with what is missing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::scan::candidate::{Candidate, CandidateMaker};
use crate::scan::goal::{Aim, Wish};
use crate::scan::patterns::FilePatterns;
use crate::scan::project::{Project, list_projects};
use crate::scan::release::propose_release;
use crate::scan::stack::CountedPattern;
use crate::scan::survey::Survey;

/// More proposals help nobody to choose.
const MOST: usize = 8;
/// The same of what cannot run here.
const MOST_NOT_HERE: usize = 4;

/// What a repository suggests.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Proposals {
    /// What the sentence asks for, where its words say.
    pub aim: Option<Aim>,
    /// The best first; each can run on this machine.
    pub candidates: Vec<Candidate>,
    /// What fits, and lacks something here.
    pub not_here: Vec<Candidate>,
}

/// The pattern that counts what stands between backticks in a sentence.
#[must_use]
pub fn count_quoted(wish: &Wish) -> Option<CountedPattern> {
    let quoted = wish.quoted.as_ref()?.trim().to_owned();
    let is_letter = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let edge = |letter| if is_letter(letter) { r"\b" } else { "" };
    let (start, end) = (
        edge(quoted.chars().next()),
        edge(quoted.chars().next_back()),
    );
    Some(CountedPattern {
        metric: "matches".to_owned(),
        pattern: format!("{start}{}{end}", regex::escape(&quoted)),
        asked: vec![quoted.to_lowercase()],
        goal: "Remove what the sentence names".to_owned(),
        is_offered: false,
        when: Vec::new(),
    })
}

/// Does the sentence ask for one of these phrases? In one that says itself what it is after, `any` and `clone` are words
/// like others, unless backticks say otherwise.
fn is_asked(wish: &Wish, phrases: &[String]) -> bool {
    let text = format!(" {} ", wish.words.join(" "));
    let quoted = wish.quoted.as_ref();
    let quoted = quoted.map(|quoted| quoted.trim().to_lowercase());
    phrases.iter().any(|phrase| {
        quoted.as_ref() == Some(phrase)
            || wish.aim.is_none() && text.contains(&format!(" {phrase} "))
    })
}

/// What is looked for: the sentence, what it asks for, and the pattern that it names itself.
struct WantedAim<'w> {
    wish: &'w Wish,
    aim: Option<Aim>,
    quoted: Option<CountedPattern>,
}

impl<'w> WantedAim<'w> {
    /// What tables know how to count comes before what a sentence names between backticks.
    fn find(wish: &'w Wish, projects: &[Project<'_>]) -> Self {
        let mut counts = projects.iter().flat_map(|project| &project.stack.counts);
        let is_counted = counts.any(|counted| is_asked(wish, &counted.asked));
        let quoted = count_quoted(wish).filter(|_| !is_counted && wish.aim.is_none());
        let is_count = is_counted || quoted.is_some();
        Self {
            wish,
            aim: if is_count { Some(Aim::Count) } else { wish.aim },
            quoted,
        }
    }

    fn wants_recipe(&self, of: Aim) -> bool {
        match self.aim {
            Some(aim) => aim == of || aim.stand_in() == Some(of),
            None => of.is_offered(),
        }
    }

    fn wants_count(&self, counted: &CountedPattern) -> bool {
        match self.aim {
            Some(Aim::Count) => is_asked(self.wish, &counted.asked),
            Some(_) => false,
            None => counted.is_offered,
        }
    }

    fn make_candidates(&self, project: &Project<'_>) -> Vec<Candidate> {
        let patterns = FilePatterns::of_project(project);
        let maker = CandidateMaker {
            project,
            patterns: &patterns,
            wish: self.wish,
        };
        let recipes = project.stack.recipes.iter();
        let recipes = recipes.filter(|recipe| self.wants_recipe(recipe.aim));
        let counts = project.stack.counts.iter().chain(&self.quoted);
        let counts = counts.filter(|counted| self.wants_count(counted));
        let mut made: Vec<Candidate> = recipes
            .filter_map(|recipe| maker.make_of_recipe(recipe))
            .chain(counts.filter_map(|counted| maker.make_of_count(counted)))
            .collect();
        made.retain(Candidate::is_accepted);
        for candidate in &mut made {
            candidate.score = score_candidate(candidate, project, (self.wish, self.aim));
        }
        made
    }
}

/// Proposes configs for what a sentence asks for, or for nothing in particular.
#[must_use]
pub fn propose_configs(survey: &Survey, wish: &Wish) -> Proposals {
    let projects = list_projects(survey);
    let wanted = WantedAim::find(wish, &projects);
    let all = projects
        .iter()
        .flat_map(|project| wanted.make_candidates(project));
    let mut all = join_equal(all.collect());
    if wanted.aim == Some(Aim::Release) {
        all.extend(propose_release(survey, wish));
    }
    all.sort_by(|one, other| {
        other
            .score
            .cmp(&one.score)
            .then_with(|| one.title.cmp(&other.title))
    });
    let (mut candidates, mut not_here): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|candidate| candidate.missing.is_empty());
    candidates.truncate(MOST);
    not_here.truncate(MOST_NOT_HERE);
    Proposals {
        aim: wanted.aim,
        candidates,
        not_here,
    }
}

fn score_candidate(
    candidate: &Candidate,
    project: &Project<'_>,
    (wish, aim): (&Wish, Option<Aim>),
) -> u64 {
    let mut score = u64::from(candidate.aim.merit()) + project.share / 4;
    if aim == Some(candidate.aim) {
        score += 100;
    }
    let says = |name: &str| {
        wish.words
            .iter()
            .any(|word| word.trim_end_matches('/') == name)
    };
    let names_folder = !project.folder.is_empty()
        && (says(&project.folder.to_lowercase())
            || project
                .folder
                .rsplit('/')
                .next()
                .is_some_and(|name| says(&name.to_lowercase())));
    if names_folder
        || project
            .facts
            .name
            .as_ref()
            .is_some_and(|name| says(&name.to_lowercase()))
    {
        score += 60;
    }
    let here = &project.survey.here;
    let below = |inner: &str, outer: &str| {
        !outer.is_empty() && (inner == outer || inner.starts_with(&format!("{outer}/")))
    };
    if below(&project.folder, here) || below(here, &project.folder) {
        score += 50;
    }
    let title = project.stack.title.to_lowercase();
    if title.split([' ', '(', ')', ',']).any(says) {
        score += 40;
    }
    let verify = candidate.config["verify"].to_string();
    if wish
        .words
        .iter()
        .any(|word| word.len() > 3 && verify.contains(word.as_str()))
    {
        score += 20;
    }
    if candidate.config.get("guard").is_none() {
        score = score.saturating_sub(20);
    }
    if aim.is_none() && may_be_done(candidate, project.survey) {
        score = score.saturating_sub(40);
    }
    if project.is_nested {
        score = score.saturating_sub(10);
    }
    score
}

/// So many matches are work for a run.
const ENOUGH: u64 = 5;

/// Is there perhaps little left of what would be brought to zero? Where changes are checked by a service, nothing is found any
/// more by what it runs.
fn may_be_done(candidate: &Candidate, survey: &Survey) -> bool {
    let ends_at_zero = candidate.config["metric"]["target"] == 0;
    ends_at_zero
        && match candidate.today {
            Some(today) => today < ENOUGH,
            None => !survey.list_ci_files().is_empty(),
        }
}

/// Of the same metric in several projects the best stays, and names the others.
fn join_equal(all: Vec<Candidate>) -> Vec<Candidate> {
    let mut best: BTreeMap<(String, Aim, String), Candidate> = BTreeMap::new();
    for candidate in all {
        let metric = candidate.config["metric"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let key = (candidate.stack.clone(), candidate.aim, metric);
        match best.get_mut(&key) {
            None => {
                best.insert(key, candidate);
            }
            Some(kept) => {
                let wins = (candidate.missing.is_empty(), candidate.score)
                    > (kept.missing.is_empty(), kept.score);
                let (winner, loser) = if wins {
                    (candidate, kept.clone())
                } else {
                    (kept.clone(), candidate)
                };
                *kept = winner;
                kept.also.extend(loser.also);
                kept.also.push(loser.folder);
                // Two recipes of one folder may have the same metric.
                kept.also.retain(|folder| *folder != kept.folder);
                kept.also.sort();
                kept.also.dedup();
            }
        }
    }
    best.into_values().collect()
}

#[cfg(test)]
mod tests;
