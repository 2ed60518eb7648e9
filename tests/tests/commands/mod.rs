//! Whether a command line of a text is one that its program takes.

use lab::cli;

const OURS: &[&str] = &[
    "ipvsadm-rs",
    "lvs",
    "lvs-convert",
    "lvsd",
    "nanny",
    "piranha-applier",
    "piranha-gui",
    "piranha-passwd",
    "pulse",
    "send_arp",
];

/// Programs of others that book and manuals call.
const OTHERS: &[&str] = &[
    "apt-get",
    "cat",
    "chown",
    "cd",
    "cp",
    "curl",
    "dig",
    "dnf",
    "dpkg",
    "grep",
    "head",
    "install",
    "ip",
    "iptables",
    "journalctl",
    "killall",
    "ln",
    "man",
    "mkdir",
    "modprobe",
    "mv",
    "openssl",
    "rpm",
    "scp",
    "service",
    "ssh",
    "sysctl",
    "systemctl",
    "systemd-analyze",
    "systemd-sysusers",
    "setpriv",
    "tcpdump",
    "umask",
    "groff",
    "git",
    "rustup",
    "gpasswd",
    "usermod",
];

/// Whether it calls a program of ours.
pub(crate) fn is_ours(command: &[String]) -> bool {
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["cargo", "lab", ..] => true,
        [program, ..] => OURS.contains(program),
        [] => false,
    }
}

/// Whether the program is one of ours; what it has against its arguments.
pub(crate) fn accepted(command: &[String]) -> Result<bool, String> {
    let words = command.iter().map(String::as_str);
    let words: Vec<&str> = words.skip_while(|word| is_assignment(word)).collect();
    // What is redirected is none of the program's business.
    let words: Vec<&str> = words
        .into_iter()
        .take_while(|word| !matches!(*word, ">" | ">>" | "<" | "2>"))
        .collect();
    let Some((program, rest)) = words.split_first() else {
        return Ok(false);
    };
    let table = match *program {
        "pulse" => pulse::command(),
        "lvs" | "lvsd" => lvs::command(),
        "lvs-convert" => lvs_convert::command(),
        "nanny" => nanny::command(),
        "piranha-applier" => piranha_applier::command(),
        "piranha-gui" => piranha_gui::command(),
        "piranha-passwd" => piranha_passwd::command(),
        "send_arp" => {
            let known = send_arp::understands(rest);
            return known
                .then_some(true)
                .ok_or_else(|| "not understood".to_owned());
        }
        "ipvsadm-rs" | "ipvsadm" => {
            let words = rest.iter().map(|word| word.as_bytes().to_vec()).collect();
            return match ipvsadm_rs::flags::parse(words) {
                Ok(_) => Ok(true),
                Err(error) => Err(String::from_utf8_lossy(&error.text(b"ipvsadm-rs")).into_owned()),
            };
        }
        "cargo" if rest.first() == Some(&"lab") => return cli::accepts(rest).map(|()| true),
        "cargo" => return Ok(false),
        other if OTHERS.contains(&other) => return Ok(false),
        other => return Err(format!("{other} is not known to this test")),
    };
    daemon::cli::accepts(table, program, &words).map(|()| true)
}

fn is_assignment(word: &str) -> bool {
    let name = word.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}
