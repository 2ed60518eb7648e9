//! Links the compiler's support library into the program instead of loading it at each start.
//!
//! The standard library asks the linker for `libgcc_s.so`. A linker script of that name, found first,
//! names the static form, which comes with every GNU compiler; elsewhere nothing is changed.
//!
//! The table of addresses that the loader corrects at each start is packed, to a hundredth, where the
//! loader knows the packed form.

use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}"));
    let gnu =
        target("ENV").is_ok_and(|env| env == "gnu") && target("OS").is_ok_and(|os| os == "linux");
    let Some(folder) = std::env::var_os("OUT_DIR").map(PathBuf::from) else {
        return;
    };
    let script = "GROUP ( libgcc_eh.a libgcc.a )\n";
    if gnu && std::fs::write(folder.join("libgcc_s.so"), script).is_ok() {
        println!("cargo:rustc-link-arg-bins=-L{}", folder.display());
    }
    if gnu && loader_knows_packed_relocations() {
        println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

/// The C library does from 2.36 on. That of this machine counts, unless the program is for another one.
fn loader_knows_packed_relocations() -> bool {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if variable("HOST") != variable("TARGET") {
        return false;
    }
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.is_ok_and(|text| packs(&text))
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
