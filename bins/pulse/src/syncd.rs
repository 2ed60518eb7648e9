//! The kernel's connection sync daemon, by the ipvsadm program (`piranha-daemons.md` 3.9).
//!
//! Owns the commands and their order.

use std::ffi::OsString;
use std::time::Duration;

use daemon::child::Spec;

use crate::command;
use crate::plan::SyncPlan;

/// One command. All of them together stay below what a stop may take.
const LIMIT: Duration = Duration::from_millis(500);

/// What the daemon is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Tell the partner of connections.
    Master,
    /// Learn of them.
    Backup,
}

/// The three commands, in order.
pub(crate) fn commands(plan: &SyncPlan, state: State) -> [Vec<OsString>; 3] {
    let state = match state {
        State::Master => "master",
        State::Backup => "backup",
    };
    let stop = |state: &str| vec!["--stop-daemon".into(), state.into()];
    let start = vec![
        "--start-daemon".into(),
        state.into(),
        "--mcast-interface".into(),
        plan.interface.clone(),
        "--syncid".into(),
        plan.id.to_string().into(),
    ];
    [stop("backup"), stop("master"), start]
}

/// Carries them out. Stopping what does not run fails, as it always did; only the start counts.
pub(crate) async fn switch(plan: &SyncPlan, state: State) -> Result<(), String> {
    let mut outcome = Ok(());
    for args in commands(plan, state) {
        tracing::debug!("DEBUG -- Executing 'ipvsadm {}'", command::shown(&args));
        let spec = Spec {
            args,
            ..Spec::new(&plan.ipvsadm)
        };
        outcome = command::run(spec, &[], LIMIT).await;
    }
    outcome.map_err(|error| format!("sync daemon: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_original() {
        let plan = SyncPlan {
            ipvsadm: "/sbin/ipvsadm".into(),
            interface: "vb".into(),
            id: 44,
        };
        let shown = commands(&plan, State::Backup).map(|words| command::shown(&words));
        assert_eq!(
            shown,
            [
                "--stop-daemon backup",
                "--stop-daemon master",
                "--start-daemon backup --mcast-interface vb --syncid 44"
            ]
        );
    }
}
