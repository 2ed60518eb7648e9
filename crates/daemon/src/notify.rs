//! Messages to the service manager (`sd_notify(3)`), without its library. Nothing happens when the
//! process was not started by one.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Sends assignments such as `READY=1`, several separated by newlines. Returns whether they were
/// sent: `false` without `NOTIFY_SOCKET` or when the manager does not take them. Never blocks.
pub fn notify(message: &str) -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| send(&socket, message).is_ok())
}

/// Tells the service manager that this daemon is alive; to be called every [`watchdog_interval`].
pub fn watchdog() -> bool {
    notify("WATCHDOG=1")
}

/// Half of the time after which the service manager takes this process for hung, or `None` when it
/// does not watch it.
pub fn watchdog_interval() -> Option<Duration> {
    let watched: Option<u32> = std::env::var("WATCHDOG_PID")
        .ok()
        .map(|text| text.parse().unwrap_or_default());
    if watched.is_some_and(|pid| pid != std::process::id()) {
        return None;
    }
    half(&std::env::var("WATCHDOG_USEC").ok()?)
}

fn half(microseconds: &str) -> Option<Duration> {
    match microseconds.parse::<u64>() {
        Ok(0) | Err(_) => None,
        Ok(value) => Some(Duration::from_micros(value / 2)),
    }
}

fn send(socket: &OsStr, message: &str) -> io::Result<()> {
    let address = match socket.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    sender.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_reaches_a_path_and_an_abstract_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let by_path = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), "READY=1").unwrap();
        let name = format!("test-notify-{}", std::process::id());
        let by_name =
            UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        send(OsStr::new(&format!("@{name}")), "WATCHDOG=1").unwrap();
        let mut buffer = [0; 64];
        let length = by_path.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"READY=1");
        let length = by_name.recv(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], b"WATCHDOG=1");
    }

    #[test]
    fn nobody_listening_is_no_harm() {
        assert!(send(OsStr::new("/nonexistent/notify"), "READY=1").is_err());
        assert!(send(OsStr::new("relative"), "READY=1").is_err());
    }

    #[test]
    fn watchdog_is_fed_twice_per_period() {
        assert_eq!(half("3000000"), Some(Duration::from_millis(1500)));
        assert_eq!(half("0"), None);
        assert_eq!(half("soon"), None);
    }
}
