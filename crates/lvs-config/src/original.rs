//! How the original splits a line at quotes (`piranha-daemons.md` 1.4, Q1 to Q5).
//!
//! Owns the comparison with our reading, for the warning about it. Reads nothing for anyone else.

use crate::lexer::Word;
use crate::lexer::is_blank;

/// Whether the original finds the same words in the line.
pub(crate) fn reads_the_same(line: &[u8], words: &[Word<'_>]) -> bool {
    let mut rest = line;
    for word in words {
        let start = rest.iter().position(|&b| !is_blank(b));
        rest = start.and_then(|at| rest.get(at..)).unwrap_or_default();
        match original_word(rest) {
            Some((bytes, after)) if bytes == word.bytes => rest = after,
            _ => return false,
        }
    }
    rest.iter().all(|&b| is_blank(b))
}

/// The first word of a line without blanks before it, and what is left of the line.
fn original_word(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&quote, body) = line.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        let end = line.iter().position(|&b| is_blank(b));
        return Some(line.split_at(end.unwrap_or(line.len())));
    }
    let end = match body.iter().position(|&b| is_blank(b)) {
        Some(blank) => {
            let closing = body.get(blank..)?.iter().position(|&b| b == quote)?;
            blank + closing
        }
        None => body
            .len()
            .checked_sub(1)
            .filter(|&last| body.get(last) == Some(&quote))?,
    };
    Some((body.get(..end)?, body.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer;

    #[test]
    fn the_table_of_1_4_is_read_the_same_but_for_two_lines() {
        let same = |line: &str| {
            let line = line.as_bytes();
            reads_the_same(line, &lexer::words(line).unwrap())
        };
        for line in [
            r#"x = "abc""#,
            r#"x = "a b"  "#,
            r#"x = "a "b" c""#,
            r#"x = "a \" b""#,
            r#"x = 'a "b" c'"#,
            r#"x = """#,
            r#"x = /x/"a b""#,
            r#"x = "a"b"c""#,
            r#"x = "a b"c"#,
            " x = y ",
            "",
        ] {
            assert!(same(line), "{line}");
        }
        assert!(!same(r#"x = "abc" "#));
        assert!(!same(r#"x = "a" b""#));
    }
}
