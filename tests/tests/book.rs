//! The book holds what it promises: links lead somewhere, examples of lvs.cf are accepted, commands are
//! ones that the programs take, log texts are ones that they write.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

use std::path::{Path, PathBuf};

use lab::book::{self, Block, Page, Place};
use lab::setup;

mod commands;

use commands::accepted;

/// Says all that is wrong at once.
fn nothing_wrong(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn all_blocks(pages: &[Page], kind: &str) -> Vec<(String, String, String)> {
    let of = |page: &Page| -> Vec<_> {
        let blocks = page.blocks().into_iter();
        let ours = blocks.filter(|block| block.info.split(' ').next() == Some(kind));
        let at = |block: &Block<'_>| format!("{}:{}", page.path.display(), block.line);
        ours.map(|block| (at(&block), block.info.to_owned(), block.text))
            .collect()
    };
    pages.iter().flat_map(of).collect()
}

#[test]
fn links_lead_somewhere() {
    let pages = book::pages().unwrap();
    let mut wrong = Vec::new();
    for page in &pages {
        let folder = page.path.parent().unwrap_or(Path::new(""));
        for (line, target) in page.links() {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() {
                page.path.clone()
            } else {
                clean(&folder.join(file))
            };
            let other = pages.iter().find(|page| page.path == path);
            let exists = setup::workspace().join(&path).exists();
            let has_anchor = anchor.is_empty()
                || other.is_some_and(|page| page.anchors().iter().any(|name| name == anchor));
            if !exists || !has_anchor {
                wrong.push(format!("{}:{line}: {target}", page.path.display()));
            }
        }
    }
    nothing_wrong(wrong);
}

/// Without `..`.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            clean.pop();
        } else {
            clean.push(part);
        }
    }
    clean
}

#[test]
fn each_page_is_in_the_contents() {
    let contents = book::page(Path::new("docs/README.md")).unwrap();
    let linked: Vec<_> = contents
        .links()
        .into_iter()
        .map(|(_, target)| target.to_owned())
        .collect();
    let pages = book::pages().unwrap();
    let docs = pages
        .iter()
        .filter_map(|page| page.path.strip_prefix("docs").ok());
    let missing = docs.filter(|path| *path != Path::new("README.md"));
    let missing = missing.filter(|path| !linked.iter().any(|target| Path::new(target) == *path));
    nothing_wrong(missing.map(|path| path.display().to_string()).collect());
}

/// `lvs.cf`: a whole file, which nothing is odd about. `lvs.cf global`, `lvs.cf virtual`: lines of one.
#[test]
fn examples_of_lvs_cf_are_accepted() {
    let examples = all_blocks(&book::pages().unwrap(), "lvs.cf");
    assert!(examples.len() >= 10, "{} examples", examples.len());
    let mut wrong = Vec::new();
    for (at, info, text) in examples {
        let whole = match info.as_str() {
            "lvs.cf virtual" => format!("virtual x {{\n{text}}}\n"),
            "lvs.cf" | "lvs.cf global" => text,
            _ => panic!("{at}: {info}"),
        };
        let parsed = lvs_config::parse_all(whole.as_bytes());
        for said in &parsed.diagnostics {
            let error = said.severity == lvs_config::Severity::Error;
            let odd = info == "lvs.cf" && said.code != lvs_config::Code::Extension;
            if error || odd {
                wrong.push(format!("{at}: {said}"));
            }
        }
    }
    nothing_wrong(wrong);
}

#[test]
fn the_set_up_pages_have_the_sample_files() {
    for (page, sample) in [
        ("docs/nat.md", "etc/lvs-nat.cf"),
        ("docs/direct-routing.md", "etc/lvs-direct.cf"),
        ("docs/tunnel.md", "etc/lvs-tunnel.cf"),
    ] {
        let page = book::page(Path::new(page)).unwrap();
        let file = std::fs::read_to_string(setup::workspace().join(sample)).unwrap();
        let shown = page.block("lvs.cf").unwrap().text;
        let bare = |text: &str| -> Vec<String> {
            let lines = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty() && !line.starts_with('#'));
            lines.map(str::to_owned).collect()
        };
        assert_eq!(bare(&shown), bare(&file), "{sample}");
    }
}

