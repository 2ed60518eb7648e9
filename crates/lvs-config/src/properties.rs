//! What holds for every model and every text.
//!
//! Owns the strategies, which are made from the keyword tables: a new keyword is covered at once.

use std::net::Ipv4Addr;

use proptest::prelude::*;
use proptest::sample::select;

use crate::draw;
use crate::draw::Style;
use crate::edit::EditError;
use crate::edit::Editor;
use crate::keywords::GLOBAL;
use crate::keywords::Keyword;
use crate::keywords::SERVER;
use crate::keywords::VIRTUAL;
use crate::model::*;
use crate::parse::parse;
use crate::parse::parse_all;
use crate::place::Place;
use crate::show;
use crate::value::Kind;
use crate::value::Value;
use crate::write::WriteError;
use crate::write::to_text;

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-z/]{1,8}".prop_map(|text| Text::from(&*text)),
        "[ -~]{0,10}".prop_map(|text| Text::from(&*text)),
        r#"["' ab\\#{}=\t가]{0,8}"#.prop_map(|text| Text::from(&*text)),
        prop::collection::vec(any::<u8>(), 0..6).prop_map(|bytes| Text::from(&*bytes)),
    ]
}

fn host() -> impl Strategy<Value = Host> {
    prop_oneof![
        (1u32..).prop_map(|bits| Host::Address(Ipv4Addr::from(bits))),
        "[a-z][a-z0-9-]{0,6}(\\.[a-z]{2,3})?".prop_map(Host::Name),
    ]
}

fn value(kind: Kind) -> BoxedStrategy<Value> {
    let mask = |most: u32| {
        (0..=most).prop_map(|bits| {
            let ones = u32::MAX.checked_shl(u32::BITS - bits).unwrap_or(0);
            Value::Ip(Some(Ipv4Addr::from(ones)).filter(|mask| !mask.is_unspecified()))
        })
    };
    let device = prop_oneof!["eth[0-9](:[0-9])?", "[ -~]{0,6}"];
    match kind {
        Kind::Flag => any::<bool>().prop_map(Value::Flag).boxed(),
        Kind::Number(least, most) => (least..=most).prop_map(Value::Number).boxed(),
        Kind::Port => (0..=65535i64).prop_map(Value::Number).boxed(),
        Kind::Host(_) => host().prop_map(Value::Host).boxed(),
        Kind::HostAndDevice => (host(), device)
            .prop_map(|(host, device)| Value::Address(Address { host, device }))
            .boxed(),
        Kind::Ip => any::<u32>()
            .prop_map(|bits| Value::Ip(Some(Ipv4Addr::from(bits)).filter(|_| bits != 0)))
            .boxed(),
        Kind::Mask => mask(32).boxed(),
        Kind::PersistenceMask => mask(31).boxed(),
        Kind::Text | Kind::Quoted => text().prop_map(Value::Text).boxed(),
        Kind::Choice(names) => select(names).prop_map(Value::Choice).boxed(),
        Kind::List => prop::collection::vec(text(), 0..3)
            .prop_map(Value::List)
            .boxed(),
        Kind::Hosts(most) => prop::collection::vec(host(), 0..=most)
            .prop_map(Value::Hosts)
            .boxed(),
    }
}

fn block<B: Default + std::fmt::Debug>(table: &'static [Keyword<B>]) -> impl Strategy<Value = B> {
    let fields: Vec<_> = table
        .iter()
        .map(|k| prop::option::weighted(0.3, value(k.kind)).boxed())
        .collect();
    fields.prop_map(move |values| {
        let mut block = B::default();
        for (keyword, value) in table.iter().zip(values) {
            if let Some(value) = value {
                (keyword.get_mut)(&mut block).load(value, Span::default());
            }
        }
        block
    })
}

fn name() -> impl Strategy<Value = Setting<Text>> {
    text().prop_map(|name| Setting::written(name, Span::default()))
}

