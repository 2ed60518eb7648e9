//! The web tool without a mouse: each control of each page in its turn, the focus always to be seen.

use serde_json::{Value, json};

use super::driver::Browser;
use super::outside::World;
use super::pictures::{SCREENS, Way};
use super::story::page;
use crate::ensure;
use crate::error::Result;

/// The keys by their code points in WebDriver.
const TAB: &str = "\u{E004}";
const ENTER: &str = "\u{E007}";
/// More stops than any page has.
const MOST: usize = 100;
/// A table wider than the window, which the keyboard can scroll.
const WIDE: &str = "wide";
/// The page's controls in its order. Of the buttons of a radio group one is a stop: the chosen one, or
/// the first.
const CONTROLS: &str = "const one = it => it.type !== 'radio' || it.checked ||\
    !document.querySelector(`main input[name='${it.name}']:checked`) &&\
    it === document.querySelector(`main input[name='${it.name}']`);\
    const controls = [...document.querySelectorAll('main :is(a[href], input:not([type=hidden]), select,\
    button, textarea, summary, [tabindex=\"0\"])')].filter(it => !it.disabled && it.checkVisibility() && one(it));";
/// How they are called.
const NAMES: &str = "return controls.map(it => it.id || it.value || it.textContent);";
/// Where the focus is: its number among them, or its class; and whether a person sees that it is there.
const FOCUS: &str = "const at = document.activeElement; const style = getComputedStyle(at);\
    const number = controls.indexOf(at);\
    return [number < 0 ? at.className : number,\
    style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0];";

/// Every screen that has an address: all that can be pressed or filled in is reached, in the order of the page.
pub(super) fn reaches_everything(browser: &Browser) -> Result<()> {
    for &(name, way) in SCREENS {
        let Way::Page(path) = way else {
            continue;
        };
        browser.open(&page(path))?;
        let controls = controls(browser)?;
        let mut next = 0;
        // Before them are the way past the menu, the menu and the preferences.
        let mut before = 0;
        while next < controls.len() {
            let stop = tab(browser)?;
            if stop == json!(next) {
                next += 1;
            } else if stop != WIDE {
                before += 1;
                ensure!(
                    next == 0 && before < MOST,
                    "{name}: the keyboard comes to {stop} instead of {:?}, which is number {next}",
                    controls.get(next)
                );
            }
        }
    }
    Ok(())
}

/// A value is changed, and the change confirmed.
pub(super) fn changes_a_value(world: &mut World) -> Result<()> {
    let browser = &world.browser;
    browser.open(&page("/secure/redundancy"))?;
    let controls = controls(browser)?;
    ensure!(
        tab(browser)? == "skip",
        "the first stop is the way past the menu"
    );
    walk(browser, &controls, "arp_interval")?;
    // A field that is entered by its key is selected as a whole.
    browser.type_keys("61")?;
    browser.element("form.edited")?;
    walk(browser, &controls, "accept")?;
    browser.type_keys(ENTER)?;
    browser.element("form[action='/secure/apply'] button")?;
    let confirm = "form[action='/secure/apply'] button:focus";
    for _ in 0..controls.len() {
        tab(browser)?;
        if browser.has(confirm)? {
            break;
        }
    }
    browser.type_keys(ENTER)?;
    browser.element("main:not(:has(form[action='/secure/apply']))")?;
    let file = world.ask("file")?;
    ensure!(file.contains("arp_interval = 61\n"), "not written:\n{file}");
    Ok(())
}

/// A part that is drawn anew keeps the focus, and what was opened in it stays open.
pub(super) fn stays_while_the_page_changes(browser: &Browser) -> Result<()> {
    browser.open(&page("/secure/control?auto_update=1&rate=10"))?;
    let names = controls(browser)?;
    walk(browser, &names, "CURRENT LVS PROCESSES")?;
    browser.type_keys(ENTER)?;
    browser.element("#part-state details[open] summary:focus")?;
    let mark = "document.querySelector('#part-state').dataset.before = '';";
    browser.script(mark, &json!([]))?;
    browser.element("#part-state:not([data-before])")?;
    let kept = browser.has("#part-state details[open] summary:focus")?;
    ensure!(kept, "a new part has lost the focus or what was open");
    Ok(())
}

/// How the page's controls are called, in their order.
fn controls(browser: &Browser) -> Result<Vec<Value>> {
    let controls = browser.script(&format!("{CONTROLS}{NAMES}"), &json!([]))?;
    Ok(controls.as_array().cloned().unwrap_or_default())
}

/// Goes on to a control.
fn walk(browser: &Browser, controls: &[Value], name: &str) -> Result<()> {
    let number = controls.iter().position(|it| *it == json!(name));
    let mut stops = Vec::new();
    while stops.last() != Some(&json!(number)) {
        ensure!(
            stops.len() < MOST,
            "no way to {name}, number {number:?} of {controls:?}: {stops:?}"
        );
        stops.push(tab(browser)?);
    }
    Ok(())
}

/// The next stop of the keyboard.
fn tab(browser: &Browser) -> Result<Value> {
    browser.type_keys(TAB)?;
    let focus = browser.script(&format!("{CONTROLS}{FOCUS}"), &json!([]))?;
    let stop = focus.get(0).cloned().unwrap_or_default();
    let is_seen = focus.get(1) == Some(&json!(true));
    ensure!(is_seen, "nobody sees the focus at {stop}");
    Ok(stop)
}
