//! The manual page and the shell completions, made from the program's own table of flags.
//!
//! `UPDATE_GENERATED=1 cargo test -p ipvsadm-rs --test generated` writes them; otherwise the files are
//! compared, so that a flag cannot change without them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

use std::env;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use ipvsadm_rs::flags::defs::{Argument, Def, FLAGS, Id};

const BEFORE_FLAGS: &str = r#".TH IPVSADM-RS 8 "" "" "System Administration"
.SH NAME
ipvsadm\-rs \- Linux Virtual Server administration
.SH SYNOPSIS
.nf
\fBipvsadm\-rs\fR \-A|\-E \fIvirtual-service\fR [\-s \fIscheduler\fR] [\-p [\fItimeout\fR]] [\-M \fInetmask\fR] [\-\-pe \fIengine\fR] [\-b \fIflags\fR] [\-o]
\fBipvsadm\-rs\fR \-D \fIvirtual-service\fR
\fBipvsadm\-rs\fR \-a|\-e \fIvirtual-service\fR \-r \fIserver-address\fR [\fIoptions\fR]
\fBipvsadm\-rs\fR \-d \fIvirtual-service\fR \-r \fIserver-address\fR
\fBipvsadm\-rs\fR \-L|\-l [\fIvirtual-service\fR] [\fIoptions\fR] [\-\-json]
\fBipvsadm\-rs\fR \-S [\-n]
\fBipvsadm\-rs\fR \-R [\-\-check | \-\-lines | \-\-sync [\-\-only \fIfile\fR] [\-\-dry\-run]]
\fBipvsadm\-rs\fR \-\-apply
\fBipvsadm\-rs\fR \-\-watch [\fIseconds\fR]
\fBipvsadm\-rs\fR \-C
\fBipvsadm\-rs\fR \-Z [\fIvirtual-service\fR]
\fBipvsadm\-rs\fR \-\-set \fItcp tcpfin udp\fR
\fBipvsadm\-rs\fR \-\-start\-daemon {master|backup} [\fIdaemon-options\fR]
\fBipvsadm\-rs\fR \-\-stop\-daemon {master|backup}
\fBipvsadm\-rs\fR \-h | \-v
.fi
.SH DESCRIPTION
Sets up, maintains and shows the virtual server table of the Linux kernel (IPVS).
It does what ipvsadm(8) 1.31 does, to the byte, also when it is called as
\fBipvsadm\fR, \fBipvsadm\-save\fR or \fBipvsadm\-restore\fR.
A \fIvirtual-service\fR is one of \fB\-t\fR, \fB\-u\fR, \fB\-\-sctp\-service\fR with an
address and port, or \fB\-f\fR with a firewall mark, for IPv6 followed by \fB\-6\fR.
The command is the first option of the line.
"#;

const AFTER_FLAGS: &str = r#".SH INPUT
\fB\-R\fR carries out the lines of standard input as command lines without the program's name.
It goes on after a change that the kernel refuses and after an unknown option; any other
error ends it. The exit status is that of the last line.
.PP
\fB\-\-apply\fR carries out changes in batches and answers each line that is not blank with
\fIN\fR \fBok\fR or \fIN\fR \fBerror\fR \fITEXT\fR, where \fIN\fR is the line's number.
.PP
\fB\-R \-\-sync\fR takes standard input as the whole table, in the form that \fB\-S\fR prints, and
writes only what differs; lines that begin with # are comments. Nothing is written when any line is
wrong. \fB\-S\fR saves no thresholds: those of the table stay, unless a line names one; then servers
without have none.
.SH LIVE VIEW
\fB\-\-watch\fR needs a terminal. It shows services and servers with their connections and what
happens in a second, computed from the counters of two looks at the table (at the first look: the
kernel's own averages). The keys are on the last line: \fBq\fR ends the view, the arrows, PgUp,
PgDn, Home and End scroll, \fBs\fR hides and shows servers, \fBn\fR, \fBa\fR, \fBi\fR,
\fBc\fR, \fBp\fR and \fBb\fR sort by name, active and inactive connections, connections,
packets and bytes a second; the same key again reverses the order. Columns that do not fit are
left out from the right.
.SH EXIT STATUS
.TP
0
Done.
.TP
1
A listing could not get its data.
.TP
2
The command line was refused, or there is no IPVS.
.TP
255
The command line was not understood, or the kernel refused a change.
.SH FILES
.I /proc/net/ip_vs_conn
.SH SEE ALSO
ipvsadm(8), lvs(8), nanny(8), pulse(8)
"#;

fn is_command(def: &Def) -> bool {
    matches!(def.id, Id::Command(_))
}

fn argument(def: &Def) -> Option<&'static str> {
    match def.argument {
        Argument::None => None,
        Argument::Required(name) | Argument::Optional(name) => Some(name),
    }
}

/// Every spelling of a flag.
fn spellings(def: &Def) -> Vec<String> {
    let short = def.short.chars().map(|letter| format!("-{letter}"));
    short.chain([format!("--{}", def.long)]).collect()
}

fn roff(text: &str) -> String {
    text.replace('-', "\\-")
}

