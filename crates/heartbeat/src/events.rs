//! The vocabulary of the state machine: what it is told, what it asks for and what it reports.
//!
//! Owns the wording of reports; the texts that scripts look for are the original's
//! (`piranha-daemons.md` 3.15). Must not decide anything.

use crate::{Clash, Configuration, Heartbeat, Links, Mac, Macs, Path, Settings};
use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A valid heartbeat of the partner arrived.
    Heartbeat {
        /// The path it came by.
        path: Path,
        /// What it says.
        heartbeat: Heartbeat,
    },
    /// The same with a good tag: it must be of this moment too.
    Keyed {
        /// The path it came by.
        path: Path,
        /// What it says.
        heartbeat: Heartbeat,
    },
    /// [`Machine::deadline`](crate::Machine::deadline) has come.
    Timeout,
    /// `--forceactive`: become active without asking.
    ForceActive,
    /// What [`Action::Activate`] asked for is done: addresses are up.
    Activated,
    /// What [`Action::Activate`] asked for cannot be done here, or no longer holds.
    Refused,
    /// What [`Action::Deactivate`] asked for is done.
    Deactivated,
    /// lvs says that its table is ready.
    LvsReady,
    /// lvs ended although nobody asked it to.
    LvsDied,
    /// Reload: other times or another partner setting. The role stays what it was.
    Settings(Settings),
    /// State of the links that matter, at start and whenever it changes.
    Links(Links),
    /// Hardware addresses of the interfaces of the VIPs, at start and whenever they change.
    ServiceMacs(Macs),
    /// Somebody answers, by ARP, for a VIP that this router does not hold. To be told of every
    /// answer to [`Action::ProbeVips`], and of announcements that are seen besides.
    VipAnswered {
        /// The VIP.
        address: Ipv4Addr,
        /// The sender's hardware address, as the ARP packet has it.
        mac: Mac,
    },
    /// An address of `witness` answered.
    WitnessAnswered,
    /// People ask for the partner to take over.
    HandOver,
    /// A signal asks the program to end.
    Terminate,
}

/// Something to be done, in the order given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send a heartbeat on every path.
    Send(Heartbeat),
    /// Remember this number for the next run; it must never be used for another activation.
    StoreEpoch(u64),
    /// Take over: start lvs, bring the addresses up; answer [`Event::Activated`] or
    /// [`Event::Refused`].
    Activate(Cause),
    /// Let go, bounded in time, whatever fails; answer [`Event::Deactivated`].
    Deactivate(Cause),
    /// A take-over may be near: have lvs stand by, for a while.
    Prepare,
    /// Start lvs again; addresses stay.
    StartLvs,
    /// Announce the addresses.
    Announce,
    /// Go on serving, but pass new connections on to the partner, which serves too. Ends with
    /// [`Action::Deactivate`].
    Relay,
    /// Throw away what is waiting in the sockets: it is from before a pause.
    Drain,
    /// Ask by ARP who holds the VIPs, with requests sent to these hardware addresses alone; a few
    /// VIPs on each service interface are enough, others with the next request, which follows in
    /// milliseconds. Answers are [`Event::VipAnswered`].
    ProbeVips(Macs),
    /// Ping every address of `witness` once. Answers are [`Event::WitnessAnswered`].
    AskWitnesses,
    /// End the program.
    Finish,
    /// Tell people.
    Report(Notice),
}

/// Why a router becomes active or stops being it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The partner has been silent for the deadtime.
    PartnerDead,
    /// No partner is defined.
    Alone,
    /// This is the primary, and the backup says that it is stopped.
    BackupInactive,
    /// This is the backup, and the primary says that it is stopped.
    PrimaryInactive,
    /// `--forceactive`.
    Forced,
    /// The partner says that it is running, and has the better claim: it took over later or, with
    /// equal claims or an original as partner, it is the primary.
    PartnerActive,
    /// lvs keeps dying; the partner is asked to take over.
    LvsFailing,
    /// Activation was refused.
    Refused,
    /// A link of this router failed.
    LinkFailure,
    /// People asked for it.
    HandOver,
    /// The primary asks for its role back (`failback`).
    Failback,
    /// The public network is silent, and the partner's witness answers while none of ours does.
    Isolated,
    /// This process did not run for so long that the partner must have taken over.
    Gap,
    /// The program is to end.
    Terminating,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PartnerDead => "partner dead: activating lvs",
            Self::Alone => "partner dead: activating lvs (no active backup is defined)",
            Self::BackupInactive => "backup inactive: activating lvs",
            Self::PrimaryInactive => "primary inactive: activating lvs",
            Self::Forced => "Forced active on startup: activating lvs",
            Self::PartnerActive => "partner active: deactivating LVS",
            Self::LvsFailing => "lvs keeps dying: deactivating LVS, the partner is to take over",
            Self::Refused => "activation failed: deactivating LVS",
            Self::LinkFailure => "local link failure: deactivating LVS",
            Self::HandOver => "hand-over requested: deactivating LVS",
            Self::Failback => "the primary asks for its role: deactivating LVS",
            Self::Isolated => {
                "the public network is lost here but not to the partner: deactivating LVS"
            }
            Self::Gap => "not run for too long: deactivating LVS",
            Self::Terminating => "terminating: deactivating LVS",
        })
    }
}

