//! Which options go with which command, and with which kind of tunnel (`ipvsadm.md` 1.4, 1.5).

use super::UsageError;
use super::kinds::{COLUMNS, Command};
use super::lowargs::TunnelType;

/// Number of the first option of the tunnel table: `tun-port`.
const FIRST_OF_TUNNEL: usize = 30;

/// `+` required, `x` illegal, `.` allowed, `1` at most one of these; by column.
const fn row(command: Command) -> &'static str {
    match command {
        Command::Add | Command::Edit => "xx+...xxxxxxxxxxxxxxx...xxxxxxxxxxxxxxxx",
        Command::Delete => "xx+xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        Command::List => ".11xxxxxxxxx11.......xxxxxxx.xxxxx.xxxxx",
        Command::AddServer | Command::EditServer => "xx+xxx+....xxxxxxxxxxxxxxxxxx.....xxxxxx",
        Command::DeleteServer => "xx+xxx+xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        Command::StartDaemon => "xxxxxxxxxxx.xxxxxxx.xxxx....xxxxxxxxxxxx",
        Command::StopDaemon => "xxxxxxxxxxxxxxxxxxx.xxxxxxxxxxxxxxxxxxxx",
        Command::Restore => "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.....",
        Command::Save => ".xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        Command::Zero => "xx.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        Command::Clear
        | Command::Set
        | Command::Help
        | Command::Version
        | Command::Apply
        | Command::Watch => "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    }
}

const fn tunnel_row(tunnel: TunnelType) -> &'static str {
    match tunnel {
        TunnelType::Ipip => "xxxx",
        TunnelType::Gue => "+111",
        TunnelType::Gre => "x11x",
    }
}

/// Checks the options of a command; the first violation by column counts.
pub(super) fn check(command: Command, given: u64) -> Result<(), UsageError> {
    check_row(
        row(command),
        0,
        given,
        &format!("'{}' command", command.name()),
    )
}

/// Checks the options of a tunnel.
pub(super) fn check_tunnel(tunnel: TunnelType, given: u64) -> Result<(), UsageError> {
    let subject = format!("'{}' tunnel type", tunnel.name());
    check_row(tunnel_row(tunnel), FIRST_OF_TUNNEL, given, &subject)
}

fn check_row(row: &str, first: usize, given: u64, subject: &str) -> Result<(), UsageError> {
    let mut exclusive: Option<&str> = None;
    for (rule, (column, name)) in row.chars().zip(COLUMNS.iter().enumerate().skip(first)) {
        let given = given >> column & 1 == 1;
        match (rule, given, exclusive) {
            ('+', false, _) => {
                let text = format!("You need to supply the '{name}' option for the {subject}");
                return Err(UsageError::refused(text));
            }
            ('x', true, _) => {
                let text = format!("Illegal '{name}' option with the {subject}");
                return Err(UsageError::refused(text));
            }
            ('1', true, Some(other)) => {
                let text = format!(
                    "The option '{name}' conflicts with the '{other}' option in the {subject}"
                );
                return Err(UsageError::refused(text));
            }
            ('1', true, None) => exclusive = Some(name),
            _ => {}
        }
    }
    Ok(())
}
