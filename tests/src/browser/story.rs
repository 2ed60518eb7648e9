//! The story: from an empty file to a pair that serves, drains, loses a server, changes roles and
//! takes a change back. All that a person would do is done in the browser.

use std::time::Duration;

use serde_json::{Value, json};

use super::driver::Browser;
use super::inside::{ADMIN, GUEST, PORT};
use super::outside::World;
use super::{keyboard, pictures};
use crate::ensure;
use crate::error::{Error, Result};
use crate::network::{Method, NAT_ROUTER, Side, VIP, server_address};
use crate::wait;

/// For the daemons to do what was asked: for what hangs, not for what is slow.
const LIMIT: Duration = Duration::from_secs(90);

pub(super) fn tell() -> Result<String> {
    let mut world = World::new()?;
    let told = told(&mut world);
    world.explained(told)
}

fn told(world: &mut World) -> Result<String> {
    let outside = pictures::take(&world.browser, pictures::OUTSIDE)?;
    log_in(&world.browser, ADMIN)?;
    settings(&world.browser)?;
    keyboard::changes_a_value(world)?;
    service(&world.browser)?;
    wrong_value(&world.browser)?;
    start(world)?;
    traffic(world)?;
    drain(world)?;
    death(world)?;
    keyboard::reaches_everything(&world.browser)?;
    keyboard::stays_while_the_page_changes(&world.browser)?;
    partner(world)?;
    if pictures::are_wanted() {
        busy(world)?;
    }
    let inside = pictures::take(&world.browser, pictures::SCREENS)?;
    hand_over(world)?;
    send(world)?;
    undo(world)?;
    read_only(world)?;
    Ok(match outside + inside {
        0 => String::new(),
        count => format!("{count} pictures"),
    })
}

/// The tool's address of a page.
pub(super) fn page(path: &str) -> String {
    format!("https://{}:{PORT}{path}", Side::A.public())
}

pub(super) fn log_in(browser: &Browser, (user, password): (&str, &str)) -> Result<()> {
    browser.open(&page("/"))?;
    browser.open(&page("/secure/global"))?;
    ensure!(
        !browser.has("#PriLVSIP")?,
        "a form is shown to somebody who is not logged in"
    );
    browser.open(&page("/login"))?;
    browser.fill("#user", user)?;
    browser.fill("#password", "wrong")?;
    browser.press("form[action='/login'] button")?;
    browser.element("p.error")?;
    browser.fill("#user", user)?;
    browser.fill("#password", password)?;
    browser.press("form[action='/login'] button")?;
    browser.element("nav.tabs")?;
    Ok(())
}

/// Presses the form's button of that name, reads what it will do and confirms.
fn save(browser: &Browser, action: &str) -> Result<()> {
    browser.press(&format!("button[name='action'][value='{action}']"))?;
    confirm(browser)
}

fn confirm(browser: &Browser) -> Result<()> {
    browser.press("form[action='/secure/apply'] button")?;
    // What comes next is the page that the change came from.
    browser.element("main:not(:has(form[action='/secure/apply']))")?;
    Ok(())
}

fn settings(browser: &Browser) -> Result<()> {
    browser.open(&page("/secure/global"))?;
    let nat = NAT_ROUTER.to_string();
    for (field, value) in [
        ("#PriLVSIP", Side::A.public().to_string().as_str()),
        ("#primary_private", Side::A.private().to_string().as_str()),
        ("#NATRtrIP", &nat),
        ("#nat_nmask", "255.255.255.0"),
        ("#NATRtrDev", "eth1:1"),
    ] {
        browser.fill(field, value)?;
    }
    save(browser, "accept")?;
    browser.open(&page("/secure/redundancy"))?;
    save(browser, "enable")?;
    browser.open(&page("/secure/redundancy"))?;
    for (field, value) in [
        ("#redundant", Side::B.public().to_string().as_str()),
        ("#redundant_private", Side::B.private().to_string().as_str()),
        ("#hb_interval", "1"),
        ("#dead_after", "4"),
    ] {
        browser.fill(field, value)?;
    }
    browser.press("#standby_checks")?;
    save(browser, "accept")
}

