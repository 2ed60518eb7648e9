//! Eyes on the service network: who answers or speaks for VIPs, and whether a `witness` answers.
//!
//! Owns the sockets, which are open before they are needed, and which VIPs are asked for next.
//! Must not know what follows from an answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use heartbeat::{Mac, Macs};
use netdev::{Claim, Echo, MacAddr, Questions, VipAddress};
use tokio::task::{AbortHandle, spawn_blocking, spawn_local};

/// VIPs of an interface that are asked for in one go.
const AT_ONCE: usize = 4;

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Lookout {
    posts: Vec<Post>,
    vips: BTreeSet<Ipv4Addr>,
    witnesses: Vec<Witness>,
    number: u16,
}

/// One interface of VIPs.
#[derive(Debug)]
struct Post {
    questions: Questions,
    own: MacAddr,
    vips: Vec<Ipv4Addr>,
    next: usize,
}

#[derive(Debug)]
struct Witness {
    address: Ipv4Addr,
    open: Option<(Rc<Echo>, AbortHandle)>,
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some((_, listener)) = self.open.take() {
            listener.abort();
        }
    }
}

impl Lookout {
    /// From now on these VIPs, on those of their interfaces that have a hardware address. The error
    /// texts of what cannot be watched.
    pub(crate) fn watch(
        &mut self,
        vips: &[VipAddress],
        macs: &BTreeMap<String, MacAddr>,
    ) -> Vec<String> {
        let mut errors = Vec::new();
        let mut on: BTreeMap<&str, Vec<Ipv4Addr>> = BTreeMap::new();
        for vip in vips {
            on.entry(&vip.interface).or_default().push(vip.address);
        }
        self.vips = vips.iter().map(|vip| vip.address).collect();
        let mut before = std::mem::take(&mut self.posts);
        for (interface, vips) in on {
            let Some(own) = macs.get(interface) else {
                continue;
            };
            let kept = before
                .iter()
                .position(|post| post.questions.is_on(interface));
            let questions = match kept {
                Some(index) => Ok(before.swap_remove(index).questions),
                None => Questions::open(interface),
            };
            match questions {
                Ok(questions) => self.posts.push(Post {
                    questions,
                    own: *own,
                    vips,
                    next: 0,
                }),
                Err(error) => errors.push(error.to_string()),
            }
        }
        if !before.is_empty() {
            // To close them takes the kernel some 20 ms, in which heartbeats would be late.
            spawn_blocking(move || drop(before));
        }
        errors
    }

    /// Asks for a few VIPs; the next time for the next ones.
    pub(crate) fn ask(&mut self, whom: Macs) {
        let whom: Vec<MacAddr> = whom.iter().map(from_heartbeat).collect();
        for post in &mut self.posts {
            post.ask(&whom);
        }
    }

    /// The same, of everybody.
    pub(crate) fn ask_all(&mut self) {
        for post in &mut self.posts {
            post.ask(&[MacAddr::broadcast()]);
        }
    }

    /// The next claim of others to one of the VIPs. An interface that can no longer be listened at is
    /// told once.
    pub(crate) fn poll_claim(&mut self, context: &mut Context<'_>) -> Poll<Result<Claim, String>> {
        let mut index = 0;
        while let Some(post) = self.posts.get(index) {
            match post.questions.poll_next(context) {
                Poll::Ready(Ok(claim)) => {
                    let is_own = self.posts.iter().any(|post| post.own == claim.mac);
                    if self.vips.contains(&claim.address) && !is_own {
                        return Poll::Ready(Ok(claim));
                    }
                }
                Poll::Ready(Err(error)) => {
                    self.posts.remove(index);
                    return Poll::Ready(Err(error.to_string()));
                }
                Poll::Pending => index += 1,
            }
        }
        Poll::Pending
    }

    /// Throws away what is waiting.
    pub(crate) fn drain(&mut self) {
        let mut context = Context::from_waker(Waker::noop());
        // Bounded: somebody may send faster than this reads.
        for _ in 0..10_000 {
            if self.poll_claim(&mut context).is_pending() {
                break;
            }
        }
    }

    /// From now on these witnesses.
    pub(crate) fn rely_on(&mut self, witnesses: &[Ipv4Addr]) {
        let same = self.witnesses.iter().map(|it| it.address);
        if same.eq(witnesses.iter().copied()) {
            return;
        }
        let new = |address: &Ipv4Addr| Witness {
            address: *address,
            open: None,
        };
        self.witnesses = witnesses.iter().map(new).collect();
    }

    /// Pings each once. `answered` is called with each answer, whenever it comes.
    pub(crate) fn ask_witnesses(&mut self, answered: impl Fn() + Clone + 'static) {
        self.number = self.number.wrapping_add(1);
        for witness in &mut self.witnesses {
            if let Err(error) = witness.ask(self.number, answered.clone()) {
                // Without a route for example: then it does not answer.
                tracing::debug!("DEBUG -- {error}");
            }
        }
    }
}

impl Post {
    fn ask(&mut self, whom: &[MacAddr]) {
        for _ in 0..AT_ONCE.min(self.vips.len()) {
            self.next = (self.next + 1) % self.vips.len();
            let Some(vip) = self.vips.get(self.next) else {
                return;
            };
            for mac in whom {
                // An interface without carrier: no answer will come.
                if let Err(error) = self.questions.ask(*vip, self.own, *mac) {
                    tracing::debug!("DEBUG -- {error}");
                }
            }
        }
    }
}

impl Witness {
    fn ask(&mut self, number: u16, answered: impl Fn() + 'static) -> netdev::Result<()> {
        let echo = match &self.open {
            Some((echo, _)) => Rc::clone(echo),
            None => {
                // The low bits of a process number are enough: it is the only pulse here.
                let echo = Rc::new(Echo::open(self.address, std::process::id() as u16)?);
                let listener = spawn_local(listen(Rc::clone(&echo), answered));
                self.open = Some((Rc::clone(&echo), listener.abort_handle()));
                echo
            }
        };
        echo.ask(number)
    }
}

async fn listen(echo: Rc<Echo>, answered: impl Fn()) {
    loop {
        match echo.next().await {
            Ok(_) => answered(),
            // What a router on the way says; it says it again with the next question.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

pub(crate) fn to_heartbeat(mac: MacAddr) -> Mac {
    Mac(mac.octets())
}

fn from_heartbeat(Mac(octets): Mac) -> MacAddr {
    MacAddr::from(octets)
}
