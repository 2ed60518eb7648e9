//! The event loop of lvs: gives events to the decisions, performs what they ask for.
//!
//! Everything runs in one thread; whatever could block runs beside it.

mod checkers;
mod configuration;
mod people;

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use daemon::Signal;
use daemon::mode::{Running, StartMode};
use daemon::runtime::Signals;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::checker::{Manner, Order as CheckerOrder};
use crate::connections::Connections;
use crate::control::{Answers, Order, Orders};
use crate::core::{Action, Core, Event, FAILED, Line, Message, ProcessId};
use crate::desired::Mode;
use crate::drains;
use crate::load::{LoadError, Names, Source};
use crate::nanny;
use crate::options::Options;
use crate::owned::Owned;
use crate::plan::Plan;
use crate::requests::{Answer, SOCKET};
use crate::socket::{self, Question};
use crate::status;
use crate::time::Now;
use crate::tool::{self, Failure, Job, Outcome, Tool, Waiting};

/// Events of checkers that may wait; a flood stays in the checkers' pipes.
const EVENTS: usize = 4096;
/// Questions of people that may wait.
const QUESTIONS: usize = 16;
/// The status file is written at most this often, ...
const STATUS_PAUSE: Duration = Duration::from_millis(100);
/// ... and takes at most this part of the time.
const STATUS_SHARE: u32 = 50;

type Work<T> = Pin<Box<dyn Future<Output = T>>>;
type Counted = Result<Connections, Failure>;
type Loaded = Result<(Plan, Names), LoadError>;

/// What pulse gave: its channel, or nothing when lvs is run by hand.
pub(crate) struct Pulse {
    /// Orders come here.
    pub orders: OwnedFd,
    /// Answers go there.
    pub answers: OwnedFd,
}

/// Everything that the loop needs.
pub(crate) struct Setup {
    /// The command line.
    pub options: Options,
    /// The mode that was entered.
    pub running: Running,
    /// The channel to pulse.
    pub pulse: Option<Pulse>,
    /// Run-time folder.
    pub run_dir: PathBuf,
    /// State folder.
    pub state_dir: PathBuf,
}

struct Shell {
    core: Core,
    owned: Owned,
    options: Options,
    running: Option<Running>,
    orders: Option<Orders<pipe::Receiver>>,
    answers: Option<Answers>,
    /// The configuration that pulse sent last, and whether it was applied.
    config: Option<Vec<u8>>,
    applied: bool,
    names: Names,
    loading: Option<Work<Loaded>>,
    /// The role that follows when the configuration is loaded.
    then: Option<Mode>,
    tool: Option<Work<(Outcome, Duration)>>,
    /// The tool was given work that has not begun.
    given: bool,
    /// The tool for the next batch, and whether one is to be started.
    waiting: Option<Waiting>,
    prepare: bool,
    counting: Option<Work<(Counted, Duration)>>,
    manner: Manner,
    checkers: BTreeMap<ProcessId, mpsc::Sender<CheckerOrder>>,
    events: mpsc::Sender<Event>,
    questions: mpsc::Receiver<Question>,
    /// People who wait for the end of a reload.
    reloads: Vec<oneshot::Sender<Answer>>,
    socket_path: PathBuf,
    status_path: PathBuf,
    status_due: Option<Duration>,
    status_next: Duration,
    status_complaint: bool,
    owned_complaint: bool,
    drains_complaint: bool,
    state_dir: PathBuf,
}

/// Something that woke the loop.
enum Woken {
    Signal(Signal),
    Event(Option<Event>),
    Tool(Outcome, Duration),
    Counted(Counted, Duration),
    /// The tool that waited for a batch has ended.
    Unused,
    Order(io::Result<Option<Order>>),
    Loaded(Loaded),
    Question(Option<Question>),
    Time,
}

/// Runs lvs to its end; the exit status.
pub(crate) async fn run(setup: Setup) -> u8 {
    let (events, mut queue) = mpsc::channel(EVENTS);
    let signals = Signals::handle(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP]);
    let shell = Shell::new(setup, events);
    let (mut shell, mut signals) = match (shell, signals) {
        (Ok(shell), Ok(signals)) => (shell, signals),
        (Err(error), _) | (_, Err(error)) => {
            tracing::info!("cannot start: {error}");
            return FAILED;
        }
    };
    loop {
        if let Some(status) = shell.turn() {
            return shell.finish(status);
        }
        // The tool first: to start checkers takes a while.
        let given = std::mem::take(&mut shell.given);
        let started = given || shell.start_some() || shell.prepare_tool();
        if let Some(status) = shell.woken(&mut signals, &mut queue, started).await {
            return shell.finish(status);
        }
    }
}