/// A report for people. [`Display`](fmt::Display) gives the line for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// One of two paths is silent while the other works.
    PathSilent(Path),
    /// It works again.
    PathRestored(Path),
    /// This router is active and no longer hears its partner.
    PartnerLost,
    /// It does again.
    PartnerBack,
    /// Not one heartbeat has ever been heard.
    NeverHeard,
    /// Both routers claim to be active; this one stays and announces its addresses.
    ResendingArps {
        /// Times that this was not reported since the last report.
        suppressed: u32,
    },
    /// lvs died and is started again after this time.
    LvsRestart {
        /// Zero: at once.
        delay: Duration,
    },
    /// This process did not run for this long.
    Gap(Duration),
    /// The interface of the own address of this path lost its carrier.
    LinkDown(Path),
    /// Hence this router is not to be active.
    LinkFailure,
    /// It may be again.
    LinksRestored,
    /// It would take over, but an interface of a VIP has no carrier.
    NoCarrier,
    /// A keyed heartbeat does not prove that it is of this moment.
    StaleHeartbeat,
    /// A heartbeat of this router's own came back.
    ReflectedHeartbeat,
    /// No heartbeat is heard, but the partner still answers for the VIPs: no take-over.
    StillServing,
    /// It does not any more, or it is heard again.
    StillServingEnded,
    /// A host that is neither of the two routers, or the partner while it says that it is not
    /// active, answers for a VIP.
    VipConflict {
        /// The VIP.
        address: Ipv4Addr,
        /// Who answers.
        mac: Mac,
    },
    /// Both routers say that they are active.
    Clash(Clash),
    /// Both routers have the same role: their files name different addresses as `primary`.
    SameRole,
    /// The routers follow different files.
    OtherConfiguration {
        /// This router's.
        own: Configuration,
        /// The partner's.
        partner: Configuration,
    },
    /// It would take over, but no witness answers.
    NoWitness,
    /// The public path is silent and no witness answers: this router may be cut off.
    WitnessSilent,
    /// A witness answers again.
    WitnessBack,
    /// The partner did not act on a hand-over: this router goes on.
    HandOverNotTaken,
    /// A hand-over was asked for, but there is no partner that could take over.
    NobodyToHandOverTo,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PathSilent(path) => write!(f, "no heartbeats on the {path} path"),
            Self::PathRestored(path) => write!(f, "heartbeats on the {path} path again"),
            Self::PartnerLost => f.write_str("partner lost: no router could take over"),
            Self::PartnerBack => f.write_str("partner is back"),
            Self::NeverHeard => f.write_str(
                "no heartbeat was ever heard: do firewalls on both routers pass heartbeat_port?",
            ),
            Self::ResendingArps { suppressed: 0 } => f.write_str("partner active: resending arps"),
            Self::ResendingArps { suppressed } => {
                write!(
                    f,
                    "partner active: resending arps ({suppressed} more times since)"
                )
            }
            Self::LvsRestart {
                delay: Duration::ZERO,
            } => f.write_str("lvs died: restarting it"),
            Self::LvsRestart { delay } => {
                write!(f, "lvs keeps dying: restarting it in {} s", delay.as_secs())
            }
            Self::LinkDown(Path::Public) => f.write_str("Primary NIC: link down"),
            Self::LinkDown(Path::Private) => f.write_str("Private NIC: link down"),
            Self::LinkFailure => f.write_str("Local NIC link failure: Pulse disabled"),
            Self::LinksRestored => f.write_str("Local NIC link(s) restored: Pulse enabled"),
            Self::NoCarrier => {
                f.write_str("no carrier on an interface of a VIP: this router does not take over")
            }
            Self::StaleHeartbeat => {
                f.write_str("a keyed heartbeat of another time was refused: a replay?")
            }
            Self::NobodyToHandOverTo => f.write_str(
                "no hand-over: this router is not active, or no partner could take over",
            ),
            Self::ReflectedHeartbeat => f.write_str("an own heartbeat came back: refused"),
            Self::StillServing => f.write_str(
                "ALARM: heartbeat lost, partner still serving: it answers for the VIPs, no take-over",
            ),
            Self::StillServingEnded => {
                f.write_str("the VIPs are no longer a reason not to take over")
            }
            Self::VipConflict { address, mac } => {
                write!(f, "ALARM: {address} is answered for by {mac}")
            }
            Self::Clash(clash) => clash.fmt(f),
            Self::SameRole => f.write_str(
                "ALARM: both routers have the same role: compare primary and backup in their files",
            ),
            Self::OtherConfiguration { own, partner } => {
                write!(f, "the partner follows another file: {partner}; here {own}")
            }
            Self::NoWitness => f.write_str("no witness answers: this router does not take over"),
            Self::WitnessSilent => f.write_str(
                "the public path is silent and no witness answers: is this router cut off?",
            ),
            Self::WitnessBack => f.write_str("a witness answers again"),
            Self::HandOverNotTaken => {
                f.write_str("the partner did not take over: this router goes on")
            }
            Self::Gap(gap) => write!(f, "this process did not run for {} ms", gap.as_millis()),
        }
    }
}