fn server() -> impl Strategy<Value = Server> {
    (name(), block(SERVER)).prop_map(|(name, server)| Server { name, ..server })
}

fn service() -> impl Strategy<Value = Virtual> {
    let servers = prop::collection::vec(server(), 0..3);
    (name(), block(VIRTUAL), servers).prop_map(|(name, block, servers)| Virtual {
        name,
        servers,
        ..block
    })
}

fn config() -> impl Strategy<Value = Config> {
    let blocks = || prop::collection::vec(service(), 0..3);
    (block(GLOBAL), blocks(), blocks()).prop_map(|(global, virtuals, failovers)| {
        let mut config = Config {
            global,
            virtuals,
            failovers,
        };
        config.settle();
        config
    })
}

/// Lines as in lvs.cf, whole and broken, in any order.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        4 => select(&[
            "virtual web {", "failover f {", "server s {", "}", "} # end", "# comment", "",
            "primary = 192.0.2.1", "active = 1", "address = 192.0.2.80 eth0:1", "port = http",
            "address = 10.0.0.1", "send = \"GET /\"", "dirs = [ a 'b c' ]", "pmask = 255.0.0.0",
            "virtual web{", "virtual", "{", "virtual x { }", "keepalive=6", "keepalive =", "port = x",
            "expect = \"open", "witness = \"a b\"", "timeout = 0x10", "\u{a0}x = 1", "a\rb",
        ]).prop_map(|line: &str| line.as_bytes().to_vec()),
        1 => "[a-z_]{1,8} = ?[ -~]{0,9}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..12),
    ];
    let end = select(&["\n", "\n", "\n", "\r\n", "\r"]);
    prop::collection::vec((line, end), 0..24).prop_map(|lines| {
        lines
            .into_iter()
            .flat_map(|(line, end)| [line, end.as_bytes().to_vec()].concat())
            .collect()
    })
}

fn anything() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![lines(), prop::collection::vec(any::<u8>(), 0..200)]
}

fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        Just(Place::Global),
        (0usize..3).prop_map(Place::Virtual),
        (0usize..3).prop_map(Place::Failover),
        (0usize..3, 0usize..3).prop_map(|(block, server)| Place::VirtualServer(block, server)),
        (0usize..3, 0usize..3).prop_map(|(block, server)| Place::FailoverServer(block, server)),
    ]
}

/// A text without errors, with comments and blanks that no model knows of.
fn commented() -> impl Strategy<Value = Vec<u8>> {
    let decoration = select(&["", "# 한국어 \"{", "   ", "\t# x = }"]);
    let decorations = prop::collection::vec(decoration, 8);
    let shape = (select(&["\n", "\r\n"]), any::<bool>());
    (config(), decorations, shape).prop_filter_map("unwritable", |(config, above, (end, last))| {
        let text = to_text(&config).ok()?;
        let lines: Vec<_> = text
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
            .collect();
        let mut out = Vec::new();
        for (line, above) in lines.iter().zip(above.iter().cycle()) {
            out.extend_from_slice(above.as_bytes());
            out.extend_from_slice(end.as_bytes());
            out.extend_from_slice(line);
            out.extend_from_slice(end.as_bytes());
        }
        if last {
            out.truncate(out.len() - end.len());
        }
        (!out.is_empty()).then_some(out)
    })
}