fn service(browser: &Browser) -> Result<()> {
    browser.open(&page("/secure/virtuals"))?;
    browser.press("button[value='add']")?;
    for (field, value) in [
        ("#hostname", "web"),
        ("#port", "80"),
        ("#address", VIP.to_string().as_str()),
        ("#device", "eth0:1"),
        ("#vip_nmask", "255.255.255.0"),
        ("#reentry", "1"),
        ("#timeout", "2"),
    ] {
        browser.fill(field, value)?;
    }
    browser.choose("#sched", "rr")?;
    save(browser, "accept")?;
    for (index, name) in ["web1", "web2"].into_iter().enumerate() {
        browser.open(&page("/secure/servers?service=1%2Fweb"))?;
        browser.press("button[value='add']")?;
        browser.fill("#name", name)?;
        let address = server_address(Method::Nat, index).to_string();
        browser.fill("#address", &address)?;
        save(browser, "accept")?;
        activate(browser, "/secure/servers?service=1%2Fweb", name)?;
    }
    activate(browser, "/secure/virtuals", "web")
}

/// (DE)ACTIVATE of the row with that name.
fn activate(browser: &Browser, list: &str, name: &str) -> Result<()> {
    browser.open(&page(list))?;
    browser.press(&format!("input[name='selected'][value='1/{name}']"))?;
    save(browser, "toggle")
}

/// What cannot be taken is said beside the field; what was typed stays.
fn wrong_value(browser: &Browser) -> Result<()> {
    browser.open(&page("/secure/virtual?service=1%2Fweb"))?;
    browser.fill("#port", "99999")?;
    browser.press("button[name='action'][value='accept']")?;
    browser.element("#port-error")?;
    let value = browser.script("return document.querySelector('#port').value", &json!([]))?;
    ensure!(value == "99999", "the wrong value is not kept: {value}");
    Ok(())
}

fn start(world: &mut World) -> Result<()> {
    let file = world.ask("file")?;
    for part in [
        "virtual web {",
        "server web1 {",
        "server web2 {",
        "backup_active = 1",
    ] {
        ensure!(file.contains(part), "{part} is not in lvs.cf:\n{file}");
    }
    world.ask("start")?;
    owner(world, "A")?;
    world
        .browser
        .comes_to_show(&page("/secure/control"), "2/2 up")
}

fn owner(world: &mut World, wanted: &str) -> Result<()> {
    wait::for_it(format_args!("{wanted} has the address"), LIMIT, || {
        Ok(world.ask("owner")? == wanted)
    })
}

/// Who answers the client's requests to the virtual address.
fn answers(world: &mut World) -> Result<String> {
    world.ask("ask 6")
}

fn answered_by(world: &mut World, what: &str, fits: impl Fn(&str) -> bool) -> Result<()> {
    wait::for_it(what, LIMIT, || Ok(fits(&answers(world)?)))
}

fn traffic(world: &mut World) -> Result<()> {
    answered_by(world, "both servers answer", |names| {
        names.contains("web1") && names.contains("web2")
    })?;
    world.browser.open(&format!("http://{VIP}/"))?;
    let shown = world.browser.page()?;
    ensure!(shown.contains("web"), "the service shows {shown:?}");
    wait::for_it("the tool counts the connections", LIMIT, || {
        Ok(connections(&world.browser)? >= 6)
    })
}

/// Pictures show a service that has had something to do.
fn busy(world: &mut World) -> Result<()> {
    wait::for_it("there is a graph", LIMIT, || {
        answers(world)?;
        world.browser.open(&page("/secure/control"))?;
        world.browser.has("svg.graph")
    })
}

/// What the tool's JSON says of the service.
fn connections(browser: &Browser) -> Result<u64> {
    browser.open(&page("/secure/status.json"))?;
    let text = browser.page()?;
    let status: Value = serde_json::from_str(&text)
        .map_err(|error| Error::unmet(format_args!("status.json: {error}: {text}")))?;
    let counted = find(&status, "connections").and_then(Value::as_u64);
    Ok(counted.unwrap_or_default())
}

