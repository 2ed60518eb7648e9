//! The manual page, its option part made from the program's own table.
//!
//! `UPDATE_GENERATED=1 cargo test -p lvs-convert --test manual` writes it; otherwise it is compared, so
//! that an option cannot change without it.
#![allow(
    clippy::unwrap_used,
    reason = "a test may stop at the first surprise, also in its helping functions"
)]

use std::fmt::Write;
use std::path::Path;

const BEFORE_OPTIONS: &str = r#".TH LVS-CONVERT 8 "" "" "System Administration"
.SH NAME
lvs\-convert \- write an lvs.cf from a keepalived.conf or an ldirectord.cf
.SH SYNOPSIS
\fBlvs\-convert\fR [\fIoptions\fR] \fIFILE\fR
.SH DESCRIPTION
Reads the configuration of keepalived(8) or ldirectord(8) and writes the lvs.cf(5) of a router pair that
does the same, to standard output or to the file of \fB\-\-output\fR.
A \fIFILE\fR called \fB\-\fR is standard input.
Files that keepalived.conf includes are read, too, and its parameters are replaced.
.PP
Each thing that lvs.cf does not have, or has in another form, is named on standard error with file, line,
reason and remedy: \fBnot carried over\fR, \fBcarried over as something near\fR, or
\fBto be filled in\fR.
What is written is always an lvs.cf that \fBpulse \-\-check\fR accepts; it is complete when nothing was
to be filled in.
.PP
lvs.cf has one forwarding method for all services: that of the first service. Services with another one
are written with \fBactive = 0\fR. It has one check for all servers of a service: that of the
first server.
.SH OPTIONS
"#;

const AFTER_OPTIONS: &str = r#".SH EXIT STATUS
.TP
0
The file was written, whatever had to be named.
.TP
1
Nothing was written: the file cannot be read, has no virtual service, or the output exists.
.SH EXAMPLE
.nf
lvs\-convert \-o lvs.cf \-\-primary 198.51.100.10 \-\-backup 198.51.100.11 /etc/keepalived/keepalived.conf
pulse \-\-check \-c lvs.cf
.fi
.SH SEE ALSO
lvs.cf(5), pulse(8)
"#;

fn roff(text: &str) -> String {
    text.replace('-', "\\-")
}

fn page() -> String {
    let mut page = BEFORE_OPTIONS.to_owned();
    let command = lvs_convert::command();
    for option in command
        .get_arguments()
        .filter(|option| !option.is_positional())
    {
        let short = option
            .get_short()
            .map(|letter| format!("\\fB\\-{letter}\\fR, "));
        let long = roff(option.get_long().unwrap());
        let value = option
            .get_value_names()
            .filter(|_| option.get_action().takes_values());
        let value = value.map(|names| format!("=\\fI{}\\fR", names.concat()));
        writeln!(
            page,
            ".TP\n{}\\fB\\-\\-{long}\\fR{}\n{}.",
            short.unwrap_or_default(),
            value.unwrap_or_default(),
            roff(&option.get_help().unwrap().to_string())
        )
        .unwrap();
    }
    page + AFTER_OPTIONS
}

#[test]
fn the_manual_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/man/lvs-convert.8");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), page());
}
