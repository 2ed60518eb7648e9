//! The metrics of pulse.

use crate::exposition::{Exposition, Family};
use crate::status::{Configuration, Pulse};

/// The phases of a router.
const PHASES: [&str; 4] = ["standby", "activating", "active", "leaving"];

const ROLE: Family = Family::gauge(
    "piranha_role",
    "1 for the role that lvs.cf gives this router.",
);
const PHASE: Family = Family::gauge("piranha_phase", "1 for the phase that the router is in.");
const SINCE: Family = Family::gauge(
    "piranha_phase_start_timestamp_seconds",
    "When that phase began, in seconds of the Unix epoch.",
)
.in_unit("seconds");
const SERVING: Family = Family::gauge("piranha_serving", "Whether the VIPs are up here.");
const ACTIVATIONS: Family = Family::counter(
    "piranha_activations",
    "How often this pulse began to take over the active role.",
);
const EPOCH: Family = Family::gauge(
    "piranha_epoch",
    "The claim to the active role; grows by one with each take-over of the pair.",
);
const TROUBLES: Family = Family::gauge(
    "piranha_troubles",
    "How many things keep the router from its role.",
);
const PARTNER_RUNNING: Family = Family::gauge(
    "piranha_partner_running",
    "Whether the partner says that it is the active one.",
);
const PARTNER_ABLE: Family = Family::gauge(
    "piranha_partner_able",
    "Whether the partner says that it could take over.",
);
const SERIAL: Family = Family::gauge("piranha_configuration_serial", "serial_no of lvs.cf.");
const SAME: Family = Family::gauge(
    "piranha_partner_configuration_same",
    "Whether the partner has the same lvs.cf.",
);
const PATH: Family = Family::gauge(
    "piranha_path_alive",
    "Whether heartbeats of the partner arrive on that path.",
);
const HEARD: Family = Family::gauge(
    "piranha_path_last_heard_timestamp_seconds",
    "When the last one arrived, in seconds of the Unix epoch.",
)
.in_unit("seconds");
const WITNESS: Family = Family::gauge(
    "piranha_witness_answers",
    "Whether a witness answers pings.",
);
const VIP: Family = Family::gauge("piranha_vip_up", "Whether the VIP is up here.");
const CONFLICTS: Family = Family::counter(
    "piranha_vip_conflicts",
    "Claims of other hosts to VIPs that this router held.",
);
const REFUSED: Family = Family::counter(
    "piranha_heartbeats_refused",
    "Packets at the heartbeat port that counted for nothing.",
);

pub(crate) fn write(text: &mut Exposition, pulse: &Pulse<'_>) {
    text.begin(&ROLE);
    text.sample(&[("role", &pulse.role)], true);
    text.one_of(&PHASE, "phase", &PHASES, &pulse.phase);
    text.single(&SINCE, pulse.since);
    text.single(&SERVING, pulse.serving);
    text.single(&ACTIVATIONS, pulse.activations);
    text.single(&EPOCH, pulse.epoch);
    text.single(&TROUBLES, Some(pulse.trouble.len()));
    partner(text, pulse);
    text.begin(&PATH);
    for way in &pulse.paths {
        // Nothing was heard and nothing is missed yet.
        let known = way.state != "unknown";
        text.sample_if(
            &[("path", &way.path)],
            known.then_some(way.state != "silent"),
        );
    }
    text.begin(&HEARD);
    for way in &pulse.paths {
        text.sample_if(&[("path", &way.path)], way.last_heard);
    }
    text.single(&WITNESS, pulse.witness);
    text.begin(&VIP);
    for vip in &pulse.vips {
        let labels = [("address", &*vip.address), ("device", &*vip.device)];
        text.sample(&labels, vip.up);
    }
    text.single(&CONFLICTS, pulse.conflicts);
    refused(text, pulse);
}

fn partner(text: &mut Exposition, pulse: &Pulse<'_>) {
    let partner = &pulse.partner;
    let says = partner.says.as_ref();
    text.single(&PARTNER_RUNNING, says.map(|says| says == "running"));
    text.single(&PARTNER_ABLE, partner.able);
    let own = pulse.configuration.as_ref();
    text.single(&SERIAL, own.map(|own| own.serial_no));
    let both = own.zip(partner.configuration.as_ref());
    let same = |(own, other): (&Configuration<'_>, &Configuration<'_>)| own.digest == other.digest;
    text.single(&SAME, both.map(same));
}

fn refused(text: &mut Exposition, pulse: &Pulse<'_>) {
    let refused = &pulse.refused;
    text.begin(&REFUSED);
    for (reason, count) in [
        ("stranger", refused.stranger),
        ("short", refused.short),
        ("incompatible", refused.incompatible),
        ("untagged", refused.untagged),
        ("forged", refused.forged),
        ("reflected", refused.reflected),
        ("replayed", refused.replayed),
        ("stale", refused.stale),
    ] {
        text.sample_if(&[("reason", reason)], count);
    }
}
