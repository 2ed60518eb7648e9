//! The text forms: families with their samples, escaping, the end.
//!
//! Only gauges and counters are used: both forms have them.

use std::fmt::Write as _;

use crate::Form;

/// What kind of numbers a family has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    /// Grows until the daemon starts anew.
    Counter,
}

/// Numbers of one name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family {
    /// Without the `_total` of a counter; ends with the unit.
    name: &'static str,
    kind: Kind,
    unit: Option<&'static str>,
    help: &'static str,
}

impl Family {
    pub(crate) const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Gauge,
            unit: None,
            help,
        }
    }

    pub(crate) const fn counter(name: &'static str, help: &'static str) -> Self {
        Self {
            name,
            kind: Kind::Counter,
            unit: None,
            help,
        }
    }

    /// The unit that the name ends with.
    pub(crate) const fn in_unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }
}

/// A number of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    /// Written exactly.
    Whole(u64),
    /// Anything else.
    Real(f64),
}

impl From<bool> for Value {
    fn from(yes: bool) -> Self {
        Self::Whole(yes.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Whole(number)
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Whole(number as u64)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Real(number.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

/// The text so far.
#[derive(Debug)]
pub(crate) struct Exposition {
    form: Form,
    text: String,
    /// The family whose samples follow, while it has none: one without samples is not mentioned.
    begun: Option<Family>,
    /// The name of its samples.
    name: String,
}

impl Exposition {
    pub(crate) const fn new(form: Form) -> Self {
        Self {
            form,
            text: String::new(),
            begun: None,
            name: String::new(),
        }
    }

    /// The samples that follow are of this family.
    pub(crate) fn begin(&mut self, family: &Family) {
        let suffix = match family.kind {
            Kind::Gauge => "",
            Kind::Counter => "_total",
        };
        self.name = format!("{}{suffix}", family.name);
        self.begun = Some(*family);
    }

    /// A sample of the family begun last.
    pub(crate) fn sample(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        if let Some(family) = self.begun.take() {
            self.head(&family);
        }
        self.text.push_str(&self.name);
        for (place, (label, text)) in labels.iter().enumerate() {
            self.text.push(if place == 0 { '{' } else { ',' });
            self.text.push_str(label);
            self.text.push_str("=\"");
            escape(text, true, &mut self.text);
            self.text.push('"');
        }
        self.text
            .push_str(if labels.is_empty() { " " } else { "} " });
        // Writing to a String does not fail.
        let _ = match value.into() {
            Value::Whole(number) => writeln!(self.text, "{number}"),
            Value::Real(number) => writeln!(self.text, "{number}"),
        };
    }

    /// A sample, where its value is known.
    pub(crate) fn sample_if(&mut self, labels: &[(&str, &str)], value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.sample(labels, value);
        }
    }

    /// A family of one sample without labels.
    pub(crate) fn single(&mut self, family: &Family, value: Option<impl Into<Value>>) {
        self.begin(family);
        self.sample_if(&[], value);
    }

    /// A family that tells which of some words holds: 1 for that one, 0 for the others.
    pub(crate) fn one_of(&mut self, family: &Family, label: &str, words: &[&str], holds: &str) {
        self.begin(family);
        for word in words {
            self.sample(&[(label, word)], *word == holds);
        }
    }

    fn head(&mut self, family: &Family) {
        let kind = match family.kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        // The older form knows a counter by its samples' name, and no units.
        let (name, unit) = match self.form {
            Form::OpenMetrics => (family.name, family.unit),
            Form::Textfile => (self.name.as_str(), None),
        };
        let text = &mut self.text;
        let _ = writeln!(text, "# TYPE {name} {kind}");
        if let Some(unit) = unit {
            let _ = writeln!(text, "# UNIT {name} {unit}");
        }
        let _ = write!(text, "# HELP {name} ");
        escape(family.help, self.form == Form::OpenMetrics, text);
        text.push('\n');
    }

    /// The whole text.
    pub(crate) fn finish(mut self) -> String {
        if self.form == Form::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

/// Backslashes and ends of lines are escaped everywhere, quotes not in help of the older form.
fn escape(text: &str, quotes: bool, into: &mut String) {
    for character in text.chars() {
        match character {
            '\\' => into.push_str("\\\\"),
            '\n' => into.push_str("\\n"),
            '"' if quotes => into.push_str("\\\""),
            other => into.push(other),
        }
    }
}
