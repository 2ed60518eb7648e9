//! One wish after another, on a text whose comments and order stay.
//!
//! Owns what an edit does and how its failure names the field. lvs-config does the writing.

use lvs_config::edit::EditError;
use lvs_config::{Config, Editor, Level, Place, Server, Setting, Span, Text, Virtual};
use serde::{Deserialize, Serialize};

use crate::field::{refuse_name, refuse_value};
use crate::item::{Item, Name};
use crate::programs::{guarded, is_built_in};

/// A single change. Values have the form of `--show-config`: no outer quotes, an address and its
/// device separated by a blank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "edit", deny_unknown_fields)]
pub enum Edit {
    /// Give a keyword a value.
    Set {
        /// Where.
        at: Item,
        /// Which.
        keyword: String,
        /// What.
        value: String,
    },
    /// Take a keyword out, so that its default is in force.
    Unset {
        /// Where.
        at: Item,
        /// Which.
        keyword: String,
    },
    /// Give a block another name.
    Rename {
        /// The block.
        at: Item,
        /// Its new name.
        name: String,
    },
    /// Add a virtual block behind the last one.
    AddVirtual {
        /// Its name, which no other has.
        name: String,
        /// Keywords and values.
        keywords: Vec<(String, String)>,
    },
    /// Add a server behind the last one of a virtual block.
    AddServer {
        /// The virtual block.
        service: Name,
        /// Its name, which no other of the block has.
        name: String,
        /// Keywords and values.
        keywords: Vec<(String, String)>,
    },
    /// Remove a block with all that is in it.
    Remove {
        /// The block.
        at: Item,
    },
}

/// What is wrong with one edit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Which edit of the list, from 0.
    pub edit: usize,
    /// The keyword or `name` that the message belongs to; absent: the whole edit.
    pub keyword: Option<String>,
    /// For people.
    pub message: String,
}

/// A failure before it is known which edit of the list it was.
type Wrong = (Option<String>, String);

/// Carries out the edits; those that fail are told, the others are still tried.
pub(crate) fn carry_out(
    editor: &mut Editor,
    edits: &[Edit],
    programs: bool,
) -> Result<(), Vec<FieldError>> {
    let mut errors = Vec::new();
    for (at, edit) in edits.iter().enumerate() {
        let failures = one(editor, edit, programs).err().unwrap_or_default();
        errors.extend(failures.into_iter().map(|(keyword, message)| FieldError {
            edit: at,
            keyword,
            message,
        }));
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn one(editor: &mut Editor, edit: &Edit, programs: bool) -> Result<(), Vec<Wrong>> {
    match edit {
        Edit::Set { at, keyword, value } => {
            set(editor, at, keyword, Some(value), programs).map_err(|wrong| vec![wrong])
        }
        Edit::Unset { at, keyword } => {
            set(editor, at, keyword, None, programs).map_err(|wrong| vec![wrong])
        }
        Edit::Rename { at, name } => rename(editor, at, name).map_err(|wrong| vec![wrong]),
        Edit::AddVirtual { name, keywords } => add_virtual(editor, name, keywords, programs),
        Edit::AddServer {
            service,
            name,
            keywords,
        } => add_server(editor, service, name, keywords, programs),
        Edit::Remove { at } => {
            let place = find(at, &editor.config()).map_err(|wrong| vec![wrong])?;
            editor.remove(place).map_err(|error| vec![whole(&error)])
        }
    }
}

fn find(item: &Item, config: &Config) -> Result<Place, Wrong> {
    item.place(config)
        .ok_or_else(|| (None, format!("there is no {item}")))
}

fn whole(error: &EditError) -> Wrong {
    (None, error.to_string())
}

fn of(keyword: &str, message: String) -> Wrong {
    (Some(keyword.to_owned()), message)
}

fn set(
    editor: &mut Editor,
    item: &Item,
    keyword: &str,
    value: Option<&str>,
    programs: bool,
) -> Result<(), Wrong> {
    let place = find(item, &editor.config())?;
    check_keyword(place.level(), keyword, value)?;
    let mut changed = editor.clone();
    let done = match value {
        Some(value) => changed.set(place, keyword, value),
        None => changed.unset(place, keyword),
    };
    done.map_err(|error| of(keyword, plain(&error)))?;
    let touched = changed.text() != editor.text();
    if let Some(value) = value.filter(|_| touched && !programs) {
        refuse_program(keyword, value)?;
    }
    *editor = changed;
    Ok(())
}

/// Where programs may not be named.
fn refuse_program(keyword: &str, value: &str) -> Result<(), Wrong> {
    if guarded(keyword).is_none() || is_built_in(keyword, value.as_bytes()) {
        return Ok(());
    }
    let message = "what is run as root can be changed only in the file itself".to_owned();
    Err(of(keyword, message))
}

fn check_keyword(level: Level, keyword: &str, value: Option<&str>) -> Result<(), Wrong> {
    if keyword == "serial_no" {
        return Err(of(keyword, "is counted by itself".to_owned()));
    }
    match value.and_then(|value| refuse_value(level, keyword, value)) {
        Some(message) => Err(of(keyword, message)),
        None => Ok(()),
    }
}

/// Without the keyword, beside which the message stands.
fn plain(error: &EditError) -> String {
    match error {
        EditError::Refused {
            message, expected, ..
        } => format!("{message}; expected {expected}"),
        EditError::Write(_) => "cannot be written in lvs.cf".to_owned(),
        other => other.to_string(),
    }
}

fn check_name<'n>(
    name: &str,
    mut others: impl Iterator<Item = &'n Setting<Text>>,
) -> Result<(), Wrong> {
    if let Some(message) = refuse_name(name) {
        return Err(of("name", message));
    }
    if others.any(|other| other.value == *name) {
        return Err(of("name", format!("there is another {name}")));
    }
    Ok(())
}

fn rename(editor: &mut Editor, item: &Item, name: &str) -> Result<(), Wrong> {
    let config = editor.config();
    let place = find(item, &config)?;
    match place {
        Place::Virtual(own) => {
            let others = config.virtuals.iter().enumerate();
            let others = others.filter(|(at, _)| *at != own);
            check_name(name, others.map(|(_, block)| &block.name))?;
        }
        Place::VirtualServer(block, own) => {
            let servers = config.virtuals.get(block).map(|block| &block.servers);
            let others = servers.into_iter().flatten().enumerate();
            let others = others.filter(|(at, _)| *at != own);
            check_name(name, others.map(|(_, server)| &server.name))?;
        }
        _ => return Err((None, "has no name".to_owned())),
    }
    editor
        .rename(place, name)
        .map_err(|error| of("name", plain(&error)))
}

/// Sets the keywords of a new block, which stands alone in `editor`; tells all that is wrong with it.
fn fill(
    editor: &mut Editor,
    place: Place,
    name: Result<(), Wrong>,
    keywords: &[(String, String)],
    programs: bool,
) -> Result<(), Vec<Wrong>> {
    let mut wrong = Vec::from_iter(name.err());
    for (keyword, value) in keywords {
        let done = check_keyword(place.level(), keyword, Some(value)).and_then(|()| {
            if !programs {
                refuse_program(keyword, value)?;
            }
            let set = editor.set(place, keyword, value);
            set.map_err(|error| of(keyword, plain(&error)))
        });
        wrong.extend(done.err());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong) }
}

