//! Deactivation (`piranha-daemons.md` 3.9): addresses first, the table after them, then the rest.
//!
//! Owns order and bounds: every step is tried whatever became of the one before, and the whole
//! is over in time. Must not decide when.

use std::rc::Rc;
use std::time::Duration;

use daemon::child::Output;
use netdev::{Netdev, VipAddress};

use crate::lvs_child::Lvs;
use crate::plan::Plan;
use crate::syncd::{self, Daemons};
use crate::{addresses, command};

/// lvs withdraws its entries by one batch.
const LVS: Duration = Duration::from_secs(1);
/// The whole, with a little left of two and a half seconds for the end of the program.
pub(crate) const ALL: Duration = Duration::from_millis(2400);

/// What is to be let go of.
#[derive(Debug)]
pub(crate) struct LettingGo {
    pub(crate) netdev: Rc<Netdev>,
    pub(crate) plan: Rc<Plan>,
    /// Addresses that may be up.
    pub(crate) addresses: Vec<VipAddress>,
    pub(crate) lvs: Option<Lvs>,
    pub(crate) output: Output,
    pub(crate) sync: syncd::Keeper,
    /// New connections were passed on to the partner.
    pub(crate) relayed: bool,
    /// The program ends afterwards: then the end of inactive_cmd is waited for.
    pub(crate) is_end: bool,
    /// For everything.
    pub(crate) limit: Duration,
}

impl LettingGo {
    /// Does it, and gives the texts of all errors.
    pub(crate) async fn run(self) -> Vec<String> {
        let mut errors = Vec::new();
        if tokio::time::timeout(self.limit, self.steps(&mut errors))
            .await
            .is_err()
        {
            errors.push("not everything was let go of in time".to_owned());
        }
        errors
    }

    async fn steps(self, errors: &mut Vec<String>) {
        errors.extend(addresses::remove(&self.netdev, &self.addresses).await);
        let command = self.plan.inactive_cmd.as_ref();
        let command =
            command.map(|words| command::run_in_background("inactive_cmd", words, self.output));
        if let Some(lvs) = self.lvs {
            errors.extend(lvs.stop(LVS.min(self.limit * 9 / 10)).await.err());
        }
        if self.relayed {
            let closed = self.netdev.close_detour().await;
            errors.extend(closed.err().map(|error| error.to_string()));
        }
        if let Some(sync) = &self.plan.sync {
            self.sync.settle(sync, Daemons::BACKUP).await;
        }
        if let Some(command) = command.filter(|_| self.is_end) {
            let _ = command.await;
        }
    }
}
