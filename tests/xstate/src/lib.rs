//! Lets Debian's User-Mode Linux 6.1 run on processors whose XSAVE area is larger than it knows
//! (2,696 bytes; with AMX it is 11,008). It sets the floating-point state of its processes from a
//! buffer of its own size, the host's kernel wants the whole area, answers EFAULT, and the first
//! process of the machine dies. Preloaded into `linux.uml`, this stands before its `ptrace` and fills the area
//! up; everything else goes through untouched.

// The symbol that is put before glibc's, and the calls behind it, have no safe form.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_long, c_uint, c_void};
use std::sync::{Mutex, OnceLock};

/// Register set of the whole XSAVE area (`linux/elf.h`).
const NT_X86_XSTATE: usize = 0x202;
/// Room for any processor's area; the largest today has 11,008 bytes.
const ROOM: usize = 32 * 1024;
/// Where the area's header begins: the components that are not in their initial state, one bit each.
const XSTATE_BV: usize = 512;
/// x87 to PKRU, all that lies within 2,696 bytes.
const KNOWN: u64 = 0x2ff;

type Ptrace = unsafe extern "C" fn(c_uint, c_int, usize, *mut c_void) -> c_long;

/// glibc's `ptrace`.
fn original() -> Option<Ptrace> {
    static ORIGINAL: OnceLock<Option<Ptrace>> = OnceLock::new();
    *ORIGINAL.get_or_init(|| {
        // SAFETY: the name is a C string, and the symbol has this type in every glibc.
        unsafe {
            let symbol = libc::dlsym(libc::RTLD_NEXT, c"ptrace".as_ptr());
            (!symbol.is_null()).then(|| std::mem::transmute::<*mut c_void, Ptrace>(symbol))
        }
    })
}

/// Stands before glibc's function of this name; its four arguments are passed as to a variadic one.
///
/// # Safety
///
/// As for glibc's: `data` points to what the request wants there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ptrace(
    request: c_uint,
    pid: c_int,
    address: usize,
    data: *mut c_void,
) -> c_long {
    let Some(original) = original() else {
        return -1;
    };
    if request != libc::PTRACE_SETREGSET || address != NT_X86_XSTATE {
        // SAFETY: handed on as it came.
        return unsafe { original(request, pid, address, data) };
    }
    // SAFETY: with this request `data` is an `iovec` over the caller's buffer, which is only read.
    let given = unsafe {
        let vector = &*data.cast::<libc::iovec>();
        std::slice::from_raw_parts(vector.iov_base.cast::<u8>(), vector.iov_len)
    };
    let wanted = area(original, pid);
    // The kernel of the machine has one processor and small stacks: one buffer for all.
    static WHOLE: Mutex<[u8; ROOM]> = Mutex::new([0; ROOM]);
    let Ok(mut whole) = WHOLE.lock() else {
        return -1;
    };
    let whole = whole.get_mut(..wanted).unwrap_or_default();
    if given.len() >= whole.len() {
        // SAFETY: handed on as it came.
        return unsafe { original(request, pid, address, data) };
    }
    fill_up(whole, given);
    // SAFETY: `whole` lives until the call returns.
    unsafe { register_set(original, request, pid, whole) }.0
}

/// Reads or writes the area of a stopped process; gives the status and the number of bytes.
///
/// # Safety
///
/// `request` is one of the two that take a register set.
unsafe fn register_set(
    original: Ptrace,
    request: c_uint,
    pid: c_int,
    area: &mut [u8],
) -> (c_long, usize) {
    let mut vector = libc::iovec {
        iov_base: area.as_mut_ptr().cast(),
        iov_len: area.len(),
    };
    // SAFETY: the vector covers `area`.
    let status = unsafe { original(request, pid, NT_X86_XSTATE, (&raw mut vector).cast()) };
    (status, vector.iov_len)
}

/// Size of this host's area in bytes, asked for once; 0 when it cannot be asked.
fn area(original: Ptrace, pid: c_int) -> usize {
    static AREA: OnceLock<usize> = OnceLock::new();
    static ROOM_FOR_IT: Mutex<[u8; ROOM]> = Mutex::new([0; ROOM]);
    *AREA.get_or_init(|| {
        let Ok(mut room) = ROOM_FOR_IT.lock() else {
            return 0;
        };
        // SAFETY: the request reads a register set.
        match unsafe { register_set(original, libc::PTRACE_GETREGSET, pid, &mut *room) } {
            (0, size) => size,
            _ => 0,
        }
    })
}

/// The given beginning of an area, with all components behind it in their initial state.
fn fill_up(whole: &mut [u8], given: &[u8]) {
    let (beginning, rest) = whole.split_at_mut(given.len());
    beginning.copy_from_slice(given);
    rest.fill(0);
    if let Some(bits) = beginning.get_mut(XSTATE_BV..XSTATE_BV + 8) {
        for (byte, known) in bits.iter_mut().zip(KNOWN.to_le_bytes()) {
            *byte &= known;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_area_is_filled_up_in_its_initial_state() {
        let mut given = vec![7_u8; 2696];
        given[XSTATE_BV..XSTATE_BV + 8].copy_from_slice(&(u64::MAX).to_le_bytes());
        let mut whole = vec![9_u8; 11_008];
        fill_up(&mut whole, &given);
        assert_eq!(whole[..XSTATE_BV], given[..XSTATE_BV]);
        assert_eq!(whole[XSTATE_BV..XSTATE_BV + 8], KNOWN.to_le_bytes());
        assert_eq!(whole[XSTATE_BV + 8..2696], given[XSTATE_BV + 8..]);
        assert!(whole[2696..].iter().all(|byte| *byte == 0));
    }
}
