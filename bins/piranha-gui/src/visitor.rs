//! Who asks, and how they want it shown.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use crate::session::Session;
use crate::texts::{
    ENGLISH, ENGLISH_FIELDS, ENGLISH_FORMS, Fields, Forms, KOREAN, KOREAN_FIELDS, KOREAN_FORMS,
    Texts,
};

/// Holds what forms must carry while nobody is logged in.
pub(crate) const FORM_COOKIE: &str = "piranha-form";
pub(crate) const LANGUAGE_COOKIE: &str = "piranha-language";
pub(crate) const THEME_COOKIE: &str = "piranha-theme";

/// The name of the cookie with the session's token. Browsers take the prefix only over TLS and
/// only from this very host.
pub(crate) const fn session_cookie(is_secure: bool) -> &'static str {
    if is_secure {
        "__Host-piranha"
    } else {
        "piranha"
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Language {
    English,
    Korean,
}

impl Language {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Korean => "ko",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "ko" => Some(Self::Korean),
            _ => None,
        }
    }

    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::Korean => &KOREAN,
        }
    }

    pub(crate) const fn forms(self) -> &'static Forms {
        match self {
            Self::English => &ENGLISH_FORMS,
            Self::Korean => &KOREAN_FORMS,
        }
    }

    pub(crate) const fn fields(self) -> &'static Fields {
        match self {
            Self::English => &ENGLISH_FIELDS,
            Self::Korean => &KOREAN_FIELDS,
        }
    }
}

/// Whoever sent the request.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) from: IpAddr,
    pub(crate) language: Language,
    /// `light` or `dark`; empty: as the browser likes it.
    pub(crate) theme: &'static str,
    pub(crate) session: Option<(String, Session)>,
    /// What a form of this visitor must carry.
    pub(crate) form_token: String,
    pub(crate) has_new_form_token: bool,
}

impl Visitor {
    /// A visitor who is not logged in.
    pub(crate) fn new(from: IpAddr, headers: &HeaderMap) -> Self {
        let chosen = read_cookie(headers, LANGUAGE_COOKIE);
        let chosen = chosen.and_then(|code| Language::from_code(&code));
        Self {
            from,
            language: chosen.unwrap_or_else(|| preferred(headers)),
            theme: match read_cookie(headers, THEME_COOKIE).as_deref() {
                Some("light") => "light",
                Some("dark") => "dark",
                _ => "",
            },
            session: None,
            form_token: read_cookie(headers, FORM_COOKIE)
                .filter(|token| token.len() == 64)
                .unwrap_or_default(),
            has_new_form_token: false,
        }
    }

    pub(crate) fn texts(&self) -> &'static Texts {
        self.language.texts()
    }

    pub(crate) const fn is_logged_in(&self) -> bool {
        self.session.is_some()
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|(_, session)| session.is_admin())
    }

    pub(crate) fn user(&self) -> &str {
        self.session
            .as_ref()
            .map_or("", |(_, session)| session.user())
    }
}

/// The one of our languages that stands first in `Accept-Language` by weight.
fn preferred(headers: &HeaderMap) -> Language {
    let text = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|text| text.to_str().ok());
    let mut best = (0.0, Language::English);
    for part in text.unwrap_or_default().split(',') {
        let (tag, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        let primary = tag
            .trim()
            .split('-')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let weight: f32 = weight.trim().parse().unwrap_or(0.0);
        if let Some(language) = Language::from_code(&primary)
            && weight > best.0
        {
            best = (weight, language);
        }
    }
    best.1
}

/// A `Set-Cookie` text that scripts cannot read and other sites cannot use.
pub(crate) fn cookie(is_secure: bool, name: &str, value: &str) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{secure}")
}

pub(crate) fn read_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(header::COOKIE).iter();
    let pairs = texts
        .filter_map(|text| text.to_str().ok())
        .flat_map(|text| text.split(';'));
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('='));
    values
        .find(|(found, _)| *found == name)
        .map(|(_, value)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn r22_the_browsers_language_counts() {
        for (accept, language) in [
            ("ko-KR,ko;q=0.9,en;q=0.8", Language::Korean),
            ("en-US,en;q=0.9,ko;q=0.8", Language::English),
            ("de,ko;q=0.3,en;q=0.2", Language::Korean),
            ("fr", Language::English),
            ("ko;q=x", Language::English),
            ("", Language::English),
        ] {
            let found = preferred(&headers(header::ACCEPT_LANGUAGE, accept));
            assert_eq!(found, language, "{accept}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers(header::COOKIE, "xpiranha=1; piranha=2;piranha-theme=dark");
        assert_eq!(read_cookie(&headers, "piranha").as_deref(), Some("2"));
        assert_eq!(read_cookie(&headers, THEME_COOKIE).as_deref(), Some("dark"));
        assert_eq!(read_cookie(&headers, "theme"), None);
    }
}
