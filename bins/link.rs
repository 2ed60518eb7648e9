//! How a program is linked so that it starts quickly. Part of build scripts.
//!
//! The standard library asks the linker for shared libraries by name. A linker script of such a name, found
//! first, names the static form instead; where there is none nothing is changed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The scripts: a shared library's name, and what stands for it.
const SUPPORT: (&str, &str) = ("libgcc_s.so", "GROUP ( libgcc_eh.a libgcc.a )\n");
const STATIC: [(&str, &str); 3] = [
    SUPPORT,
    ("libm.so", "GROUP ( libm.a )\n"),
    ("libc.so", "GROUP ( libc.a libgcc_eh.a libgcc.a )\n"),
];

/// Links the compiler's support library into the program, which comes with every GNU compiler.
#[allow(dead_code)]
pub(crate) fn with_support_library() {
    if is_gnu() && redirect(&[SUPPORT]) {
        pack_relocations();
    }
}

/// Links everything into the program, at a place in memory that is still another one at each start. Only for
/// programs that look no names up: the C library loads what it needs for that.
#[allow(dead_code)]
pub(crate) fn statically() {
    if is_gnu() && has_static_library() && redirect(&STATIC) {
        argument("-static-pie");
        pack_relocations();
    }
}

fn argument(text: &str) {
    println!("cargo:rustc-link-arg-bins={text}");
}

fn is_gnu() -> bool {
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}"));
    target("ENV").is_ok_and(|env| env == "gnu") && target("OS").is_ok_and(|os| os == "linux")
}

/// Whether the program is for the kind of machine it is built on, whose tools can be asked.
fn is_native() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    variable("HOST") == variable("TARGET")
}

fn redirect(scripts: &[(&str, &str)]) -> bool {
    let Some(folder) = std::env::var_os("OUT_DIR").map(PathBuf::from) else {
        return false;
    };
    let written = scripts
        .iter()
        .all(|(name, text)| std::fs::write(folder.join(name), text).is_ok());
    if written {
        argument(&format!("-L{}", folder.display()));
    }
    written
}

/// The compiler gives the path of a file that it has, and the bare name of one that it has not.
fn has_static_library() -> bool {
    is_native()
        && ["libc.a", "rcrt1.o"].iter().all(|file| {
            let output = Command::new("cc")
                .arg(format!("-print-file-name={file}"))
                .output();
            output.is_ok_and(|output| {
                Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute()
            })
        })
}

/// Packs the table of addresses that are corrected at each start, to a hundredth, where the C library knows
/// the packed form: from 2.36 on. That of this machine counts.
fn pack_relocations() {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    if is_native() && text.is_ok_and(|text| packs(&text)) {
        argument("-Wl,-z,pack-relative-relocs");
    }
}

/// `glibc 2.36`, and later ones.
fn packs(text: &str) -> bool {
    let version = text.trim().strip_prefix("glibc ");
    let parts = version.and_then(|version| version.split_once('.'));
    let numbers = parts.and_then(|(major, minor)| {
        let minor = minor.split('.').next()?;
        Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
    });
    numbers.is_some_and(|numbers| numbers >= (2, 36))
}
