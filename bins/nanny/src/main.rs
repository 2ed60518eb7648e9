//! Starts the program; everything else is in the library beside it.
fn main() {}
