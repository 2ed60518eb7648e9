//! What the forms have in common: fields with help and errors, buttons, what is wrong with the file.

use std::collections::HashMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use change::{FieldError, Guarded, Item, Name, guarded, refuse_value};
use lvs_config::{Level, Place, ServiceKind};

use crate::configuration::Loaded;
use crate::edits;
use crate::fields::{Control, Definition, Part};
use crate::form::Form;
use crate::pages::{Shell, Tab, show};
use crate::texts::{FieldText, Forms, Texts};
use crate::visitor::Visitor;

/// Something to be said above a form.
#[derive(Debug)]
pub(crate) struct Banner {
    pub(crate) class: &'static str,
    pub(crate) text: String,
}

impl Banner {
    pub(crate) fn error(text: impl Into<String>) -> Self {
        Self {
            class: "error",
            text: text.into(),
        }
    }
}

/// A field as it is shown.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) parameter: &'static str,
    pub(crate) keyword: &'static str,
    part: Part,
    pub(crate) kind: &'static str,
    pub(crate) width: u8,
    pub(crate) text: &'static FieldText,
    pub(crate) value: String,
    pub(crate) options: Vec<(String, String, bool)>,
    pub(crate) error: Option<String>,
    pub(crate) note: Option<&'static str>,
    pub(crate) is_read_only: bool,
    /// The first one that an original does not know.
    pub(crate) opens_extensions: bool,
}

impl Field {
    /// A field with a value.
    pub(crate) fn new(definition: &Definition, visitor: &Visitor, value: String) -> Self {
        let (kind, width) = match definition.control {
            Control::Text(width) => ("text", width),
            Control::Flag => ("flag", 0),
            Control::YesNo => ("yesno", 0),
            Control::Mask => ("mask", 16),
            Control::Choice(_) if definition.keyword == "network" => ("network", 0),
            Control::Choice(_) => ("choice", 0),
        };
        Self {
            parameter: definition.parameter,
            keyword: definition.keyword,
            part: definition.part,
            kind,
            width,
            text: (definition.text)(visitor.language.fields()),
            options: options(visitor.texts(), definition, &value),
            value,
            error: None,
            note: None,
            is_read_only: !visitor.is_admin(),
            opens_extensions: false,
        }
    }

    /// What tells a screen reader that the value is wrong, and where it is said why.
    pub(crate) fn wrong(&self) -> String {
        let about = |_| {
            let id = self.parameter;
            format!(" aria-invalid=\"true\" aria-errormessage=\"{id}-error\"")
        };
        self.error.as_ref().map(about).unwrap_or_default()
    }

    fn shown_choice(&self) -> &str {
        let chosen = self.options.iter().find(|(_, _, is_chosen)| *is_chosen);
        chosen.map_or(self.value.as_str(), |(_, label, _)| label)
    }
}

/// The list, with the file's value too when it is none of them.
fn options(t: &Texts, definition: &Definition, value: &str) -> Vec<(String, String, bool)> {
    let Control::Choice(choices) = definition.control else {
        return Vec::new();
    };
    let option = |(name, label): &(&str, &str)| {
        // The file's own words are the same in all languages.
        let label = if name == label { label } else { t.word(label) };
        ((*name).to_owned(), label.to_owned(), *name == value)
    };
    let mut options: Vec<_> = choices.iter().map(option).collect();
    if !options.iter().any(|(_, _, is_chosen)| *is_chosen) {
        options.push((value.to_owned(), value.to_owned(), true));
    }
    options
}

