use proptest::prelude::*;

use super::*;
use crate::item::{Item, Name};

const RULES: Rules = Rules {
    programs: false,
    longest: 1 << 20,
};

const FILE: &str = "\
# the shop, ask Mina before changing
serial_no = 7
primary = 192.0.2.1
virtual web {
     # since 2009
     active = 1
     address = 192.0.2.80 eth0:1
     send_program = \"/opt/checks/web %h\"
     server a {
         address = 10.0.0.1
         active = 1
     }
}
";

fn web() -> Item {
    Item::Virtual {
        service: Name::new("web"),
    }
}

fn set(at: Item, keyword: &str, value: &str) -> Edit {
    Edit::Set {
        at,
        keyword: keyword.to_owned(),
        value: value.to_owned(),
    }
}

fn edits(edits: Vec<Edit>) -> Result<Proposal, Refusal> {
    propose(FILE.as_bytes(), &Wanted::Edits(edits), RULES)
}

fn text(proposal: &Proposal) -> &str {
    std::str::from_utf8(&proposal.text).unwrap()
}

#[test]
fn r12_a_change_counts_the_serial_number_and_keeps_the_rest() {
    let proposal = edits(vec![set(web(), "port", "8080")]).unwrap();
    let expected = FILE
        .replace("serial_no = 7", "serial_no = 8")
        .replace("eth0:1\n", "eth0:1\n     port = 8080\n");
    assert_eq!(text(&proposal), expected);
    assert_eq!((proposal.serial, proposal.programs.len()), (8, 0));
}

#[test]
fn r12_what_changes_nothing_counts_nothing() {
    assert_eq!(edits(vec![]), Err(Refusal::Unchanged));
    let same = set(Item::Global, "primary", "192.0.2.1");
    assert_eq!(edits(vec![same]), Err(Refusal::Unchanged));
    let other_number = FILE.replace("serial_no = 7", "serial_no = 3");
    let wanted = Wanted::Text(other_number.into_bytes());
    let outcome = propose(FILE.as_bytes(), &wanted, RULES);
    assert_eq!(outcome, Err(Refusal::Unchanged));
}

#[test]
fn serial_numbers_end_and_begin_again() {
    let file = "serial_no = 2147483647\n";
    let wanted = Wanted::Edits(vec![set(Item::Global, "primary", "192.0.2.1")]);
    assert_eq!(propose(file.as_bytes(), &wanted, RULES).unwrap().serial, 1);
}

#[test]
fn an_empty_file_becomes_a_service_with_two_servers() {
    let keywords = |pairs: &[(&str, &str)]| {
        let owned = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        owned.collect::<Vec<_>>()
    };
    let server = |name: &str, address: &str| Edit::AddServer {
        service: Name::new("web"),
        name: name.to_owned(),
        keywords: keywords(&[("address", address), ("active", "1"), ("weight", "2")]),
    };
    let wanted = Wanted::Edits(vec![
        set(Item::Global, "primary", "192.0.2.1"),
        Edit::AddVirtual {
            name: "web".to_owned(),
            keywords: keywords(&[
                ("active", "1"),
                ("address", "192.0.2.80 eth0:1"),
                ("send", "GET / HTTP/1.0\\r\\n\\r\\n"),
            ]),
        },
        server("a", "10.0.0.1"),
        server("b", "10.0.0.2"),
    ]);
    for empty in ["", "\n"] {
        let proposal = propose(empty.as_bytes(), &wanted, RULES).unwrap();
        assert_eq!(proposal.serial, 1);
        let expected = "\
serial_no = 1
primary = 192.0.2.1
virtual web {
     active = 1
     address = 192.0.2.80 eth0:1
     send = \"GET / HTTP/1.0\\r\\n\\r\\n\"
     server a {
         address = 10.0.0.1
         active = 1
         weight = 2
     }
     server b {
         address = 10.0.0.2
         active = 1
         weight = 2
     }
}
";
        assert_eq!(text(&proposal), format!("{empty}{expected}"));
    }
}

#[test]
fn r9_each_error_names_its_edit_and_keyword() {
    let wrong = edits(vec![
        set(web(), "port", "99999"),
        set(web(), "scheduler", "wlc"),
        set(web(), "scheduler", "best"),
        set(web(), "nonsense", "1"),
        Edit::Rename {
            at: web(),
            name: "a b".to_owned(),
        },
        Edit::Remove {
            at: Item::Virtual {
                service: Name::new("mail"),
            },
        },
        set(Item::Global, "serial_no", "99"),
    ]);
    let Err(Refusal::Fields(errors)) = wrong else {
        panic!("{wrong:?}");
    };
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error.edit, error.keyword.as_deref()))
        .collect();
    let expected = [
        (0, Some("port")),
        (2, Some("scheduler")),
        (3, Some("nonsense")),
        (4, Some("name")),
        (5, None),
        (6, Some("serial_no")),
    ];
    assert_eq!(found, expected, "{errors:?}");
}

