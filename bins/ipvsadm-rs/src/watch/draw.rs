//! The picture of the table.

use std::time::Duration;

use ipvs::Info;
use ratatui::Frame;
use ratatui::layout::{Alignment, Constraint, Layout};
use ratatui::style::{Style, Stylize};
use ratatui::text::Text;
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::sample::{Line, Overview};
use super::view::{ORDERS, View};

/// Columns of the narrowest name: an IPv4 server.
const NAME: u16 = 26;
/// Columns of everything else.
const FIGURE: u16 = 6;

/// What stands beside a name: its title and its text.
type Column = (&'static str, fn(&Line) -> String);

/// From left to right; those that do not fit are left out from the right.
const COLUMNS: [Column; 9] = [
    ("Active", |line| short(line.active as f64)),
    ("Inact", |line| short(line.inactive as f64)),
    ("Conn/s", |line| short(line.rates.connections)),
    ("InB/s", |line| short(line.rates.in_bytes)),
    ("OutB/s", |line| short(line.rates.out_bytes)),
    ("Weight", |line| {
        line.weight
            .map_or_else(String::new, |weight| short(weight.into()))
    }),
    ("Method", |line| line.method.clone()),
    ("InP/s", |line| short(line.rates.in_packets)),
    ("OutP/s", |line| short(line.rates.out_packets)),
];

/// Draws everything.
pub(super) fn draw(
    frame: &mut Frame<'_>,
    info: Info,
    every: Duration,
    overview: &Overview,
    view: &mut View,
) {
    let keys = keys();
    let width = frame.area().width.max(1);
    // The keys take as many lines as they need, but leave room for the table.
    let wrapped = wrap(&keys, width.into());
    let bottom = u16::try_from(wrapped.len()).unwrap_or(1);
    let parts = Layout::vertical([
        Constraint::Length(1),
        Constraint::Min(2),
        Constraint::Length(bottom),
    ]);
    let [top, middle, bottom] = parts.areas(frame.area());
    let page = usize::from(middle.height.saturating_sub(1));
    let (lines, count) = view.lines(overview, page);
    let title = title(info, every, overview, view, lines.len(), count);
    frame.render_widget(Paragraph::new(title).bold(), top);
    frame.render_widget(table(&lines, middle.width), middle);
    frame.render_widget(Paragraph::new(wrapped.join("\n")).dim(), bottom);
}

fn title(
    Info {
        version,
        table_size,
    }: Info,
    every: Duration,
    overview: &Overview,
    view: &View,
    shown: usize,
    count: usize,
) -> String {
    let (major, minor, patch) = (version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
    let order = ORDERS.iter().find(|(_, order, _)| *order == view.order);
    let order = order.map_or("", |(_, _, name)| name);
    let turned = if view.reversed { ", reversed" } else { "" };
    let services = overview.services.len();
    let servers: usize = overview
        .services
        .iter()
        .map(|(_, servers)| servers.len())
        .sum();
    let (first, last) = (view.above + shown.min(1), view.above + shown);
    format!(
        "IPVS {major}.{minor}.{patch} (size={table_size})  by {order}{turned}  \
         lines {first}-{last} of {count}  {services} services  {servers} servers  every {} s",
        every.as_secs()
    )
}

fn keys() -> String {
    let mut keys = "q quit  ↑↓ PgUp PgDn Home End scroll  s servers".to_owned();
    for (key, _, name) in ORDERS {
        keys += &format!("  {key} {name}");
    }
    keys
}

/// Breaks a line at double blanks.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in text.split("  ") {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + part.chars().count() <= width => {
                line.push_str("  ");
                line.push_str(part);
            }
            _ => lines.push(part.to_owned()),
        }
    }
    lines
}

fn table<'a>(lines: &[&'a Line], width: u16) -> Table<'a> {
    let fitting = usize::from(width.saturating_sub(NAME) / (FIGURE + 1));
    let columns = COLUMNS.iter().take(fitting);
    let right = |text: String| Cell::from(Text::from(text).alignment(Alignment::Right));
    let titles = columns.clone().map(|(title, _)| right((*title).to_owned()));
    let header = Row::new([Cell::from("Service / server")].into_iter().chain(titles));
    let rows = lines.iter().map(|line| {
        let figures = columns.clone().map(|(_, text)| right(text(line)));
        let name = Cell::from(line.name.as_str());
        let row = Row::new([name].into_iter().chain(figures));
        // Services stand out.
        if line.weight.is_none() {
            row.style(Style::new().bold())
        } else {
            row
        }
    });
    let widths = columns.clone().map(|_| Constraint::Length(FIGURE));
    let widths = [Constraint::Fill(1)].into_iter().chain(widths);
    Table::new(rows, widths)
        .header(header.reversed())
        .column_spacing(1)
}

