//! An lvs that stands by: to remove what an earlier run left behind, once it is known that the
//! partner serves (B18; a router that becomes active adopts it instead), for a take-over that may be
//! near, or with `standby_checks` for whichever comes.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use daemon::clock;
use heartbeat::{Phase, Word};
use netdev::{LocalAddress, VipAddress};
use serde_json::Value;

use super::{Happened, Router};
use crate::addresses;

/// For the first word of lvs; after that it minds signals.
const FIRST_WORD: Duration = Duration::from_secs(5);
/// For it to withdraw what is its own and to end.
const GRACE: Duration = Duration::from_secs(3);

/// How long lvs stands by after the partner was silent for a moment.
const STAND_BY: Duration = Duration::from_secs(60);
/// What lvs may need to start on a busy machine. Where half the deadtime is shorter it stands by always.
const START: Duration = Duration::from_millis(200);

/// After an lvs that died while it checked on standby.
const PAUSE: Duration = Duration::from_secs(5);

/// What was found and could be removed.
#[derive(Debug)]
pub(crate) struct Leftovers {
    removed: Vec<VipAddress>,
    errors: Vec<String>,
    /// lvs has services in the table.
    table: bool,
}

impl Router {
    /// Once per run, when the partner has said that it is active.
    pub(super) fn clean_up_if_standby(&mut self) {
        let is_standby = self.machine.phase() == Phase::Standby
            && self.machine.partner_word() == Some(Word::Running);
        if self.cleaned_up || !is_standby {
            return;
        }
        self.cleaned_up = true;
        let (netdev, plan) = (Rc::clone(&self.netdev), Rc::clone(&self.plan));
        let list = self.run_dir().join("owned.json");
        self.start(async move {
            let (present, unread) = match netdev.addresses().await {
                Ok(present) => (present, None),
                Err(error) => (Vec::new(), Some(error.to_string())),
            };
            let is_up = |vip: &&VipAddress| present.iter().any(|it: &LocalAddress| it.is(vip));
            let removed: Vec<VipAddress> = plan.addresses().filter(is_up).cloned().collect();
            let mut errors = addresses::remove(&netdev, &removed).await;
            errors.extend(unread);
            Happened::Leftovers(Leftovers {
                removed,
                errors,
                table: lists_services(&list),
            })
        });
    }

    pub(super) fn leftovers(&mut self, leftovers: Leftovers) {
        for vip in &leftovers.removed {
            tracing::info!("{} was left up by an earlier run: removed", vip.address);
        }
        for error in &leftovers.errors {
            tracing::info!("{error}");
        }
        if !leftovers.table || self.machine.phase() != Phase::Standby || self.lvs.is_some() {
            return;
        }
        tracing::info!("an earlier run left services in the table: lvs is to remove them");
        self.start_lvs("standby");
        self.stop_lvs_after(FIRST_WORD);
    }

    fn stop_lvs_after(&self, pause: Duration) {
        let instance = self.instance;
        self.start(async move {
            tokio::time::sleep(pause).await;
            Happened::CleanedUp(instance)
        });
    }

    /// Starting lvs and the first checks take longer than what is lost by having done it in vain.
    /// Not before leftovers could have been seen to: an lvs that stands by would remove what this
    /// router may still adopt.
    pub(super) fn prepare(&mut self) {
        if !self.cleaned_up {
            return;
        }
        self.prepared_at = Some(clock::boottime());
        self.herald.prepare();
        if self.lvs.is_none() {
            self.start_lvs("standby");
            self.stop_lvs_after(STAND_BY);
        }
    }

    /// With `standby_checks`, and where it could not start in time, lvs checks all the time, so that a take-over begins with what is known. Not
    /// before leftovers are seen to, as above.
    pub(super) fn check_if_standby(&mut self) {
        let now = clock::boottime();
        if self.standby_pause.is_some_and(|end| end <= now) {
            self.standby_pause = None;
        }
        let wanted = self.keeps_standing_by() && self.cleaned_up && self.told_to_end.is_none();
        if wanted && self.lvs.is_none() && self.standby_pause.is_none() {
            self.standby_pause = Some(now + PAUSE);
            self.herald.prepare();
            self.start_lvs("standby");
        }
    }

    fn keeps_standing_by(&self) -> bool {
        let has_partner = self.machine.settings().partner;
        let is_short = has_partner && self.plan.deadtime / 2 < START;
        (self.plan.standby_checks || is_short) && self.machine.phase() == Phase::Standby
    }

    /// An lvs that was started only to remove leftovers does so when it is told to end, and minds
    /// that from its first word on.
    pub(super) fn lvs_spoke(&mut self) {
        if self.prepared_at.is_none() {
            self.cleaned_up(self.instance);
        }
    }

    pub(super) fn cleaned_up(&mut self, instance: u64) {
        let is_standby = self.machine.phase() == Phase::Standby;
        if instance != self.instance || !is_standby || self.keeps_standing_by() {
            return;
        }
        let prepared = self
            .prepared_at
            .map(|at| at + STAND_BY)
            .filter(|end| clock::boottime() < *end);
        if let Some(end) = prepared {
            self.stop_lvs_after(end.saturating_sub(clock::boottime()));
            return;
        }
        self.prepared_at = None;
        self.herald.dismiss();
        if let Some(lvs) = self.lvs.take() {
            self.instance += 1;
            tokio::task::spawn_local(async move {
                if let Err(error) = lvs.stop(GRACE).await {
                    tracing::info!("{error}");
                }
            });
        }
    }
}

/// Whether lvs's own list names any service.
fn lists_services(list: &Path) -> bool {
    let content = std::fs::read(list).unwrap_or_default();
    let value: Value = serde_json::from_slice(&content).unwrap_or_default();
    value
        .get("services")
        .and_then(Value::as_array)
        .is_some_and(|services| !services.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_or_missing_list_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("owned.json");
        assert!(!lists_services(&list));
        for (content, expected) in [
            ("", false),
            ("{\"services\":[]}", false),
            ("{\"services\":[\"tcp 10.0.0.1:80\"]}", true),
            ("garbage", false),
        ] {
            std::fs::write(&list, content).unwrap();
            assert_eq!(lists_services(&list), expected, "{content}");
        }
    }
}
