//! What is refused, checked or only shown: nothing of it may touch the machine.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output};

use crate::stderr;
use crate::world::{Router, VIP, World};

fn refused(router: &Router, options: &[&str]) -> Output {
    let output = router.command(options).output().unwrap();
    assert!(!output.status.success(), "{output:?}");
    assert!(!router.owns(VIP));
    assert_eq!(router.lvs_pid(), None);
    output
}

#[test]
fn refusals_are_one_clear_line() {
    let world = World::new();
    let (a, good) = (&world.a, world.configuration(""));
    let file = a.log.join("lvs.cf").display().to_string();
    a.configure(&format!("keepalive=6\n{good}"));
    let output = refused(a, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stderr(&output),
        format!("pulse: error parsing {file} at line 1: unknown command\n")
    );

    a.configure("primary = 10.77.0.1\n");
    let output = refused(a, &[]);
    assert_eq!(
        stderr(&output),
        format!("pulse: no active lvs services defined in {file}\n")
    );

    a.configure(&good.replace("primary = 10.77.0.1", "primary = 10.77.0.9"));
    let output = refused(a, &["-n"]);
    assert!(
        stderr(&output).contains("neither primary (10.77.0.9)"),
        "{output:?}"
    );

    a.configure(&good);
    let output = refused(a, &["--against", &file]);
    assert_eq!(stderr(&output), "pulse: --against is for --check\n");

    a.set("no-ipvs", true);
    let output = refused(a, &["-n"]);
    assert_eq!(
        stderr(&output),
        "pulse: cannot use IPVS: this kernel has no IPVS\n"
    );
    a.set("no-ipvs", false);

    // B13: found before the start goes to the background.
    a.configure(
        &good
            .replace("primary = 10.77.0.1", "primary = 10.77.0.9")
            .replace("backup = 10.77.0.2", "backup = 10.77.0.1")
            .replace("backup_active = 1", "backup_active = 0"),
    );
    let output = refused(a, &[]);
    assert_eq!(output.status.code(), Some(255));
    assert!(stderr(&output).contains("We are backup node and backup is marked inactive"));

    a.configure(&good.replace(
        "primary_private = 10.78.0.1",
        "primary_private = 10.78.0.77",
    ));
    let output = refused(a, &["-n"]);
    let text = stderr(&output);
    assert!(
        text.starts_with("pulse: cannot create heartbeat socket. running as root?"),
        "{text}"
    );
    assert!(text.contains("10.78.0.77:1539"), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn b42_a_dry_run_prints_and_touches_nothing() {
    let world = World::new();
    let output = world.a.command(&["-t"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for words in [
        "role: primary",
        "sysctl -w net.ipv4.conf.eth0.promote_secondaries=1",
        "ip address replace 10.77.0.80/24 broadcast 10.77.0.255 dev eth0 label eth0:1",
        "--start-daemon backup --mcast-interface eth1 --syncid 44",
        "command became active",
        "lvs --nofork -c ",
    ] {
        assert!(text.contains(words), "{words:?} is not in\n{text}");
    }
    assert!(!world.a.log.join("commands.log").exists());
    assert!(!world.a.log.join("ipvsadm.log").exists());
    assert_eq!(world.a.lvs_pid(), None);
}

#[test]
fn check_and_show_config_run_nothing() {
    let world = World::new();
    let run = |options: &[&str]| world.a.command(options).output().unwrap();
    let good = run(&["--check"]);
    assert!(good.status.success(), "{good:?}");
    let shown = String::from_utf8(run(&["--show-config"]).stdout).unwrap();
    assert!(shown.contains("global.heartbeat_port\t1539\n"), "{shown}");
    world.a.configure("keepalive = six\nwrong\n");
    let wrong = run(&["--check"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr(&wrong).contains("integer expected"), "{wrong:?}");
    let json = String::from_utf8(run(&["--check", "--format", "json"]).stdout).unwrap();
    assert!(json.trim_start().starts_with('['), "{json}");
    assert_eq!(run(&["--check", "--format", "xml"]).status.code(), Some(1));
    assert!(!world.a.log.join("run").exists());
}

#[test]
fn metrics_need_no_daemon_and_replace_a_file_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let status = "{\"role\":\"backup\",\"phase\":\"standby\",\"activations\":4}";
    std::fs::write(folder.path().join("pulse.json"), status).unwrap();
    let run = |words: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_pulse"));
        command.args(words).arg("--run-dir").arg(folder.path());
        command.output().unwrap()
    };
    let printed = run(&["--metrics"]);
    assert!(printed.status.success() && printed.stderr.is_empty());
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("\npiranha_activations_total 4\n"), "{text}");
    assert!(text.contains("\npiranha_status_readable{daemon=\"lvs\"} 0\n"));
    let file = folder.path().join("piranha.prom");
    let written = run(&["--metrics", "--to", file.to_str().unwrap()]);
    assert!(written.status.success() && written.stdout.is_empty());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\npiranha_activations_total 4\n"));
    let nowhere = folder.path().join("none/piranha.prom");
    let failed = run(&["--metrics", "--to", nowhere.to_str().unwrap()]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(
        stderr(&failed).starts_with("pulse: cannot write "),
        "{failed:?}"
    );
    let alone = run(&["--to", file.to_str().unwrap()]);
    assert_eq!(stderr(&alone), "pulse: --to is for --metrics\n");
}

#[test]
fn a_terminal_gets_the_line_of_the_file_too() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lvs.cf");
    std::fs::write(&file, "primary = 10.0.0.1\nbackup_active = 7\n").unwrap();
    let terminal = nix::pty::openpty(None, None).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_pulse"))
        .args(["-n", "-c"])
        .arg(&file)
        .env("NO_COLOR", "1")
        .stderr(terminal.slave)
        .spawn()
        .unwrap();
    let mut shown = String::new();
    // Ends with an error when nobody holds the other side any more.
    let _ = File::from(terminal.master).read_to_string(&mut shown);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let mut lines = shown.lines().map(str::trim_end);
    let first = format!(
        "pulse: error parsing {} at line 2: boolean expected",
        file.display()
    );
    assert_eq!(lines.next(), Some(first.as_str()), "{shown}");
    assert!(
        lines.any(|line| line.contains("backup_active = 7")),
        "{shown}"
    );
    assert!(shown.contains('^') && shown.contains("0 or 1"), "{shown}");
}

#[test]
fn the_files_that_are_delivered_are_clean_and_show_what_they_mean() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc");
    let pulse = |options: &[&str], file: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulse"));
        command.args(options).arg("-c").arg(file).output().unwrap()
    };
    for name in ["lvs-nat.cf", "lvs-direct.cf"] {
        let file = folder.join(name);
        let output = pulse(&["--check"], &file);
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{output:?}"
        );
        let output = pulse(&["--check", "--format", "json"], &file);
        assert_eq!(output.stdout, b"[]\n", "{output:?}");
        let output = pulse(&["--show-config"], &file);
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.lines().all(|line| line.contains('\t')), "{shown}");
        assert!(shown.contains("global.primary\t"), "{shown}");
    }
}

#[test]
fn check_warns_and_tells_what_would_change() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        file
    };
    let text = "primary = 10.0.0.1\nvirtual web {\n active = 1\n address = 10.0.0.80 eth0:1\n}\n";
    let old = write("old.cf", text);
    let new = write(
        "new.cf",
        &format!("arp_interval = 30\n{}", text.replace(".80", ".81")),
    );
    let run = |options: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pulse"));
        command.arg("--check").args(options).output().unwrap()
    };
    let output = run(&["-c".as_ref(), &new, "--against".as_ref(), &old]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "warnings are no errors: {output:?}"
    );
    assert!(stderr(&output).starts_with("pulse: "), "{output:?}");
    assert!(stderr(&output).contains("arp_interval"), "{output:?}");
    let changes = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(changes.contains("10.0.0.81"), "{changes}");
    let missing = run(&["-c".as_ref(), &folder.path().join("none.cf")]);
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
}
