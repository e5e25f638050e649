//! Owns the config examples that are built into the binary.
//! Does not check them; a test does.
//! Invariant: every file of the repository's `templates` folder that is a config is here.

use autoresearch_sys::embedded::list_embedded_files;
use include_dir::{Dir, include_dir};

#[derive(Clone, Copy, Debug)]
pub struct Template {
    /// Its domain, as it is typed.
    pub domain: &'static str,
    pub text: &'static str,
}

static FOLDER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../templates");

/// All examples, in the order of their names.
#[must_use]
pub fn list_templates() -> Vec<Template> {
    let files = list_embedded_files(&FOLDER).into_iter();
    files
        .filter_map(|(name, bytes)| {
            Some(Template {
                domain: name.strip_suffix(".yaml")?,
                text: std::str::from_utf8(bytes).ok()?,
            })
        })
        .collect()
}

/// The text as it is printed: the schema is where `config schema` would put it, not where this repository has it.
#[must_use]
pub fn format_template(template: &Template) -> String {
    let line = "# yaml-language-server: $schema=config.schema.json (autoresearch config schema > config.schema.json)";
    template
        .text
        .lines()
        .enumerate()
        .map(|(at, text)| if at == 0 { line } else { text })
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

/// What an example is for: the first sentence of its comments.
#[must_use]
pub fn find_purpose(template: &Template) -> String {
    let comments = template
        .text
        .lines()
        .skip(1)
        .take_while(|line| line.starts_with('#'));
    let text = comments
        .map(|line| line.trim_start_matches('#').trim())
        .collect::<Vec<_>>()
        .join(" ");
    text.split_once(". ")
        .map_or(text.as_str(), |(first, _)| first)
        .to_owned()
}