/// Fields with the values of the file, or what was typed.
pub(crate) fn fields(
    definitions: &[Definition],
    visitor: &Visitor,
    loaded: &Loaded,
    place: Place,
    typed: Option<&Form>,
) -> Vec<Field> {
    let field = |definition: &Definition| {
        let value = match typed {
            Some(form) if definition.keyword != "network" => edits::typed(form, definition),
            _ => edits::value(&loaded.config, place, definition),
        };
        let mut field = Field::new(definition, visitor, value);
        // Its buttons send what the file does not say.
        if definition.keyword == "network"
            && let Some(typed) = typed.and_then(|form| form.get(definition.parameter))
            && !field.options.iter().any(|(name, ..)| name == typed)
        {
            let (name, label) = (typed.to_owned(), typed.to_owned());
            field.options.push((name, label, false));
        }
        // The tools of the list are no programs of the administrator's.
        let is_listed = matches!(definition.control, Control::Choice(_));
        if let Some(guarded) = guarded(definition.keyword)
            && !loaded.programs
            && !is_listed
        {
            field.is_read_only = true;
            field.note = Some(match guarded {
                Guarded::Program => visitor.language.forms().program_read_only,
                Guarded::File => visitor.language.forms().file_read_only,
            });
        }
        if definition.keyword == "fwmark" {
            field.note = Some(visitor.language.forms().fwmark_note);
        }
        field
    };
    let mut fields: Vec<Field> = definitions.iter().map(field).collect();
    let first = definitions.iter().position(|it| it.is_extension);
    if let Some(field) = first.and_then(|at| fields.get_mut(at)) {
        field.opens_extensions = true;
    }
    fields
}

/// Puts each message beside its field; what belongs to none is left.
pub(crate) fn place_errors(fields: &mut [Field], errors: &[FieldError]) -> Vec<String> {
    let mut by_keyword: HashMap<&str, &str> = HashMap::new();
    let mut rest = Vec::new();
    for error in errors {
        match &error.keyword {
            Some(keyword) => {
                by_keyword.entry(keyword).or_insert(&error.message);
            }
            None => rest.push(error.message.clone()),
        }
    }
    let wrong_parts = wrong_parts(fields);
    for field in fields {
        let wrong_part = wrong_parts.get(field.keyword);
        if wrong_part.is_some_and(|part| *part != field.part) {
            continue;
        }
        if let Some(message) = by_keyword.remove(field.keyword) {
            field.error = Some(message.to_owned());
        }
    }
    rest.extend(
        by_keyword
            .iter()
            .map(|(keyword, message)| format!("{keyword}: {message}")),
    );
    rest
}

/// Which of the two fields of an address with its device is the wrong one, by keyword: with a right
/// device instead, nothing is wrong any more.
fn wrong_parts(fields: &[Field]) -> HashMap<&'static str, Part> {
    let seconds = fields.iter().filter(|field| field.part == Part::Second);
    let wrong_part = |second: &Field| {
        let keyword = second.keyword;
        let is_first = |field: &&Field| field.keyword == keyword && field.part == Part::First;
        let address = &fields.iter().find(is_first)?.value;
        let level = match keyword {
            "nat_router" => Level::Global,
            _ => Level::Virtual,
        };
        let is_wrong =
            |device: &str| refuse_value(level, keyword, &format!("{address} {device}")).is_some();
        let is_second = is_wrong(&second.value) && !is_wrong("eth0");
        Some((keyword, if is_second { Part::Second } else { Part::First }))
    };
    seconds.filter_map(wrong_part).collect()
}

/// A way to a neighbouring page.
#[derive(Debug)]
pub(crate) struct SubTab {
    pub(crate) path: String,
    pub(crate) label: &'static str,
    pub(crate) is_current: bool,
}

/// A button of the bar.
#[derive(Debug)]
pub(crate) struct Button {
    pub(crate) action: &'static str,
    pub(crate) label: &'static str,
    pub(crate) class: &'static str,
}

/// A form.
#[derive(Template)]
#[template(path = "panel.html")]
pub(crate) struct Panel<'a> {
    t: &'static Texts,
    f: &'static Forms,
    shell: Shell<'a>,
    pub(crate) subtabs: Vec<SubTab>,
    pub(crate) banners: Vec<Banner>,
    pub(crate) heading: String,
    /// A label, whether it is on, and the word for that.
    pub(crate) state: Option<(&'static str, bool, &'static str)>,
    action: &'static str,
    base: String,
    pub(crate) hidden: Vec<(&'static str, String)>,
    has_masks: bool,
    fields: Vec<Field>,
    may_change: bool,
    pub(crate) buttons: Vec<Button>,
}