/// The first member of that name, wherever it is.
fn find<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members
            .get(name)
            .or_else(|| members.values().find_map(|member| find(member, name))),
        Value::Array(items) => items.iter().find_map(|item| find(item, name)),
        _ => None,
    }
}

fn drain(world: &mut World) -> Result<()> {
    let link = "a[href*='/secure/drain?server=web%2Fweb1']";
    world.browser.open(&page("/secure/control"))?;
    world.browser.press(link)?;
    world.browser.fill("#why", "new disk")?;
    world.browser.choose("#seconds", "3600")?;
    world.browser.press("form[action='/secure/drain'] button")?;
    world
        .browser
        .comes_to_show(&page("/secure/control"), "new disk")?;
    answered_by(world, "web2 alone answers", |names| !names.contains("web1"))?;
    world.browser.press(link)?;
    world
        .browser
        .press("form[action='/secure/enable'] button")?;
    answered_by(world, "web1 answers again", |names| names.contains("web1"))
}

/// A server dies: the open page says so by itself, and why.
fn death(world: &mut World) -> Result<()> {
    let address = page("/secure/control?auto_update=1&rate=10");
    world.browser.open(&address)?;
    world.browser.shows("2/2 up")?;
    world.ask("stop-web 0")?;
    let row = "//tr[th='web1']";
    world.browser.element(&format!("{row}/td[@class='bad']"))?;
    let reason = format!("{row}/td[contains(., 'refused')]");
    world.browser.element(&reason)?;
    answered_by(world, "web2 alone answers", |names| !names.contains("web1"))?;
    world.ask("resume-web 0")?;
    world.browser.shows("2/2 up")
}

fn hand_over(world: &mut World) -> Result<()> {
    let browser = &world.browser;
    browser.open(&page("/secure/hand-over"))?;
    browser.press("input[type='checkbox'][name='sure']")?;
    browser.press("form[action='/secure/hand-over'] button")?;
    browser.press("//form[.//input[@name='step']]//button")?;
    owner(world, "B")?;
    world
        .browser
        .comes_to_show(&page("/secure/control"), "standby")
}

/// What both routers see of each server; the standby checks them too.
fn partner(world: &mut World) -> Result<()> {
    let browser = &world.browser;
    browser.comes_to_show(&page("/secure/partner"), "web2")?;
    browser.element("//tr[th[contains(., 'web')]]/td[.='web1']")?;
    browser.shows("standby")
}

/// A change that only this router has is told, and sent to the other one.
fn send(world: &mut World) -> Result<()> {
    let browser = &world.browser;
    browser.open(&page("/secure/virtual?service=1%2Fweb"))?;
    browser.fill("#reentry", "5")?;
    save(browser, "accept")?;
    let history = page("/secure/history");
    browser.comes_to_show(&history, "ANOTHER file")?;
    browser.press("form[action='/secure/send'] button")?;
    browser.element("main:not(:has(form[action='/secure/send']))")?;
    browser.comes_to_show(&history, "the same file")?;
    let (here, there) = (world.ask("file")?, world.ask("partner-file")?);
    ensure!(
        here == there && here.contains("reentry = 5"),
        "not sent as it is: {here}\nbut there: {there}"
    );
    Ok(())
}

/// The last change is taken back.
fn undo(world: &mut World) -> Result<()> {
    world.browser.open(&page("/secure/history"))?;
    world.browser.press("form[action='/secure/undo'] button")?;
    confirm(&world.browser)?;
    let after = world.ask("file")?;
    ensure!(
        after.contains("reentry = 1"),
        "nothing was undone:\n{after}"
    );
    Ok(())
}

/// Who may only look finds nothing to press.
fn read_only(world: &mut World) -> Result<()> {
    let browser = &world.browser;
    browser.open(&page("/secure/control"))?;
    browser.press("form[action='/logout'] button")?;
    log_in(browser, GUEST)?;
    for path in ["/secure/global", "/secure/virtuals", "/secure/history"] {
        browser.open(&page(path))?;
        browser.element("nav.tabs")?;
        let offered = "button[name='action'], form[action='/secure/undo'] button";
        ensure!(
            !browser.has(offered)?,
            "{path} offers a reader to change something"
        );
    }
    Ok(())
}
