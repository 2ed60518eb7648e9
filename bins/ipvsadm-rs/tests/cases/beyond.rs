//! What this program does beyond the original, on a kernel in memory.

use ipvs::Forward;
use ipvs::text::{parse_table, print_table};
use ipvsadm_rs::session::Session;

use super::memory::Memory;
use super::table::Outcome;

const TABLE: &str = "\
-A -t 10.0.0.1:80 -s wlc
-a -t 10.0.0.1:80 -r 192.168.0.1:80 -m -w 5
-a -t 10.0.0.1:80 -r 192.168.0.2:80 -m -w 1
-A -t 10.0.0.2:80 -s rr -p 60
-A -f 5 -s rr
-a -f 5 -r 192.168.0.3:0 -g -w 1
";

fn kernel(table: &str) -> Memory {
    Memory {
        table: parse_table(table).unwrap(),
        ..Memory::counting(7)
    }
}

fn run(kernel: &mut Memory, words: &str, input: &str) -> Outcome {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let mut session = Session {
        program: b"ipvsadm".to_vec(),
        kernel,
        input: &mut input.as_bytes(),
        stdout: &mut stdout,
        out: Vec::new(),
        err: &mut stderr,
        connections: "/nonexistent".into(),
        warned: false,
        line: None,
    };
    let status = session.run(
        words
            .split(' ')
            .map(|word| word.as_bytes().to_vec())
            .collect(),
    );
    assert!(session.deliver());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Outcome {
        status: status.into(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

fn done(stdout: &str) -> Outcome {
    Outcome {
        status: 0,
        stdout: stdout.to_owned(),
        stderr: String::new(),
    }
}

#[test]
fn apply_answers_every_line() {
    let mut kernel = kernel("");
    let input = "\
-A -t 10.0.0.1:80 -s rr

-A -t 10.0.0.1:80 -s rr
-A -t 10.0.0.1:x -s rr
-L
-A -w
-a -t 10.0.0.1:80 -r 192.168.0.1 -m
-A -t 10.0.0.3:80 -6
-d -t 10.0.0.9:80 -r 192.168.0.1
";
    let found = run(&mut kernel, "--apply", input);
    let answers = "\
1 ok
3 error Service already exists
4 error illegal virtual server address[:port] specified
5 error Not a change
6 error -w: missing argument
7 ok
8 error -6 used before -f
9 error Service not defined
";
    assert_eq!(
        found,
        Outcome {
            status: 255,
            stdout: answers.to_owned(),
            stderr: String::new()
        }
    );
    let expected = "-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 192.168.0.1:80 -m -w 1\n";
    assert_eq!(print_table(&kernel.table), expected);
}

#[test]
fn syncing_what_is_there_writes_nothing() {
    let mut kernel = kernel(TABLE);
    // As saved, and as lines that have to be taken apart.
    for input in [TABLE.to_owned(), format!("# Mine.\n{TABLE}")] {
        assert_eq!(run(&mut kernel, "--restore --sync", &input), done(""));
        assert_eq!(run(&mut kernel, "-R --sync", &input), done(""));
    }
    assert_eq!(kernel.writes, 0);
}

#[test]
fn syncing_writes_the_differences() {
    let mut kernel = kernel(TABLE);
    let wanted = "\
# Weights change, one server and one service go.
-A -t 10.0.0.1:80 -s wlc
-a -t 10.0.0.1:80 -r 192.168.0.1:80 -m -w 9
-A -t 10.0.0.2:80 -s rr -p 60
-A -u 10.0.0.2:53 -s rr";
    let changes = "\
-e -t 10.0.0.1:80 -r 192.168.0.1:80 -m -w 9
-A -u 10.0.0.2:53 -s rr
-d -t 10.0.0.1:80 -r 192.168.0.2:80
-D -f 5
";
    assert_eq!(
        run(&mut kernel, "-R --sync --dry-run", wanted),
        done(changes)
    );
    assert_eq!(kernel.writes, 0);
    assert_eq!(run(&mut kernel, "--restore --sync", wanted), done(""));
    assert_eq!(kernel.writes, 4);
    assert_eq!(
        run(&mut kernel, "--restore --sync --dry-run", wanted),
        done("")
    );
}

#[test]
fn a_wrong_line_keeps_sync_from_writing() {
    let mut kernel = kernel(TABLE);
    let input = "-A -f 1 -s rr\n-C\n-a -f 2 -r 10.0.0.2\n-A -f 1\n-A -f x\n";
    let errors = "\
line 2: Only -A and -a describe a table
line 3: Service not defined
line 4: Service already exists
line 5: invalid fwmark value `x' specified
";
    let found = run(&mut kernel, "-R --sync", input);
    let expected = Outcome {
        status: 2,
        stdout: String::new(),
        stderr: errors.to_owned(),
    };
    assert_eq!(found, expected);
    assert_eq!(kernel.writes, 0);
}

#[test]
fn sync_leaves_others_services_alone() {
    let mut kernel = kernel(TABLE);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("services");
    std::fs::write(&path, "-t 10.0.0.1:80\n# also this one\n-f 5\n").unwrap();
    let words = format!("-R --sync --only {}", path.display());
    assert_eq!(run(&mut kernel, &words, "-A -f 5 -s wrr"), done(""));
    assert_eq!(
        print_table(&kernel.table),
        "-A -t 10.0.0.2:80 -s rr -p 60\n-A -f 5 -s wrr\n"
    );
    let found = run(&mut kernel, &words, "-A -f 6 -s wrr");
    assert_eq!(
        found.stderr,
        "line 1: The service is not among those named by --only\n"
    );
    assert_eq!(found.status, 2);
}

#[test]
fn sync_keeps_thresholds_that_no_line_names() {
    let mut kernel = kernel("-A -f 1 -s rr\n-a -f 1 -r 10.0.0.2:80 -m -x 9 -y 3\n");
    let before = kernel.table.clone();
    let saved = run(&mut kernel, "-S", "").stdout;
    for input in [saved.clone(), format!("#\n{saved}")] {
        assert_eq!(run(&mut kernel, "-R --sync", &input), done(""));
        assert_eq!(kernel.table, before);
    }
    assert_eq!(kernel.writes, 0);
    // Also where something else of the server changes.
    let heavier = saved.replace("-w 1", "-w 2");
    assert_eq!(
        run(&mut kernel, "-R --sync --dry-run", &heavier),
        done("-e -f 1 -r 10.0.0.2:80 -m -w 2 -x 9 -y 3\n")
    );
}

#[test]
fn sync_of_lines_that_name_thresholds_sets_back_those_they_do_not_name() {
    let table =
        "-A -f 1 -s rr\n-a -f 1 -r 10.0.0.2:80 -m -x 9 -y 3\n-a -f 1 -r 10.0.0.3:80 -m -x 7\n";
    let input = "-A -f 1 -s rr\n-a -f 1 -r 10.0.0.2:80 -m\n-a -f 1 -r 10.0.0.3:80 -m -x 7\n";
    let mut one = kernel(table);
    assert_eq!(
        run(&mut one, "-R --sync --dry-run", input),
        done("-e -f 1 -r 10.0.0.2:80 -m -w 1\n")
    );
    // The last one goes by its number.
    let mut other = kernel(table);
    let none = input.replace("-x 7", "-x 0");
    assert_eq!(run(&mut other, "-R --sync", &none), done(""));
    assert_eq!(other.writes, 2);
    assert_eq!(other.table, kernel(&none).table);
}

#[test]
fn sync_leaves_what_a_saved_table_cannot_say() {
    let mut kernel = kernel("-A -f 1 -s sh -b sh-port\n-a -f 1 -r 10.0.0.2:80 -g -w 1\n");
    for entry in kernel.table.values_mut() {
        entry.service.scheduler_flags |= 0x20;
        for server in entry.servers.values_mut() {
            server.forward = Forward::Local;
        }
    }
    let saved = run(&mut kernel, "-S", "").stdout;
    for input in [saved.clone(), format!("#\n{saved}")] {
        assert_eq!(run(&mut kernel, "-R --sync", &input), done(""));
    }
    assert_eq!(kernel.writes, 0);
}

#[test]
fn check_tells_all_errors_and_changes_nothing() {
    let mut kernel = kernel(TABLE);
    let input = "-A -f 0\n\n-C\n--bogus\n-R\n-L -q\n";
    let errors = "\
line 1: invalid fwmark value `0' specified
line 4: Try `ipvsadm -h' or 'ipvsadm --help' for more information.
line 5: Try `ipvsadm -h' or 'ipvsadm --help' for more information.
line 6: -q: unknown option
";
    let expected = Outcome {
        status: 2,
        stdout: String::new(),
        stderr: errors.to_owned(),
    };
    assert_eq!(run(&mut kernel, "-R --check", input), expected);
    assert_eq!(run(&mut kernel, "-R --check", TABLE), done(""));
    assert_eq!(kernel.writes, 0);
}

#[test]
fn lines_are_named_on_demand() {
    let mut kernel = kernel(TABLE);
    let input = "-A -f 5 -s rr\n-A -f 6 -s rr\n-A --bogus\n-A -f 6\n-A -f 0\n-C\n";
    let errors = "\
line 1: Service already exists
line 3: --bogus: unknown option
line 4: Service already exists
line 5: invalid fwmark value `0' specified
";
    let expected = Outcome {
        status: 2,
        stdout: String::new(),
        stderr: errors.to_owned(),
    };
    assert_eq!(run(&mut kernel, "-R --lines", input), expected);
}

#[test]
fn json_holds_everything() {
    let mut kernel = kernel(
        "-A -f 5 -6 -s sh -p 60 -M 64 -b sh-port\n-a -f 5 -6 -r [::2]:80 -i --tun-type gre --tun-csum -w 3\n",
    );
    let found = run(&mut kernel, "-L --json", "");
    let counters = "{\"connections\":7,\"in_packets\":7,\"out_packets\":7,\"in_bytes\":7,\"out_bytes\":7,\"connections_per_second\":7,\"in_packets_per_second\":7,\"out_packets_per_second\":7,\"in_bytes_per_second\":7,\"out_bytes_per_second\":7}";
    let expected = format!(
        "{{\"version\":\"1.2.1\",\"size\":4096,\"services\":[{{\"mark\":5,\"family\":\"ipv6\",\"scheduler\":\"sh\",\"flags\":[\"sh-port\"],\"one_packet\":false,\"persistence\":{{\"timeout\":60,\"netmask\":64}},\"engine\":null,\"counters\":{counters},\"servers\":[{{\"address\":\"::2\",\"port\":80,\"forward\":\"tunnel\",\"tunnel\":{{\"type\":\"gre\",\"checksum\":\"plain\"}},\"weight\":3,\"upper_threshold\":0,\"lower_threshold\":0,\"active_connections\":0,\"inactive_connections\":0,\"persistent_connections\":0,\"counters\":{counters}}}]}}]}}\n"
    );
    assert_eq!(found, done(&expected));
    let found = run(&mut kernel, "-L --timeout --json", "");
    assert_eq!(found, done("{\"tcp\":900,\"tcpfin\":120,\"udp\":300}\n"));
    assert_eq!(
        run(&mut kernel, "-S --json", "").stderr,
        "Illegal 'json' option with the 'save' command\n"
    );
}
