//! The exchange of an original pair as it was recorded (`piranha-daemons.md` appendix A): keepalive
//! 2 s, deadtime 6 s, times in tenths of a second. One of the two is replaced by ours, which must
//! do what the original did, when it did it and with its words.

use heartbeat::{Action, Configuration, Event, Heartbeat, Identity, Machine, Path, Role, Settings};
use std::time::Duration;

const RUNNING: [u8; 4] = [0xDA, 0xDB, 0xAD, 0xBD];
const STOPPED: [u8; 4] = [0xBD, 0xDA, 0xBD, 0xAD];

const fn tenths(number: u64) -> Duration {
    Duration::from_millis(number * 100)
}

struct Replay {
    machine: Machine,
    now: Duration,
    /// Heartbeats and decisions, in tenths of a second.
    sent: Vec<(u64, [u8; 4])>,
    told: Vec<(u64, String)>,
}

impl Replay {
    fn boot(role: Role, at: u64, boot: u64) -> Self {
        let settings = Settings {
            role,
            partner: true,
            second_path: false,
            keepalive: tenths(20),
            deadtime: tenths(60),
            vip_lifetime: Some(tenths(40)),
            witness: false,
            failback: None,
            relays: false,
            configuration: Configuration {
                serial: 1,
                digest: 0,
            },
        };
        let identity = Identity { boot, epoch: 0 };
        Self {
            machine: Machine::new(settings, identity, tenths(at)),
            now: tenths(at),
            sent: Vec::new(),
            told: Vec::new(),
        }
    }

    fn tell(&mut self, event: Event) {
        let at = (self.now.as_millis() / 100) as u64;
        for action in self.machine.handle(self.now, event) {
            match action {
                Action::Send(heartbeat) => {
                    let bytes = heartbeat.encode();
                    let word = bytes.first_chunk().copied().unwrap_or_default();
                    self.sent.push((at, word));
                }
                Action::Activate(cause) => {
                    self.told.push((at, cause.to_string()));
                    self.tell(Event::LvsReady);
                    self.tell(Event::Activated);
                }
                Action::Deactivate(cause) => {
                    self.told.push((at, cause.to_string()));
                    self.tell(Event::Deactivated);
                }
                // An original does not tell whom to ask.
                other => assert!(!matches!(other, Action::ProbeVips(_)), "{other:?}"),
            }
        }
    }

    fn until(&mut self, at: u64) {
        while let Some(deadline) = self.machine.deadline().filter(|due| *due <= tenths(at)) {
            self.now = deadline;
            self.tell(Event::Timeout);
        }
        self.now = tenths(at);
    }

    fn hear(&mut self, at: u64, datagram: [u8; 4]) {
        self.until(at);
        let path = Path::Public;
        let heartbeat = Heartbeat::decode(&datagram);
        assert!(heartbeat.is_ok());
        self.tell(
            heartbeat.map_or(Event::Timeout, |heartbeat| Event::Heartbeat {
                path,
                heartbeat,
            }),
        );
    }

    fn hear_each(&mut self, times: impl Iterator<Item = u64>, datagram: [u8; 4]) {
        for at in times {
            self.hear(at, datagram);
        }
    }

    fn words(&self) -> Vec<(u64, &str)> {
        self.told
            .iter()
            .map(|(at, text)| (*at, text.as_str()))
            .collect()
    }
}

/// A's heartbeats: "running" from 6.1 on, every two seconds, the last one at 18.3; started again
/// at 36.1, "stopped" from 38.1 on.
#[test]
fn ours_in_the_place_of_the_recorded_backup() {
    let mut ours = Replay::boot(Role::Backup, 100, 1);
    ours.hear_each((103..=183).step_by(20), RUNNING);
    ours.hear_each((381..=481).step_by(20), STOPPED);
    assert_eq!(ours.words(), [(243, "partner dead: activating lvs")]);
    // lvs is restarted where the original gave up (B23); people stop it instead.
    ours.hear(501, STOPPED);
    ours.until(502);
    assert!(
        ours.sent
            .iter()
            .all(|(at, word)| *word == if *at < 243 { STOPPED } else { RUNNING })
    );
    let before: Vec<u64> = ours.sent.iter().map(|(at, _)| *at).take(3).collect();
    assert_eq!(before, [121, 141, 161]);
}

/// B's heartbeats: started at 10.0, "stopped" from 12.0 on; "running" from 24.3 on; its lvsd died
/// at 48.1 and its next heartbeat, at 50.2, says "stopped".
#[test]
fn ours_in_the_place_of_the_recorded_primary() {
    let mut ours = Replay::boot(Role::Primary, 0, 1);
    ours.hear_each((120..=200).step_by(20), STOPPED);
    ours.until(201);
    ours.tell(Event::Terminate);
    let told = ours.words();
    assert_eq!(
        told,
        [
            (60, "partner dead: activating lvs"),
            (201, "terminating: deactivating LVS")
        ]
    );
    let last = ours.sent.last().copied();
    assert_eq!(
        last,
        Some((201, STOPPED)),
        "the original said nothing (B16)"
    );

    let mut again = Replay::boot(Role::Primary, 361, 2);
    again.hear_each((363..=483).step_by(20), RUNNING);
    assert_eq!(again.words(), []);
    again.hear(502, STOPPED);
    assert_eq!(again.words(), [(502, "backup inactive: activating lvs")]);
    assert_eq!(again.sent.last(), Some(&(502, RUNNING)));
}
