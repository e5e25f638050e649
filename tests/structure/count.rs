//! Owns the counting of a Rust workspace's structure: names, lengths, files, and which file uses which.
//! Does not judge: `tidy.rs` holds the limits, `main.rs` prints the table.
//! Invariant: only what is shipped is counted as code; `tests/`, `benches/`, `examples/` and `#[cfg(test)]` are tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// What was counted in a workspace.
#[derive(Default)]
pub(crate) struct Structure {
    /// The source files, without tests, in the order of their paths.
    pub(crate) files: Vec<SourceFile>,
    /// Which file uses an item of which other, by their places in `files`.
    pub(crate) arrows: BTreeSet<(usize, usize)>,
    pub(crate) code_lines: usize,
    pub(crate) test_lines: usize,
}

/// A source file, without its tests.
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    pub(crate) functions: Vec<Function>,
    pub(crate) types: Vec<String>,
    module: ModulePath,
    exports: Vec<Import>,
    used: Vec<ModulePath>,
}

/// A function with a body, or one that a trait asks for.
pub(crate) struct Function {
    pub(crate) name: String,
    /// From the word `fn` to the closing brace.
    pub(crate) lines: usize,
    /// Was the name chosen elsewhere, by the trait that is implemented?
    pub(crate) is_of_trait: bool,
}

/// The crate, then the modules.
type ModulePath = Vec<String>;

/// A name that a file can use, and what it stands for. `*` stands for all names.
struct Import {
    name: String,
    path: ModulePath,
    is_public: bool,
}

impl Structure {
    /// Reads all packages below `root`.
    pub(crate) fn read(root: &Path) -> Self {
        let mut structure = Self::default();
        let mut manifests = Vec::new();
        list_files(root, "Cargo.toml", &mut manifests);
        let crates: Vec<(String, PathBuf)> =
            manifests.iter().filter_map(|path| crate_of(path)).collect();
        let known: BTreeSet<String> = crates.iter().map(|(name, _)| name.clone()).collect();
        let mut sources = Vec::new();
        list_files(root, ".rs", &mut sources);
        sources.sort();
        for path in sources {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            let owner = crates
                .iter()
                .filter(|(_, folder)| path.starts_with(folder.join("src")))
                .max_by_key(|(_, folder)| folder.as_os_str().len());
            let Ok(parsed) = syn::parse_file(&text) else {
                continue;
            };
            let is_test = owner.is_none() || is_test_file(&path) || is_for_tests(&parsed.attrs);
            let mut reader = FileReader::default();
            if let (Some((name, folder)), false) = (owner, is_test) {
                reader.module = module_of(name, &path, folder);
                reader.known.clone_from(&known);
                reader.note_imports(&parsed.items);
                reader.visit_file(&parsed);
                structure.files.push(reader.file(&path));
            }
            let counted = count_lines(&text, &parsed, is_test);
            structure.code_lines += counted.0;
            structure.test_lines += counted.1;
        }
        structure.find_arrows();
        structure
    }

    /// The functions that are shipped.
    pub(crate) fn functions(&self) -> impl Iterator<Item = &Function> {
        self.files.iter().flat_map(|file| &file.functions)
    }

    /// How many functions have a name of one word, and how many chose their name at all.
    pub(crate) fn count_one_word(&self) -> (usize, usize) {
        let chosen: Vec<&Function> = self
            .functions()
            .filter(|function| !function.is_of_trait)
            .collect();
        let one_word = chosen
            .iter()
            .filter(|function| !function.name.contains('_'));
        (one_word.count(), chosen.len())
    }

