//! Command lines of external programs: words without a shell (`piranha-daemons.md` 5.5, B66).

use std::net::SocketAddrV4;

/// Splits at blanks. Single and double quotes keep blanks together and are removed; inside double
/// quotes `\"` and `\\` stand for one character; elsewhere a backslash is an ordinary character, as
/// in the original. A quote that is never closed is an ordinary character too: old files may
/// contain one.
pub fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => words.extend(word.take()),
            b'\'' | b'"' => {
                let word = word.get_or_insert_default();
                if let Some((inside, behind)) = quoted(byte, rest) {
                    word.extend(inside);
                    rest = behind;
                } else {
                    word.push(byte);
                }
            }
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

/// The text up to the closing quote, and what follows it.
fn quoted(quote: u8, text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut inside = Vec::new();
    let mut rest = text;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match (byte, rest.first()) {
            (b'\\', Some(&escaped @ (b'"' | b'\\'))) if quote == b'"' => {
                inside.push(escaped);
                rest = rest.get(1..).unwrap_or_default();
            }
            _ if byte == quote => return Some((inside, rest)),
            _ => inside.push(byte),
        }
    }
}

/// Puts the server's address for `%h` and its port for `%p`, also inside a word.
pub fn substitute(word: &[u8], real: SocketAddrV4) -> Vec<u8> {
    let mut result = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&byte, after)) = rest.split_first() {
        match rest.get(..2) {
            Some(b"%h") => result.extend(real.ip().to_string().bytes()),
            Some(b"%p") => result.extend(real.port().to_string().bytes()),
            _ => {
                result.push(byte);
                rest = after;
                continue;
            }
        }
        rest = after.get(1..).unwrap_or_default();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words(text: &str) -> Vec<String> {
        split(text.as_bytes())
            .into_iter()
            .map(|w| String::from_utf8(w).unwrap())
            .collect()
    }

    #[test]
    fn B66_words_with_quotes() {
        assert_eq!(words("/bin/check  %h\t%p "), ["/bin/check", "%h", "%p"]);
        assert_eq!(
            words(r#"a "b c" 'd e'f "" g"h i"j"#),
            ["a", "b c", "d ef", "", "gh ij"]
        );
        assert_eq!(words(r#"a "b\"c\\d\n" e\f"#), ["a", r#"b"c\d\n"#, r"e\f"]);
        assert_eq!(words("don't stop"), ["don't", "stop"]);
        assert_eq!(words("   "), Vec::<String>::new());
    }

    #[test]
    fn B66_address_and_port_also_inside_words() {
        let real = "10.0.0.3:8080".parse().unwrap();
        assert_eq!(substitute(b"%h", real), b"10.0.0.3");
        assert_eq!(
            substitute(b"http://%h:%p/%d%", real),
            b"http://10.0.0.3:8080/%d%"
        );
    }

    proptest! {
        #[test]
        fn words_without_quotes_come_back(words in proptest::collection::vec("[a-z%\\\\]{1,8}", 0..9)) {
            let expected: Vec<_> = words.iter().map(|w| w.clone().into_bytes()).collect();
            prop_assert_eq!(split(words.join(" ").as_bytes()), expected);
        }

        #[test]
        fn any_text_ends(text: Vec<u8>) {
            split(&text);
        }
    }
}