fn lines_of(text: &[u8]) -> Vec<&[u8]> {
    text.split(|b| *b == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .collect()
}

/// How many lines stand between those that both texts begin with and those that both end with.
fn changed_lines(old: &[u8], new: &[u8]) -> (usize, usize) {
    let (old, new) = (lines_of(old), lines_of(new));
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    (old.len() - tail, new.len() - tail)
}

proptest! {
    #[test]
    fn a_model_is_read_as_it_was_written(config in config()) {
        match to_text(&config) {
            Ok(text) => prop_assert_eq!(parse(&text).unwrap().config, config),
            Err(error) => prop_assert!(matches!(error, WriteError::Unwritable { .. }), "{}", error),
        }
    }

    #[test]
    fn any_bytes_are_read_to_the_end(text in anything()) {
        let all = parse_all(&text);
        for diagnostic in &all.diagnostics {
            let message = draw::message(diagnostic, "pulse", "lvs.cf", &text, Style::Colour);
            prop_assert!(!message.is_empty());
        }
        let first = all.diagnostics.iter().find(|d| d.code.original_text().is_some());
        match parse(&text) {
            Ok(checked) => {
                prop_assert_eq!(first, None);
                prop_assert_eq!(&checked.config, &all.config);
                prop_assert!(!show::text(&checked.config).is_empty());
                // What was read can be written, and is the same then.
                let written = to_text(&checked.config).unwrap();
                prop_assert_eq!(parse(&written).unwrap().config, checked.config);
            }
            Err(error) => prop_assert_eq!(first, Some(&*error.diagnostic)),
        }
    }

    #[test]
    fn setting_changes_one_line(
        text in commented(),
        place in place(),
        which in any::<prop::sample::Index>(),
        values in (value(Kind::Number(0, 1)), value(Kind::Port), value(Kind::Host(true)), text()),
    ) {
        let mut editor = Editor::new(&text).unwrap();
        let keywords = place.level().keywords();
        let keyword = keywords[which.index(keywords.len())];
        let plain = |value: &Value| show::plain(value).into_bytes();
        let pair = [plain(&values.2), b" eth9:9".to_vec()].concat();
        let list = b"one two".to_vec();
        let mask = b"255.255.255.0".to_vec();
        let tries = [
            plain(&values.0), plain(&values.1), b"100".to_vec(), plain(&values.2), pair, list, mask,
            values.3.as_bytes().to_vec(), b"direct".to_vec(), b"udp".to_vec(), b"wrr".to_vec(),
        ];
        for value in tries {
            let before = editor.text().to_vec();
            match editor.set(place, keyword, &value) {
                Ok(()) => {
                    let (old, new) = changed_lines(&before, editor.text());
                    prop_assert!(old <= 1 && new <= 1, "{} lines became {}", old, new);
                    prop_assert_eq!(parse(editor.text()).unwrap().config, editor.config());
                }
                Err(EditError::NotTheSame) => prop_assert!(false, "{} {} {:?}", place, keyword, value),
                Err(_) => prop_assert_eq!(&before, editor.text()),
            }
        }
        let written = editor.text().to_vec();
        match editor.unset(place, keyword) {
            Ok(()) => {
                let (old, new) = changed_lines(&written, editor.text());
                prop_assert!(new <= old && old <= 1, "{} lines became {}", old, new);
            }
            Err(error) => prop_assert!(matches!(error, EditError::NoSuchPlace(_)), "{}", error),
        }
    }

    #[test]
    fn a_block_added_and_removed_leaves_the_text_as_it_was(
        text in commented(),
        service in service(),
        server in server(),
        kind in 0..3,
    ) {
        let mut editor = Editor::new(&text).unwrap();
        let config = editor.config();
        let (added, place) = match kind {
            0 => (editor.add_virtual(&service), Place::Virtual(config.virtuals.len())),
            1 => (editor.add_failover(&service), Place::Failover(config.failovers.len())),
            _ => {
                let Some(block) = config.virtuals.first() else { return Ok(()) };
                let place = Place::VirtualServer(0, block.servers.len());
                (editor.add_server(Place::Virtual(0), &server), place)
            }
        };
        match added {
            Ok(()) => {
                let (old, _) = changed_lines(&text, editor.text());
                prop_assert_eq!(old, 0);
                editor.rename(place, "another name").unwrap();
                editor.remove(place).unwrap();
                let bare = |text: &[u8]| -> Vec<u8> { text.trim_ascii_end().to_vec() };
                prop_assert_eq!(bare(editor.text()), bare(&text));
            }
            Err(error) => prop_assert!(matches!(error, EditError::Write(_)), "{}", error),
        }
    }
}
