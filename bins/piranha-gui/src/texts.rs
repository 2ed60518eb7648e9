//! All texts of the pages in both languages. A text that lacks one does not compile (R22).

mod daemons;
mod diagnostics;
mod fields;
mod forms;
mod messages;
mod pages;
mod reasons;
mod told;
mod words;

pub(crate) use fields::{ENGLISH as ENGLISH_FIELDS, KOREAN as KOREAN_FIELDS};
pub(crate) use fields::{FieldText, Fields};
pub(crate) use forms::Forms;
pub(crate) use pages::Texts;
pub(crate) use told::told;

/// A table of texts: `KEY: ENGLISH, KOREAN;`.
macro_rules! texts {
    ($name:ident { $($key:ident: $english:literal, $korean:literal;)* }) => {
        /// Texts of one language.
        #[derive(Debug)]
        pub(crate) struct $name {
            pub(in crate::texts) language: crate::visitor::Language,
            $(pub(crate) $key: &'static str,)*
        }

        impl $name {
            pub(crate) const ENGLISH: Self = Self {
                language: crate::visitor::Language::English,
                $($key: $english,)*
            };
            pub(crate) const KOREAN: Self = Self {
                language: crate::visitor::Language::Korean,
                $($key: $korean,)*
            };

            /// What a program says.
            pub(crate) fn told<'m>(&self, message: &'m str) -> std::borrow::Cow<'m, str> {
                crate::texts::told(self.language, message)
            }
        }

        #[cfg(test)]
        impl $name {
            /// Key and text in both languages.
            pub(crate) const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $english, $korean),)*];
        }
    };
}
pub(crate) use texts;

impl Texts {
    /// A daemon's name of a state, a verdict or an act.
    pub(crate) fn word<'m>(&self, word: &'m str) -> &'m str {
        told::word(self.language, word)
    }
}

/// The texts in English.
pub(crate) static ENGLISH: Texts = Texts::ENGLISH;
/// The texts in Korean.
pub(crate) static KOREAN: Texts = Texts::KOREAN;
/// Those of the forms in English.
pub(crate) static ENGLISH_FORMS: Forms = Forms::ENGLISH;
/// Those of the forms in Korean.
pub(crate) static KOREAN_FORMS: Forms = Forms::KOREAN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r22_each_text_is_there_in_both_languages() {
        let is_korean = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
        // Names that stay as they are in every language.
        let names = ["product", "reload"];
        for (key, english, korean) in Texts::ALL.iter().chain(Forms::ALL) {
            assert!(!english.is_empty() && !is_korean(english), "{key}");
            assert!(is_korean(korean) || names.contains(key), "{key}: {korean}");
        }
    }
}
