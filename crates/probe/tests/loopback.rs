//! Checks against servers on the loopback that behave well, badly, or not at all.
#![allow(
    non_snake_case,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests of known bugs are named after them; a test may stop at the first surprise"
)]

mod support;

use probe::{Check, Expect, Outcome, Protocol, Reason, Service};
use std::io::{Read, Write, pipe};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use support::at_its_limit;

/// A limit that a passing test never reaches.
const AMPLE: Duration = Duration::from_secs(60);

fn v4(address: SocketAddr) -> SocketAddrV4 {
    match address {
        SocketAddr::V4(address) => address,
        SocketAddr::V6(_) => panic!("bound to IPv4"),
    }
}

/// A server for one connection. It is given up when the check has ended.
fn server(serve: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddrV4 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = v4(listener.local_addr().unwrap());
    thread::spawn(move || serve(listener.accept().unwrap().0));
    address
}

fn tcp(send: Option<&[u8]>, expect: Option<&[u8]>) -> Check {
    Check::Service(Service {
        protocol: Protocol::Tcp,
        send: send.map(<[u8]>::to_vec),
        expect: expect.map(|text| Expect::new(text, false).unwrap()),
    })
}

fn regex(expect: &[u8]) -> Check {
    Check::Service(Service {
        protocol: Protocol::Tcp,
        send: None,
        expect: Some(Expect::new(expect, true).unwrap()),
    })
}

fn udp(send: Option<&[u8]>, expect: Option<&[u8]>) -> Check {
    Check::Service(Service {
        protocol: Protocol::Udp,
        send: send.map(<[u8]>::to_vec),
        expect: expect.map(|text| Expect::new(text, false).unwrap()),
    })
}

fn verdict(check: &Check, real: SocketAddrV4, limit: Duration) -> Result<(), String> {
    match check.run(real, limit, &[]) {
        Outcome::Available => Ok(()),
        Outcome::Unavailable(reason) => Err(reason.to_string()),
        Outcome::Interrupted { .. } => panic!("nothing interrupts"),
    }
}

/// F24: the verdict on a server that `serve` makes comes when the limit passes, at most a tenth
/// later, and says so. `end` is what the reason ends with after `timed out after … while `.
fn F24_timed_out(check: &Check, serve: impl Fn() -> SocketAddrV4, end: &str) {
    at_its_limit(
        |limit| limit / 10,
        |limit| {
            let real = serve();
            (limit, verdict(check, real, limit))
        },
        |(limit, result)| {
            let begin = format!("timed out after {} ms while {end}", limit.as_millis());
            matches!(result, Err(reason) if reason.starts_with(&begin))
        },
    );
}

/// Keeps a connection open until the other end is done with it.
fn hold(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 1]);
    let _ = stream.read(&mut [0; 1024]);
}

#[test]
fn a_connection_is_enough_without_send_and_expect() {
    let real = server(hold);
    assert_eq!(verdict(&tcp(None, None), real, AMPLE), Ok(()));
}

#[test]
fn B53_a_refusal_has_a_name() {
    // Bound and not listening: nobody else can take the port.
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let real = v4(taken.local_addr().unwrap());
    drop(taken);
    assert_eq!(
        verdict(&tcp(None, None), real, AMPLE),
        Err("refused".into())
    );
}

#[test]
fn request_and_answer() {
    let (told, asked) = mpsc::channel();
    let real = server(move |mut stream| {
        let mut request = [0; 18];
        stream.read_exact(&mut request).unwrap();
        told.send(request.to_vec()).unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\n").unwrap();
    });
    let check = tcp(Some(b"GET / HTTP/1.0\r\n\r\n"), Some(b"HTTP"));
    assert_eq!(verdict(&check, real, AMPLE), Ok(()));
    assert_eq!(asked.recv().unwrap(), b"GET / HTTP/1.0\r\n\r\n");
}

