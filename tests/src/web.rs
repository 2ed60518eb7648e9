//! A web server on a real server's machine: answers every request with its name, keeps a session
//! open for who asks with `ECHO`. It can be stopped, which closes its port, and started again.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use nix::sys::socket::{Shutdown, shutdown};

use crate::error::{Context, Result};
use crate::node::Node;

/// A server that may run or not.
#[derive(Debug)]
pub struct Web {
    name: String,
    port: u16,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    listener: Arc<TcpListener>,
    thread: JoinHandle<()>,
}

impl Web {
    /// Starts a server with the machine's name.
    pub fn start(node: &Node, port: u16) -> Result<Self> {
        let mut web = Self {
            name: node.name().to_owned(),
            port,
            running: None,
        };
        web.resume(node)?;
        Ok(web)
    }

    /// Its name, which is its answer.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens the port.
    pub fn resume(&mut self, node: &Node) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, self.port));
        let listener = node
            .run(move || TcpListener::bind(address))?
            .during(format_args!("listening on {}", self.name))?;
        let listener = Arc::new(listener);
        let (accepting, name) = (Arc::clone(&listener), self.name.clone());
        let thread = std::thread::spawn(move || {
            while let Ok((stream, _)) = accepting.accept() {
                let name = name.clone();
                std::thread::spawn(move || answer(stream, &name));
            }
        });
        self.running = Some(Running { listener, thread });
        Ok(())
    }

    /// Closes the port; connections are refused from now on.
    pub fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            let _ = shutdown(running.listener.as_raw_fd(), Shutdown::Both);
            let _ = running.thread.join();
        }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop();
    }
}

fn answer(mut stream: TcpStream, name: &str) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
    let mut request = [0; 1024];
    while let Ok(1..) = stream.read(&mut request) {
        // A session: each line gets the name, until the client has enough.
        if request.starts_with(b"ECHO") {
            let _ = stream.set_read_timeout(None);
            if stream.write_all(format!("{name}\n").as_bytes()).is_err() {
                break;
            }
            continue;
        }
        let _ = write!(
            stream,
            "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{name}\n",
            name.len() + 1
        );
        break;
    }
}
