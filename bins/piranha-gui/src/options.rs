//! The command line of piranha-gui.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Command, value_parser};
use daemon::cli::{path, switch, word};
use ipnet::IpNet;

/// lvs.cf where no option names another.
const CONFIG: &str = "/etc/sysconfig/ha/lvs.cf";
/// Where the tool has always listened, but for this machine only.
const LISTEN: &str = "127.0.0.1:3636";
/// File name of the applier's socket in the run-time folder.
const APPLIER: &str = "applier.sock";
/// Who the tool runs as when root starts it.
const USER: &str = "piranha";

/// What the command line asks for.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// Certificate chain and private key, PEM.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Plain HTTP on an address that others reach.
    pub(crate) insecure_http: bool,
    /// Networks of clients; empty: all.
    pub(crate) allow: Vec<IpNet>,
    /// Names under which browsers know this machine, besides localhost and addresses.
    pub(crate) host_names: Vec<String>,
    /// File with the token that opens the metrics.
    pub(crate) metrics_token: Option<PathBuf>,
    /// The account file.
    pub(crate) accounts: PathBuf,
    /// lvs.cf.
    pub(crate) config: PathBuf,
    /// Folder of the daemons' status files.
    pub(crate) run_dir: PathBuf,
    /// Socket of the applier.
    pub(crate) applier: PathBuf,
    /// Who to become when started by root.
    pub(crate) user: String,
    /// A session ends when it is not used for so long.
    pub(crate) idle: Duration,
    /// A session ends after so long in any case.
    pub(crate) longest: Duration,
}

/// Reads the command line; the status to end with when that is all.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Options, ExitCode> {
    let version = env!("CARGO_PKG_VERSION");
    let matches = daemon::cli::parse(command(), "piranha-gui", version, args)?;
    options(&matches).map_err(|error| {
        eprintln!("piranha-gui: {error}");
        ExitCode::from(1)
    })
}

fn options(matches: &ArgMatches) -> Result<Options, String> {
    let path = |name: &str| matches.get_one::<PathBuf>(name).cloned();
    let list = |name: &str| -> Vec<String> {
        let text = matches.get_one::<String>(name).cloned().unwrap_or_default();
        let words = text.split(',').map(str::trim);
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let minutes = |name: &str, default: u64| {
        Duration::from_secs(60 * matches.get_one::<u64>(name).copied().unwrap_or(default))
    };
    let listen = matches
        .get_one::<String>("listen")
        .map_or(LISTEN, String::as_str);
    let listen = listen
        .parse()
        .map_err(|_| format!("--listen {listen} is not an address and port, as {LISTEN}"))?;
    let run_dir = daemon::paths::run_dir_of_another(path("run-dir").as_deref());
    Ok(Options {
        listen,
        tls: pair(path("certificate"), path("key"))?,
        insecure_http: matches.get_flag("insecure-http"),
        allow: list("allow")
            .iter()
            .map(|text| network(text))
            .collect::<Result<_, _>>()?,
        host_names: list("host-name")
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect(),
        metrics_token: path("metrics-token"),
        accounts: path("accounts").unwrap_or_else(|| PathBuf::from(account::FILE)),
        config: path("configfile").unwrap_or_else(|| PathBuf::from(CONFIG)),
        applier: path("applier").unwrap_or_else(|| run_dir.join(APPLIER)),
        run_dir,
        user: matches
            .get_one::<String>("user")
            .cloned()
            .unwrap_or_else(|| USER.to_owned()),
        idle: minutes("idle", 30),
        longest: minutes("longest", 720),
    })
}

fn pair(
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
) -> Result<Option<(PathBuf, PathBuf)>, String> {
    match (certificate, key) {
        (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
        (None, None) => Ok(None),
        _ => Err("--certificate and --key are given together".to_owned()),
    }
}

/// `10.0.0.0/8`, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    text.parse()
        .or_else(|_| {
            text.parse()
                .map(|address: std::net::IpAddr| IpNet::from(address))
        })
        .map_err(|_| format!("--allow {text} is neither an address nor a network, as 10.0.0.0/8"))
}

/// The options.
pub fn command() -> Command {
    let minutes = |name: &'static str, help: &'static str| {
        word(name, "minutes", help).value_parser(value_parser!(u64).range(1..=525_600))
    };
    Command::new("piranha-gui").args([
        word(
            "listen",
            "address:port",
            "Where to listen; 127.0.0.1:3636 without it",
        )
        .short('l'),
        path("certificate", "file", "Certificate chain (PEM) for TLS"),
        path("key", "file", "Private key (PEM) for TLS"),
        switch(
            "insecure-http",
            "Allow plain HTTP on an address that others reach",
        ),
        word(
            "allow",
            "networks",
            "Serve only these client networks, separated by commas",
        ),
        word(
            "host-name",
            "names",
            "Names of this machine in browsers' addresses, separated by commas",
        ),
        path(
            "metrics-token",
            "file",
            "Token that opens /metrics to Prometheus; without it only whoever is logged in sees them",
        ),
        path("accounts", "file", "Account file, made by piranha-passwd"),
        path("configfile", "configfile", "Configuration file").short('c'),
        path("run-dir", "folder", "Folder of the daemons' status files"),
        path("applier", "socket", "Socket of piranha-applier"),
        word(
            "user",
            "name",
            "Who to run as when started by root; piranha without it",
        ),
        minutes(
            "idle",
            "A session ends when it is unused for so long; 30 without it",
        ),
        minutes(
            "longest",
            "A session ends after so long in any case; 720 without it",
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Options, String> {
        let words = std::iter::once("piranha-gui").chain(words.iter().copied());
        options(&command().try_get_matches_from(words).unwrap())
    }

    #[test]
    fn r7_only_this_machine_is_served_without_options() {
        let options = read(&[]).unwrap();
        assert!(options.listen.ip().is_loopback());
        assert_eq!(options.listen.port(), 3636);
        assert!(options.tls.is_none() && !options.insecure_http);
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let options = read(&["--allow", "10.0.0.0/8, 192.0.2.7,", "--host-name", "LB1"]).unwrap();
        let allow: Vec<String> = options.allow.iter().map(ToString::to_string).collect();
        assert_eq!(allow, ["10.0.0.0/8", "192.0.2.7/32"]);
        assert_eq!(options.host_names, ["lb1"]);
    }

    #[test]
    fn wrong_values_are_named() {
        for (words, part) in [
            (vec!["--listen", "here"], "--listen here"),
            (vec!["--allow", "10.0.0.0/40"], "--allow 10.0.0.0/40"),
            (vec!["--key", "k"], "together"),
        ] {
            let error = read(&words).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
