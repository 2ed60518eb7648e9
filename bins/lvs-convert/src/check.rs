//! Checks: what is sent to a server or run for it, and what has to come back.
//!
//! Owns the forms in which lvs.cf has them (`send`, `expect`, `use_regex`, `send_program`).

/// One kind of check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Check {
    /// The server is never taken out.
    Nothing,
    /// A TCP connection is enough.
    Connect,
    /// A text sent and a text expected, both still without backslash sequences.
    Exchange {
        send: String,
        expect: String,
        regex: bool,
    },
    /// A program, as a line of words, and what it has to print.
    Program {
        line: String,
        expect: String,
        regex: bool,
    },
}

/// Backslash sequences for what the checker decodes.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for c in text.chars() {
        match c {
            '\\' => encoded.push_str("\\\\"),
            '\r' => encoded.push_str("\\r"),
            '\n' => encoded.push_str("\\n"),
            '\t' => encoded.push_str("\\t"),
            c => encoded.push(c),
        }
    }
    encoded
}

/// A program that tells by its exit status; `None` when no line of words can hold it.
pub(crate) fn by_status(command: &str) -> Option<Check> {
    let unfit = |c: char| c == '\'' || c.is_control();
    if command.trim().is_empty() || command.contains(unfit) {
        return None;
    }
    Some(Check::Program {
        line: format!("/bin/sh -c '{} >/dev/null && echo OK'", command.trim()),
        expect: "OK".to_owned(),
        regex: false,
    })
}

/// An answer of a name server, which takes dig; `None` when no line of words can hold the name.
pub(crate) fn by_name(name: &str, kind: &str) -> Option<Check> {
    let plain = |text: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
    };
    let command = format!("/usr/bin/dig +tries=1 -p %p @%h {name} {kind}");
    by_status(&command).filter(|_| plain(name) && plain(kind))
}

/// What is asked of a web server.
#[derive(Debug, Clone)]
pub(crate) struct Web<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) host: Option<&'a str>,
    pub(crate) answer: Answer,
}

/// What a web server has to answer.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// A status that matches the expression.
    Status(String),
    /// A text that matches the expression, with a status of success.
    Text(String),
}

/// Any status of success.
pub(crate) const SUCCESS: &str = "2[0-9][0-9]";

impl Web<'_> {
    /// In plain HTTP.
    pub(crate) fn plain(&self) -> Check {
        let host = self
            .host
            .map_or(String::new(), |host| format!("Host: {host}\r\n"));
        let expect = match &self.answer {
            Answer::Status(status) => format!("^HTTP/1[.][01] ({status})"),
            Answer::Text(text) => text.clone(),
        };
        Check::Exchange {
            send: format!("{} {} HTTP/1.0\r\n{host}\r\n", self.method, self.path),
            expect,
            regex: true,
        }
    }

    /// By TLS, which takes curl; `None` when the address cannot stand in a line of words.
    pub(crate) fn secure(&self) -> Option<Check> {
        let plain = |text: &str| {
            text.chars()
                .all(|c| c.is_ascii_graphic() && !"'\"\\%".contains(c))
        };
        if !plain(self.path) || !self.host.is_none_or(plain) {
            return None;
        }
        let (resolve, name) = match self.host {
            Some(host) => (format!(" --resolve {host}:%p:%h"), host),
            None => (String::new(), "%h"),
        };
        let head = if self.method == "HEAD" { " -I" } else { "" };
        let (output, expect) = match &self.answer {
            Answer::Status(status) => (" -o /dev/null -w %{http_code}", format!("^({status})$")),
            Answer::Text(text) => (" -f", text.clone()),
        };
        Some(Check::Program {
            line: format!(
                "/usr/bin/curl -s -k{head}{output}{resolve} https://{name}:%p{}",
                self.path
            ),
            expect,
            regex: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_checker_decodes_is_what_was_meant() {
        assert_eq!(encoded("GET /\\d\r\n\t"), r"GET /\\d\r\n\t");
    }

    #[test]
    fn a_command_with_quotes_of_its_own_is_not_wrapped() {
        assert!(by_status("/bin/check 'a b'").is_none());
        assert!(by_status(" ").is_none());
        let Some(Check::Program { line, .. }) = by_status("/bin/check %h 80") else {
            panic!("no program");
        };
        assert_eq!(line, "/bin/sh -c '/bin/check %h 80 >/dev/null && echo OK'");
    }

    #[test]
    fn an_address_that_a_line_of_words_cannot_hold_has_no_secure_check() {
        let web = |path| Web {
            method: "GET",
            path,
            host: None,
            answer: Answer::Status(SUCCESS.to_owned()),
        };
        assert!(web("/a b").secure().is_none());
        assert!(web("/%41").secure().is_none());
        assert!(web("/a?b=c&d=e").secure().is_some());
    }
}
