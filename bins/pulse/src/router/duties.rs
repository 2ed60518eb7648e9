//! What the state machine asks for, performed: lvs, addresses, announcements, letting go.

use std::rc::Rc;
use std::time::Duration;

use daemon::child::describe;
use daemon::clock;
use heartbeat::{Action, Cause, Event, Notice, Phase};
use netdev::VipAddress;

use super::{Happened, Router};
use crate::announce::Announcement;
use crate::letting_go::{self, LettingGo};
use crate::lvs_child::{self, Lvs, Message, Outcome};
use crate::{addresses, command};

/// The least time for letting go.
const SHORTEST: Duration = Duration::from_millis(400);
/// Before what failed at a renewal is tried again.
const RETRY: Duration = Duration::from_secs(1);

impl Router {
    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::Send(heartbeat) => {
                tracing::debug!("DEBUG -- Sending heartbeat...");
                self.sockets.send(&heartbeat);
                self.introduce_on_silent_paths();
                self.renew_with_heartbeat();
            }
            Action::StoreEpoch(epoch) => self.epochs.store(epoch),
            Action::Activate(cause) => self.activate(cause),
            Action::Deactivate(cause) => self.deactivate(cause),
            Action::Prepare => self.prepare(),
            Action::StartLvs => self.start_lvs("active"),
            Action::Announce => self.announce(),
            Action::Relay => self.relay(),
            Action::ProbeVips(partner) => self.sight.lookout.ask(partner),
            Action::AskWitnesses => self.ask_witnesses(),
            Action::Drain => {
                self.sockets.drain();
                self.sight.lookout.drain();
            }
            Action::Finish => self.finished = true,
            Action::Report(notice) => self.report(notice),
        }
    }

    fn report(&mut self, notice: Notice) {
        match notice {
            // Whoever can send to the port can bring these about, together with other rubbish.
            Notice::StaleHeartbeat | Notice::ReflectedHeartbeat => {
                self.sockets.log_refusal(&notice.to_string());
            }
            Notice::ResendingArps { .. } => {
                self.tell(notice);
                self.active_cmd();
            }
            _ => self.tell(notice),
        }
    }

    /// At start an original runs inactive_cmd.
    pub(super) fn prepare_standby(&self) {
        if let Some(inactive_cmd) = &self.plan.inactive_cmd {
            command::run_in_background("inactive_cmd", inactive_cmd, self.output());
        }
    }

    fn activate(&mut self, cause: Cause) {
        self.tell(cause);
        self.turn += 1;
        self.activations += 1;
        self.cleaned_up = true;
        self.prepared_at = None;
        let order = if self.machine.partner_relays() {
            "relieve"
        } else {
            "active"
        };
        match &self.lvs {
            Some(lvs) => lvs.say(order),
            None => self.start_lvs(order),
        }
        self.active_cmd();
    }

    fn active_cmd(&self) {
        if let Some(active_cmd) = &self.plan.active_cmd {
            command::run_in_background("active_cmd", active_cmd, self.output());
        }
    }

    pub(super) fn start_lvs(&mut self, word: &str) {
        self.instance += 1;
        let (instance, happened) = (self.instance, self.happened.clone());
        let report = move |outcome| {
            // Refused only when the router is ending.
            let _ = happened.send(Happened::Lvs(instance, outcome));
        };
        let lvs = Lvs::start(lvs_child::spec(&self.options), report);
        lvs.configure(&self.bytes);
        lvs.say(word);
        self.lvs = Some(lvs);
    }

    pub(super) fn lvs_outcome(&mut self, outcome: Outcome) {
        if matches!(outcome, Outcome::Said(_)) {
            self.lvs_spoke();
        }
        match outcome {
            Outcome::Said(Message::Ready) => self.lvs_ready(),
            Outcome::Said(Message::Reloaded) => self.lvs_reloaded(None),
            Outcome::Said(Message::Refused(text)) => self.lvs_reloaded(Some(&text)),
            Outcome::Said(Message::Alive) => {}
            Outcome::Said(Message::Unknown(line)) => {
                tracing::debug!("DEBUG -- lvs says {line:?}");
            }
            Outcome::NotStarted(error) => self.lvs_gone(error),
            Outcome::Died(pid, Ok(status)) => {
                self.lvs_gone(format_args!("Child process {pid} {}", describe(status)));
            }
            Outcome::Died(pid, Err(error)) => {
                self.lvs_gone(format_args!("Child process {pid}: {error}"));
            }
        }
    }

    fn lvs_gone(&mut self, what: impl std::fmt::Display) {
        self.tell(what);
        self.lvs = None;
        self.lvs_reads_no_more();
        self.handle(Event::LvsDied);
    }

    fn lvs_ready(&mut self) {
        if !self.is_active() {
            return;
        }
        self.handle(Event::LvsReady);
        if self.machine.phase() == Phase::Activating && !self.claimed {
            self.claimed = true;
            let (netdev, plan, turn) = (Rc::clone(&self.netdev), Rc::clone(&self.plan), self.turn);
            self.bringing_up = Some(self.start(async move {
                // The inside first: real servers must be able to answer when the first request comes.
                let addresses: Vec<VipAddress> = plan.addresses().cloned().collect();
                let errors = addresses::bring_up(&netdev, &addresses).await;
                Happened::AddressesUp(turn, errors)
            }));
        }
    }

    pub(super) fn addresses_up(&mut self, turn: u64, errors: Vec<String>) {
        if turn != self.turn || !self.is_active() {
            return;
        }
        self.bringing_up = None;
        for error in &errors {
            tracing::info!("{error}");
        }
        let wanted = self.plan.addresses().count();
        if wanted > 0 && errors.len() >= wanted {
            self.handle(Event::Refused);
            return;
        }
        self.held = true;
        // What failed is tried again with the first renewal.
        self.plan_renewal(!errors.is_empty());
        self.renewal_error = Some(errors.join("; "));
        self.handle(Event::Activated);
    }

    pub(super) fn announce(&mut self) {
        if !self.held {
            return;
        }
        self.stop_announcing();
        let announcement = Announcement {
            netdev: Rc::clone(&self.netdev),
            herald: self.herald.clone(),
            vips: self.plan.addresses().cloned().collect(),
            lifetime: self.plan.lifetime,
            interval: self.plan.arp_interval,
        };
        self.announcing = Some(tokio::task::spawn_local(announcement.run()).abort_handle());
    }

    fn stop_announcing(&mut self) {
        if let Some(announcing) = self.announcing.take() {
            announcing.abort();
        }
    }

    pub(super) fn plan_renewal(&mut self, retry: bool) {
        let pause = match self.plan.lifetime {
            _ if retry => Some(RETRY),
            lifetime => lifetime.map(|lifetime| lifetime / 3),
        };
        self.renew_at = pause.map(|pause| clock::boottime() + pause);
    }

    /// Only after the state machine has had its turn: a router that was paused lets go first.
    pub(super) fn renew_if_due(&mut self) {
        let now = clock::boottime();
        if !self.held || self.renew_at.is_none_or(|at| now < at) {
            return;
        }
        self.plan_renewal(false);
        let vips: Vec<VipAddress> = self.plan.addresses().cloned().collect();
        let (netdev, turn) = (Rc::clone(&self.netdev), self.turn);
        self.start(async move { Happened::Renewed(turn, addresses::add(&netdev, &vips).await) });
    }

    /// Then the addresses of a pulse that dies outlive its last heartbeat by their whole lifetime.
    fn renew_with_heartbeat(&mut self) {
        let now = clock::boottime();
        if self
            .renew_at
            .is_some_and(|at| at <= now + self.plan.keepalive)
        {
            self.renew_at = Some(now);
        }
    }

    pub(super) fn renewed(&mut self, turn: u64, errors: Vec<String>) {
        if turn != self.turn || !self.held {
            return;
        }
        let text = errors.join("; ");
        if !errors.is_empty() {
            if self.renewal_error.as_ref() != Some(&text) {
                tracing::info!("{text}");
            }
            self.plan_renewal(true);
        }
        self.renewal_error = Some(text);
        self.search_renewed();
    }

    fn deactivate(&mut self, cause: Cause) {
        if self.claimed || self.lvs.is_some() {
            self.tell(cause);
        }
        self.turn += 1;
        self.held = false;
        self.renew_at = None;
        self.renewal_error = None;
        self.stop_announcing();
        if let Some(bringing_up) = self.bringing_up.take() {
            bringing_up.abort();
        }
        let relaying = self.relaying.take();
        if let Some(relaying) = &relaying {
            relaying.abort();
        }
        let addresses: Vec<VipAddress> = if std::mem::take(&mut self.claimed) {
            self.plan.addresses().cloned().collect()
        } else {
            Vec::new()
        };
        // What this lvs still says is void.
        self.instance += 1;
        self.lvs_reads_no_more();
        // What is left of the time that a stop may take, but enough for the addresses.
        let spent = self
            .told_to_end
            .map(|told| clock::boottime().saturating_sub(told));
        let limit = letting_go::ALL
            .saturating_sub(spent.unwrap_or_default())
            .max(SHORTEST);
        let letting_go = LettingGo {
            netdev: Rc::clone(&self.netdev),
            plan: Rc::clone(&self.plan),
            addresses,
            lvs: self.lvs.take(),
            output: self.output(),
            sync: self.sync_keeper.clone(),
            relayed: relaying.is_some(),
            is_end: self.told_to_end.is_some(),
            limit,
        };
        let turn = self.turn;
        self.start(async move { Happened::LetGo(turn, letting_go.run().await) });
    }

    pub(super) fn let_go_done(&mut self, turn: u64, errors: Vec<String>) {
        if turn != self.turn {
            return;
        }
        for error in errors {
            tracing::info!("{error}");
        }
        self.handle(Event::Deactivated);
    }
}
