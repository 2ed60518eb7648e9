//! The kernel's connection sync daemons, by the ipvsadm program (`piranha-daemons.md` 3.9).
//!
//! Owns the commands, their order, and seeing to it that what is wanted stays so. Must not decide
//! what is wanted.

use std::ffi::OsString;
use std::future::pending;
use std::time::Duration;

use daemon::child::Spec;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::sleep;

use crate::command;
use crate::plan::SyncPlan;

/// One command. All of them together stay below what a stop may take.
const LIMIT: Duration = Duration::from_millis(500);
/// Between two looks at daemons that run as they should.
const CHECK: Duration = Duration::from_secs(10);
/// Before what failed is tried again, the first time and at most.
const RETRY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// One of the two, as the kernel has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Tells the partner of connections.
    Master,
    /// Learns of them.
    Backup,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::Backup => "backup",
        }
    }
}

/// Which are to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Daemons {
    pub(crate) master: bool,
    pub(crate) backup: bool,
}

impl Daemons {
    pub(crate) const MASTER: Self = Self {
        master: true,
        backup: false,
    };
    pub(crate) const BACKUP: Self = Self {
        master: false,
        backup: true,
    };
    pub(crate) const NONE: Self = Self {
        master: false,
        backup: false,
    };
    /// A new master still learns from the old one until that has let go.
    pub(crate) const BOTH: Self = Self {
        master: true,
        backup: true,
    };

    /// One that is to start goes before one that is to stop, so that nothing is missed.
    fn each(self) -> [(State, bool); 2] {
        let (master, backup) = ((State::Master, self.master), (State::Backup, self.backup));
        if self.master {
            [master, backup]
        } else {
            [backup, master]
        }
    }
}

/// The arguments of the command that starts a daemon.
pub(crate) fn start(plan: &SyncPlan, state: State) -> Vec<OsString> {
    vec![
        "--start-daemon".into(),
        state.word().into(),
        "--mcast-interface".into(),
        plan.interface.clone(),
        "--syncid".into(),
        plan.id.to_string().into(),
    ]
}

/// The arguments of the command that stops it.
pub(crate) fn stop(state: State) -> Vec<OsString> {
    vec!["--stop-daemon".into(), state.word().into()]
}

/// What the one who keeps the daemons tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Told {
    /// Somebody else stopped it; it is started again.
    Vanished(State),
    Failed(String),
    /// After a failure.
    WellAgain,
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Vanished(state) => {
                let word = state.word();
                write!(
                    f,
                    "sync daemon: the {word} does not run any more: starting it again"
                )
            }
            Self::Failed(text) => write!(f, "sync daemon: {text}"),
            Self::WellAgain => f.write_str("sync daemon: it runs again"),
        }
    }
}

#[derive(Debug)]
struct Order {
    plan: SyncPlan,
    daemons: Daemons,
    done: Option<oneshot::Sender<()>>,
}

/// Keeps the daemons as they are wanted, until it is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Keeper(UnboundedSender<Order>);

impl Keeper {
    /// To be called within the event loop.
    pub(crate) fn new(tell: impl Fn(Told) + 'static) -> Self {
        let (orders, queue) = unbounded_channel();
        spawn_local(keep(queue, tell));
        Self(orders)
    }

    /// From now on, these.
    pub(crate) fn want(&self, plan: &SyncPlan, daemons: Daemons) {
        self.order(plan, daemons, None);
    }

    /// The same, and waits until it was tried.
    pub(crate) async fn settle(&self, plan: &SyncPlan, daemons: Daemons) {
        let (done, tried) = oneshot::channel();
        self.order(plan, daemons, Some(done));
        let _ = tried.await;
    }

    fn order(&self, plan: &SyncPlan, daemons: Daemons, done: Option<oneshot::Sender<()>>) {
        let plan = plan.clone();
        // Refused only when the router is ending.
        let _ = self.0.send(Order {
            plan,
            daemons,
            done,
        });
    }
}