#[test]
fn r14_programs_are_read_only_without_leave() {
    let change = set(web(), "send_program", "/bin/other");
    assert!(matches!(
        edits(vec![change.clone()]),
        Err(Refusal::Fields(_))
    ));
    // What runs nothing new needs no leave.
    let removal = Edit::Unset {
        at: web(),
        keyword: "send_program".to_owned(),
    };
    assert!(edits(vec![removal, set(web(), "load_monitor", "rup")]).is_ok());
    // The value as it is may stand in a form that is sent back.
    let same = set(web(), "send_program", "/opt/checks/web %h");
    assert_eq!(edits(vec![same]), Err(Refusal::Unchanged));
    let rules = Rules {
        programs: true,
        ..RULES
    };
    let allowed = propose(FILE.as_bytes(), &Wanted::Edits(vec![change]), rules).unwrap();
    assert_eq!(allowed.programs.len(), 1);
}

#[test]
fn a_wrong_file_can_be_replaced_but_not_edited() {
    let old = b"serial_no = 4\nnonsense = 1\n";
    let wanted = Wanted::Edits(vec![set(Item::Global, "primary", "192.0.2.1")]);
    let refused = propose(old, &wanted, RULES);
    assert!(matches!(refused, Err(Refusal::Broken { new: false, .. })));
    let wanted = Wanted::Text(b"primary = 192.0.2.1\n".to_vec());
    assert_eq!(propose(old, &wanted, RULES).unwrap().serial, 5);
    let wanted = Wanted::Text(b"still nonsense\n".to_vec());
    let refused = propose(old, &wanted, RULES);
    assert!(matches!(refused, Err(Refusal::Broken { new: true, .. })));
}

/// Wishes of a stranger: real names and nonsense, hostile text everywhere.
fn hostile_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{0,40}",
        any::<String>(),
        Just("x\nsend_program = /bin/sh".to_owned()),
        Just("\" }\nactive_cmd = /bin/sh".to_owned()),
        Just("web".to_owned()),
        Just("a".to_owned()),
        Just("192.0.2.80 eth0:1".to_owned()),
        Just("1".to_owned()),
    ]
}

fn hostile_keyword() -> impl Strategy<Value = String> {
    let known = [
        "port",
        "address",
        "active",
        "send",
        "expect",
        "send_program",
        "serial_no",
        "primary",
        "load_monitor",
        "active_cmd",
        "dirs",
        "witness",
        "syncd_iface",
        "weight",
    ];
    prop_oneof![
        3 => proptest::sample::select(known.map(str::to_owned).to_vec()),
        1 => hostile_text(),
    ]
}

fn hostile_edit() -> impl Strategy<Value = Edit> {
    let item = prop_oneof![
        Just(Item::Global),
        hostile_text().prop_map(|name| Item::Virtual {
            service: Name::new(name)
        }),
        (hostile_text(), hostile_text()).prop_map(|(service, server)| Item::Server {
            service: Name::new(service),
            server: Name::new(server),
        }),
    ];
    let keywords = || proptest::collection::vec((hostile_keyword(), hostile_text()), 0..4);
    prop_oneof![
        (item.clone(), hostile_keyword(), hostile_text())
            .prop_map(|(at, keyword, value)| Edit::Set { at, keyword, value }),
        (item.clone(), hostile_keyword()).prop_map(|(at, keyword)| Edit::Unset { at, keyword }),
        (item.clone(), hostile_text()).prop_map(|(at, name)| Edit::Rename { at, name }),
        item.prop_map(|at| Edit::Remove { at }),
        (hostile_text(), keywords())
            .prop_map(|(name, keywords)| Edit::AddVirtual { name, keywords }),
        (hostile_text(), hostile_text(), keywords()).prop_map(|(service, name, keywords)| {
            Edit::AddServer {
                service: Name::new(service),
                name,
                keywords,
            }
        }),
    ]
}

#[test]
fn r14_a_new_block_brings_no_program() {
    let keyword = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let add = |keywords| Edit::AddVirtual {
        name: "a".to_owned(),
        keywords,
    };
    let program = vec![keyword("send_program", "web"), keyword("port", "0")];
    let Err(Refusal::Fields(errors)) = edits(vec![add(program)]) else {
        panic!("not refused");
    };
    let told: Vec<_> = errors
        .iter()
        .map(|error| error.keyword.as_deref())
        .collect();
    assert_eq!(told, [Some("send_program"), Some("port")]);
    assert!(edits(vec![add(vec![keyword("load_monitor", "none")])]).is_ok());
}

proptest! {
    /// S4, S15, R14: whatever is sent, a proposal is a file that the daemons read, numbered one higher,
    /// and it runs nothing that did not run before.
    #[test]
    fn r10_hostile_edits_make_a_file_that_means_what_was_meant(list in proptest::collection::vec(hostile_edit(), 1..6)) {
        if let Ok(proposal) = edits(list) {
            prop_assert_eq!(&proposal.programs, &vec![]);
            prop_assert_eq!(proposal.serial, 8);
            let read = lvs_config::parse(&proposal.text).unwrap().config;
            prop_assert_eq!(read, proposal.config);
        }
    }

    #[test]
    fn r10_hostile_texts_make_a_file_that_daemons_read(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let outcome = propose(FILE.as_bytes(), &Wanted::Text(text), RULES);
        if let Ok(proposal) = outcome {
            prop_assert_eq!(proposal.serial, 8);
            let read = lvs_config::parse(&proposal.text).unwrap().config;
            prop_assert_eq!(read, proposal.config);
        }
    }
}
