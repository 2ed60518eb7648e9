//! The support library is linked into the program instead of being loaded at each start.

#[path = "../link.rs"]
mod link;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=../link.rs");
    link::with_support_library();
}