impl Shell {
    fn new(setup: Setup, events: mpsc::Sender<Event>) -> io::Result<Self> {
        let (owned, complaint) = Owned::load(&setup.run_dir);
        let mut core = Core::new(now(), owned.services().clone());
        if let Some(text) = complaint {
            core.announce(text);
        }
        let (drains, complaint) = drains::load(&setup.state_dir);
        core.set_drains(drains);
        complaint.into_iter().for_each(|text| core.announce(text));
        let (asking, questions) = mpsc::channel(QUESTIONS);
        let socket_path = setup.run_dir.join(SOCKET);
        if let Err(error) = socket::open(&socket_path, asking) {
            core.announce(format!("cannot open {}: {error}", socket_path.display()));
        }
        let manner = checkers::manner(&setup.options, &setup.run_dir, &mut core);
        let by_hand = setup.pulse.is_none();
        let (orders, answers) = match setup.pulse {
            Some(pulse) => (
                Some(Orders::new(pipe::Receiver::from_owned_fd(pulse.orders)?)),
                Some(Answers::new(pulse.answers)?),
            ),
            None => (None, None),
        };
        let mut shell = Self {
            core,
            owned,
            running: Some(setup.running),
            orders,
            answers,
            config: None,
            applied: false,
            names: Names::new(),
            loading: None,
            then: by_hand.then_some(Mode::Active),
            tool: None,
            given: false,
            waiting: None,
            prepare: false,
            counting: None,
            manner,
            checkers: BTreeMap::new(),
            events,
            questions,
            reloads: Vec::new(),
            socket_path,
            status_path: setup.run_dir.join(status::FILE),
            status_due: None,
            status_next: Duration::ZERO,
            status_complaint: false,
            owned_complaint: false,
            drains_complaint: false,
            state_dir: setup.state_dir,
            options: setup.options,
        };
        if by_hand {
            shell.load(Source::File(shell.options.config.clone()));
        }
        Ok(shell)
    }

    /// Lets the decisions decide and performs what they ask for; the status at the end.
    fn turn(&mut self) -> Option<u8> {
        let now = now();
        self.core.advance(now);
        while let Some(action) = self.core.action() {
            if let Some(status) = self.perform(action) {
                return Some(status);
            }
        }
        if self.core.take_changed() && self.status_due.is_none() {
            self.status_due = Some(now.steady.max(self.status_next));
        }
        if self.status_due.is_some_and(|due| due <= now.steady) {
            if self.given {
                // The table first: a long status takes a while.
                self.status_due = Some(now.steady + STATUS_PAUSE);
            } else {
                self.write_status(now.steady);
            }
        }
        None
    }

    fn perform(&mut self, action: Action) -> Option<u8> {
        match action {
            Action::Log(line) => log(&line),
            Action::Own(services) => {
                let complaint = self
                    .owned
                    .set(services)
                    .err()
                    .map(|error| format!("cannot write {}: {error}", crate::owned::FILE));
                complain(&mut self.owned_complaint, complaint);
            }
            Action::Drains(drains) => {
                let complaint = drains::save(&self.state_dir, &drains)
                    .err()
                    .map(|error| format!("cannot write {}: {error}", drains::FILE));
                complain(&mut self.drains_complaint, complaint);
            }
            Action::Tool(job) => {
                self.tool = Some(self.tool_work(job));
                self.given = true;
            }
            Action::Count => self.counting = Some(self.count_work()),
            Action::Start(start) => self.start(*start),
            Action::Stop(id) => self.order(id, CheckerOrder::Stop),
            Action::Kill(id) => self.order(id, CheckerOrder::Kill),
            Action::Tell(message) => self.tell(&message),
            Action::Settled => {
                if let Some(running) = &mut self.running {
                    running.ready();
                }
            }
            Action::Exit(status, text) => {
                if let Some(text) = text {
                    self.fail(status, &text);
                }
                return Some(status);
            }
        }
        None
    }

    fn tool_work(&mut self, job: Job) -> Work<(Outcome, Duration)> {
        let tool = Tool::choose(&self.core.plan().ipvsadm);
        let waiting = match &job {
            Job::Write(_) => self.waiting.take(),
            Job::Read(_) => None,
        };
        Box::pin(async move {
            let begun = Instant::now();
            let outcome = tool::perform(tool, job, waiting).await;
            (outcome, begun.elapsed())
        })
    }

    /// Starts the tool for the next batch when nothing else is to be done; whether it did.
    fn prepare_tool(&mut self) -> bool {
        let due = std::mem::take(&mut self.prepare) && self.waiting.is_none();
        if due && !self.core.is_leaving() {
            self.waiting = Waiting::start(Tool::choose(&self.core.plan().ipvsadm));
        }
        self.waiting.is_some() && due
    }

    fn count_work(&self) -> Work<(Counted, Duration)> {
        let tool = Tool::choose(&self.core.plan().ipvsadm);
        Box::pin(async move {
            let begun = Instant::now();
            let counted = tool::count(&tool).await;
            (counted, begun.elapsed())
        })
    }

    fn tell(&mut self, message: &Message) {
        if *message == Message::Reloaded {
            self.reload_done();
        }
        if let Some(answers) = &mut self.answers {
            answers.tell(message);
        }
    }

