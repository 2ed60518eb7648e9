//! The running router: one event loop that feeds the state machine and performs what it asks for.
//!
//! Owns the order of things within a turn. Decides nothing by itself: see the crate `heartbeat`.

mod asked;
mod cleanup;
mod duties;
mod epoch;
mod following;
mod links;
mod looking;
mod missing;
mod relaying;
mod sync;

use std::future::poll_fn;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use daemon::alarm::Alarm;
use daemon::child::Output;
use daemon::mode::{Running, StartMode};
use daemon::runtime::Signals;
use daemon::{Signal, clock, notify};
use heartbeat::{Configuration, Event, Machine, Phase, Role, Settings};
use netdev::{Introductions, Netdev, VipAddress};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, LocalSet, spawn_local};

use crate::announce::Herald;
use crate::control;
use crate::identity::Identity;
use crate::lvs_child::{self, Lvs};
use crate::options::Options;
use crate::plan::Plan;
use crate::reload::Reloaded;
use crate::sockets::Sockets;
use crate::start::Prepared;
use crate::status::StatusFile;
use crate::syncd;
use epoch::Epochs;

/// Old configuration tools send USR2 to every pulse; that is no reason to die.
const SIGNALS: [Signal; 5] = [
    Signal::SIGTERM,
    Signal::SIGINT,
    Signal::SIGHUP,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

/// How work that was started reports back. A number tells which start is meant: what an earlier
/// one asked for is void.
#[derive(Debug)]
enum Happened {
    Lvs(u64, lvs_child::Outcome),
    AddressesUp(u64, Vec<String>),
    Renewed(u64, Vec<String>),
    /// After a reload that changed addresses.
    Followed(u64, Vec<String>),
    Missing(u64, Vec<VipAddress>),
    LetGo(u64, Vec<String>),
    /// Where new connections can be passed on to.
    WayOpened(u64, Result<Ipv4Addr, String>),
    Leftovers(cleanup::Leftovers),
    CleanedUp(u64),
    Links(Result<links::Read, String>),
    /// Changes of addresses and links can perhaps be seen again.
    TryToSee,
    WitnessAnswered,
    Sync(syncd::Told),
    Asked(control::Asked),
    Reloaded(Box<Result<Reloaded, String>>),
}

/// What ends a wait.
enum Input {
    Datagram(Event),
    Claim(Result<netdev::Claim, String>),
    Signal(Signal),
    Happened(Happened),
    Device(netdev::Result<netdev::Event>),
    Time,
}

#[derive(Debug)]
struct Router {
    options: Options,
    epochs: Epochs,
    identity: Identity,
    plan: Rc<Plan>,
    /// The accepted file, as lvs gets it.
    bytes: Rc<Vec<u8>>,
    machine: Machine,
    netdev: Rc<Netdev>,
    sockets: Sockets,
    sync_keeper: syncd::Keeper,
    sync: sync::Sync,
    status: StatusFile,
    happened: UnboundedSender<Happened>,
    /// Counts activations and deactivations.
    turn: u64,
    /// How often it began to take over.
    activations: u64,
    /// Counts starts of lvs.
    instance: u64,
    lvs: Option<Lvs>,
    /// Addresses may be up, in part or not yet confirmed.
    claimed: bool,
    /// Addresses are up.
    held: bool,
    bringing_up: Option<AbortHandle>,
    announcing: Option<AbortHandle>,
    /// New connections are being passed on, or about to be.
    relaying: Option<AbortHandle>,
    herald: Herald,
    renew_at: Option<Duration>,
    renewal_error: Option<String>,
    search: Option<missing::Search>,
    cleaned_up: bool,
    /// lvs stands by for a take-over that may be near, since this time.
    prepared_at: Option<Duration>,
    /// Before this, no lvs is started to check on standby: the last one died.
    standby_pause: Option<Duration>,
    /// When it was told to end.
    told_to_end: Option<Duration>,
    links: links::Known,
    /// None where packets may not be sent: the kernels find each other without, a second later.
    introductions: Option<Introductions>,
    sight: looking::Sight,
    /// Changes of addresses and links; none when they cannot be seen.
    devices: Option<netdev::Events>,
    /// The pause until the next attempt to see them.
    blind_for: Option<Duration>,
    history: asked::History,
    waiting_for_hand_over: Vec<oneshot::Sender<String>>,
    reloads: following::Reloads,
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
        let signals = Signals::handle(&SIGNALS).map_err(|error| text(&error))?;
        let (sender, receiver) = unbounded_channel();
        for warning in &loaded.warnings {
            tracing::info!("{warning}");
        }
        let plan = Rc::new(loaded.plan);
        warn_without_key(&plan);
        let settings = settings(&identity, &plan, &loaded.bytes);
        let epochs = Epochs::new(&options);
        let run = epochs.this_run();
        let status = StatusFile::new(daemon::paths::run_dir(options.run_dir.as_deref()));
        let tell_of_sync = sender.clone();
        let sync_keeper = syncd::Keeper::new(move |told| {
            // Refused only when the router is ending.
            let _ = tell_of_sync.send(Happened::Sync(told));
        });
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
            epochs,
            identity,
            sync_keeper,
            sync: sync::Sync::default(),
            happened: sender,
            turn: 0,
            activations: 0,
            instance: 0,
            lvs: None,
            claimed: false,
            held: false,
            bringing_up: None,
            announcing: None,
            relaying: None,
            herald: Herald::default(),
            renew_at: None,
            renewal_error: None,
            search: None,
            cleaned_up: false,
            prepared_at: None,
            standby_pause: None,
            told_to_end: None,
            links: links::Known::default(),
            introductions: Introductions::open().ok(),
            sight: looking::Sight::default(),
            devices: None,
            blind_for: None,
            history: asked::History::default(),
            waiting_for_hand_over: Vec::new(),
            reloads: following::Reloads::default(),
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
        daemon::log::set_field("role", &self.identity.role.to_string());
        self.tell(match self.identity.role {
            Role::Primary => "STARTING PULSE AS MASTER",
            Role::Backup => "STARTING PULSE AS BACKUP",
        });
        daemon::runtime::have_a_thread().await;
        if !daemon::runtime::run_first() {
            tracing::debug!("DEBUG -- not allowed to run before others");
        }
        let mut alarm = match Alarm::new() {
            Ok(alarm) => alarm,
            Err(error) => return give_up(running, &format!("cannot make a timer: {error}")),
        };
        self.see_devices();
        self.close_leftover_way();
        running.ready();
        notify::notify("READY=1");
        self.listen_to_people();
        self.prepare_standby();
        if self.options.force_active {
            self.handle(Event::ForceActive);
        }
        while !self.finished {
            self.clean_up_if_standby();
            self.check_if_standby();
            self.answer_hand_over();
            self.feed_watchdog();
            self.keep_sync();
            self.publish();
            let wake = self.next_wake();
            let Self {
                sockets,
                machine,
                sight,
                devices,
                ..
            } = &mut self;
            let input = tokio::select! {
                // What was said counts before silence does.
                biased;
                signal = signals.next() => Input::Signal(signal),
                Some(event) = happened.recv() => Input::Happened(event),
                heartbeat = sockets.receive(|why| machine.reject(why)) => Input::Datagram(heartbeat),
                claim = poll_fn(|context| sight.lookout.poll_claim(context)) => Input::Claim(claim),
                event = next_device_event(devices) => Input::Device(event),
                alarm = alarm.at(wake) => match alarm {
                    Ok(()) => Input::Time,
                    Err(error) => return give_up(running, &format!("the timer fails: {error}")),
                },
            };
            self.turn(input);
        }
        self.stop_listening_to_people();
        self.status.remove().await;
        drop(running);
        ExitCode::SUCCESS
    }

    fn turn(&mut self, input: Input) {
        match input {
            Input::Datagram(heartbeat) => {
                tracing::debug!("DEBUG -- Received Heartbeat from partner");
                self.introduce(&heartbeat);
                self.handle(heartbeat);
            }
            Input::Claim(claim) => self.claimed_by_another(claim),
            Input::Signal(signal) => self.signal(signal),
            Input::Happened(event) => self.happened(event),
            Input::Device(Ok(event)) => {
                self.link_event(&event);
                self.device_changed(&event);
            }
            Input::Device(Err(error)) => self.see_nothing(&error),
            Input::Time => self.handle(Event::Timeout),
        }
        self.renew_if_due();
        self.look_for_conflicts();
    }

    /// Feeds the state machine and performs what it asks for.
    fn handle(&mut self, event: Event) {
        for action in self.machine.handle(clock::boottime(), event) {
            self.perform(action);
        }
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::SIGHUP => self.reload_for(None),
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
            Happened::AddressesUp(turn, errors) => self.addresses_up(turn, errors),
            Happened::Renewed(turn, errors) => self.renewed(turn, errors),
            Happened::Followed(turn, errors) => self.followed(turn, errors),
            Happened::Missing(turn, vips) => self.missing(turn, &vips),
            Happened::LetGo(turn, errors) => self.let_go_done(turn, errors),
            Happened::WayOpened(turn, opened) => self.way_opened(turn, opened),
            Happened::Leftovers(leftovers) => self.leftovers(leftovers),
            Happened::CleanedUp(instance) => self.cleaned_up(instance),
            Happened::Asked(asked) => self.asked(asked),
            Happened::Links(read) => self.links_read(read),
            Happened::TryToSee => self.see_devices(),
            Happened::WitnessAnswered => self.handle(Event::WitnessAnswered),
            Happened::Sync(told) => self.sync_told(&told),
            Happened::Reloaded(result) => self.reloaded(*result),
        }
    }

    fn publish(&mut self) {
        if let Some(news) = self.status.news(&self.facts(), &self.plan) {
            self.status.publish(news);
        }
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

    /// The earliest of all deadlines.
    fn next_wake(&self) -> Option<Duration> {
        let own = [
            self.renew_at,
            self.watchdog_at,
            self.standby_pause,
            self.sight.look_at,
        ];
        let times = own.into_iter().chain([self.machine.deadline()]);
        times.flatten().min()
    }

    fn is_active(&self) -> bool {
        matches!(self.machine.phase(), Phase::Activating | Phase::Active)
    }
}

/// To be called when there was a key before, or at the start.
fn warn_without_key(plan: &Plan) {
    if plan.has_backup && plan.auth.is_none() {
        tracing::info!("heartbeats are not authenticated: heartbeat_key is not set");
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
        witness: !plan.witnesses.is_empty(),
        failback: plan.failback,
        relays: relaying::is_possible(identity, plan),
        configuration: Configuration::of(plan.serial, file),
    }
}

async fn next_device_event(devices: &mut Option<netdev::Events>) -> netdev::Result<netdev::Event> {
    match devices {
        Some(devices) => devices.next().await,
        None => std::future::pending().await,
    }
}
