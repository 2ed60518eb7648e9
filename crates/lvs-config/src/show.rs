//! What a file means, one `KEY` and value for each keyword, defaults filled in.
//!
//! Owns the keys and the forms of values. The order is that of the keyword tables.

use std::fmt::Write;

use crate::keywords::GLOBAL;
use crate::keywords::Keyword;
use crate::keywords::SERVER;
use crate::keywords::Shown;
use crate::keywords::VIRTUAL;
use crate::model::Config;
use crate::model::Host;
use crate::model::Text;
use crate::model::Virtual;
use crate::value::Value;

/// Key and value of each keyword that is written or has a default. Keys look like
/// `global.keepalive` and `virtual[2].server[1].port`, counted from 1 in the order of the file.
/// `-` is an address or mask that is absent or 0.0.0.0. Texts have no outer quotes; their
/// backslash sequences are unexpanded; other control bytes, and bytes that are not UTF-8, are
/// shown as `\x09`.
pub fn values(config: &Config) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut global = config.global.clone();
    if config.lone_backup_private() {
        global.backup_private.value = config.backup();
    }
    block(&mut rows, "global", GLOBAL, &global, |shown| {
        shown != Shown::Written
    });
    for (at, service) in config.virtuals.iter().enumerate() {
        let prefix = format!("virtual[{}]", at + 1);
        virtual_block(&mut rows, &prefix, service, |shown| shown != Shown::Written);
    }
    for (at, service) in config.failovers.iter().enumerate() {
        let prefix = format!("failover[{}]", at + 1);
        virtual_block(&mut rows, &prefix, service, |shown| shown == Shown::Always);
    }
    rows
}

/// The same as text, one `KEY<TAB>VALUE` a line.
pub fn text(config: &Config) -> String {
    let mut text = String::new();
    for (key, value) in values(config) {
        let _ = writeln!(text, "{key}\t{value}");
    }
    text
}

fn virtual_block(
    rows: &mut Vec<(String, String)>,
    prefix: &str,
    service: &Virtual,
    shown: impl Fn(Shown) -> bool,
) {
    rows.push((format!("{prefix}.name"), printable(&service.name)));
    block(rows, prefix, VIRTUAL, service, shown);
    for (at, server) in service.servers.iter().enumerate() {
        let prefix = format!("{prefix}.server[{}]", at + 1);
        rows.push((format!("{prefix}.name"), printable(&server.name)));
        block(rows, &prefix, SERVER, server, |_| true);
    }
}

fn block<B>(
    rows: &mut Vec<(String, String)>,
    prefix: &str,
    table: &[Keyword<B>],
    block: &B,
    shown: impl Fn(Shown) -> bool,
) {
    for keyword in table {
        let field = (keyword.get)(block);
        if field.span().is_none() && !shown(keyword.shown) {
            continue;
        }
        let key = format!("{prefix}.{}", keyword.name);
        match field.value() {
            Some(Value::Address(address)) => {
                // The original has one name for the address of each of its two keywords of this kind.
                let part = if keyword.name == "address" {
                    "ip"
                } else {
                    "address"
                };
                rows.push((format!("{key}.{part}"), shown_host(&address.host)));
                rows.push((
                    format!("{key}.device"),
                    printable(&Text::from(&*address.device)),
                ));
            }
            Some(Value::Host(host)) if prefix != "global" => rows.push((key, shown_host(&host))),
            Some(value) => rows.push((key, plain(&value))),
            None if keyword.name == "address" => rows.push(absent_address(key, prefix)),
            None => {}
        }
    }
}

fn absent_address(key: String, prefix: &str) -> (String, String) {
    let key = if prefix.contains(".server[") {
        key
    } else {
        format!("{key}.ip")
    };
    (key, "-".to_owned())
}

fn shown_host(host: &Host) -> String {
    match host {
        Host::Address(address) if address.is_unspecified() => "-".to_owned(),
        host => host.to_string(),
    }
}

/// One value without quotes. Used for differences too.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Flag(flag) => u8::from(*flag).to_string(),
        Value::Number(number) => number.to_string(),
        Value::Host(host) => host.to_string(),
        Value::Address(address) => format!("{} {}", address.host, address.device),
        Value::Ip(None) => "-".to_owned(),
        Value::Ip(Some(address)) => address.to_string(),
        Value::Text(text) => printable(text),
        Value::Choice(name) => (*name).to_owned(),
        Value::List(words) => words.iter().map(printable).collect::<Vec<_>>().join(" "),
        Value::Hosts(hosts) => hosts
            .iter()
            .map(Host::to_string)
            .collect::<Vec<_>>()
            .join(" "),
    }
}

/// A text with control bytes, and bytes that are not UTF-8, as `\xNN`.
pub(crate) fn printable(text: &Text) -> String {
    let mut out = String::new();
    for chunk in text.as_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\0'..='\x1f' | '\x7f' => {
                    let _ = write!(out, "\\x{:02x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}