#[test]
fn commands_are_ones_that_the_programs_take() {
    let mut wrong = Vec::new();
    let mut ours = 0;
    for (at, _, text) in all_blocks(&book::pages().unwrap(), "sh") {
        for command in book::commands(&text) {
            match accepted(&command) {
                Ok(own) => ours += usize::from(own),
                Err(text) => wrong.push(format!("{at}: {}: {text}", command.join(" "))),
            }
        }
    }
    nothing_wrong(wrong);
    assert!(ours >= 40, "{ours} commands");
}

/// What the laboratory does not run: how the block begins, and why.
const NOT_RUN: &[(&str, &str)] = &[
    (
        "scp ",
        "its machines have no ssh; the file is copied as the page says",
    ),
    (
        "modprobe ip_vs",
        "its kernel has the module already, and its machines no modules",
    ),
    ("tcpdump ", "it ends by hand only"),
    (
        "rpm -e piranha\n",
        "its machines are Debian's: the scenario rpm does this, with a package in Piranha's place",
    ),
];
/// Of commands for people who work on the source: how the block begins, and who runs it.
const SOURCE: &[(&str, &str)] = &[
    ("cargo lab test\n", "it is what CI runs, this test with it"),
    (
        "cargo lab test --list",
        "the first line here, below; the others are parts of what CI runs",
    ),
    (
        "cargo lab demo",
        "takes a minute for each method; its scenes are the scenarios story-nat, story-direct, story-tunnel",
    ),
    ("cargo lab bench", "measures; its figures stand in the book"),
    (
        "cargo lab package",
        "builds for release, for longer than CI may take; the same package, not optimised, is installed by scenarios",
    ),
    (
        "cargo check -p pulse",
        "CI does the same for the whole workspace",
    ),
    ("cargo nextest run -p lab --test book", "this test"),
    (
        "cargo test -p lab --test corpus",
        "a part of the unit tests",
    ),
    (
        "cargo install cargo-fuzz",
        "fuzzes for an hour with a compiler's unfinished parts",
    ),
    ("RUSTC_BOOTSTRAP=1 cargo fuzz", "the same"),
];

/// Pages in another language: their blocks are run as those of the page that they translate.
const TRANSLATED: &[(&str, &str)] = &[("docs/ko/start.md", "docs/start.md")];

/// Each command says where it is to be run, and is run there, or stands in a list with the reason.
#[test]
fn each_command_is_run_or_it_is_said_why_not() {
    let followed = lab::scenario::pages();
    let translated = |page: &Page| {
        TRANSLATED
            .iter()
            .any(|(path, _)| page.path == Path::new(path))
    };
    let mut wrong = Vec::new();
    let mut used = std::collections::BTreeSet::new();
    for page in book::pages().unwrap() {
        for block in page.blocks() {
            let at = format!("{}:{}", page.path.display(), block.line);
            let list = match block.place() {
                Err(error) => {
                    wrong.push(format!("{}: {error}", page.path.display()));
                    continue;
                }
                Ok(None) => continue,
                Ok(Some(Place::NotRun)) => NOT_RUN,
                Ok(Some(Place::Source)) => SOURCE,
                Ok(Some(_)) if followed.iter().any(|path| page.path == Path::new(path)) => continue,
                Ok(Some(_)) if translated(&page) => continue,
                Ok(Some(place)) => {
                    wrong.push(format!("{at}: no scenario follows this page: {place:?}"));
                    continue;
                }
            };
            match list.iter().find(|(start, _)| block.text.starts_with(start)) {
                Some((start, _)) => {
                    used.insert(*start);
                }
                None => wrong.push(format!(
                    "{at}: not run, and nobody says why: {}",
                    block.text
                )),
            }
        }
    }
    let listed = NOT_RUN.iter().chain(SOURCE).map(|(start, _)| *start);
    let idle = listed.filter(|start| !used.contains(start));
    wrong.extend(idle.map(|start| format!("\"{start}\" is not in the book any more")));
    nothing_wrong(wrong);
}

