//! The book in `docs/`: its pages, the blocks in them, and their links.
//!
//! Owns as much of Markdown as the book uses. What the blocks have to hold is the tests' business.

use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::setup;

/// One page.
#[derive(Debug, Clone)]
pub struct Page {
    /// From the top of the source.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block<'a> {
    /// What stands behind the fence: `sh`, `lvs.cf`, …
    pub info: &'a str,
    /// Line of the fence, counted from 1.
    pub line: usize,
    /// The lines within, without the fence's indentation.
    pub text: String,
}

/// Where the commands of a block are run: the word behind `sh`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// `routers`: on both.
    Routers,
    /// `router-1`: on the one that the book calls router 1.
    FirstRouter,
    /// `active`: on the router that serves.
    Active,
    /// `standby`: on the other one.
    Standby,
    /// `client`: on a client.
    Client,
    /// `real-server`: on each real server.
    RealServer,
    /// `source`: by somebody who works on the source.
    Source,
    /// `not-run`: where no test can.
    NotRun,
}

impl Block<'_> {
    /// Where its commands are run; nothing when it has none.
    pub fn place(&self) -> Result<Option<Place>> {
        let mut words = self.info.split(' ');
        if words.next() != Some("sh") {
            return Ok(None);
        }
        let place = match (words.next(), words.next()) {
            (Some("routers"), None) => Place::Routers,
            (Some("router-1"), None) => Place::FirstRouter,
            (Some("active"), None) => Place::Active,
            (Some("standby"), None) => Place::Standby,
            (Some("client"), None) => Place::Client,
            (Some("real-server"), None) => Place::RealServer,
            (Some("source"), None) => Place::Source,
            (Some("not-run"), None) => Place::NotRun,
            _ => {
                return Err(Error::unmet(format_args!(
                    "line {}: \"{}\" does not name the machine that the commands are for",
                    self.line, self.info
                )));
            }
        };
        Ok(Some(place))
    }
}

/// The README and everything below `docs/`.
pub fn pages() -> Result<Vec<Page>> {
    let mut paths = vec![PathBuf::from("README.md")];
    let mut folders = vec![PathBuf::from("docs")];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(setup::workspace().join(&folder)).during("listing docs")?;
        for entry in entries {
            let entry = entry.during("listing docs")?;
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                paths.push(path);
            }
        }
    }
    paths.sort();
    paths.into_iter().map(|path| page(&path)).collect()
}

/// The page of this name.
pub fn page(path: &Path) -> Result<Page> {
    let text = std::fs::read_to_string(setup::workspace().join(path)).during("reading a page")?;
    Ok(Page {
        path: path.to_owned(),
        text,
    })
}

impl Page {
    /// The fenced blocks in their order.
    pub fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks: Vec<Block<'_>> = Vec::new();
        let mut open: Option<usize> = None;
        for (number, line) in self.text.lines().enumerate() {
            let bare = line.trim_start();
            match (bare.strip_prefix("```"), open) {
                (Some(info), None) => {
                    open = Some(line.len() - bare.len());
                    blocks.push(Block {
                        info: info.trim(),
                        line: number + 1,
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => open = None,
                (None, Some(indent)) => {
                    let cut = indent.min(line.len() - bare.len());
                    if let Some(block) = blocks.last_mut() {
                        block.text.push_str(line.get(cut..).unwrap_or_default());
                        block.text.push('\n');
                    }
                }
                (None, None) => {}
            }
        }
        blocks
    }

    /// The one block with this mark.
    pub fn block(&self, info: &str) -> Result<Block<'_>> {
        let mut blocks = self.blocks().into_iter().filter(|block| block.info == info);
        match (blocks.next(), blocks.next()) {
            (Some(block), None) => Ok(block),
            _ => Err(Error::unmet(format_args!(
                "{} has not exactly one block marked {info}",
                self.path.display()
            ))),
        }
    }

    /// The text without its fenced blocks, line by line.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut fenced = false;
        self.text
            .lines()
            .enumerate()
            .filter_map(move |(number, line)| {
                let fence = line.trim_start().starts_with("```");
                fenced ^= fence;
                (!fenced && !fence).then_some((number + 1, line))
            })
    }

    /// What stands in the text as code, with its lines.
    pub fn code(&self) -> Vec<(usize, &str)> {
        self.prose()
            .flat_map(|(number, line)| {
                let spans = line.split('`').skip(1).step_by(2);
                spans.map(move |span| (number, span))
            })
            .collect()
    }

    /// Where links lead, with their lines.
    pub fn links(&self) -> Vec<(usize, &str)> {
        let targets = |line| {
            let rests = str::split(line, "](").skip(1);
            rests.filter_map(|rest: &str| rest.split(')').next())
        };
        self.prose()
            .flat_map(|(number, line)| targets(line).map(move |target| (number, target)))
            .collect()
    }

    /// The names under which its headings can be linked to.
    pub fn anchors(&self) -> Vec<String> {
        let headings = self.prose().filter(|(_, line)| line.starts_with('#'));
        headings
            .map(|(_, line)| {
                let title = line.trim_start_matches('#').trim().to_lowercase();
                let kept = title
                    .chars()
                    .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
                kept.map(|c| if c == ' ' { '-' } else { c }).collect()
            })
            .collect()
    }
}

/// The commands of a shell block: words, quotes taken away, one list for each.
pub fn commands(text: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for line in text.replace("\\\n", " ").lines() {
        let line = line.trim();
        if line.starts_with('#') {
            continue;
        }
        let mut command = Vec::new();
        for word in words(line) {
            if matches!(word.as_str(), "&&" | "|" | ";" | "||") {
                commands.push(std::mem::take(&mut command));
            } else {
                command.push(word);
            }
        }
        commands.push(command);
    }
    commands.retain(|command| !command.is_empty());
    commands
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match (c, quote) {
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(mark)) if c == mark => quote = None,
            (' ' | '\t', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Page {
        let text = "# The Title: 1\n[a](b.md#c) and [d](e) `f -g` `h`\n\n   ```sh\n   pulse -c \\\n     'a b' | cat\n   ```\n```\n[no](link)\n```\n";
        Page {
            path: "a.md".into(),
            text: text.into(),
        }
    }

    #[test]
    fn blocks_links_and_anchors_are_found() {
        let page = sample();
        let infos: Vec<_> = page
            .blocks()
            .into_iter()
            .map(|block| (block.info.to_owned(), block.line))
            .collect();
        assert_eq!(infos, [("sh".to_owned(), 4), (String::new(), 8)]);
        assert_eq!(page.links(), [(2, "b.md#c"), (2, "e")]);
        assert_eq!(page.code(), [(2, "f -g"), (2, "h")]);
        assert_eq!(page.anchors(), ["the-title-1"]);
        assert!(page.block("lvs.cf").is_err());
    }

    #[test]
    fn commands_are_taken_apart() {
        let page = sample();
        let found = commands(&page.block("sh").unwrap().text);
        assert_eq!(found, [vec!["pulse", "-c", "a b"], vec!["cat"]]);
        assert_eq!(commands("# x\n\nA=1 b\n"), [["A=1", "b"]]);
    }
}
