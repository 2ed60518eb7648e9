//! One web server behind all loopback addresses of a machine, for a thousand real servers.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{Shutdown, shutdown};

use crate::error::{Context, Result};
use crate::node::Node;

/// Accepts on port 80; answers, or stays silent.
#[derive(Debug)]
pub(super) struct Servers {
    listener: Arc<TcpListener>,
    silent: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Servers {
    pub(super) fn start(node: &Node) -> Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80));
        let listener = node
            .run(move || TcpListener::bind(address))?
            .during("listening on port 80")?;
        let listener = Arc::new(listener);
        let (silent, accepted) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (here, quiet, count) = (listener.clone(), silent.clone(), accepted.clone());
        let thread = std::thread::spawn(move || serve(&here, &quiet, &count));
        Ok(Self {
            listener,
            silent,
            accepted,
            thread: Some(thread),
        })
    }

    /// From now on connections are accepted and never answered, or answered again.
    pub(super) fn set_silent(&self, silent: bool) {
        self.silent.store(silent, Ordering::Relaxed);
    }

    /// Connections so far.
    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = shutdown(self.listener.as_raw_fd(), Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(listener: &TcpListener, silent: &AtomicBool, accepted: &AtomicU64) {
    // Connections of the silent time: closing one would be an answer.
    let mut held: Vec<TcpStream> = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        accepted.fetch_add(1, Ordering::Relaxed);
        if silent.load(Ordering::Relaxed) {
            held.push(stream);
            continue;
        }
        held.clear();
        answer(stream);
    }
}

/// A check that only connects has closed its end by now, or does so at once.
fn answer(mut stream: TcpStream) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    if let Ok(1..) = stream.read(&mut [0; 1024]) {
        let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}