/// The same commands on the same machines in the same order, so that they need not be run again.
#[test]
fn translated_pages_have_the_commands_of_the_original() {
    let run = |path: &str| -> Vec<(String, String)> {
        let page = book::page(Path::new(path)).unwrap();
        let blocks = page.blocks().into_iter();
        let run = blocks.filter(|block| {
            let place = block.place().unwrap();
            place.is_some_and(|place| !matches!(place, Place::Source | Place::NotRun))
        });
        run.map(|block| (block.info.to_owned(), block.text))
            .collect()
    };
    for (path, original) in TRANSLATED {
        assert!(lab::scenario::pages().contains(original), "{original}");
        assert_eq!(run(path), run(original), "{path}");
    }
}

#[test]
fn the_laboratory_lists_what_it_runs() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["test", "--list"])
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    assert!(
        names.lines().any(|line| line.starts_with("story-nat ")),
        "{names}"
    );
}

/// In the text: commands of ours with an option, of which brackets and `…` are not meant to be typed.
#[test]
fn commands_in_the_text_are_ones_that_the_programs_take() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in book::pages().unwrap() {
        for (line, span) in page.code() {
            let plain = span.replace(['[', ']'], "");
            for command in book::commands(&plain) {
                // Of alternatives the first.
                let words = command.iter().filter(|word| *word != "…");
                let words = words.map(|word| word.split("\\|").next().unwrap_or_default());
                let command: Vec<String> = words.map(str::to_owned).collect();
                let has_options = command.iter().any(|word| word.starts_with('-'));
                if !has_options || !commands::is_ours(&command) {
                    continue;
                }
                count += 1;
                if let Err(text) = accepted(&command) {
                    wrong.push(format!("{}:{line}: {span}: {text}", page.path.display()));
                }
            }
        }
    }
    nothing_wrong(wrong);
    assert!(count >= 40, "{count} commands");
}

/// No command of ours stands in a block that is not held to anything.
#[test]
fn each_block_with_commands_is_marked() {
    let mut wrong = Vec::new();
    for (at, _, text) in all_blocks(&book::pages().unwrap(), "") {
        for command in book::commands(&text) {
            if commands::is_ours(&command) && command.iter().any(|word| word.starts_with('-')) {
                wrong.push(format!("{at}: {}", command.join(" ")));
            }
        }
    }
    nothing_wrong(wrong);
}

/// Files of the source that commands name are there.
#[test]
fn files_that_commands_name_are_there() {
    let mut wrong = Vec::new();
    for (at, _, text) in all_blocks(&book::pages().unwrap(), "sh") {
        for word in book::commands(&text).concat() {
            let ours = ["etc/", "systemd/", "docs/", "tests/", "crates/", "bins/"];
            if ours.iter().any(|start| word.starts_with(start))
                && !setup::workspace().join(&word).exists()
            {
                wrong.push(format!("{at}: {word}"));
            }
        }
    }
    nothing_wrong(wrong);
}

/// The first column of the tables in the page about troubles: what stands in quotation marks is
/// written by a program. `…` stands for what differs from time to time.
#[test]
fn log_texts_are_ones_that_the_programs_write() {
    let page = book::page(Path::new("docs/troubleshooting.md")).unwrap();
    let source = sources();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (line, text) in page.prose().filter(|(_, text)| text.starts_with("| \"")) {
        let column = text
            .trim_start_matches("| ")
            .split(" | ")
            .next()
            .unwrap_or_default();
        for quoted in column.split('"').skip(1).step_by(2) {
            count += 1;
            let parts = quoted
                .split('…')
                .map(str::trim)
                .filter(|part| part.len() > 3);
            let missing = parts.filter(|part| !source.contains(part));
            wrong.extend(missing.map(|part| format!("{}:{line}: {part}", page.path.display())));
        }
    }
    nothing_wrong(wrong);
    assert!(count >= 20, "{count} texts");
}

/// All that the programs are made of.
fn sources() -> String {
    let mut text = String::new();
    let mut folders = vec![
        setup::workspace().join("crates"),
        setup::workspace().join("bins"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    text
}