/// The name of a new block; in place of a wrong one any that can be written, so that the rest is still tried.
fn name_of_new(name: &str, checked: &Result<(), Wrong>) -> Setting<Text> {
    let name = if checked.is_ok() { name } else { "x" };
    Setting::written(Text::from(name), Span::default())
}

fn alone(text: &[u8]) -> Result<Editor, Vec<Wrong>> {
    Editor::new(text).map_err(|error| vec![(None, error.to_string())])
}

fn add_virtual(
    editor: &mut Editor,
    name: &str,
    keywords: &[(String, String)],
    programs: bool,
) -> Result<(), Vec<Wrong>> {
    let config = editor.config();
    let checked = check_name(name, config.virtuals.iter().map(|block| &block.name));
    let mut single = alone(b"\n")?;
    let block = Virtual {
        name: name_of_new(name, &checked),
        ..Virtual::default()
    };
    let failed = |error: EditError| vec![whole(&error)];
    single.add_virtual(&block).map_err(failed)?;
    fill(&mut single, Place::Virtual(0), checked, keywords, programs)?;
    match single.config().virtuals.first() {
        Some(block) => editor.add_virtual(block).map_err(failed),
        None => Err(failed(EditError::NotTheSame)),
    }
}

fn add_server(
    editor: &mut Editor,
    service: &Name,
    name: &str,
    keywords: &[(String, String)],
    programs: bool,
) -> Result<(), Vec<Wrong>> {
    let config = editor.config();
    let item = Item::Virtual {
        service: service.clone(),
    };
    let place = find(&item, &config).map_err(|wrong| vec![wrong])?;
    let servers = match place {
        Place::Virtual(at) => config.virtuals.get(at).map(|block| &block.servers),
        _ => None,
    };
    let others = servers.into_iter().flatten().map(|server| &server.name);
    let checked = check_name(name, others);
    let mut single = alone(b"virtual x {\n}\n")?;
    let server = Server {
        name: name_of_new(name, &checked),
        ..Server::default()
    };
    let failed = |error: EditError| vec![whole(&error)];
    single
        .add_server(Place::Virtual(0), &server)
        .map_err(failed)?;
    fill(
        &mut single,
        Place::VirtualServer(0, 0),
        checked,
        keywords,
        programs,
    )?;
    let config = single.config();
    match config
        .virtuals
        .first()
        .and_then(|block| block.servers.first())
    {
        Some(server) => editor.add_server(place, server).map_err(failed),
        None => Err(failed(EditError::NotTheSame)),
    }
}