async fn keep(mut orders: UnboundedReceiver<Order>, tell: impl Fn(Told)) {
    let Some(mut order) = orders.recv().await else {
        return;
    };
    // What runs from an earlier run, or from before a change, is no surprise.
    let mut settled = false;
    let mut failure: Option<(String, Duration)> = None;
    loop {
        let outcome = reconcile(&order.plan, order.daemons).await;
        if let Some(done) = order.done.take() {
            let _ = done.send(());
        }
        let pause = match outcome {
            Ok(started) => {
                for state in started.into_iter().filter(|_| settled && failure.is_none()) {
                    tell(Told::Vanished(state));
                }
                if failure.take().is_some() {
                    tell(Told::WellAgain);
                }
                settled = true;
                (order.daemons != Daemons::NONE).then_some(CHECK)
            }
            Err(text) => {
                let known = failure.as_ref();
                let pause = known.map_or(RETRY.0, |(_, pause)| (*pause * 2).min(RETRY.1));
                if known.is_none_or(|(known, _)| *known != text) {
                    let interface = order.plan.interface.to_string_lossy();
                    tell(Told::Failed(format!("{interface}: {text}")));
                }
                failure = Some((text, pause));
                Some(pause)
            }
        };
        let again = async {
            match pause {
                Some(pause) => sleep(pause).await,
                None => pending().await,
            }
        };
        tokio::select! {
            next = orders.recv() => match next {
                Some(next) => {
                    settled &= next.plan == order.plan && next.daemons == order.daemons;
                    order = next;
                }
                None => return,
            },
            () = again => {}
        }
    }
}

/// Makes the kernel's daemons those that are wanted; gives those that had to be started.
async fn reconcile(plan: &SyncPlan, daemons: Daemons) -> Result<Vec<State>, String> {
    let listed = run(plan, vec!["-L".into(), "--daemon".into()]).await?;
    let interface = plan.interface.to_string_lossy();
    let mut started = Vec::new();
    for (state, wanted) in daemons.each() {
        let running = running(&listed, state);
        let right = (interface.as_ref(), plan.id);
        let is_right = running.is_some_and(|running| running == right);
        if running.is_some() && !(wanted && is_right) {
            run(plan, stop(state)).await?;
        }
        if wanted && !is_right {
            start_anew(plan, state).await?;
            started.push(state);
        }
    }
    Ok(started)
}

async fn start_anew(plan: &SyncPlan, state: State) -> Result<(), String> {
    match run(plan, start(plan, state)).await {
        // Somebody was quicker.
        Err(text) if text.contains("Daemon has already run") => Ok(()),
        other => other.map(drop),
    }
}

async fn run(plan: &SyncPlan, args: Vec<OsString>) -> Result<String, String> {
    tracing::debug!("DEBUG -- Executing 'ipvsadm {}'", command::shown(&args));
    let spec = Spec {
        args,
        ..Spec::new(&plan.ipvsadm)
    };
    command::run(spec, &[], LIMIT).await
}

/// Interface and number of a daemon that runs, from a listing such as
/// `master sync daemon (mcast=eth0, syncid=1)`.
fn running(listed: &str, state: State) -> Option<(&str, u32)> {
    let prefix = format!("{} sync daemon (mcast=", state.word());
    let rest = listed.lines().find_map(|line| line.strip_prefix(&prefix))?;
    let (interface, rest) = rest.split_once(", syncid=")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((interface, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> SyncPlan {
        SyncPlan {
            ipvsadm: "/sbin/ipvsadm".into(),
            interface: "vb".into(),
            id: 44,
        }
    }

    #[test]
    fn commands_are_those_of_the_original() {
        assert_eq!(command::shown(&stop(State::Master)), "--stop-daemon master");
        assert_eq!(
            command::shown(&start(&plan(), State::Backup)),
            "--start-daemon backup --mcast-interface vb --syncid 44"
        );
    }

    #[test]
    fn listings_of_both_tools() {
        let listed = "master sync daemon (mcast=vb, syncid=44)\n\
            backup sync daemon (mcast=vb, syncid=4, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)\n";
        assert_eq!(running(listed, State::Master), Some(("vb", 44)));
        assert_eq!(running(listed, State::Backup), Some(("vb", 4)));
        assert_eq!(running("", State::Backup), None);
    }

    #[test]
    fn what_is_to_start_comes_first() {
        let states = |daemons: Daemons| daemons.each().map(|(state, _)| state.word());
        assert_eq!(states(Daemons::MASTER), ["master", "backup"]);
        assert_eq!(states(Daemons::BACKUP), ["backup", "master"]);
    }
}
