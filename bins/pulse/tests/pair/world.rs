//! Two routers and a witness in network namespaces of their own, with stand-ins for lvs, send_arp
//! and ipvsadm that only write down what they are asked.
//!
//! `public` and `private` networks are bridges in the witness's namespace. Needs root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Reads orders, answers, and tells of its life in `lvs.log` beside its state folder.
const LVS: &str = r#"#!/bin/sh
log="$PULSE_TEST_LOG/lvs.log"
echo "started $$ $*" >> "$log"
if [ -e "$PULSE_TEST_LOG/lvs-stubborn" ]; then trap '' TERM
else trap 'echo "terminated $$" >> "$log"; exit 0' TERM; fi
[ -e "$PULSE_TEST_LOG/lvs-mute" ] || echo alive >&3
[ -e "$PULSE_TEST_LOG/lvs-dies" ] && exit 7
while read -r word length; do
    echo "order $word $length" >> "$log"
    case "$word" in
        config) head -c "$length" > "$PULSE_TEST_LOG/lvs.config" ;;
        active|relieve) while [ -e "$PULSE_TEST_LOG/lvs-hangs" ]; do sleep 0.05; done; echo ready >&3 ;;
        reload) [ -e "$PULSE_TEST_LOG/lvs-refuses" ] && echo refused 7 no >&3 || echo reloaded >&3 ;;
    esac
done
echo "end of orders $$" >> "$log"
"#;

const SEND_ARP: &str = "#!/bin/sh\nsed \"s/^/$* /\" >> \"$PULSE_TEST_LOG/send_arp.log\"\n";

/// Keeps the sync daemons in files `sync-master` and `sync-backup`.
const TOOL: &str = r#"#!/bin/sh
cd "$PULSE_TEST_LOG"
[ -e no-ipvs ] && { echo this kernel has no IPVS >&2; exit 255; }
case "$1" in
    -L) cat sync-master sync-backup 2> /dev/null; exit 0 ;;
    --start-daemon) [ -e sync-fails ] && { echo "No such device" >&2; exit 1; } ;;
esac
# Before its effect, for which a test may wait.
echo "$*" >> ipvsadm.log
case "$1" in
    --start-daemon) echo "$2 sync daemon (mcast=$4, syncid=$6)" > "sync-$2" ;;
    --stop-daemon) rm -f "sync-$2" ;;
esac
"#;

const COMMAND: &str = "#!/bin/sh\necho \"$*\" >> \"$PULSE_TEST_LOG/commands.log\"\n";

pub(crate) const VIP: &str = "10.77.0.80";
pub(crate) const NAT_ROUTER: &str = "10.78.0.254";

pub(crate) fn run(words: &str) -> String {
    let mut words = words.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words.clone())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{:?}: {}",
        words.collect::<Vec<_>>(),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Bounds a failure; what is waited for comes within a second on a quiet machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for an event, not for a time.
pub(crate) fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {LIMIT:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The networks and both routers.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    witness: String,
    pub(crate) a: Router,
    pub(crate) b: Router,
}

/// One router: its namespace, its folders, its pulse.
pub(crate) struct Router {
    pub(crate) namespace: String,
    pub(crate) log: PathBuf,
    programs: PathBuf,
    pulse: Option<Child>,
}

impl World {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = |part: &str| format!("pt{}-{number}{part}", std::process::id());
        let folder = tempfile::tempdir().unwrap();
        let programs = programs(folder.path());
        let witness = name("w");
        run(&format!("ip netns add {witness}"));
        for bridge in ["public", "private"] {
            run(&format!("ip -n {witness} link add {bridge} type bridge"));
            run(&format!("ip -n {witness} link set {bridge} up"));
        }
        let router = |part: &str, number: u8| {
            let log = folder.path().join(part);
            fs::create_dir(&log).unwrap();
            let namespace = name(part);
            run(&format!("ip netns add {namespace}"));
            run(&format!("ip -n {namespace} link set lo up"));
            for (device, bridge, network) in [
                ("eth0", "public", "10.77.0"),
                ("eth1", "private", "10.78.0"),
            ] {
                let port = format!("{part}{device}");
                run(&format!(
                    "ip -n {namespace} link add {device} type veth peer name {port} netns {witness}"
                ));
                run(&format!(
                    "ip -n {witness} link set {port} master {bridge} up"
                ));
                run(&format!(
                    "ip -n {namespace} address add {network}.{number}/24 dev {device}"
                ));
                run(&format!("ip -n {namespace} link set {device} up"));
            }
            Router {
                namespace,
                log,
                programs: programs.clone(),
                pulse: None,
            }
        };
        let (a, b) = (router("a", 1), router("b", 2));
        let world = Self {
            folder,
            witness,
            a,
            b,
        };
        for router in [&world.a, &world.b] {
            router.configure(&world.configuration(""));
        }
        world
    }

    /// Fast times; `more` are further lines.
    pub(crate) fn configuration(&self, more: &str) -> String {
        let command = self.folder.path().join("bin/command");
        let command = command.display();
        format!(
            "\
primary = 10.77.0.1
primary_private = 10.78.0.1
backup = 10.77.0.2
backup_private = 10.78.0.2
backup_active = 1
heartbeat_port = 1539
keepalive_ms = 200
deadtime_ms = 1200
network = nat
nat_router = {NAT_ROUTER} eth1:1
nat_nmask = 255.255.255.0
syncdaemon = 1
syncd_iface = eth1
syncd_id = 300
active_cmd = \"{command} 'became active'\"
inactive_cmd = \"{command} became inactive\"
virtual web {{
 active = 1
 address = {VIP} eth0:1
 vip_nmask = 255.255.255.0
 server one {{
  address = 10.78.0.101
  active = 1
 }}
}}
{more}"
        )
    }

    /// `ip` where the bridges are.
    pub(crate) fn in_witness(&self, arguments: &str) {
        run(&format!("ip -n {} {arguments}", self.witness));
    }

    /// The hardware address that it has on the public network.
    pub(crate) fn witness_mac(&self) -> String {
        let output = Command::new("ip")
            .args(["-n", &self.witness, "-o", "link", "show", "dev", "public"])
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        let mac = shown.split("link/ether ").nth(1).unwrap();
        mac.split(' ').next().unwrap().to_owned()
    }

    /// Joins or cuts a router's port of a network.
    pub(crate) fn connect(&self, router: &str, device: &str, up: bool) {
        let state = if up { "up" } else { "down" };
        run(&format!(
            "ip -n {} link set {router}{device} {state}",
            self.witness
        ));
    }

    /// The same, with the carrier left alone.
    pub(crate) fn attach(&self, router: &str, device: &str, network: Option<&str>) {
        let master = network.map_or_else(|| "nomaster".to_owned(), |it| format!("master {it}"));
        run(&format!(
            "ip -n {} link set {router}{device} {master}",
            self.witness
        ));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for router in [&mut self.a, &mut self.b] {
            router.kill();
        }
        for namespace in [&self.a.namespace, &self.b.namespace, &self.witness] {
            let _ = Command::new("ip")
                .args(["netns", "del", namespace])
                .status();
        }
    }
}

