//! What goes wrong in a run.

use super::*;

impl Simulation {
    pub(super) fn fault(&mut self) {
        self.faults += 1;
        self.calm_since = self.now;
        let node = self.rng.below(2) as usize;
        let path = self.rng.below(2) as usize;
        let long = self.settings.deadtime * self.rng.below(8) as u32 + ms(self.rng.below(3000));
        match self.rng.below(9) {
            0 => self.crash(node, long),
            1 => {
                self.note(node, "is paused");
                self.nodes[node].paused = true;
                // Renewed at a third of the lifetime; gone within a second after it.
                let lifetime = (self.settings.deadtime - self.settings.keepalive).max(ms(2000));
                let life = self.nodes[node].life;
                self.schedule(
                    lifetime + ms(1000),
                    Happening::AddressExpires { node, life },
                );
                self.schedule(long, Happening::Resume { node });
            }
            2 => self.tell(node, Event::Terminate),
            3 => {
                self.nodes[node].lvs_deaths = self.rng.below(8);
                self.note(node, "lvs dies");
                self.tell(node, Event::LvsDied);
            }
            4 => self.cut(&[path], &[0, 1], long),
            5 => self.cut(&[0, 1], &[0, 1], long),
            6 => self.cut(&[path], &[node], long),
            7 => self.cut(&[0, 1], &[node], long),
            _ => {
                self.note(node, "the network is bad");
                let (loss, jitter) = (self.rng.below(40), self.rng.below(100));
                for link in self.network.links.iter_mut().flatten() {
                    (link.loss, link.jitter, link.duplicates) = (loss, jitter, 5);
                }
                self.schedule(long, Happening::Heal);
            }
        }
    }

    fn crash(&mut self, node: usize, down: Duration) {
        self.note(node, "crashes");
        let router = &mut self.nodes[node];
        router.machine = None;
        router.serving = false;
        router.lvs_deaths = 0;
        router.lvs_waits = false;
        router.life += 1;
        self.schedule(down, Happening::Boot { node });
    }

    fn cut(&mut self, paths: &[usize], senders: &[usize], span: Duration) {
        self.note(
            0,
            &format!("paths {paths:?} cut for packets of {senders:?}"),
        );
        for path in paths {
            for sender in senders {
                self.network.links[*path][*sender].cut = true;
            }
        }
        self.schedule(span, Happening::Heal);
    }

    pub(super) fn heal(&mut self) {
        self.note(0, "the network heals");
        self.network = Network::default();
        self.calm_since = self.now;
    }
}
