//! The last hour of a figure: kept in bounded memory, drawn as SVG.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::status::{Counters, Lvs, Service};

/// Samples of a figure.
const SAMPLES: usize = 120;
/// Time between two of them: together one hour.
const STEP: Duration = Duration::from_secs(30);
/// Figures that are kept at most.
const FIGURES: usize = 20_000;

/// Of a service or a server.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Figure {
    /// Established at present.
    Connections,
    /// New ones per second.
    Rate,
}

#[derive(Debug, Default)]
struct Series {
    samples: VecDeque<f32>,
    /// Number of the step of the last sample.
    last: u64,
}

impl Series {
    fn add(&mut self, step: u64, value: f32) {
        match step.checked_sub(self.last) {
            // The peak of a step is what people look for.
            Some(0) => {
                if let Some(sample) = self.samples.back_mut() {
                    *sample = sample.max(value);
                    return;
                }
            }
            Some(gap) if !self.samples.is_empty() => {
                for _ in 1..gap.min(SAMPLES as u64) {
                    self.samples.push_back(0.0);
                }
            }
            _ => self.samples.clear(),
        }
        self.samples.push_back(value);
        while self.samples.len() > SAMPLES {
            self.samples.pop_front();
        }
        self.last = step;
    }
}

/// All figures, by the keys of services and servers.
#[derive(Debug, Default)]
pub(crate) struct History {
    connections: HashMap<String, Series>,
    rates: HashMap<String, Series>,
    /// What was added last, and in which step.
    services: Vec<Arc<Service>>,
    step: u64,
}

/// The figures of something in the last hour, oldest first.
#[derive(Debug, Serialize)]
struct Lines {
    active_connections: Vec<f32>,
    connections_per_second: Vec<f32>,
}

/// The last hour in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct Hour<'a> {
    step_seconds: u64,
    services: BTreeMap<&'a str, Lines>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    servers: BTreeMap<&'a str, Lines>,
}

/// The number of the step that a time is in: within one, a drawing changes only with its figure.
pub(crate) const fn step(now: Duration) -> u64 {
    now.as_secs() / STEP.as_secs()
}

/// The key of a server's figures.
pub(crate) fn server_key(service: &str, server: &str) -> String {
    format!("{service}\n{server}")
}

impl History {
    /// Adds what lvs says at a time since any fixed moment.
    pub(crate) fn add(&mut self, now: Duration, lvs: &Lvs) {
        let step = step(now);
        if step != self.step {
            let hour = SAMPLES as u64;
            let is_in_it = |series: &Series| series.last + hour > step;
            self.connections.retain(|_, series| is_in_it(series));
            self.rates.retain(|_, series| is_in_it(series));
            self.services.clear();
            self.step = step;
        }
        for (at, service) in lvs.services.iter().enumerate() {
            // Within a step, what has not changed has its sample.
            let known = self.services.get(at);
            if !known.is_some_and(|known| Arc::ptr_eq(known, service)) {
                self.add_service(step, service);
            }
        }
        self.services.clone_from(&lvs.services);
    }

    fn add_service(&mut self, step: u64, service: &Service) {
        let active = service.active_connections();
        self.note(step, &service.service, active, service.counters);
        for server in &service.servers {
            let key = server_key(&service.service, &server.server);
            let active = server.active_connections.unwrap_or_default();
            self.note(step, &key, active, server.counters);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a line of some pixels")]
    fn note(&mut self, step: u64, key: &str, active: u64, counters: Option<Counters>) {
        let rate = counters.map_or(0, |counters| counters.connections_per_second);
        let full = self.connections.len() + self.rates.len() >= FIGURES;
        for (all, value) in [(&mut self.connections, active), (&mut self.rates, rate)] {
            // Most of many servers are idle: no memory for them until they are not.
            match all.get_mut(key) {
                Some(series) => series.add(step, value as f32),
                None if value == 0 || full => {}
                None => all
                    .entry(key.to_owned())
                    .or_default()
                    .add(step, value as f32),
            }
        }
    }

    /// The figure's samples of the last hour, the newest last; none before its first.
    fn samples(
        &self,
        now: Duration,
        key: &str,
        figure: Figure,
    ) -> Option<impl Iterator<Item = f32> + Clone> {
        let series = match figure {
            Figure::Connections => self.connections.get(key)?,
            Figure::Rate => self.rates.get(key)?,
        };
        // The step of now may still get its sample.
        let silent = step(now).saturating_sub(series.last + 1);
        let silent = usize::try_from(silent).map_or(SAMPLES, |silent| silent.min(SAMPLES));
        let silence = std::iter::repeat_n(0.0, silent);
        let old = (series.samples.len() + silent).saturating_sub(SAMPLES);
        Some(series.samples.iter().copied().chain(silence).skip(old))
    }

    fn lines(&self, now: Duration, key: &str) -> Lines {
        let of = |figure| {
            let samples = self.samples(now, key, figure);
            samples.into_iter().flatten().collect()
        };
        Lines {
            active_connections: of(Figure::Connections),
            connections_per_second: of(Figure::Rate),
        }
    }

    /// The last hour of each service.
    pub(crate) fn of_services<'a>(&self, now: Duration, services: &'a [Arc<Service>]) -> Hour<'a> {
        let lines = services
            .iter()
            .map(|service| (service.service.as_str(), self.lines(now, &service.service)));
        Hour {
            step_seconds: STEP.as_secs(),
            services: lines.collect(),
            servers: BTreeMap::new(),
        }
    }