    /// The names that more than one type has, and how many names there are.
    pub(crate) fn list_doubles(&self) -> (Vec<&str>, usize) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in self.files.iter().flat_map(|file| &file.types) {
            *counts.entry(name).or_default() += 1;
        }
        let all = counts.len();
        let doubles = counts.into_iter().filter(|(_, count)| *count > 1);
        (doubles.map(|(name, _)| name).collect(), all)
    }

    /// The circles: sets of files of which each uses, by whatever way, each other one.
    pub(crate) fn list_circles(&self) -> Vec<Vec<&Path>> {
        let reach = self.find_reach();
        let mut seen = BTreeSet::new();
        let mut circles = Vec::new();
        for file in 0..self.files.len() {
            let circle: Vec<usize> = reach[file]
                .iter()
                .copied()
                .filter(|other| reach[*other].contains(&file))
                .collect();
            if circle.len() > 1 && seen.insert(circle.clone()) {
                circles.push(
                    circle
                        .iter()
                        .map(|file| self.files[*file].path.as_path())
                        .collect(),
                );
            }
        }
        circles
    }

    /// How many files stand on each other at most: 1 plus the longest way down the arrows. A circle counts as one floor.
    pub(crate) fn count_floors(&self) -> usize {
        let reach = self.find_reach();
        let mut floors: Vec<Option<usize>> = vec![None; self.files.len()];
        // What reaches least lies lowest.
        let mut order: Vec<usize> = (0..self.files.len()).collect();
        order.sort_by_key(|file| reach[*file].len());
        for file in order {
            let below = self
                .arrows
                .range((file, 0)..(file + 1, 0))
                .map(|(_, other)| *other);
            let below = below.filter(|other| !reach[*other].contains(&file));
            floors[file] = Some(1 + below.filter_map(|other| floors[other]).max().unwrap_or(0));
        }
        floors.into_iter().flatten().max().unwrap_or(0)
    }

    /// The most source files in one folder.
    pub(crate) fn count_files_per_folder(&self) -> usize {
        let mut counts: BTreeMap<&Path, usize> = BTreeMap::new();
        for folder in self.files.iter().filter_map(|file| file.path.parent()) {
            *counts.entry(folder).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }

    /// For each file, those that it uses, directly or not, and itself if something that it uses uses it.
    fn find_reach(&self) -> Vec<BTreeSet<usize>> {
        (0..self.files.len())
            .map(|start| {
                let mut reached = BTreeSet::new();
                let mut open = vec![start];
                while let Some(file) = open.pop() {
                    for (_, other) in self.arrows.range((file, 0)..(file + 1, 0)) {
                        if reached.insert(*other) {
                            open.push(*other);
                        }
                    }
                }
                reached
            })
            .collect()
    }

    fn find_arrows(&mut self) {
        let places: BTreeMap<ModulePath, usize> = self
            .files
            .iter()
            .enumerate()
            .map(|(place, file)| (file.module.clone(), place))
            .collect();
        let mut arrows = BTreeSet::new();
        for (from, file) in self.files.iter().enumerate() {
            for path in &file.used {
                if let Some(to) = self.resolve(&places, path, 8)
                    && to != from
                {
                    arrows.insert((from, to));
                }
            }
        }
        self.arrows = arrows;
    }

    /// The file that defines what a path names; re-exports are followed.
    fn resolve(
        &self,
        places: &BTreeMap<ModulePath, usize>,
        path: &[String],
        depth: u8,
    ) -> Option<usize> {
        let known = (1..=path.len())
            .rev()
            .find(|length| places.contains_key(&path[..*length]))?;
        let place = places[&path[..known]];
        let Some(name) = path.get(known).filter(|_| depth > 0) else {
            return Some(place);
        };
        let exports = self.files[place]
            .exports
            .iter()
            .filter(|import| import.is_public);
        for import in exports {
            if import.name == *name {
                let rest = path[known + 1..].iter().cloned();
                let whole: Vec<String> = import.path.iter().cloned().chain(rest).collect();
                return self.resolve(places, &whole, depth - 1);
            }
        }
        Some(place)
    }
}

/// Reads one file: what it defines, and the paths that it names.
#[derive(Default)]
struct FileReader {
    module: ModulePath,
    known: BTreeSet<String>,
    imports: Vec<Import>,
    functions: Vec<Function>,
    types: Vec<String>,
    used: Vec<ModulePath>,
}

impl FileReader {
    fn file(self, path: &Path) -> SourceFile {
        SourceFile {
            path: path.to_owned(),
            functions: self.functions,
            types: self.types,
            module: self.module,
            exports: self.imports,
            used: self.used,
        }
    }

    /// The whole path of what a path in this file names, if it leads to a file of the workspace.
    fn whole_path(&self, segments: &[String]) -> Option<ModulePath> {
        let (first, rest) = segments.split_first()?;
        let up = |levels: usize| {
            let kept = self.module.len().saturating_sub(levels).max(1);
            self.module[..kept].to_vec()
        };
        let mut base = match first.as_str() {
            "crate" => up(self.module.len()),
            "self" => up(0),
            "super" => up(1),
            name if self.known.contains(name) => vec![name.to_owned()],
            name => match self.imports.iter().find(|import| import.name == name) {
                Some(import) => import.path.clone(),
                None => [up(0), vec![name.to_owned()]].concat(),
            },
        };
        for segment in rest {
            match segment.as_str() {
                "super" => {
                    base.pop();
                }
                "self" => {}
                name => base.push(name.to_owned()),
            }
        }
        Some(base)
    }

    fn note_imports(&mut self, items: &[syn::Item]) {
        for item in items {
            let syn::Item::Use(import) = item else {
                continue;
            };
            if is_for_tests(&import.attrs) {
                continue;
            }
            let mut leaves = Vec::new();
            list_leaves(&import.tree, &mut Vec::new(), &mut leaves);
            let is_public = !matches!(import.vis, syn::Visibility::Inherited);
            for (name, segments) in leaves {
                if let Some(path) = self.whole_path(&segments) {
                    self.imports.push(Import {
                        name,
                        path,
                        is_public,
                    });
                }
            }
        }
    }
}

