//! A Debian machine with processes and files of its own in the network of a `Node`: the clean tree, what
//! was installed into it, and systemd as its first process, or none that does anything.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::{Context, Error, Result};
use crate::node::Node;
use crate::router::make_devices;
use crate::{processes, setup, wait};

/// For the files that the machines change.
const FOLDER: &str = "/run/machines";
/// The kernel's tree of process groups, of which each machine gets a branch.
const GROUPS: &str = "/run/machines/groups";
/// For what must come; only bounds a failure.
const LIMIT: Duration = Duration::from_secs(120);

/// The last steps before the machine's own first process: its arguments are the tree, the name and that process.
const ENTER: &str = r#"
set -e
mount --make-rprivate /
cd "$1"
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mkdir -p dev/pts run/old run/lock
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
pivot_root . run/old
umount -l /run/old
rmdir /run/old
hostname "$2"
shift 2
touch /run/entered
exec "$@"
"#;

/// A machine's first process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// systemd, which starts what is enabled.
    Systemd,
    /// A shell that only collects orphans, as in a small container.
    Idle,
}

/// The clean tree, made before the kernel runs.
pub fn tree() -> Result<PathBuf> {
    Ok(setup::target()?.join("debian"))
}

/// What a machine changed of its tree, for machines on top of it. Goes away with its last user.
#[derive(Debug)]
pub struct Layer {
    folder: PathBuf,
    below: Option<Arc<Layer>>,
}

impl Layer {
    fn new(name: &str, below: Option<Arc<Self>>) -> Result<Self> {
        let folder = Path::new(FOLDER).join(name);
        for part in ["upper", "work", "root"] {
            let part = folder.join(part);
            std::fs::create_dir_all(&part).during(format_args!("making {}", part.display()))?;
        }
        Ok(Self { folder, below })
    }

    /// As the options of the mount want it.
    fn lower(&self) -> Result<String> {
        match &self.below {
            None => Ok(tree()?.display().to_string()),
            Some(below) => {
                let upper = below.folder.join("upper");
                Ok(format!("{}:{}", upper.display(), below.lower()?))
            }
        }
    }
}

impl Drop for Layer {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A machine.
#[derive(Debug)]
pub struct Machine {
    node: Arc<Node>,
    init: Init,
    layer: Arc<Layer>,
    first: Option<(Child, i32)>,
}

impl Machine {
    /// Furnishes a machine on top of what others changed and starts its first process.
    pub fn start(node: Arc<Node>, init: Init, below: Option<Arc<Layer>>) -> Result<Self> {
        let layer = Arc::new(Layer::new(node.name(), below)?);
        let mut machine = Self {
            node,
            init,
            layer,
            first: None,
        };
        let root = machine.root();
        let options = format!(
            "lowerdir={},upperdir={},workdir={}",
            machine.layer.lower()?,
            machine.layer.folder.join("upper").display(),
            machine.layer.folder.join("work").display()
        );
        machine.node.run(move || {
            mount(
                Some("overlay"),
                &root,
                Some("overlay"),
                MsFlags::empty(),
                Some(options.as_str()),
            )
            .during("putting the machine's files together")
        })??;
        machine.switch_on()?;
        Ok(machine)
    }

    /// What it changed, for a machine on top of it: once this one is off.
    pub fn layer(&self) -> Arc<Layer> {
        Arc::clone(&self.layer)
    }

    /// Its place in the network.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Its files, seen from its node.
    fn root(&self) -> PathBuf {
        self.layer.folder.join("root")
    }

    /// Starts it from its files as they are.
    pub fn switch_on(&mut self) -> Result<()> {
        let (root, init, name) = (self.root(), self.init, self.node.name().to_owned());
        let child = self.node.run(move || {
            furnish(&root, init)?;
            spawn(&root, &name, init)
        })??;
        let unshare = child.id().cast_signed();
        self.first = Some((child, 0));
        let inode = self.node.inode();
        let pid = wait::until("the machine's first process", LIMIT, || {
            let found = processes::in_namespace(inode);
            Ok(found
                .iter()
                .find(|process| process.parent == unshare)
                .map(|process| process.pid))
        })?;
        if let Some((_, first)) = &mut self.first {
            *first = pid;
        }
        let entered = format!("/proc/{pid}/root/run/entered");
        wait::for_it("the machine is in its own tree", LIMIT, || {
            Ok(Path::new(&entered).exists())
        })?;
        if self.init == Init::Systemd {
            let socket = format!("/proc/{pid}/root/run/systemd/private");
            wait::for_it("systemd listens", LIMIT, || Ok(Path::new(&socket).exists()))?;
            // Fails when one of Debian's own units did; ours are looked at by name.
            self.output("systemctl is-system-running --wait")?;
        }
        Ok(())
    }

    /// Whether its first process is still there.
    pub fn is_on(&mut self) -> bool {
        match &mut self.first {
            Some((child, _)) => matches!(child.try_wait(), Ok(None)),
            None => false,
        }
    }

