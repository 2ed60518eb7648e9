//! The running router: one event loop that feeds the state machine and performs what it asks for.
//!
//! Owns the order of things within a turn. Decides nothing by itself: see the crate `heartbeat`.

mod asked;
mod cleanup;
mod duties;
mod epoch;
mod following;
mod links;

use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use daemon::child::Output;
use daemon::mode::{Running, StartMode};
use daemon::runtime::Signals;
use daemon::{Signal, clock, notify};
use heartbeat::{Configuration, Event, Machine, Phase, Role, Settings};
use netdev::{Netdev, VipAddress};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, oneshot};
use tokio::task::{AbortHandle, LocalSet, spawn_local};

use crate::control;
use crate::identity::Identity;
use crate::lvs_child::{self, Lvs};
use crate::options::Options;
use crate::plan::Plan;
use crate::reload::Reloaded;
use crate::sockets::Sockets;
use crate::start::Prepared;
use crate::status::StatusFile;

/// How work that was started reports back. A number tells which start is meant: what an earlier
/// one asked for is void.
#[derive(Debug)]
enum Happened {
    Lvs(u64, lvs_child::Outcome),
    LvsNotStarted(String),
    AddressesUp(u64, Vec<String>),
    Renewed(u64, Vec<String>),
    /// After a reload; whether addresses were added.
    Followed(u64, Vec<String>, bool),
    Missing(u64, Vec<VipAddress>),
    LetGo(u64, Vec<String>),
    Leftovers(cleanup::Leftovers),
    CleanedUp(u64),
    Links(Result<links::Read, String>),
    Asked(control::Asked),
    Reloaded(Box<Result<Reloaded, String>>),
}

/// What ends a wait.
enum Input {
    Datagram(Option<Event>),
    Signal(Signal),
    Happened(Happened),
    Device(netdev::Result<netdev::Event>),
    Time,
}

#[derive(Debug)]
struct Router {
    options: Options,
    identity: Identity,
    plan: Rc<Plan>,
    /// The accepted file, as lvs gets it.
    bytes: Rc<Vec<u8>>,
    machine: Machine,
    netdev: Rc<Netdev>,
    sockets: Sockets,
    sync_lock: Rc<Mutex<()>>,
    status: StatusFile,
    happened: UnboundedSender<Happened>,
    /// Counts activations and deactivations.
    turn: u64,
    /// Counts starts of lvs.
    instance: u64,
    lvs: Option<Lvs>,
    /// Addresses may be up, in part or not yet confirmed.
    claimed: bool,
    /// Addresses are up.
    held: bool,
    bringing_up: Option<AbortHandle>,
    announcing: Option<AbortHandle>,
    renew_at: Option<Duration>,
    renewal_error: Option<String>,
    cleaned_up: bool,
    /// lvs stands by for a take-over that may be near, since this time.
    prepared_at: Option<Duration>,
    /// Before this, no lvs is started to check on standby: the last one died.
    standby_pause: Option<Duration>,
    /// When it was told to end.
    told_to_end: Option<Duration>,
    links: links::Known,
    history: asked::History,
    waiting_for_hand_over: Vec<oneshot::Sender<String>>,
    /// When the service manager is to hear from this process next.
    watchdog_at: Option<Duration>,
    finished: bool,
}

/// Runs until it is told to end.
pub(crate) fn run(prepared: Prepared, running: Running) -> ExitCode {
    let runtime = match daemon::runtime::build() {
        Ok(runtime) => runtime,
        Err(error) => return give_up(running, &format!("cannot start the event loop: {error}")),
    };
    LocalSet::new().block_on(&runtime, async {
        match Router::open(prepared) {
            Ok((router, happened, signals)) => router.serve(running, happened, signals).await,
            Err(text) => give_up(running, &text),
        }
    })
}

fn give_up(running: Running, text: &str) -> ExitCode {
    tracing::info!("{text}");
    eprintln!("pulse: {text}");
    running.fail(1, &format!("pulse: {text}"));
    ExitCode::from(1)
}