impl<'ast> Visit<'ast> for FileReader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            syn::Item::Struct(item) => &item.attrs,
            syn::Item::Enum(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if is_for_tests(attributes) {
            return;
        }
        match item {
            syn::Item::Struct(item) => self.types.push(item.ident.to_string()),
            syn::Item::Enum(item) => self.types.push(item.ident.to_string()),
            syn::Item::Trait(item) => self.types.push(item.ident.to_string()),
            syn::Item::Type(item) => self.types.push(item.ident.to_string()),
            syn::Item::Fn(item) => self
                .functions
                .push(function_of(&item.sig, item.span(), false)),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        for part in &item.items {
            if let syn::ImplItem::Fn(method) = part {
                let function = function_of(&method.sig, method.span(), item.trait_.is_some());
                self.functions.push(function);
            }
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.functions
            .push(function_of(&item.sig, item.span(), false));
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut leaves = Vec::new();
        list_leaves(&item.tree, &mut Vec::new(), &mut leaves);
        for (_, segments) in leaves {
            if let Some(path) = self.whole_path(&segments) {
                self.used.push(path);
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let segments: Vec<String> = path
                .segments
                .iter()
                .map(|segment| segment.ident.to_string())
                .collect();
            if let Some(path) = self.whole_path(&segments) {
                self.used.push(path);
            }
        }
        visit::visit_path(self, path);
    }
}

fn function_of(
    signature: &syn::Signature,
    whole: proc_macro2::Span,
    is_of_trait: bool,
) -> Function {
    let first = signature.fn_token.span.start().line;
    Function {
        name: signature.ident.to_string(),
        lines: whole.end().line + 1 - first,
        is_of_trait,
    }
}

/// The names that a `use` brings, each with its segments.
fn list_leaves(
    tree: &syn::UseTree,
    above: &mut Vec<String>,
    leaves: &mut Vec<(String, Vec<String>)>,
) {
    match tree {
        syn::UseTree::Path(path) => {
            above.push(path.ident.to_string());
            list_leaves(&path.tree, above, leaves);
            above.pop();
        }
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                list_leaves(tree, above, leaves);
            }
        }
        syn::UseTree::Name(name) if name.ident == "self" => {
            leaves.push((above.last().cloned().unwrap_or_default(), above.clone()));
        }
        syn::UseTree::Name(name) => {
            let name = name.ident.to_string();
            leaves.push((name.clone(), [above.as_slice(), &[name]].concat()));
        }
        syn::UseTree::Rename(rename) => {
            let path = [above.as_slice(), &[rename.ident.to_string()]].concat();
            leaves.push((rename.rename.to_string(), path));
        }
        syn::UseTree::Glob(_) => leaves.push(("*".to_owned(), above.clone())),
    }
}

/// `#[cfg(test)]` and the like.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .meta
                .require_list()
                .is_ok_and(|list| list.tokens.to_string() == "test")
    })
}

fn is_test_file(path: &Path) -> bool {
    let name = path.file_stem().unwrap_or_default();
    name == "tests"
        || path.components().any(|part| {
            ["tests", "benches", "examples"]
                .contains(&part.as_os_str().to_str().unwrap_or_default())
        })
}

/// The crate of a manifest, as code names it, and its folder.
fn crate_of(manifest: &Path) -> Option<(String, PathBuf)> {
    let text = std::fs::read_to_string(manifest).ok()?;
    let (_, package) = text.split_once("[package]")?;
    let line = package.lines().find(|line| line.starts_with("name"))?;
    let name = line.split('"').nth(1)?;
    Some((name.replace('-', "_"), manifest.parent()?.to_owned()))
}

fn module_of(name: &str, path: &Path, folder: &Path) -> ModulePath {
    let below = path
        .strip_prefix(folder.join("src"))
        .unwrap_or(path)
        .with_extension("");
    let mut module = vec![name.to_owned()];
    module.extend(
        below
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned()),
    );
    if module
        .last()
        .is_some_and(|last| ["lib", "mod"].contains(&last.as_str()))
    {
        module.pop();
    }
    module
}

/// Lines with code in them, outside tests and in tests.
fn count_lines(text: &str, parsed: &syn::File, is_test: bool) -> (usize, usize) {
    let mut tests = BTreeSet::new();
    for item in &parsed.items {
        if let syn::Item::Mod(module) = item
            && is_for_tests(&module.attrs)
        {
            tests.extend(module.span().start().line..=module.span().end().line);
        }
    }
    let mut counts = (0, 0);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("//") {
            continue;
        }
        if is_test || tests.contains(&(number + 1)) {
            counts.1 += 1;
        } else {
            counts.0 += 1;
        }
    }
    counts
}

fn list_files(below: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                list_files(&path, ending, found);
            }
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}
