//! What the person chose to see: order, servers or not, which part.

use std::cmp::Ordering;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::sample::{Line, Overview};

/// By what lines are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As listed.
    Name,
    Active,
    Inactive,
    Connections,
    Packets,
    Bytes,
}

/// Each order with its key and its name on the screen.
pub(super) const ORDERS: [(char, Order, &str); 6] = [
    ('n', Order::Name, "name"),
    ('a', Order::Active, "active"),
    ('i', Order::Inactive, "inactive"),
    ('c', Order::Connections, "conn/s"),
    ('p', Order::Packets, "packets/s"),
    ('b', Order::Bytes, "bytes/s"),
];

impl Order {
    /// The greatest number first; names keep their order.
    fn compare(self, left: &Line, right: &Line) -> Ordering {
        let number = |line: &Line| match self {
            Self::Name => 0.0,
            Self::Active => line.active as f64,
            Self::Inactive => line.inactive as f64,
            Self::Connections => line.rates.connections,
            Self::Packets => line.rates.in_packets + line.rates.out_packets,
            Self::Bytes => line.rates.in_bytes + line.rates.out_bytes,
        };
        number(right).total_cmp(&number(left))
    }
}

/// The choices, which keys change.
#[derive(Debug)]
pub(super) struct View {
    pub(super) order: Order,
    pub(super) reversed: bool,
    /// Whether servers are shown.
    servers: bool,
    /// Lines above the first one on the screen.
    pub(super) above: usize,
    /// Lines that the screen held last.
    page: usize,
}

impl Default for View {
    fn default() -> Self {
        Self {
            order: Order::Name,
            reversed: false,
            servers: true,
            above: 0,
            page: 1,
        }
    }
}

impl View {
    /// Takes a key; `true` when it ends the view.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if control => return true,
            _ if control => {}
            KeyCode::Char('q') => return true,
            KeyCode::Char('s') => self.servers = !self.servers,
            KeyCode::Down | KeyCode::Char('j') => self.above += 1,
            KeyCode::Up | KeyCode::Char('k') => self.above = self.above.saturating_sub(1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.above += self.page,
            KeyCode::PageUp => self.above = self.above.saturating_sub(self.page),
            KeyCode::Home | KeyCode::Char('g') => self.above = 0,
            // What is too much is taken back when the lines are counted.
            KeyCode::End | KeyCode::Char('G') => self.above = usize::MAX / 2,
            KeyCode::Char(letter) => self.sort_by(letter),
            _ => {}
        }
        false
    }

    fn sort_by(&mut self, letter: char) {
        if let Some((_, order, _)) = ORDERS.iter().find(|(key, ..)| *key == letter) {
            self.reversed = self.order == *order && !self.reversed;
            self.order = *order;
        }
    }

    /// The lines in their order, cut to those that fit on a page, and how many there are in all. Servers
    /// stay with their service.
    pub(super) fn lines<'a>(
        &mut self,
        overview: &'a Overview,
        page: usize,
    ) -> (Vec<&'a Line>, usize) {
        let mut services: Vec<_> = overview.services.iter().collect();
        self.sort(&mut services, |(line, _)| line);
        let mut lines = Vec::new();
        for (service, servers) in services {
            lines.push(service);
            if self.servers {
                let mut servers: Vec<_> = servers.iter().collect();
                self.sort(&mut servers, |line| line);
                lines.extend(servers);
            }
        }
        let count = lines.len();
        self.page = page.max(1);
        self.above = self.above.min(count.saturating_sub(page));
        let shown = lines.into_iter().skip(self.above).take(page);
        (shown.collect(), count)
    }

    fn sort<T>(&self, list: &mut [&T], line: impl Fn(&T) -> &Line) {
        list.sort_by(|left, right| self.order.compare(line(left), line(right)));
        if self.reversed {
            list.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::sample::Rates;

    fn line(name: &str, active: u64, connections: f64) -> Line {
        Line {
            name: name.to_owned(),
            method: String::new(),
            weight: None,
            active,
            inactive: 0,
            rates: Rates {
                connections,
                ..Rates::default()
            },
        }
    }

    fn overview() -> Overview {
        Overview {
            services: vec![
                (
                    line("one", 3, 9.0),
                    vec![line("1a", 1, 2.0), line("1b", 2, 7.0)],
                ),
                (line("two", 5, 4.0), vec![line("2a", 5, 4.0)]),
            ],
        }
    }

    fn names(view: &mut View, page: usize) -> String {
        let overview = overview();
        let (lines, _) = view.lines(&overview, page);
        let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
        names.join(" ")
    }

    fn press(view: &mut View, code: KeyCode) -> bool {
        view.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn servers_stay_with_their_service() {
        let mut view = View::default();
        assert_eq!(names(&mut view, 9), "one 1a 1b two 2a");
        press(&mut view, KeyCode::Char('a'));
        assert_eq!(names(&mut view, 9), "two 2a one 1b 1a");
        press(&mut view, KeyCode::Char('a'));
        assert_eq!(names(&mut view, 9), "one 1a 1b two 2a");
        press(&mut view, KeyCode::Char('c'));
        assert_eq!(names(&mut view, 9), "one 1b 1a two 2a");
        press(&mut view, KeyCode::Char('s'));
        assert_eq!(names(&mut view, 9), "one two");
        press(&mut view, KeyCode::Char('n'));
        press(&mut view, KeyCode::Char('n'));
        assert_eq!(names(&mut view, 9), "two one");
    }

    #[test]
    fn scrolling_ends_at_both_ends() {
        let mut view = View::default();
        assert_eq!(names(&mut view, 2), "one 1a");
        press(&mut view, KeyCode::Up);
        press(&mut view, KeyCode::Down);
        assert_eq!(names(&mut view, 2), "1a 1b");
        press(&mut view, KeyCode::PageDown);
        assert_eq!(names(&mut view, 2), "two 2a");
        press(&mut view, KeyCode::PageDown);
        assert_eq!(names(&mut view, 2), "two 2a");
        press(&mut view, KeyCode::Home);
        press(&mut view, KeyCode::End);
        press(&mut view, KeyCode::Up);
        // Keys between two pictures count from what is there.
        assert_eq!(names(&mut view, 2), "two 2a");
        press(&mut view, KeyCode::PageUp);
        assert_eq!(names(&mut view, 2), "1a 1b");
        assert_eq!(names(&mut view, 0), "");
    }

    #[test]
    fn q_and_control_c_end_it() {
        let mut view = View::default();
        assert!(press(&mut view, KeyCode::Char('q')));
        assert!(!press(&mut view, KeyCode::Char('c')));
        let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
        assert!(view.press(control('c')));
        assert!(!view.press(control('q')));
    }
}