    /// Pulls the plug.
    pub fn switch_off(&mut self) {
        if let Some((mut child, pid)) = self.first.take() {
            if pid > 0 {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            } else {
                let _ = child.kill();
            }
            let _ = child.wait();
        }
    }

    /// Runs a script there, whatever its status.
    pub fn output(&self, script: &str) -> Result<Output> {
        let pid = self.first.as_ref().map_or(0, |(_, pid)| *pid);
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &pid.to_string(), "--all", "--"])
            .args(["timeout", "-k", "5", "120", "/bin/sh", "-c", script])
            .env_clear()
            .env(
                "PATH",
                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            )
            .env("LC_ALL", "C.UTF-8")
            .env("DEBIAN_FRONTEND", "noninteractive");
        self.node.output(command)
    }

    /// Status and everything that a script says there.
    pub fn ask(&self, script: &str) -> Result<(i32, String)> {
        let output = self.output(script)?;
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok((output.status.code().unwrap_or(-1), text))
    }

    /// Runs a script there that has to succeed; gives what it says.
    pub fn sh(&self, script: &str) -> Result<String> {
        match self.ask(script)? {
            (0, text) => Ok(text),
            (status, text) => Err(Error::Command {
                command: format!("{}: {script}", self.node.name()),
                outcome: format!("status {status}\n{text}"),
            }),
        }
    }

    /// Waits until a script succeeds there.
    pub fn wait(&self, script: &str) -> Result<()> {
        let mut said = String::new();
        let result = wait::for_it(
            format_args!("{}: {script}", self.node.name()),
            LIMIT,
            || {
                let (status, text) = self.ask(script)?;
                said = text;
                Ok(status == 0)
            },
        );
        result.map_err(|error| Error::unmet(format_args!("{error}; the last answer: {said}")))
    }

    /// Puts a file there.
    pub fn write(&self, path: &str, content: impl Into<Vec<u8>>, mode: u32) -> Result<()> {
        let pid = self.first.as_ref().map_or(0, |(_, pid)| *pid);
        let file = format!("/proc/{pid}/root{path}");
        std::fs::write(&file, content.into()).during(format_args!("writing {file}"))?;
        std::fs::set_permissions(&file, Permissions::from_mode(mode))
            .during(format_args!("writing {file}"))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.switch_off();
        let root = self.root();
        // Out of the way of the layer's removal.
        let _ = self
            .node
            .run(move || nix::mount::umount2(&root, nix::mount::MntFlags::MNT_DETACH));
    }
}

/// Fresh `/run` and `/dev`; where no systemd does it, log messages go to `/var/log/messages`.
fn furnish(root: &Path, init: Init) -> Result<()> {
    for folder in ["run", "dev"] {
        let path = root.join(folder);
        let _ = nix::mount::umount2(&path, nix::mount::MntFlags::MNT_DETACH);
        mount(
            Some("tmpfs"),
            &path,
            Some("tmpfs"),
            MsFlags::empty(),
            Some("mode=755"),
        )
        .during(format_args!("mounting /{folder}"))?;
    }
    make_devices(&root.join("dev"))?;
    if init == Init::Idle {
        let path = root.join("dev/log");
        let socket = UnixDatagram::bind(&path).during("making the log socket")?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o666))
            .during("making the log socket")?;
        let messages = root.join("var/log/messages");
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&messages)
            .during("opening /var/log/messages")?;
        // Ends with the kernel: nobody waits for it.
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
                let line = text.split_once('>').map_or(&*text, |(_, rest)| rest);
                let _ = writeln!(file, "Nov  7 12:00:00 router {}", line.trim_end());
            }
        });
    }
    Ok(())
}

/// Starts the first process in a branch of the process groups and in namespaces of its own.
fn spawn(root: &Path, name: &str, init: Init) -> Result<Child> {
    let groups = Path::new(GROUPS);
    std::fs::create_dir_all(groups).during("making the folder of process groups")?;
    // Each node mounts it for itself; once is enough.
    if !groups.join("cgroup.procs").exists() {
        mount(
            Some("cgroup2"),
            groups,
            Some("cgroup2"),
            MsFlags::empty(),
            None::<&str>,
        )
        .during("mounting the tree of process groups")?;
    }
    let branch = groups.join(format!("lab-{name}"));
    std::fs::create_dir_all(&branch).during("making a branch of process groups")?;
    let procs = branch.join("cgroup.procs");
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"echo 0 >"$1"; shift; exec "$@""#, "sh"])
        .arg(procs)
        .args([
            "unshare", "--pid", "--mount", "--cgroup", "--uts", "--ipc", "--fork",
        ])
        .args(["sh", "-c", ENTER, "sh"])
        .arg(root)
        .arg(name)
        .args(match init {
            Init::Systemd => &["/sbin/init"][..],
            Init::Idle => &["sh", "-c", "while :; do sleep 0.2; done"],
        })
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("container", "lab")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().during("starting the machine")
}
