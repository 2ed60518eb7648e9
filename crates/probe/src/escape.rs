//! Backslash sequences of send and expect strings (`piranha-daemons.md` 5.4).

/// Decodes `\\ \r \n \t \' \"` from left to right, once; strings of one character stay.
///
/// Any other backslash, also one at the end, stays as it is, and so does the character after it
/// (B22: the original never came back). A regular expression may therefore write `\.` or `\\.`.
pub fn decode(text: &[u8]) -> Vec<u8> {
    if text.len() < 2 {
        return text.to_vec();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        let escaped = (byte == b'\\')
            .then(|| rest.peek().copied().and_then(meaning))
            .flatten();
        if escaped.is_some() {
            rest.next();
        }
        decoded.push(escaped.unwrap_or(byte));
    }
    decoded
}

fn meaning(byte: u8) -> Option<u8> {
    match byte {
        b'r' => Some(b'\r'),
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'\\' | b'\'' | b'"' => Some(byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sequences_of_the_reference() {
        assert_eq!(
            decode(br"GET / HTTP/1.0\r\n\r\n"),
            b"GET / HTTP/1.0\r\n\r\n"
        );
        assert_eq!(decode(br"\\n"), br"\n");
        assert_eq!(decode(br#"\t\'\""#), b"\t'\"");
        assert_eq!(decode(br"\"), br"\");
        assert_eq!(decode(b""), b"");
    }

    #[test]
    fn B22_any_other_backslash_stays() {
        assert_eq!(decode(br"a\.b\"), br"a\.b\");
        assert_eq!(decode(br"a\\.b"), br"a\.b");
        assert_eq!(decode(br"\x\\"), br"\x\");
        assert_eq!(decode(br"\0"), br"\0");
    }

    proptest! {
        #[test]
        fn B22_ends_and_never_grows(text: Vec<u8>) {
            prop_assert!(decode(&text).len() <= text.len());
        }

        #[test]
        fn what_was_doubled_comes_back(text in proptest::collection::vec(any::<u8>(), 2..50)) {
            let mut doubled = Vec::new();
            for byte in &text {
                if *byte == b'\\' {
                    doubled.push(b'\\');
                }
                doubled.push(*byte);
            }
            prop_assert_eq!(decode(&doubled), text);
        }
    }
}