impl<'a> Panel<'a> {
    pub(crate) fn new(
        shell: Shell<'a>,
        loaded: &Loaded,
        action: &'static str,
        heading: impl Into<String>,
        fields: Vec<Field>,
    ) -> Self {
        let (t, f) = (shell.texts(), shell.visitor.language.forms());
        let button = |action, label, class| Button {
            action,
            label,
            class,
        };
        Self {
            t,
            f,
            subtabs: Vec::new(),
            banners: banners(f, loaded),
            heading: heading.into(),
            state: None,
            action,
            base: loaded.digest.clone(),
            hidden: Vec::new(),
            has_masks: fields.iter().any(|field| field.kind == "mask"),
            fields,
            may_change: may_change(shell.visitor, loaded),
            buttons: vec![button("accept", f.accept, "main")],
            shell,
        }
    }

    /// Shows it, with what is wrong beside the fields.
    pub(crate) fn show(mut self, errors: &[FieldError]) -> Response {
        let mut status = StatusCode::OK;
        if !errors.is_empty() {
            status = StatusCode::UNPROCESSABLE_ENTITY;
            self.banners.push(Banner::error(self.f.messages_below));
            let rest = place_errors(&mut self.fields, errors);
            self.banners.extend(rest.into_iter().map(Banner::error));
        }
        show(status, &self)
    }
}

/// Whether this visitor may change the file as it is.
pub(crate) fn may_change(visitor: &Visitor, loaded: &Loaded) -> bool {
    visitor.is_admin() && loaded.silence.is_none() && !loaded.has_errors
}

/// What is wrong with the file or the way to change it.
pub(crate) fn banners(f: &'static Forms, loaded: &Loaded) -> Vec<Banner> {
    let mut banners = Vec::new();
    if let Some(why) = &loaded.silence {
        banners.push(Banner::error(format!(
            "{} {}",
            f.applier_silent,
            f.told(why)
        )));
    }
    if loaded.config.global.service.value == ServiceKind::Fos {
        banners.push(Banner::error(f.failover_file));
    }
    if loaded.has_errors {
        banners.push(Banner::error(f.wrong_file));
        let errors = loaded.notes.iter().filter(|note| note.severity == "error");
        banners.extend(errors.take(20).map(|note| {
            let help = note.help.as_ref().or(note.expected.as_ref());
            let help = help
                .map(|help| format!(" ({})", f.told(help)))
                .unwrap_or_default();
            let message = f.told(&note.message);
            Banner::error(format!("{} {}: {message}{help}", f.line, note.line))
        }));
    }
    banners
}

/// The three pages of a virtual server.
pub(crate) fn subtabs(f: &'static Forms, service: &Name, current: &str) -> Vec<SubTab> {
    let tab = |page: &str, label| SubTab {
        path: path(page, &[("service", service)]),
        label,
        is_current: page == current,
    };
    vec![
        tab("virtual", f.edit_virtual),
        tab("servers", f.edit_server),
        tab("scripts", f.edit_scripts),
    ]
}

/// The address of a page about these items.
pub(crate) fn path(page: &str, names: &[(&str, &Name)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (parameter, name) in names {
        query.append_pair(parameter, &key(name));
    }
    format!("/secure/{page}?{}", query.finish())
}

/// A name as one text: `1/web`.
pub(crate) fn key(name: &Name) -> String {
    format!("{}/{}", name.nth, name.name)
}

/// The name that a form or address carries.
pub(crate) fn read_name(form: &Form, parameter: &str) -> Option<Name> {
    let (nth, name) = form.text(parameter).split_once('/')?;
    Some(Name {
        nth: nth.parse().ok()?,
        name: name.to_owned(),
    })
}

/// The virtual server of a form or address, and where it stands.
pub(crate) fn find_service(form: &Form, loaded: &Loaded) -> Option<(Name, Item, Place)> {
    let service = read_name(form, "service")?;
    let item = Item::Virtual {
        service: service.clone(),
    };
    let place = item.place(&loaded.config)?;
    Some((service, item, place))
}

/// The frame of a page below VIRTUAL SERVERS.
pub(crate) fn virtual_shell<'a>(visitor: &'a Visitor, title: &'a str, path: String) -> Shell<'a> {
    Shell::new(visitor, Tab::Virtual, title, path)
}

/// Whether the field is only the second half of a value.
pub(crate) fn is_second(definition: &Definition) -> bool {
    definition.part == Part::Second
}