impl Router {
    fn open(prepared: Prepared) -> Result<(Self, UnboundedReceiver<Happened>, Signals), String> {
        let Prepared {
            options,
            loaded,
            identity,
            bound,
        } = prepared;
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let signals = Signals::handle(&[
            Signal::SIGTERM,
            Signal::SIGINT,
            Signal::SIGHUP,
            // Old configuration tools send USR2 to every pulse; that is no reason to die.
            Signal::SIGUSR1,
            Signal::SIGUSR2,
        ])
        .map_err(|error| text(&error))?;
        let (sender, receiver) = unbounded_channel();
        for warning in &loaded.warnings {
            tracing::info!("{warning}");
        }
        let plan = Rc::new(loaded.plan);
        if plan.has_backup && plan.auth.is_none() {
            tracing::info!("heartbeats are not authenticated: heartbeat_key is not set");
        }
        let settings = settings(&identity, &plan, &loaded.bytes);
        let run = epoch::this_run(&options);
        let status = StatusFile::new(daemon::paths::run_dir(options.run_dir.as_deref()));
        let router = Self {
            machine: Machine::new(settings, run, clock::boottime()),
            netdev: Rc::new(Netdev::open().map_err(|error| text(&error))?),
            sockets: bound
                .open(&identity, plan.auth.as_ref())
                .map_err(|error| text(&error))?,
            bytes: Rc::new(loaded.bytes),
            plan,
            status,
            options,
            identity,
            sync_lock: Rc::default(),
            happened: sender,
            turn: 0,
            instance: 0,
            lvs: None,
            claimed: false,
            held: false,
            bringing_up: None,
            announcing: None,
            renew_at: None,
            renewal_error: None,
            cleaned_up: false,
            prepared_at: None,
            standby_pause: None,
            told_to_end: None,
            links: links::Known::default(),
            history: asked::History::default(),
            waiting_for_hand_over: Vec::new(),
            watchdog_at: None,
            finished: false,
        };
        Ok((router, receiver, signals))
    }

    async fn serve(
        mut self,
        mut running: Running,
        mut happened: UnboundedReceiver<Happened>,
        mut signals: Signals,
    ) -> ExitCode {
        self.tell(match self.identity.role {
            Role::Primary => "STARTING PULSE AS MASTER",
            Role::Backup => "STARTING PULSE AS BACKUP",
        });
        let mut devices = self
            .netdev
            .events()
            .map_err(|error| tracing::info!("{error}"))
            .ok();
        running.ready();
        notify::notify("READY=1");
        self.listen_to_people();
        self.read_links();
        self.prepare_standby();
        if self.options.force_active {
            self.handle(Event::ForceActive);
        }
        while !self.finished {
            self.clean_up_if_standby();
            self.check_if_standby();
            self.answer_hand_over();
            self.feed_watchdog();
            self.publish();
            let wake = self.next_wake();
            let input = tokio::select! {
                received = self.sockets.receive() => Input::Datagram(received),
                signal = signals.next() => Input::Signal(signal),
                Some(event) = happened.recv() => Input::Happened(event),
                event = next_device_event(&mut devices) => Input::Device(event),
                () = sleep_until(wake) => Input::Time,
            };
            if let Input::Device(Err(error)) = &input {
                tracing::info!("changes of addresses are not seen any more: {error}");
                devices = None;
            }
            self.turn(input);
        }
        self.status.remove();
        self.stop_listening_to_people();
        drop(running);
        ExitCode::SUCCESS
    }

    fn turn(&mut self, input: Input) {
        match input {
            Input::Datagram(Some(heartbeat)) => {
                tracing::debug!("DEBUG -- Received Heartbeat from partner");
                self.handle(heartbeat);
            }
            Input::Datagram(None) => {}
            Input::Signal(signal) => self.signal(signal),
            Input::Happened(event) => self.happened(event),
            Input::Device(event) => {
                if let Ok(event) = event {
                    self.link_event(&event);
                    self.device_changed(&event);
                }
            }
            Input::Time => self.handle(Event::Timeout),
        }
        self.renew_if_due();
    }

