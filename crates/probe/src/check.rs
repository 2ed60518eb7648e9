//! A check as configured, and how one attempt of it ends.

use crate::expect::Expect;
use crate::program::Program;
use crate::reason::Reason;
use crate::service::Service;
use crate::wait::Bounds;
use std::net::SocketAddrV4;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

/// What is done to learn whether a real server works.
#[derive(Debug, Clone)]
pub enum Check {
    /// Ask the server over the network.
    Service(Service),
    /// Run a program that asks.
    Program {
        /// The program.
        program: Program,
        /// What it must print. Without it no result counts as good (5.5).
        expect: Option<Expect>,
    },
    /// The check cannot be made at all: each attempt fails for this reason.
    Impossible(Reason),
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server works.
    Available,
    /// It does not.
    Unavailable(Reason),
    /// One of the given descriptors spoke before there was a verdict.
    Interrupted {
        /// Process id of the check program that was killed for it.
        killed: Option<u32>,
    },
}

impl Check {
    /// One attempt against `real`, decided within `limit`. Gives up at once when one of
    /// `interrupts` becomes readable or breaks; it reads nothing from them.
    pub fn run(
        &self,
        real: SocketAddrV4,
        limit: Duration,
        interrupts: &[BorrowedFd<'_>],
    ) -> Outcome {
        self.run_at(Instant::now(), real, limit, interrupts)
    }

    /// The same where the time is known already, which is `now`.
    pub fn run_at(
        &self,
        now: Instant,
        real: SocketAddrV4,
        limit: Duration,
        interrupts: &[BorrowedFd<'_>],
    ) -> Outcome {
        let bounds = Bounds::new(now, limit, interrupts);
        match self {
            Self::Service(service) => service.check(real, &bounds),
            Self::Program { program, expect } => program.check(real, expect.as_ref(), &bounds),
            Self::Impossible(reason) => Outcome::Unavailable(reason.clone()),
        }
    }
}
