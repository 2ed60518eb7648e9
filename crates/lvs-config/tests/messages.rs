//! What a person is told about typical mistakes and surprises.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use lvs_config::check::Format;
use lvs_config::check::Request;
use lvs_config::check::report_text;
use lvs_config::draw::Style;

const HEAD: &str = "primary = 192.0.2.1\n";
const SERVICE: &str = "virtual web {\n  active = 1\n  address = 192.0.2.80 eth0:1\n";
const SERVER: &str = "  server a {\n    address = 192.0.2.11\n    active = 1\n";

fn told(text: &str) -> String {
    told_bytes(text.as_bytes())
}

fn told_bytes(text: &[u8]) -> String {
    let request = Request {
        program: "pulse",
        format: Format::Text,
        style: Style::Plain,
    };
    report_text(&request, "lvs.cf", text).messages
}

/// In a whole file that is right but for `line`, which stands outside of blocks.
fn global(line: &str) -> String {
    told(&format!("{HEAD}{line}\n{SERVICE}{SERVER}  }}\n}}\n"))
}

/// The same within the service.
fn service(line: &str) -> String {
    told(&format!("{HEAD}{SERVICE}{line}\n{SERVER}  }}\n}}\n"))
}

/// The same within the server.
fn server(line: &str) -> String {
    told(&format!("{HEAD}{SERVICE}{SERVER}{line}\n  }}\n}}\n"))
}

macro_rules! mistakes {
    ($($name:ident: $told:expr;)*) => {$(
        #[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), $told);
        }
    )*};
}

mistakes! {
    comment_behind_a_value: global("keepalive = 6 # seconds");
    comment_glued_to_a_value: global("deadtime = 18#seconds");
    no_blanks_around_the_sign: service("  port=443");
    no_blank_behind_the_sign: service("  port =443");
    misspelt_keyword: global("keepalvie = 6");
    keyword_in_capitals: global("Keepalive = 6");
    keyword_of_another_place: global("scheduler = rr");
    keyword_of_another_product: global("virtual_router_id = 51");
    keyword_of_the_gui: server("    nmask = 255.255.255.0");
    word_for_a_flag: server("    active = yes");
    number_with_a_unit: service("  timeout = 5s");
    scheduler_in_capitals: service("  scheduler = WLC");
    mask_as_prefix_length: service("  vip_nmask = /24");
    mask_with_a_hole: service("  vip_nmask = 255.0.255.0");
    vip_without_device: service("  address = 192.0.2.81");
    vip_as_ipv6: service("  address = 2001:db8::80 eth0:1");
    text_without_quotes: service("  send = GET / HTTP/1.0");
    text_without_closing_quote: service("  expect = \"HTTP");
    escaped_quote: service(r#"  expect = "say \" twice""#);
    port_out_of_range: service("  port = 70000");
    port_of_a_server_by_name: server("    port = http");
    unknown_port_name: service("  port = htpp");
    semicolon: global("deadtime = 18;");
    brace_glued_to_the_name: told("virtual web{\n  active = 1\n}\n");
    brace_in_the_next_line: told("virtual web\n{\n  active = 1\n}\n");
    block_in_one_line: told("virtual web { }\nkeepalive = x\n");
    missing_brace_of_a_server: told(&format!("{HEAD}{SERVICE}{SERVER}{SERVER}  }}\n}}\n"));
    missing_last_brace: told(&format!("{HEAD}{SERVICE}{SERVER}  }}\n# end\n"));
    brace_too_many: told(&format!("{HEAD}{SERVICE}{SERVER}  }}\n}}\n}}\n"));
    empty_file: told("");
    nul_bytes: told("\0\0\0\0");
    stray_carriage_return: told("keepalive = 6\rdeadtime = 18\nheartbeat = 1\n");
    several_mistakes: told("keepalive = x\nvirtual a{\n active = 2\n bogus = 1\n}\nnetwork = Nat\n");
    terminal_codes: told("# a comment\nkeepalive = \u{1b}[31mred\u{7}\n");
    bytes_that_are_not_text: told_bytes(b"primary = 192.0.2.1\nnet\xffwork = nat\n");
    surprises: told(concat!(
        "\u{feff}backup_active = 1\r\nkeepalive = 5\ndeadtime = 5\nnetwork = direct\n",
        "nat_nmask = 255.255.255.0\nwitness = \"192.0.2.254\"\nsyncd_id = 300\n",
        "virtual a {\n  active = 1\n  address = 192.0.2.80 eth0\n  active = 1\n",
        "  pmask = 255.255.255.0\n  protocol = udp\n",
        "  server s {\n    active = 1\n    address = 10.0.0.1\n    weight = 0\n  }\n",
        "  server s {\n    active = 1\n    address = 10.0.0.1\n    port = 8080\n  }\n",
        "  port = 53\n  expect = \"a\\d\"\n}\n",
        "virtual a {\n  active = 1\n  address = 192.0.2.81 eth0\n  fwmark = 7\n}\n",
        "virtual c {\n  active = 1\n  fwmark = 7\n}\n",
        "failover f {\n}\n",
    ));
}

#[test]
fn logs_get_one_line_each() {
    let request = Request {
        program: "lvs",
        format: Format::Text,
        style: Style::Lines,
    };
    let answer = report_text(&request, "/etc/lvs.cf", b"keepalive = x\nbogus\n");
    insta::assert_snapshot!("lines_only", answer.messages);
    assert_eq!(answer.status, 1);
}

#[test]
fn json_says_the_same() {
    let request = Request {
        program: "pulse",
        format: Format::Json,
        style: Style::Plain,
    };
    let answer = report_text(
        &request,
        "lvs.cf",
        b"primary = 192.0.2.1\nkeepalive = 6 # six\n",
    );
    insta::assert_snapshot!("json", String::from_utf8(answer.output).unwrap());
    assert_eq!((answer.messages.as_str(), answer.status), ("", 1));
    let clean = report_text(
        &request,
        "lvs.cf",
        include_bytes!("samples/good/01-minimal-direct.cf"),
    );
    assert_eq!((clean.output.as_slice(), clean.status), (&b"[]\n"[..], 0));
}