fn manual_page() -> String {
    let mut page = BEFORE_FLAGS.to_owned();
    for (title, commands) in [("COMMANDS", true), ("OPTIONS", false)] {
        writeln!(page, ".SH {title}").unwrap();
        for def in FLAGS.iter().filter(|def| is_command(def) == commands) {
            let names: Vec<_> = spellings(def)
                .iter()
                .map(|name| format!("\\fB{}\\fR", roff(name)))
                .collect();
            let argument = match def.argument {
                Argument::None => String::new(),
                Argument::Required(name) => format!(" \\fI{}\\fR", roff(name)),
                Argument::Optional(name) => format!(" [\\fI{}\\fR]", roff(name)),
            };
            writeln!(
                page,
                ".TP\n{}{argument}\n{}.",
                names.join(", "),
                roff(def.help)
            )
            .unwrap();
        }
    }
    page + AFTER_FLAGS
}

/// Values that an option's argument can have.
fn values(def: &Def) -> Option<&'static str> {
    match def.long {
        "scheduler" => Some("rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh"),
        "start-daemon" | "stop-daemon" => Some("master backup"),
        "tun-type" => Some("ipip gue gre"),
        "pe" => Some("sip"),
        "sched-flags" => Some("flag-1 flag-2 flag-3 sh-fallback sh-port mh-fallback mh-port"),
        _ => None,
    }
}

fn bash() -> String {
    let words = |commands: bool| {
        let wanted = FLAGS.iter().filter(|def| is_command(def) == commands);
        wanted.flat_map(spellings).collect::<Vec<_>>().join(" ")
    };
    let mut cases = String::new();
    for def in FLAGS {
        let pattern = spellings(def).join("|");
        if let Some(values) = values(def) {
            let reply = format!("COMPREPLY=($(compgen -W '{values}' -- \"$word\"))");
            writeln!(cases, "        {pattern}) {reply}; return ;;").unwrap();
        } else if def.long == "only" {
            let reply = "COMPREPLY=($(compgen -f -- \"$word\"))";
            writeln!(cases, "        {pattern}) {reply}; return ;;").unwrap();
        } else if matches!(def.argument, Argument::Required(_)) {
            writeln!(cases, "        {pattern}) return ;;").unwrap();
        }
    }
    format!(
        "# Completion of ipvsadm-rs for bash; made from the program's table of flags.\n\
         _ipvsadm_rs() {{\n    \
             local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n    \
             COMPREPLY=()\n    \
             case $before in\n{cases}    esac\n    \
             if ((COMP_CWORD == 1)); then\n        \
                 COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n    \
             else\n        \
                 COMPREPLY=($(compgen -W '{}' -- \"$word\"))\n    \
             fi\n\
         }}\n\
         complete -F _ipvsadm_rs ipvsadm-rs\n",
        words(true),
        words(false)
    )
}

fn zsh() -> String {
    let escape = |text: &str| {
        text.replace('\'', "'\\''")
            .replace('[', "\\[")
            .replace(']', "\\]")
    };
    let mut lines = String::new();
    for def in FLAGS {
        let action = match (values(def), def.long) {
            (Some(values), _) => format!("({values})"),
            (None, "only") => "_files".to_owned(),
            (None, _) => String::new(),
        };
        let argument = argument(def).map(|name| {
            let optional = matches!(def.argument, Argument::Optional(_));
            format!(
                "{}{}:{action}",
                if optional { "::" } else { ":" },
                name.replace(':', "\\:")
            )
        });
        for name in spellings(def) {
            let help = escape(&def.help.replace(':', "\\:"));
            let argument = argument.clone().unwrap_or_default();
            writeln!(lines, "    '{name}[{help}]{argument}' \\").unwrap();
        }
    }
    format!(
        "#compdef ipvsadm-rs\n\
         # Completion of ipvsadm-rs for zsh; made from the program's table of flags.\n\
         _arguments -s \\\n{lines}    '*:: :'\n"
    )
}

fn fish() -> String {
    let mut lines = String::from(
        "# Completion of ipvsadm-rs for fish; made from the program's table of flags.\n\
         complete -c ipvsadm-rs -f\n",
    );
    for def in FLAGS {
        let short: String = def
            .short
            .chars()
            .map(|letter| format!(" -s {letter}"))
            .collect();
        let required = if matches!(def.argument, Argument::Required(_)) {
            " -x"
        } else {
            ""
        };
        let choice = match (values(def), def.long) {
            (Some(values), _) => format!(" -a '{values}'"),
            (None, "only") => " -F".to_owned(),
            (None, _) => String::new(),
        };
        let required = if def.long == "only" { " -r" } else { required };
        let help = def.help.replace('\'', "\\'");
        writeln!(
            lines,
            "complete -c ipvsadm-rs -l {}{short}{required}{choice} -d '{help}'",
            def.long
        )
        .unwrap();
    }
    lines
}

fn check(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    assert!(
        found == text,
        "{path:?} is out of date: run this test with UPDATE_GENERATED=1"
    );
}

#[test]
fn manual_page_is_up_to_date() {
    check("docs/man/ipvsadm-rs.8", &manual_page());
}

#[test]
fn completions_are_up_to_date() {
    check("etc/completions/ipvsadm-rs.bash", &bash());
    check("etc/completions/_ipvsadm-rs", &zsh());
    check("etc/completions/ipvsadm-rs.fish", &fish());
}
