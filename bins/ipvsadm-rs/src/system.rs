//! The system's name services and signals, for which nix has no safe wrapper.
//!
//! Owns every unsafe block of the program; each states why it is sound.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int};
use std::mem;
use std::net::{IpAddr, Ipv4Addr};
use std::ptr;

use ipvs::Protocol;

/// Lets a broken pipe end the program silently, as it ends every C program.
pub(crate) fn end_on_broken_pipe() {
    // SAFETY: the default action replaces one that the Rust runtime set; no handler of ours is involved.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
    }
}

const fn protocol_name(protocol: Protocol) -> Option<&'static CStr> {
    match protocol {
        Protocol::Tcp => Some(c"tcp"),
        Protocol::Udp => Some(c"udp"),
        Protocol::Sctp => Some(c"sctp"),
        Protocol::Other(_) => None,
    }
}

unsafe extern "C" {
    /// C's older name service. getaddrinfo sorts the addresses, and finds an IPv4 address in the text of an
    /// IPv6 one.
    fn gethostbyname(name: *const c_char) -> *mut libc::hostent;
}

/// The first IPv4 address of a host name.
pub(crate) fn host_address(name: &[u8]) -> Option<Ipv4Addr> {
    let name = CString::new(name).ok()?;
    // SAFETY: the text ends in NUL; the answer is read before the next call on this only thread. Without an
    // option in resolv.conf that no system has any more, it holds IPv4 addresses, and at least one.
    unsafe {
        let entry = gethostbyname(name.as_ptr()).as_ref()?;
        if entry.h_addrtype != libc::AF_INET {
            return None;
        }
        let first = entry.h_addr_list.as_ref()?.cast::<[u8; 4]>().as_ref()?;
        Some(Ipv4Addr::from(*first))
    }
}

/// The name of an address.
pub(crate) fn host_name(address: IpAddr) -> Option<String> {
    let mut name = [0; libc::NI_MAXHOST as usize];
    // SAFETY: sockaddr_storage is a plain C structure; all zeros is valid.
    let mut storage: libc::sockaddr_storage = unsafe { mem::zeroed() };
    let length = match address {
        IpAddr::V4(address) => {
            // SAFETY: the storage is large enough and aligned for every kind of socket address.
            let it = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in>() };
            it.sin_family = libc::AF_INET as libc::sa_family_t;
            it.sin_addr.s_addr = u32::from(address).to_be();
            mem::size_of::<libc::sockaddr_in>()
        }
        IpAddr::V6(address) => {
            // SAFETY: as above.
            let it = unsafe { &mut *(&raw mut storage).cast::<libc::sockaddr_in6>() };
            it.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            it.sin6_addr.s6_addr = address.octets();
            mem::size_of::<libc::sockaddr_in6>()
        }
    };
    // SAFETY: the address is initialised for `length` bytes and the buffer's length is its own.
    let failed = unsafe {
        libc::getnameinfo(
            (&raw const storage).cast(),
            length as libc::socklen_t,
            name.as_mut_ptr(),
            name.len() as libc::socklen_t,
            ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    };
    if failed != 0 {
        return None;
    }
    // SAFETY: after success the buffer holds a text with its end.
    let text = unsafe { CStr::from_ptr(name.as_ptr()) };
    Some(text.to_string_lossy().into_owned())
}

/// The port of a service name.
pub(crate) fn service_port(name: &[u8], protocol: Protocol) -> Option<u16> {
    let name = CString::new(name).ok()?;
    let protocol = protocol_name(protocol)?;
    // SAFETY: both texts end in NUL; the answer is read before the next call on this only thread.
    unsafe {
        let entry = libc::getservbyname(name.as_ptr(), protocol.as_ptr()).as_ref()?;
        u16::try_from(entry.s_port).ok().map(u16::from_be)
    }
}

/// The service name of a port.
pub(crate) fn service_name(port: u16, protocol: Protocol) -> Option<String> {
    let protocol = protocol_name(protocol)?;
    // SAFETY: as for service_port.
    unsafe {
        let entry = libc::getservbyport(c_int::from(port.to_be()), protocol.as_ptr()).as_ref()?;
        Some(CStr::from_ptr(entry.s_name).to_string_lossy().into_owned())
    }
}