/// A number in at most six columns.
fn short(value: f64) -> String {
    const STEPS: [(f64, f64, &str); 5] = [
        (1e5, 1.0, ""),
        (1e8, 1e3, "K"),
        (1e11, 1e6, "M"),
        (1e14, 1e9, "G"),
        (f64::INFINITY, 1e12, "T"),
    ];
    // Slow rates would all be 0 or 1.
    if value < 10.0 && value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let step = STEPS.iter().find(|(below, ..)| value.round() < *below);
    let (_, divisor, letter) = step.copied().unwrap_or((0.0, 1.0, ""));
    format!("{}{letter}", (value.round() / divisor).trunc())
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::watch::sample::Rates;

    const INFO: Info = Info {
        version: 0x010201,
        table_size: 4096,
    };

    fn line(name: &str, method: &str, weight: Option<i32>, connections: f64) -> Line {
        Line {
            name: name.to_owned(),
            method: method.to_owned(),
            weight,
            active: 12,
            inactive: 123_456,
            rates: Rates {
                connections,
                in_packets: connections * 10.0,
                out_packets: connections * 9.0,
                in_bytes: connections * 1500.0,
                out_bytes: connections * 150_000.0,
            },
        }
    }

    fn overview() -> Overview {
        Overview {
            services: vec![
                (
                    line("TCP  10.0.0.1:80", "wlc", None, 101.5),
                    vec![
                        line("  -> 192.168.100.101:65535", "Masq", Some(10), 100.0),
                        line("  -> 192.168.100.102:65535", "Masq", Some(1), 1.5),
                    ],
                ),
                (line("FWM  5 IPv6", "rr", None, 0.0), vec![]),
            ],
        }
    }

    fn picture(width: u16, height: u16, view: &mut View) -> TestBackend {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let overview = overview();
        terminal
            .draw(|frame| draw(frame, INFO, Duration::from_secs(2), &overview, view))
            .unwrap();
        terminal.backend().clone()
    }

    #[test]
    fn a_wide_terminal_shows_everything() {
        insta::assert_snapshot!(picture(120, 9, &mut View::default()), @r#"
        "IPVS 1.2.1 (size=4096)  by name  lines 1-4 of 4  2 services  2 servers  every 2 s                                       "
        "Service / server                                          Active  Inact Conn/s  InB/s OutB/s Weight Method  InP/s OutP/s"
        "TCP  10.0.0.1:80                                              12   123K    102   152K 15225K           wlc   1015    914"
        "  -> 192.168.100.101:65535                                    12   123K    100   150K 15000K     10   Masq   1000    900"
        "  -> 192.168.100.102:65535                                    12   123K    1.5   2250   225K      1   Masq     15     14"
        "FWM  5 IPv6                                                   12   123K      0      0      0            rr      0      0"
        "                                                                                                                        "
        "                                                                                                                        "
        "q quit  ↑↓ PgUp PgDn Home End scroll  s servers  n name  a active  i inactive  c conn/s  p packets/s  b bytes/s         "
        "#);
    }

    #[test]
    fn a_narrow_terminal_loses_columns_from_the_right() {
        insta::assert_snapshot!(picture(50, 10, &mut View::default()), @r#"
        "IPVS 1.2.1 (size=4096)  by name  lines 1-4 of 4  2"
        "Service / server              Active  Inact Conn/s"
        "TCP  10.0.0.1:80                  12   123K    102"
        "  -> 192.168.100.101:65535        12   123K    100"
        "  -> 192.168.100.102:65535        12   123K    1.5"
        "FWM  5 IPv6                       12   123K      0"
        "                                                  "
        "q quit  ↑↓ PgUp PgDn Home End scroll  s servers   "
        "n name  a active  i inactive  c conn/s            "
        "p packets/s  b bytes/s                            "
        "#);
    }

    #[test]
    fn the_title_tells_order_and_part() {
        let mut view = View::default();
        for code in [KeyCode::Char('c'), KeyCode::Char('c'), KeyCode::Down] {
            view.press(KeyEvent::new(code, KeyModifiers::NONE));
        }
        insta::assert_snapshot!(picture(100, 6, &mut view), @r#"
        "IPVS 1.2.1 (size=4096)  by conn/s, reversed  lines 2-3 of 4  2 services  2 servers  every 2 s       "
        "Service / server                      Active  Inact Conn/s  InB/s OutB/s Weight Method  InP/s OutP/s"
        "TCP  10.0.0.1:80                          12   123K    102   152K 15225K           wlc   1015    914"
        "  -> 192.168.100.102:65535                12   123K    1.5   2250   225K      1   Masq     15     14"
        "q quit  ↑↓ PgUp PgDn Home End scroll  s servers  n name  a active  i inactive  c conn/s  p packets/s"
        "b bytes/s                                                                                           "
        "#);
    }

    /// Resizing can go through any size.
    #[test]
    fn no_terminal_is_too_small() {
        for width in [1, 2, 9, 26, 27, 33, 47] {
            for height in [1, 2, 3, 4, 7] {
                picture(width, height, &mut View::default());
            }
        }
    }

    #[test]
    fn numbers_fit_their_column() {
        let texts = [
            (0.0, "0"),
            (0.25, "0.2"),
            (9.96, "10.0"),
            (10.4, "10"),
            (99_999.4, "99999"),
            (99_999.6, "100K"),
            (1e8, "100M"),
            (1.5e13, "15000G"),
            (1e17, "100000T"),
        ];
        for (value, text) in texts {
            assert_eq!(short(value), text);
        }
    }
}