#[test]
fn another_answer() {
    let real = server(|mut stream| stream.write_all(b"SSH-2.0-x\r\n").unwrap());
    let result = verdict(&tcp(None, Some(b"HTTP")), real, AMPLE);
    assert_eq!(
        result,
        Err(r#"got "SSH-2.0-x\r\n" instead of "HTTP""#.into())
    );
}

#[test]
fn B34_a_slow_first_segment_is_no_failure() {
    let (more, go_on) = mpsc::channel();
    let real = server(move |mut stream| {
        stream.set_nodelay(true).unwrap();
        for byte in b"HTTP" {
            stream.write_all(&[*byte]).unwrap();
            // Each byte is on its way alone; the pause only makes it likelier to be read alone.
            thread::sleep(Duration::from_millis(5));
        }
        go_on.recv().unwrap();
    });
    assert_eq!(verdict(&tcp(None, Some(b"HTTP")), real, AMPLE), Ok(()));
    more.send(()).unwrap();
}

#[test]
fn a_server_that_accepts_and_never_answers() {
    F24_timed_out(&tcp(Some(b"x"), Some(b"HTTP")), || server(hold), "reading");
}

#[test]
fn a_server_that_does_not_even_accept() {
    use nix::sys::socket::{
        AddressFamily, Backlog, SockFlag, SockType, SockaddrIn, bind, getsockname, listen, socket,
    };
    use std::os::fd::AsRawFd;
    let held = std::cell::RefCell::new(Vec::new());
    // A backlog of one that is full: further connections wait.
    let full = || {
        let (family, kind) = (AddressFamily::Inet, SockType::Stream);
        let listener = socket(family, kind, SockFlag::SOCK_CLOEXEC, None).unwrap();
        bind(listener.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
        listen(&listener, Backlog::new(0).unwrap()).unwrap();
        let address: SockaddrIn = getsockname(listener.as_raw_fd()).unwrap();
        let real = SocketAddrV4::from(address);
        let mut streams = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&real.into(), Duration::from_millis(200))
        {
            streams.push(stream);
            assert!(streams.len() < 10);
        }
        (real, listener, streams)
    };
    let serve = || {
        let (real, listener, streams) = full();
        held.borrow_mut().push((listener, streams));
        real
    };
    F24_timed_out(&tcp(None, None), serve, "connecting");
}

#[test]
fn one_byte_at_a_time_is_cut_off_at_the_limit() {
    let trickle = || {
        server(|mut stream| {
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        })
    };
    F24_timed_out(&regex(b"y"), trickle, "reading, got \"xx");
}

#[test]
fn a_gigabyte_is_read_to_64_kib_only() {
    let (told, sent) = mpsc::channel();
    let real = server(move |mut stream| {
        let chunk = [b'x'; 64 * 1024];
        let mut count = 0usize;
        while count < 1 << 30 && stream.write_all(&chunk).is_ok() {
            count += chunk.len();
        }
        told.send(count).unwrap();
    });
    let outcome = regex(b"y").run(real, AMPLE, &[]);
    let Outcome::Unavailable(reason @ Reason::Different { .. }) = &outcome else {
        panic!("{outcome:?}")
    };
    let text = reason.to_string();
    assert!(text.starts_with("got \"xxx"), "{text}");
    assert!(
        text.ends_with("...\" instead of a match of \"y\""),
        "{text}"
    );
    let Reason::Different { got, .. } = reason else {
        panic!("{reason:?}")
    };
    assert_eq!(got.len(), 64 * 1024);
    assert!(sent.recv().unwrap() < 1 << 27);
}

#[test]
fn a_reset_while_reading() {
    let real = server(|mut stream| {
        // The request has been sent when a part of it has come.
        stream.read_exact(&mut [0; 1]).unwrap();
        let linger = nix::libc::linger {
            l_onoff: 1,
            l_linger: 0,
        };
        nix::sys::socket::setsockopt(&stream, nix::sys::socket::sockopt::Linger, &linger).unwrap();
    });
    let result = verdict(&tcp(Some(b"xy"), Some(b"HTTP")), real, AMPLE);
    assert_eq!(result, Err("Connection reset by peer while reading".into()));
}

#[test]
fn a_half_closed_server() {
    let real = server(|stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        hold(stream);
    });
    let result = verdict(&tcp(None, Some(b"HTTP")), real, AMPLE);
    assert_eq!(
        result,
        Err("closed without an answer instead of \"HTTP\"".into())
    );
}

