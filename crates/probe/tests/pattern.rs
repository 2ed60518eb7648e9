//! The matcher against the GNU C library's `regcomp` and `regexec`, which the original used.
#![allow(
    missing_docs,
    unsafe_code,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the C library's own matcher has no wrapper; a test may stop at the first surprise"
)]

use probe::{Pattern, PatternError};
use proptest::prelude::*;
use std::ffi::{CString, c_char, c_int, c_void};

/// Larger than any `regex_t`.
#[repr(C, align(16))]
struct Regex([u8; 512]);

const REG_EXTENDED: c_int = 1;
const REG_NOSUB: c_int = 8;

unsafe extern "C" {
    fn regcomp(regex: *mut Regex, pattern: *const c_char, flags: c_int) -> c_int;
    fn regexec(
        regex: *const Regex,
        text: *const c_char,
        count: usize,
        places: *mut c_void,
        flags: c_int,
    ) -> c_int;
    fn regfree(regex: *mut Regex);
}

/// `None`: the library refuses the expression.
fn library(pattern: &[u8], text: &[u8]) -> Option<bool> {
    let pattern = CString::new(pattern).unwrap();
    let text = CString::new(text).unwrap();
    let mut regex = Regex([0; 512]);
    // SAFETY: the buffer is larger than regex_t, both strings end with NUL, and the regex is freed
    // exactly when it was compiled.
    unsafe {
        if regcomp(&mut regex, pattern.as_ptr(), REG_EXTENDED | REG_NOSUB) != 0 {
            return None;
        }
        let found = regexec(&regex, text.as_ptr(), 0, std::ptr::null_mut(), 0) == 0;
        regfree(&mut regex);
        Some(found)
    }
}

fn agree(pattern: &[u8], text: &[u8]) {
    let ours = Pattern::new(pattern)
        .map(|pattern| pattern.matches(text))
        .ok();
    let shown = (
        pattern.escape_ascii().to_string(),
        text.escape_ascii().to_string(),
    );
    assert_eq!(ours, library(pattern, text), "{shown:?}");
}

#[test]
fn expressions_of_every_kind() {
    let patterns: &[&str] = &[
        "",
        "a",
        "^a",
        "a$",
        "^$",
        "a*",
        "^a*$",
        "a+b?",
        "(ab)+",
        "a|b|",
        "|",
        "()",
        "(a|b)*c",
        "a{2}",
        "a{2,}",
        "a{,2}",
        "^a{1,2}$",
        "(a{2}){2}",
        "[abc]",
        "[^abc]",
        "[]a]",
        "[^]a]",
        "[a-c]",
        "[a-]",
        "[-a]",
        "[[:digit:]]+",
        "[^[:space:]]",
        "[[.a.]]",
        "[[=a=]]",
        r"[\n]",
        r"\.",
        r"\w+\W",
        r"\ba",
        r"a\b",
        r"\Ba",
        r"\<ab\>",
        r"a\sb",
        r"\S",
        r"a\d",
        "a.c",
        "^^a",
        "a$$",
        "(^a)",
        "(a$)",
        "a)",
        "x*",
        "a**",
        "a+*",
        r"\`a",
        r"a\'",
        "a^b",
        "a$b",
        "(|a)b",
        "^(200|30[12]) OK",
        "HTTP/1\\.[01] (2|3)[0-9]{2}",
        "[a-c][",
        "(",
        "[",
        "[[:foo:]]",
        "*a",
        "+",
        "?",
        "a|*b",
        "(*a)",
        "^*",
        "a{2,1}",
        "[c-a]",
        "\\",
        "a{1,2}{2}",
        "[[:alpha:]-z]",
    ];
    let texts: &[&str] = &[
        "",
        "a",
        "b",
        "aa",
        "aaa",
        "aaaa",
        "ab",
        "abab",
        "abc",
        "a b",
        "ab c",
        "a\nc",
        "a.c",
        "-",
        "]",
        "\\",
        "n",
        "12",
        "d",
        "ad",
        "HTTP/1.1 200 OK",
        "200 OK",
        "301 OK",
        "a^b",
        "a$b",
        "a)",
        "b_a",
        " a ",
        "\u{e9}",
        "\tx",
    ];
    for pattern in patterns {
        for text in texts {
            agree(pattern.as_bytes(), text.as_bytes());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn agrees_with_the_library(pattern in pattern(), text in "[ab1 _.-]{0,12}") {
        agree(pattern.as_bytes(), text.as_bytes());
    }

    /// Arbitrary bytes neither hang nor crash it.
    #[test]
    fn any_expression_ends(pattern: Vec<u8>, text: Vec<u8>) {
        if let Ok(pattern) = Pattern::new(&pattern) {
            pattern.matches(&text);
        }
    }
}

/// Well-formed expressions. Anchors only at their ends: inside of repetitions and before newlines
/// the library has faults of its own (`(^a){2}` matches "aa" there).
fn pattern() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        "[ab1 _-]",
        Just(".".to_owned()),
        Just("[ab]".to_owned()),
        Just("[^a]".to_owned()),
        Just("[[:alnum:]_]".to_owned()),
        Just("\\w".to_owned()),
        Just("\\.".to_owned()),
        Just("\\S".to_owned()),
    ];
    let tree = atom.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}{b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}|{b})")),
            (
                inner.clone(),
                prop_oneof![Just("*"), Just("+"), Just("?"), Just("{1,2}"), Just("{2}")]
            )
                .prop_map(|(a, r)| format!("({a}){r}")),
        ]
    });
    (
        prop_oneof![Just(""), Just("^")],
        tree,
        prop_oneof![Just(""), Just("$")],
    )
        .prop_map(|(begin, tree, end)| format!("{begin}{tree}{end}"))
}

#[test]
fn a_nul_byte_ends_nothing() {
    assert!(Pattern::new(b"b").unwrap().matches(b"a\0b"));
}

#[test]
fn what_could_take_long_is_refused_or_quick() {
    assert_eq!(
        Pattern::new(b"((a{255}){255}){255}").unwrap_err(),
        PatternError::TooBig
    );
    assert_eq!(
        Pattern::new(b"((){1000}){1000}").unwrap_err(),
        PatternError::TooBig
    );
    assert_eq!(
        Pattern::new(&[b'('; 100_000]).unwrap_err(),
        PatternError::TooBig
    );
    // Exponential for a backtracking matcher.
    let pattern = Pattern::new(b"^((a+)+)+$").unwrap();
    let mut text = vec![b'a'; 64 * 1024];
    text.push(b'b');
    assert!(!pattern.matches(&text));
}

#[test]
fn the_library_s_words() {
    assert_eq!(
        Pattern::new(b"[a").unwrap_err().to_string(),
        "Unmatched [, [^, [:, [., or [="
    );
    assert_eq!(
        Pattern::new(b"(a)\\1").unwrap_err(),
        PatternError::BackReference
    );
}