    /// Waits for what comes next and takes it in; the status at the end.
    async fn woken(
        &mut self,
        signals: &mut Signals,
        queue: &mut mpsc::Receiver<Event>,
        started: bool,
    ) -> Option<u8> {
        let due = self
            .status_due
            .map_or(self.core.wakeup(), |due| due.min(self.core.wakeup()));
        let pause = due.saturating_sub(now().steady);
        let may_order = self.loading.is_none();
        let orders = self.orders.as_mut().filter(|_| may_order);
        let woken = tokio::select! {
            biased;
            signal = signals.next() => Woken::Signal(signal),
            event = queue.recv() => Woken::Event(event),
            (outcome, took) = work(&mut self.tool) => Woken::Tool(outcome, took),
            (counted, took) = work(&mut self.counting) => Woken::Counted(counted, took),
            () = ended(&mut self.waiting) => Woken::Unused,
            order = next_order(orders) => Woken::Order(order),
            question = self.questions.recv(), if !self.questions.is_closed() => Woken::Question(question),
            loaded = work(&mut self.loading) => Woken::Loaded(loaded),
            () = flush(&mut self.answers) => Woken::Time,
            () = rest(pause, started) => Woken::Time,
        };
        match woken {
            Woken::Signal(signal) => self.signalled(signal),
            Woken::Event(event) => {
                let now = now();
                let mut next = event;
                while let Some(event) = next {
                    if let Event::Ended(_, id, _) = &event {
                        self.checkers.remove(id);
                    }
                    self.core.handle(now, event);
                    next = queue.try_recv().ok();
                }
                None
            }
            Woken::Tool(outcome, took) => {
                self.tool = None;
                // Once for each answer: where the tool cannot be started that is not tried all the time.
                self.prepare = true;
                self.core.handle(now(), Event::Tool(outcome, took));
                None
            }
            Woken::Counted(counted, took) => {
                self.counting = None;
                self.core.handle(now(), Event::Counted(counted, took));
                None
            }
            Woken::Unused => {
                self.waiting = None;
                None
            }
            Woken::Order(order) => self.ordered(order),
            Woken::Loaded(loaded) => {
                self.loading = None;
                self.loaded(loaded)
            }
            Woken::Question(Some(question)) => {
                self.answer(question);
                None
            }
            Woken::Question(None) => {
                // There is no socket.
                self.questions.close();
                None
            }
            Woken::Time => None,
        }
    }

    /// The end before the start was complete: one line where somebody looks.
    fn fail(&mut self, status: u8, text: &str) {
        let text = if text.starts_with("lvs: ") {
            text.to_owned()
        } else {
            format!("lvs: {text}")
        };
        if self.options.mode == StartMode::NoDaemon {
            eprintln!("{text}");
        } else {
            tracing::info!("{}", text.strip_prefix("lvs: ").unwrap_or(&text));
        }
        if let Some(running) = self.running.take() {
            running.fail(status, &text);
        }
    }

    fn write_status(&mut self, now: Duration) {
        self.status_due = None;
        let begun = Instant::now();
        let complaint = daemon::status::replace(&self.status_path, &status::content(&self.core))
            .err()
            .map(|error| format!("cannot write {}: {error}", self.status_path.display()));
        complain(&mut self.status_complaint, complaint);
        self.status_next = now + STATUS_PAUSE.max(begun.elapsed() * STATUS_SHARE);
    }

    fn finish(mut self, status: u8) -> u8 {
        if let Some(answers) = &mut self.answers {
            answers.write();
        }
        // A picture of a dead daemon misleads.
        let _ = std::fs::remove_file(&self.status_path);
        let _ = std::fs::remove_file(&self.socket_path);
        status
    }
}

/// What checkers inherit from lvs's own options.
pub(crate) const fn nanny_options(options: &Options) -> nanny::Options {
    nanny::Options {
        verbose: options.verbose,
        nodaemon: matches!(options.mode, StartMode::NoDaemon),
    }
}

/// The present.
fn now() -> Now {
    let wall = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Now {
        steady: daemon::clock::boottime(),
        wall: u64::try_from(wall.as_millis()).unwrap_or(u64::MAX),
    }
}

fn log(line: &Line) {
    let (service, server) = line.about.split_once('/').unwrap_or((&line.about, ""));
    tracing::info!(service, server, "{}", line.text);
}

/// A full or read-only disk hinders nothing and is said once, until it is well again.
fn complain(said: &mut bool, complaint: Option<String>) {
    match complaint {
        Some(text) if !std::mem::replace(said, true) => tracing::info!("{text}"),
        Some(_) => {}
        None => *said = false,
    }
}

async fn work<T>(work: &mut Option<Work<T>>) -> T {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

async fn ended(waiting: &mut Option<Waiting>) {
    match waiting {
        Some(waiting) => waiting.ended().await,
        None => std::future::pending().await,
    }
}

async fn next_order(orders: Option<&mut Orders<pipe::Receiver>>) -> io::Result<Option<Order>> {
    match orders {
        Some(orders) => orders.next().await,
        None => std::future::pending().await,
    }
}

async fn flush(answers: &mut Option<Answers>) {
    match answers {
        Some(answers) => answers.flush().await,
        None => std::future::pending().await,
    }
}

/// Waits, or with more to start only looks around.
async fn rest(pause: Duration, more: bool) {
    if more {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(pause).await;
    }
}
