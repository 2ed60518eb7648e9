//! Texts about the program itself (`ipvsadm.md` 3.1, 3.7).

/// The line that `-v` prints. Scripts compare it, so it is the original's.
pub(crate) const VERSION: &str = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";

/// The original's help text without its first line; `@PROG@` stands for the program's name.
const TEXT: &str = include_str!("help.txt");

/// What `-h` prints.
pub(crate) fn help(program: &[u8]) -> Vec<u8> {
    let mut help = VERSION.as_bytes().to_vec();
    for (index, part) in TEXT.split("@PROG@").enumerate() {
        if index > 0 {
            help.extend(program);
        }
        help.extend(part.as_bytes());
    }
    help
}

/// The warning about a kernel older than the original knows to work, without its last line end.
pub(crate) fn old_kernel(version: u32) -> String {
    let (major, minor, patch) = (version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
    format!(
        "Warning: IPVS version mismatch: \n  Kernel compiled with IPVS version \
         {major}.{minor}.{patch}\n  ipvsadm v1.31  requires minimum IPVS version 1.1.4\n"
    )
}
