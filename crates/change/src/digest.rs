//! Short names of texts: equal for equal bytes.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// SHA-256 as 64 hexadecimal digits: what a change says that it was made from.
pub fn digest(text: &[u8]) -> String {
    let mut shown = String::new();
    for byte in Sha256::digest(text) {
        // Writing to a String does not fail.
        let _ = write!(shown, "{byte:02x}");
    }
    shown
}

/// The form in which pulse tells the digest of its own and of the partner's file.
pub fn pair_digest(text: &[u8]) -> String {
    let hash: [u8; 32] = Sha256::digest(text).into();
    let number = hash
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes));
    format!("{number:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_come_from_one_hash() {
        // The well-known digest of "abc" (FIPS 180-2, appendix B.1).
        assert!(digest(b"abc").starts_with("ba7816bf8f01cfea414140de"));
        assert_eq!(digest(b"abc").len(), 64);
        assert_eq!(pair_digest(b"abc"), "eacf018fbf1678ba");
    }
}
