//! The surroundings in which cases were recorded (`ipvsadm.md` section 6): own network and mount namespace,
//! small hosts and services files, no name server.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use tempfile::TempDir;

use super::table::{Case, Outcome};

const HOSTS: &str = "\
127.0.0.1 localhost
::1 localhost ip6-localhost
10.0.0.1 vip1
192.168.0.1 rs1
192.168.0.2 rs2.example.net
10.0.0.77 a-very-long-virtual-host-name.example.net
192.168.0.77 a-very-long-real-server-name.example.net
2001:db8::1 vip6.example.net
2001:db8::77 a-very-long-ipv6-virtual-host-name.example.net
2001:db8::78 a-very-long-ipv6-real-server-name.example.net
";

const SERVICES: &str = "\
ssh 22/tcp
domain 53/tcp
domain 53/udp
http 80/tcp www
https 443/tcp
sip 5060/udp
http-alt 8080/tcp
";

/// The files of the kit.
pub(crate) struct Kit {
    folder: TempDir,
}

impl Kit {
    /// Files and a folder in which the program is found under its names.
    pub(crate) fn new(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let kit = Self { folder };
        fs::write(kit.path("hosts"), HOSTS).unwrap();
        fs::write(kit.path("services"), SERVICES).unwrap();
        fs::write(kit.path("resolv.conf"), "").unwrap();
        fs::write(kit.path("nsswitch.conf"), "hosts: files\nservices: files\n").unwrap();
        fs::create_dir(kit.path("bin")).unwrap();
        let named = program.file_name().is_some_and(|name| name == "ipvsadm");
        for name in ["ipvsadm", "ipvsadm-save", "ipvsadm-restore"] {
            // The original's wrappers are programs of their own, beside it.
            let beside = program.with_file_name(name);
            let target = if named && beside.exists() {
                beside
            } else {
                program.to_path_buf()
            };
            symlink(target, kit.path("bin").join(name)).unwrap();
        }
        // Some cases drop privileges and then start the program.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(kit.folder.path(), open).unwrap();
        kit
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts the files in place for this thread and the programs that it starts, and nobody else.
    pub(crate) fn enter(&self) {
        unshare(CloneFlags::CLONE_NEWNS).unwrap();
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
        for name in ["hosts", "services", "resolv.conf", "nsswitch.conf"] {
            let target = Path::new("/etc").join(name);
            if target.exists() {
                mount(
                    Some(&self.path(name)),
                    &target,
                    none,
                    MsFlags::MS_BIND,
                    none,
                )
                .unwrap();
            }
        }
    }

    /// Runs a case; the error is that of its setup. A case that needs IPVS has a network of its own.
    pub(crate) fn run(&self, case: &Case) -> Result<Outcome, String> {
        if case.needs == "ipvs" {
            unshare(CloneFlags::CLONE_NEWNET).unwrap();
            raise_loopback();
        }
        let folder = self.folder.path().display();
        let mut script = format!("PATH={folder}/bin:$PATH\n");
        if !case.setup.is_empty() {
            let setup = &case.setup;
            script +=
                &format!("( set -e\n{setup}\n) </dev/null >{folder}/setup 2>&1 || exit 199\n");
        }
        script += &case.command;
        let mut command = Command::new("bash");
        command
            .arg("-c")
            .arg(&script)
            .env("LC_ALL", "C")
            .env_remove("POSIXLY_CORRECT");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read its input is no failure.
        let _ = child.stdin.take().unwrap().write_all(case.input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let status = output.status.code().unwrap_or(-1);
        if status == 199 {
            let text = fs::read_to_string(self.path("setup")).unwrap_or_default();
            return Err(format!("setup failed: {}\n{text}", case.setup));
        }
        Ok(Outcome {
            status,
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

/// Sets the loopback of this thread's network up; without it the kernel refuses every IPv4 server. A
/// request by hand, because starting a program takes most of a case's time.
fn raise_loopback() {
    let socket = Socket::new(NETLINK_ROUTE).unwrap();
    let mut request = Vec::new();
    // Header: length, RTM_NEWLINK, request with acknowledgement, sequence, port.
    request.extend(32u32.to_ne_bytes());
    request.extend([16u16.to_ne_bytes(), 5u16.to_ne_bytes()].concat());
    request.extend([1u32.to_ne_bytes(), 0u32.to_ne_bytes()].concat());
    // Interface 1, IFF_UP set and meant.
    request.extend([0u32, 1, 1, 1].map(u32::to_ne_bytes).concat());
    socket.send_to(&request, &SocketAddr::new(0, 0), 0).unwrap();
    let (answer, _) = socket.recv_from_full().unwrap();
    assert_eq!(answer[16..20], [0; 4], "the loopback cannot be set up");
}