#[test]
fn anything_will_do_also_an_immediate_end() {
    let real = server(|stream| stream.shutdown(Shutdown::Write).unwrap());
    assert_eq!(verdict(&tcp(None, Some(b"*")), real, AMPLE), Ok(()));
}

#[test]
fn an_expression_that_cannot_be_used() {
    let reason = Expect::new(b"[", true).unwrap_err();
    let real = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 1);
    let text = "Error 'Unmatched [, [^, [:, [., or [=' processing expected regular expression";
    assert_eq!(reason.original(real), [text]);
    assert!(verdict(&Check::Impossible(reason), real, AMPLE).is_err());
}

/// A datagram server that answers once, with what it was asked in front.
fn datagram_server(answer: &'static [u8]) -> SocketAddrV4 {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = v4(socket.local_addr().unwrap());
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        let (count, peer) = socket.recv_from(&mut buffer).unwrap();
        let full = [&buffer[..count], answer].concat();
        socket.send_to(&full, peer).unwrap();
    });
    address
}

#[test]
fn B35_datagrams() {
    assert_eq!(
        verdict(&udp(None, None), datagram_server(b"x"), AMPLE),
        Ok(())
    );
    assert_eq!(
        verdict(&udp(None, None), datagram_server(b""), AMPLE),
        Ok(())
    );
    assert_eq!(
        verdict(
            &udp(Some(b"q"), Some(b"qa")),
            datagram_server(b"abc"),
            AMPLE
        ),
        Ok(())
    );
    let short = verdict(&udp(Some(b"q"), Some(b"qa")), datagram_server(b""), AMPLE);
    assert_eq!(short, Err(r#"closed after "q" instead of "qa""#.into()));
    let wrong = verdict(&udp(Some(b"q"), Some(b"a")), datagram_server(b"a"), AMPLE);
    assert_eq!(wrong, Err(r#"got "qa" instead of "a""#.into()));
}

#[test]
fn B35_an_icmp_refusal_of_a_datagram() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let real = v4(socket.local_addr().unwrap());
    drop(socket);
    assert_eq!(
        verdict(&udp(None, None), real, AMPLE),
        Err("refused".into())
    );
}

#[test]
fn a_datagram_server_that_never_answers() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let real = v4(socket.local_addr().unwrap());
    F24_timed_out(&udp(None, None), || real, "reading");
}

#[test]
fn an_interruption_ends_the_attempt_at_once() {
    let real = server(hold);
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(b"x").unwrap();
    let outcome = tcp(None, Some(b"HTTP")).run(real, AMPLE, &[reader.as_fd()]);
    assert_eq!(outcome, Outcome::Interrupted { killed: None });
}

#[test]
fn a_pipe_without_reader_interrupts_too() {
    let real = server(hold);
    let (reader, writer) = pipe().unwrap();
    let check = tcp(None, Some(b"HTTP"));
    thread::scope(|scope| {
        scope.spawn(|| drop(reader));
        let outcome = check.run(real, AMPLE, &[writer.as_fd()]);
        assert_eq!(outcome, Outcome::Interrupted { killed: None });
    });
}

#[test]
fn unreachable_has_a_name() {
    // A broadcast address cannot be connected to.
    let real = SocketAddrV4::new(Ipv4Addr::BROADCAST, 80);
    let outcome = tcp(None, None).run(real, AMPLE, &[]);
    let Outcome::Unavailable(reason @ Reason::Failed { .. }) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        reason.to_string().ends_with(" while connecting"),
        "{reason}"
    );
}