/// pulse finds the stand-ins beside itself.
fn programs(folder: &Path) -> PathBuf {
    let programs = folder.join("bin");
    fs::create_dir(&programs).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_pulse"), programs.join("pulse")).unwrap();
    for (name, text) in [
        ("lvs", LVS),
        ("send_arp", SEND_ARP),
        ("ipvsadm-rs", TOOL),
        ("command", COMMAND),
    ] {
        let path = programs.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    programs
}

impl Router {
    pub(crate) fn configure(&self, text: &str) {
        fs::write(self.log.join("lvs.cf"), text).unwrap();
    }

    /// Makes a stand-in behave otherwise.
    pub(crate) fn set(&self, name: &str, on: bool) {
        let path = self.log.join(name);
        if on {
            fs::write(path, "").unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    pub(crate) fn command(&self, options: &[&str]) -> Command {
        self.command_by(&[], options)
    }

    /// By a program that becomes what follows its arguments. Its mounts are seen by pulse alone.
    pub(crate) fn command_by(&self, wrapper: &[&str], options: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", &self.namespace])
            .args(wrapper)
            .arg(self.programs.join("pulse"))
            .arg("-c")
            .arg(self.log.join("lvs.cf"))
            .arg("--run-dir")
            .arg(self.log.join("run"))
            .arg("--state-dir")
            .arg(self.log.join("state"))
            .args(options)
            .env("PULSE_TEST_LOG", &self.log)
            .stdin(Stdio::null());
        command
    }

    /// Starts pulse in the foreground; what it says is in [`Router::said`].
    pub(crate) fn start(&mut self) {
        self.start_by(&[], &["-n"]);
    }

    /// The same with a wrapper and other options.
    pub(crate) fn start_by(&mut self, wrapper: &[&str], options: &[&str]) {
        let out = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log.join("pulse.log"))
            .unwrap();
        let mut command = self.command_by(wrapper, options);
        command.stdout(out.try_clone().unwrap()).stderr(out);
        self.pulse = Some(command.spawn().unwrap());
    }

    pub(crate) fn said(&self, file: &str) -> String {
        fs::read_to_string(self.log.join(file)).unwrap_or_default()
    }

    pub(crate) fn wait_said(&self, file: &str, words: &str) {
        let end = Instant::now() + LIMIT;
        while !self.said(file).contains(words) {
            assert!(
                Instant::now() < end,
                "{words:?} is not in {file} within {LIMIT:?}:\n{}\n{}",
                self.said(file),
                self.said("pulse.log")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn count(&self, file: &str, words: &str) -> usize {
        self.said(file).matches(words).count()
    }

    /// `ip netns exec` becomes pulse, so this is pulse's own number.
    pub(crate) fn pid(&self) -> u32 {
        self.pulse.as_ref().unwrap().id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        run(&format!("kill -{signal} {}", self.pid()));
    }

    pub(crate) fn wait_end(&mut self) -> ExitStatus {
        let mut pulse = self.pulse.take().unwrap();
        wait("pulse ends", || pulse.try_wait().unwrap())
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut pulse) = self.pulse.take() {
            let _ = pulse.kill();
            let _ = pulse.wait();
        }
    }

    /// `ip address` of this router.
    pub(crate) fn addresses(&self) -> String {
        self.ip("-4 address")
    }

    /// What `ip` says on this router.
    pub(crate) fn ip(&self, arguments: &str) -> String {
        let output = Command::new("ip")
            .args(["-n", &self.namespace])
            .args(arguments.split(' '))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn owns(&self, address: &str) -> bool {
        self.addresses().contains(&format!("inet {address}/"))
    }

    pub(crate) fn wait_owns(&self, address: &str) {
        let end = Instant::now() + LIMIT;
        while !self.owns(address) {
            assert!(
                Instant::now() < end,
                "{address} not owned within {LIMIT:?}:\n{}",
                self.said("pulse.log")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Number of the lvs that was started last.
    pub(crate) fn lvs_pid(&self) -> Option<u32> {
        let log = self.said("lvs.log");
        let line = log.lines().rev().find(|line| line.starts_with("started"))?;
        line.split(' ').nth(1)?.parse().ok()
    }
}