    /// The last hour of one service and of its servers.
    pub(crate) fn of_service<'a>(
        &self,
        now: Duration,
        services: &'a [Arc<Service>],
        name: &str,
    ) -> Hour<'a> {
        let found = services.iter().find(|service| service.service == name);
        let servers = found.iter().flat_map(|service| &service.servers);
        let lines = servers.map(|server| {
            let key = server_key(name, &server.server);
            (server.server.as_str(), self.lines(now, &key))
        });
        Hour {
            servers: lines.collect(),
            ..self.of_services(now, found.map(std::slice::from_ref).unwrap_or_default())
        }
    }

    /// An SVG of the figure with a title for those who cannot see it; empty without samples.
    pub(crate) fn draw(&self, now: Duration, key: &str, figure: Figure, title: &str) -> String {
        let Some(samples) = self.samples(now, key, figure) else {
            return String::new();
        };
        let most = samples.clone().fold(1.0, f32::max);
        let first = SAMPLES - samples.clone().count();
        // Before its first sample there was nothing; a single point would not be seen.
        let mut points = match first.checked_sub(1) {
            Some(before) => format!("{before},23 "),
            None => String::new(),
        };
        for (x, value) in (first..).zip(samples) {
            // Writing to a String does not fail.
            let _ = write!(points, "{x},{:.0} ", 23.0 - value / most * 22.0);
        }
        let title = askama::filters::escape(title, askama::filters::Html);
        let title = title.map(|title| title.to_string()).unwrap_or_default();
        format!(
            "<svg class=\"graph\" viewBox=\"0 0 119 24\" role=\"img\" preserveAspectRatio=\"none\">\
             <title>{title} ≤ {most}</title><polyline points=\"{}\"/></svg>",
            points.trim_end()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lvs(rate: u64) -> Lvs {
        let counters = Counters {
            connections_per_second: rate,
            ..Counters::default()
        };
        let service = Service {
            service: "-t 192.0.2.80:80".to_owned(),
            counters: Some(counters),
            ..Service::default()
        };
        Lvs {
            services: vec![Arc::new(service)],
            ..Lvs::default()
        }
    }

    fn samples(history: &History) -> Vec<f32> {
        let series = history.rates.get("-t 192.0.2.80:80");
        series
            .map(|series| series.samples.iter().copied().collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_sample_is_the_peak_of_half_a_minute_and_gaps_are_zero() {
        let mut history = History::default();
        for (second, rate) in [(0, 5), (10, 9), (20, 7), (30, 1), (120, 2)] {
            history.add(Duration::from_secs(second), &lvs(rate));
        }
        assert_eq!(samples(&history), [9.0, 1.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn r23_an_hour_is_kept_and_no_more() {
        let mut history = History::default();
        for second in (0..36_000).step_by(2) {
            history.add(Duration::from_secs(second), &lvs(3));
        }
        assert_eq!(samples(&history).len(), SAMPLES);
        history.add(Duration::from_secs(40_000), &Lvs::default());
        assert!(history.rates.is_empty(), "what is gone is forgotten");
    }

    #[test]
    fn a_drawing_has_an_escaped_title() {
        let mut history = History::default();
        history.add(Duration::from_secs(60), &lvs(4));
        history.add(Duration::from_secs(90), &lvs(2));
        let svg = history.draw(
            Duration::from_secs(90),
            "-t 192.0.2.80:80",
            Figure::Rate,
            "<script>",
        );
        assert!(svg.contains("points=\"117,23 118,1 119,12\""), "{svg}");
        assert!(!svg.contains("<script>"), "{svg}");
        let none = history.draw(Duration::ZERO, "another", Figure::Rate, "");
        assert_eq!(none, "");
    }
}
