//! `lvs.json` in its versions: of a new one only those services are read whose text is another.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::status::{Lvs, Service};

/// Reads the versions one after the other.
#[derive(Debug, Default)]
pub(crate) struct LvsFile {
    /// Drawn by lot: nobody can make a text that has the digest of another.
    keys: RandomState,
    /// The services of the version before, with the digest of their text.
    known: Vec<(u64, Arc<Service>)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Outline<'a> {
    pid: u32,
    mode: String,
    #[serde(borrow)]
    services: Vec<&'a RawValue>,
    notes: Vec<String>,
}

impl LvsFile {
    pub(crate) fn read(&mut self, bytes: &[u8]) -> serde_json::Result<Lvs> {
        // The error of a service tells a place in the service, that of the whole the place in the file.
        self.read_changes(bytes)
            .or_else(|_| serde_json::from_slice(bytes))
    }

    fn read_changes(&mut self, bytes: &[u8]) -> serde_json::Result<Lvs> {
        let outline: Outline<'_> = serde_json::from_slice(bytes)?;
        let mut known = std::mem::take(&mut self.known).into_iter();
        let service = |text: &RawValue| {
            let digest = self.keys.hash_one(text.get());
            match known.next() {
                Some((same, service)) if same == digest => Ok((digest, service)),
                _ => serde_json::from_str(text.get()).map(|service| (digest, Arc::new(service))),
            }
        };
        self.known = outline
            .services
            .into_iter()
            .map(service)
            .collect::<Result<_, _>>()?;
        Ok(Lvs {
            pid: outline.pid,
            mode: outline.mode,
            services: self.known.iter().map(|(_, it)| Arc::clone(it)).collect(),
            notes: outline.notes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &mut LvsFile, text: &str) -> Lvs {
        let lvs = file.read(text.as_bytes()).unwrap();
        assert_eq!(lvs, serde_json::from_str(text).unwrap());
        lvs
    }

    #[test]
    fn what_has_not_changed_is_not_read_again() {
        let mut file = LvsFile::default();
        let text =
            r#"{"pid":7,"audit":{"count":1},"services":[{"name":"a"},{"name":"b"}],"notes":["n"]}"#;
        let before = read(&mut file, text);
        let after = read(&mut file, &text.replace(r#""b""#, r#""c""#));
        let is_same = |at: usize| Arc::ptr_eq(&before.services[at], &after.services[at]);
        assert_eq!([is_same(0), is_same(1)], [true, false]);
        // Fewer, more, and what stands at another place.
        read(&mut file, r#"{"services":[{"name":"c"}]}"#);
        read(&mut file, text);
        assert_eq!(read(&mut file, "{}"), Lvs::default());
    }

    #[test]
    fn an_error_tells_its_place_in_the_file() {
        let mut file = LvsFile::default();
        for text in [
            "{\n\"services\": [\n{},\n{\"name\": 7}]}",
            "{\n\"services\": [{\"name\"",
            "{\"notes\":[\"\\ud800\"]}",
        ] {
            let whole = serde_json::from_str::<Lvs>(text).unwrap_err();
            let error = file.read(text.as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), whole.to_string());
        }
        assert!(file.read(b"{\"notes\":[\"\xff\"]}").is_err());
        read(&mut file, r#"{"services":[{"name":"a"}]}"#);
    }
}
