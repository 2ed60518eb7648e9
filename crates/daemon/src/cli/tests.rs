use super::*;

fn command() -> Command {
    Command::new("nanny")
        .arg(
            Arg::new("configfile")
                .long("configfile")
                .short('c')
                .value_name("configfile")
                .value_parser(value_parser!(OsString))
                .help("Configuration file"),
        )
        .arg(
            Arg::new("interval")
                .long("interval")
                .short('t')
                .value_name("seconds")
                .value_parser(integer)
                .help("Pause between two checks of the server, and the time limit of each one"),
        )
        .arg(
            Arg::new("nodaemon")
                .long("nodaemon")
                .short('n')
                .action(ArgAction::SetTrue),
        )
        .arg(
            Arg::new("verbose")
                .long("verbose")
                .short('v')
                .action(ArgAction::SetTrue),
        )
        .arg(Arg::new("norun").long("norun").action(ArgAction::SetTrue))
}

fn run(args: &[&str]) -> Outcome {
    let args: Vec<OsString> = std::iter::once("nanny")
        .chain(args.iter().copied())
        .map(OsString::from)
        .collect();
    evaluate(command(), "nanny", "1.46", &args)
}

fn matches(args: &[&str]) -> ArgMatches {
    match run(args) {
        Outcome::Matches(matches) => *matches,
        other => panic!("{args:?}: {other:?}"),
    }
}

fn refused(args: &[&str]) -> String {
    match run(args) {
        Outcome::Refuse(text) => text,
        other => panic!("{args:?}: {other:?}"),
    }
}

fn printed(args: &[&str]) -> String {
    match run(args) {
        Outcome::Print(text) => text,
        other => panic!("{args:?}: {other:?}"),
    }
}

#[test]
fn forms_of_an_option_with_a_value() {
    for args in [
        &["--configfile=/x"][..],
        &["--configfile", "/x"],
        &["-c/x"],
        &["-c", "/x"],
        &["-nvc", "/x"],
        &["-c", "/y", "-c", "/x"],
    ] {
        let matches = matches(args);
        assert_eq!(
            matches.get_one::<OsString>("configfile").unwrap(),
            "/x",
            "{args:?}"
        );
    }
    let matches = matches(&["-c", "-n", "-nn", "--nodaemon"]);
    assert_eq!(matches.get_one::<OsString>("configfile").unwrap(), "-n");
    assert!(matches.get_flag("nodaemon"));
}

#[test]
fn empty_value_is_a_value() {
    assert_eq!(
        matches(&["--configfile="])
            .get_one::<OsString>("configfile")
            .unwrap(),
        ""
    );
    assert_eq!(
        matches(&["-c", ""])
            .get_one::<OsString>("configfile")
            .unwrap(),
        ""
    );
}

#[test]
fn integers_are_in_c_notation() {
    for (text, value) in [
        ("10", 10),
        ("0x1F", 31),
        ("017", 15),
        ("-3", -3),
        ("+4", 4),
        (" 5", 5),
        ("0", 0),
        ("", 0),
    ] {
        assert_eq!(integer(text), Ok(value), "{text:?}");
        assert_eq!(
            matches(&["-t", text]).get_one::<i32>("interval"),
            Some(&value)
        );
    }
    for text in ["ten", "0x", "08", "1 ", "--1", "1.5", "-"] {
        assert_eq!(integer(text), Err(NumberError::Invalid), "{text:?}");
    }
    for text in ["2147483648", "-2147483649", "99999999999999999999999"] {
        assert_eq!(integer(text), Err(NumberError::Range), "{text:?}");
    }
}

#[test]
fn refusals_have_popts_texts() {
    for (args, text) in [
        (&["--bogus"][..], "bad argument --bogus: unknown option"),
        (&["--bogus=1"], "bad argument --bogus=1: unknown option"),
        (&["--config", "x"], "bad argument --config: unknown option"),
        (&["-z"], "bad argument -z: unknown option"),
        (&["-nz"], "bad argument -nz: unknown option"),
        (&["-h"], "bad argument -h: unknown option"),
        (
            &["--configfile"],
            "bad argument --configfile: missing argument",
        ),
        (&["-n", "-c"], "bad argument -c: missing argument"),
        (&["-t", "ten"], "bad argument ten: invalid numeric value"),
        (
            &["--interval=ten"],
            "bad argument ten: invalid numeric value",
        ),
        (
            &["-t", "9999999999"],
            "bad argument 9999999999: number too large or too small",
        ),
        (
            &["--nodaemon=yes"],
            "bad argument --nodaemon=yes: unexpected value",
        ),
        (&["word"], "unexpected arguments"),
        (&["-n", "--", "-v"], "unexpected arguments"),
        (&["-"], "unexpected arguments"),
        (&["word", "--bogus"], "bad argument --bogus: unknown option"),
    ] {
        assert_eq!(refused(args), text, "{args:?}");
    }
}

#[test]
fn version_is_three_lines_and_beats_the_rest() {
    let text = printed(&["--help", "--version", "word"]);
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], "Program Version:\tnanny 1.46");
    let date = lines[1].strip_prefix("Built:\t\t\t").unwrap();
    assert_eq!(date.len(), "20/Oct/2016".len());
    assert!(
        date[..2]
            .parse::<u8>()
            .is_ok_and(|day| (1..=31).contains(&day)),
        "{date}"
    );
    assert_eq!(
        lines[2],
        format!("A component of:\t\tpiranha-{}", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn help_is_laid_out_as_popt_does() {
    let expected = "\
Usage: nanny [OPTION...]
  -c, --configfile=configfile   Configuration file
  -t, --interval=seconds        Pause between two checks of the server, and the
                                time limit of each one
  -n, --nodaemon
  -v, --verbose
      --norun
      --version                 Display version

Help options:
  -?, --help                    Show this help message
      --usage                   Display brief usage message
";
    assert_eq!(printed(&["--help"]), expected);
    assert_eq!(printed(&["-?"]), expected);
    assert_eq!(printed(&["-n?"]), expected);
}

#[test]
fn usage_is_a_synopsis() {
    let expected = "\
Usage: nanny [-nv?] [-c|--configfile=configfile] [-t|--interval=seconds]
        [-n|--nodaemon] [-v|--verbose] [--norun] [--version] [-?|--help]
        [--usage]
";
    assert_eq!(printed(&["--usage"]), expected);
}
