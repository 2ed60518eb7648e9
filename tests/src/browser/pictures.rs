//! Pictures of each screen, in both languages, light, dark and narrow, and what axe-core finds on
//! them. Taken when `LAB_PICTURES` names a folder for them, judged when `LAB_AXE` names axe-core's
//! script.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::driver::Browser;
use super::story::page;
use crate::ensure;
use crate::error::{Context, Result};

/// A screen and how one comes to it.
type Screen = (&'static str, Way);

/// How one comes to a screen.
#[derive(Clone, Copy)]
pub(super) enum Way {
    /// By its address.
    Page(&'static str),
    /// By what a person does.
    Steps(fn(&Browser) -> Result<()>),
}

use Way::{Page, Steps};

/// All screens of whoever is logged in.
pub(super) const SCREENS: &[Screen] = &[
    ("control", Page("/secure/control")),
    (
        "service",
        Page("/secure/service?service=-t%20198.51.100.80:80"),
    ),
    ("global", Page("/secure/global")),
    ("redundancy", Page("/secure/redundancy")),
    ("virtuals", Page("/secure/virtuals")),
    ("virtual", Page(FORM)),
    ("wrong", Steps(send_wrong_form)),
    ("servers", Page("/secure/servers?service=1%2Fweb")),
    (
        "server",
        Page("/secure/server?service=1%2Fweb&server=1%2Fweb1"),
    ),
    ("scripts", Page("/secure/scripts?service=1%2Fweb")),
    ("confirm", Steps(|browser| send_form(browser, None))),
    (
        CONFLICT,
        Steps(|browser| send_form(browser, Some(&older(browser)?))),
    ),
    ("history", Page("/secure/history")),
    ("version", Steps(show_version)),
    ("partner", Page("/secure/partner")),
    ("drain", Page("/secure/drain?server=web%2Fweb1")),
    ("hand-over", Page("/secure/hand-over")),
    ("hand-over-again", Steps(hand_over_once)),
    ("introduction", Page("/secure/introduction")),
    ("help", Page("/secure/help")),
    ("password", Page("/secure/password")),
];
/// Those for whoever is not logged in.
pub(super) const OUTSIDE: &[Screen] = &[
    ("welcome", Page("/")),
    ("about-login", Page("/about-login")),
    ("login", Page("/login")),
];
/// The one that says that something went wrong.
const CONFLICT: &str = "conflict";
const FORM: &str = "/secure/virtual?service=1%2Fweb";
/// A wide and a narrow window.
const WIDE: (u32, u32) = (1280, 900);
const NARROW: (u32, u32) = (390, 844);
/// Of a picture.
const TALLEST: u32 = 4500;

/// Whether pictures are to be taken.
pub(super) fn are_wanted() -> bool {
    std::env::var_os("LAB_PICTURES").is_some()
}

/// Takes and judges what is asked for; gives how many pictures were taken.
pub(super) fn take(browser: &Browser, screens: &[Screen]) -> Result<usize> {
    let folder = std::env::var_os("LAB_PICTURES").map(PathBuf::from);
    let axe = std::env::var_os("LAB_AXE").map(std::fs::read_to_string);
    let axe = axe.transpose().during("reading LAB_AXE")?;
    let (mut count, mut found) = (0, Vec::new());
    for (language, theme, (width, height)) in [
        ("en", "light", WIDE),
        ("en", "dark", NARROW),
        ("ko", "dark", WIDE),
        ("ko", "light", NARROW),
    ] {
        if folder.is_none() && axe.is_none() {
            break;
        }
        browser.resize(width, height)?;
        prefer(browser, "theme", theme)?;
        prefer(browser, "language", language)?;
        for &(name, way) in screens {
            match way {
                Page(path) => browser.open(&page(path))?,
                Steps(walk) => walk(browser)?,
            }
            let is_wrong = name != CONFLICT && browser.has("section.wrong")?;
            ensure!(!is_wrong, "{name} is an error:\n{}", browser.page()?);
            fits(browser, name)?;
            if let Some(folder) = &folder {
                let size = if width == NARROW.0 { "-narrow" } else { "" };
                let file = format!("{name}-{language}-{theme}{size}.png");
                browser.resize(width, whole_height(browser)?)?;
                picture(browser, folder, &file)?;
                browser.resize(width, height)?;
                count += 1;
            }
            if let Some(axe) = &axe {
                let of_screen = judge(browser, axe)?;
                let place = |text| format!("{name}, {language}, {theme}: {text}");
                found.extend(of_screen.into_iter().map(place));
            }
        }
    }
    ensure!(found.is_empty(), "axe-core found:\n{}", found.join("\n"));
    browser.resize(WIDE.0, WIDE.1)?;
    if count > 0 || axe.is_some() {
        prefer(browser, "language", "en")?;
    }
    Ok(count)
}

/// Asks for another re-entry time; with `base` as if the form had been loaded from that file.
fn send_form(browser: &Browser, base: Option<&str>) -> Result<()> {
    browser.open(&page(FORM))?;
    browser.fill("#reentry", "2")?;
    if let Some(base) = base {
        let script = "document.querySelector('main [name=base]').value = arguments[0];";
        browser.script(script, &json!([base]))?;
    }
    browser.press("button[name='action'][value='accept']")?;
    let next = "form[action='/secure/apply'], main a.button[href*='/secure/virtual']";
    browser.element(next)?;
    Ok(())
}

/// What cannot be taken, in a field of the page's own and in one of the extensions.
fn send_wrong_form(browser: &Browser) -> Result<()> {
    browser.open(&page(FORM))?;
    browser.fill("#port", "99999")?;
    browser.fill("#retries", "often")?;
    browser.press("button[name='action'][value='accept']")?;
    browser.element("#port-error")?;
    Ok(())
}

/// The latest of the earlier versions.
fn show_version(browser: &Browser) -> Result<()> {
    browser.open(&page("/secure/history"))?;
    browser.press("a[href^='/secure/version']")?;
    browser.element("pre.file")?;
    Ok(())
}

/// To the question that is asked again.
fn hand_over_once(browser: &Browser) -> Result<()> {
    browser.open(&page("/secure/hand-over"))?;
    browser.press("input[type='checkbox'][name='sure']")?;
    browser.press("form[action='/secure/hand-over'] button")?;
    browser.element("input[name='step']")?;
    Ok(())
}

/// The digest of the file as it was before the last change.
fn older(browser: &Browser) -> Result<String> {
    show_version(browser)?;
    let script = "const done = arguments[arguments.length - 1];\
        const text = new TextEncoder().encode(document.querySelector('pre.file').textContent);\
        crypto.subtle.digest('SHA-256', text).then(digest =>\
        done([...new Uint8Array(digest)].map(it => it.toString(16).padStart(2, '0')).join('')));";
    let digest = browser.script_later(script)?;
    Ok(digest.as_str().unwrap_or_default().to_owned())
}

/// The buttons in the top bar, until the page is as wished.
fn prefer(browser: &Browser, name: &str, value: &str) -> Result<()> {
    // Leads to the log-in whoever is not logged in; the buttons are there too.
    browser.open(&page("/secure/introduction"))?;
    let attribute = if name == "theme" {
        "data-theme"
    } else {
        "lang"
    };
    let wished = format!("html[{attribute}='{value}']");
    // The theme's button goes round: dark, light, as the system has it.
    for _ in 0..3 {
        if browser.has(&wished)? {
            return Ok(());
        }
        browser.press(&format!("form.preferences button[name='{name}']"))?;
        browser.element("form.preferences")?;
    }
    ensure!(browser.has(&wished)?, "no way to {name} {value}");
    Ok(())
}

/// Nothing is wider than the window.
fn fits(browser: &Browser, name: &str) -> Result<()> {
    let script = "const room = document.documentElement.clientWidth;\
        return document.documentElement.scrollWidth <= room ? '' :\
        [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > room + 1\
        && !e.closest('.wide')).slice(0, 3).map(e => e.outerHTML.slice(0, 200)).join('; ') || 'something';";
    let wide = browser.script(script, &json!([]))?;
    ensure!(wide == "", "{name} is wider than its window: {wide}");
    Ok(())
}

/// Of the window that shows the whole page, within reason.
fn whole_height(browser: &Browser) -> Result<u32> {
    let script = "return document.documentElement.scrollHeight + outerHeight - innerHeight;";
    let height = browser.script(script, &json!([]))?.as_u64();
    let height = height.and_then(|height| u32::try_from(height).ok());
    Ok(height.unwrap_or(TALLEST).min(TALLEST))
}

fn picture(browser: &Browser, folder: &Path, file: &str) -> Result<()> {
    std::fs::create_dir_all(folder).during("making the folder of pictures")?;
    browser.picture(&folder.join(file))
}

/// What axe-core finds on the page that is more than minor.
fn judge(browser: &Browser, axe: &str) -> Result<Vec<String>> {
    browser.script(axe, &json!([]))?;
    let script = "const done = arguments[arguments.length - 1];\
        axe.run(document, {resultTypes: ['violations']}).then(\
        found => done(found.passes.length === 0 ? [['nothing was looked at', '']] : found.violations.filter(v => v.impact !== 'minor')\
        .map(v => [v.id, v.nodes.slice(0, 3).map(n => n.html + ' ' + n.failureSummary).join('; ')])),\
        error => done([['error', String(error)]]));";
    let found = browser.script_later(script)?;
    let found = found.as_array().cloned().unwrap_or_default();
    Ok(found.iter().map(Value::to_string).collect())
}
