//! Included files and parameters.
//!
//! Owns what happens to lines before they are statements.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::lexer::{Kind, Token, tokens};
use crate::notes::{Fault, Notes};
use crate::source::{Place, Sources};

/// Files within files.
const DEPTH: usize = 16;
/// A parameter within a parameter.
const ROUNDS: usize = 16;
/// Longest word that parameters may make.
const LENGTH: usize = 4096;
const INCLUDES: [&str; 6] = [
    "include", "includea", "includeb", "includem", "includer", "includew",
];

/// Reads the file and those that it names.
pub(crate) struct Expander<'a> {
    pub(crate) sources: &'a mut Sources,
    pub(crate) notes: &'a mut Notes,
    parameters: BTreeMap<String, String>,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(sources: &'a mut Sources, notes: &'a mut Notes) -> Self {
        Self {
            sources,
            notes,
            parameters: BTreeMap::new(),
        }
    }

    /// The tokens of a file, with those of the files that it includes in their places.
    pub(crate) fn file(&mut self, file: usize, depth: usize) -> Result<Vec<Token>, Fault> {
        let all = tokens(file, self.sources.text(file))?;
        let mut expanded = Vec::with_capacity(all.len());
        for line in all.split_inclusive(|token| token.kind == Kind::LineEnd) {
            match line {
                [
                    Token {
                        kind: Kind::Word(first),
                        place,
                    },
                    rest @ ..,
                ] if is_definition(first) => {
                    self.define(first, *place, rest);
                }
                [
                    Token {
                        kind: Kind::Word(first),
                        ..
                    },
                    Token {
                        kind: Kind::Word(name),
                        place,
                    },
                    ..,
                ] if INCLUDES.contains(&first.as_str()) => {
                    expanded.extend(self.include((name, *place), file, depth)?);
                }
                _ => expanded.extend(line.iter().map(|token| self.substituted(token))),
            }
        }
        Ok(expanded)
    }

    fn define(&mut self, first: &str, place: Place, rest: &[Token]) {
        let (name, value) = first.split_once('=').unwrap_or((first, ""));
        if rest.iter().any(|token| token.kind != Kind::LineEnd) {
            let help = "write the lines themselves where the parameter is used";
            self.notes
                .lost(place, name, "a parameter of several words", help);
            return;
        }
        let name = name.trim_start_matches('$').to_owned();
        self.parameters.insert(name, value.to_owned());
    }

    fn substituted(&self, token: &Token) -> Token {
        let Kind::Word(word) = &token.kind else {
            return token.clone();
        };
        let mut word = word.clone();
        for _ in 0..ROUNDS {
            match self.replaced(&word) {
                Some(replaced) if replaced != word => word = replaced,
                _ => break,
            }
        }
        Token {
            kind: Kind::Word(word),
            place: token.place,
        }
    }

    /// The word with each parameter replaced once; `None` when it becomes too long.
    fn replaced(&self, word: &str) -> Option<String> {
        if let Some(value) = word
            .strip_prefix('$')
            .and_then(|name| self.parameters.get(name))
        {
            return Some(value.clone());
        }
        let mut replaced = word.to_owned();
        for (name, value) in &self.parameters {
            let written = format!("${{{name}}}");
            // Counted first: parameters of parameters could ask for any amount of memory.
            let times = replaced.matches(&written).count();
            if replaced
                .len()
                .saturating_add(times.saturating_mul(value.len()))
                > LENGTH
            {
                return None;
            }
            replaced = replaced.replace(&written, value);
        }
        Some(replaced)
    }

    fn include(
        &mut self,
        (name, place): (&str, Place),
        file: usize,
        depth: usize,
    ) -> Result<Vec<Token>, Fault> {
        if depth == DEPTH {
            let text = format!("more than {DEPTH} files within each other");
            return Err(Fault::at(place, text, "does a file include itself?"));
        }
        let folder = self.sources.get(file).map(|source| source.folder.clone());
        let pattern = folder.unwrap_or_default().join(name);
        let paths = found(&pattern);
        if paths.is_empty() {
            let help = "run lvs-convert where the whole configuration is";
            self.notes.lost(
                place,
                "include",
                &format!("there is no file {}", pattern.display()),
                help,
            );
        }
        let mut tokens = Vec::new();
        for path in paths {
            let file = self.sources.read(&path)?;
            tokens.extend(self.file(file, depth + 1)?);
            // A last line without an end is one all the same.
            tokens.push(Token {
                kind: Kind::LineEnd,
                place,
            });
        }
        Ok(tokens)
    }
}

/// The files of a name with or without wildcards, sorted.
fn found(pattern: &Path) -> Vec<PathBuf> {
    let files = glob::glob(&pattern.to_string_lossy());
    let files = files.into_iter().flatten().filter_map(Result::ok);
    files.filter(|path| path.is_file()).collect()
}

fn is_definition(word: &str) -> bool {
    let name = word.strip_prefix('$').and_then(|word| word.split_once('='));
    name.is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}
