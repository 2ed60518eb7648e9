//! Test laboratory.
fn main() {}
