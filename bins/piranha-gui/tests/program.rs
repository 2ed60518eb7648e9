//! The program as it runs: what it may still do once it serves.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests may stop at the first surprise"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::{Child, Command, Stdio};

use account::{Account, Accounts, Role};
use tempfile::TempDir;

/// Ends with the test.
struct Tool {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn accounts(folder: &TempDir, owner: Option<u32>) -> std::path::PathBuf {
    let path = folder.path().join("piranha.passwd");
    let mut accounts = Accounts::default();
    accounts.set(Account::new("piranha", Role::Admin, "right").unwrap());
    std::fs::write(&path, accounts.text()).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    chown(&path, owner, None).unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    path
}

fn tool(folder: TempDir, user: &str, owner: Option<u32>) -> Result<Tool, String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_piranha-gui"))
        .args(["--user", user, "--listen", "127.0.0.1:0", "--accounts"])
        .arg(accounts(&folder, owner))
        .arg("--run-dir")
        .arg(folder.path())
        .arg("-c")
        .arg(folder.path().join("lvs.cf"))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    said.read_line(&mut line).unwrap();
    let mut tool = Tool {
        child,
        address: String::new(),
        _folder: folder,
    };
    let Some((_, address)) = line.trim_end().split_once("serving http://") else {
        return Err(line);
    };
    tool.address = address.trim_end_matches('/').to_owned();
    Ok(tool)
}

/// A line of `/proc/PID/status` for each of its threads.
fn of_threads(tool: &Tool, name: &str) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", tool.child.id())).unwrap();
    tasks
        .map(|task| {
            let status = std::fs::read_to_string(task.unwrap().path().join("status")).unwrap();
            let mut lines = status.lines().filter_map(|line| line.split_once(":\t"));
            let found = lines.find(|(found, _)| *found == name).unwrap();
            found.1.to_owned()
        })
        .collect()
}

#[test]
fn r15_the_web_process_has_no_privileges_and_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let own = nix::unistd::geteuid();
    let is_root = own.is_root();
    let user = nix::unistd::User::from_name("nobody").unwrap().unwrap();
    let uid = if is_root { user.uid } else { own };
    let tool = tool(folder, "nobody", Some(uid.as_raw())).unwrap();
    let mut stream = TcpStream::connect(&tool.address).unwrap();
    let request = "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("ok\n"), "{answer}");

    let ids = [
        uid.to_string(),
        uid.to_string(),
        uid.to_string(),
        uid.to_string(),
    ]
    .join("\t");
    for (name, expected) in [
        ("Uid", ids.as_str()),
        ("CapEff", "0000000000000000"),
        ("CapPrm", "0000000000000000"),
        ("CapAmb", "0000000000000000"),
        ("NoNewPrivs", "1"),
    ] {
        for found in of_threads(&tool, name) {
            assert_eq!(found, expected, "{name}");
        }
    }
    if is_root {
        let groups = of_threads(&tool, "Groups");
        let root_group = groups
            .iter()
            .any(|list| list.split_whitespace().any(|it| it == "0"));
        assert!(!root_group, "{groups:?}");
    }
}

#[test]
fn r15_the_web_process_does_not_run_as_root() {
    if nix::unistd::geteuid().is_root() {
        let error = tool(tempfile::tempdir().unwrap(), "root", None)
            .err()
            .unwrap();
        assert!(error.contains("must not run as root"), "{error}");
    }
}