    /// Feeds the state machine and performs what it asks for.
    fn handle(&mut self, event: Event) {
        for action in self.machine.handle(clock::boottime(), event) {
            self.perform(action);
        }
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::SIGHUP => self.start_reload(),
            Signal::SIGTERM | Signal::SIGINT => {
                self.tell(format_args!("Terminating due to signal {}", signal as i32));
                notify::notify("STOPPING=1");
                self.told_to_end.get_or_insert(clock::boottime());
                self.handle(Event::Terminate);
            }
            other => tracing::debug!("DEBUG -- {other} is ignored"),
        }
    }

    fn happened(&mut self, event: Happened) {
        match event {
            Happened::Lvs(instance, outcome) => {
                if instance == self.instance {
                    self.lvs_outcome(outcome);
                }
            }
            Happened::LvsNotStarted(text) => {
                self.tell(text);
                self.handle(Event::LvsDied);
            }
            Happened::AddressesUp(turn, errors) => self.addresses_up(turn, errors),
            Happened::Renewed(turn, errors) => self.renewed(turn, errors),
            Happened::Followed(turn, errors, added) => self.followed(turn, errors, added),
            Happened::Missing(turn, vips) => self.missing(turn, &vips),
            Happened::LetGo(turn, errors) => self.let_go_done(turn, errors),
            Happened::Leftovers(leftovers) => self.leftovers(leftovers),
            Happened::CleanedUp(instance) => self.cleaned_up(instance),
            Happened::Asked(asked) => self.asked(asked),
            Happened::Links(read) => self.links_read(read),
            Happened::Reloaded(result) => self.reloaded(*result),
        }
    }

    fn publish(&mut self) {
        let content = self.facts().content();
        self.status.publish(clock::boottime(), content);
    }

    /// Only from here: an event loop that turns no more is what the service manager is to notice.
    fn feed_watchdog(&mut self) {
        let now = clock::boottime();
        if self.watchdog_at.is_some_and(|at| now < at) {
            return;
        }
        self.watchdog_at = notify::watchdog_interval().map(|interval| {
            notify::watchdog();
            now + interval
        });
    }

    /// Runs work beside the event loop; what comes of it is an event.
    fn start(&self, work: impl Future<Output = Happened> + 'static) -> AbortHandle {
        let happened = self.happened.clone();
        spawn_local(async move {
            // Refused only when the router is ending.
            let _ = happened.send(work.await);
        })
        .abort_handle()
    }

    /// Where commands of the administrator write to.
    fn output(&self) -> Output {
        match self.options.mode {
            StartMode::NoDaemon => Output::Inherit,
            StartMode::Daemon | StartMode::NoFork => Output::Null,
        }
    }

    /// The earliest of the state machine's deadline, the next renewal and the like.
    fn next_wake(&self) -> Option<Duration> {
        [
            self.machine.deadline(),
            self.renew_at,
            self.watchdog_at,
            self.standby_pause,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    fn is_active(&self) -> bool {
        matches!(self.machine.phase(), Phase::Activating | Phase::Active)
    }
}

fn settings(identity: &Identity, plan: &Plan, file: &[u8]) -> Settings {
    Settings {
        role: identity.role,
        partner: plan.has_backup && identity.public.partner.is_some(),
        second_path: identity.private.is_some(),
        keepalive: plan.keepalive,
        deadtime: plan.deadtime,
        vip_lifetime: plan.lifetime.filter(|_| plan.addresses().next().is_some()),
        witness: false,
        failback: None,
        configuration: Configuration::of(plan.serial, file),
    }
}

async fn sleep_until(deadline: Option<Duration>) {
    match deadline {
        Some(deadline) => {
            tokio::time::sleep(deadline.saturating_sub(clock::boottime())).await;
        }
        None => std::future::pending().await,
    }
}

async fn next_device_event(devices: &mut Option<netdev::Events>) -> netdev::Result<netdev::Event> {
    match devices {
        Some(devices) => devices.next().await,
        None => std::future::pending().await,
    }
}
