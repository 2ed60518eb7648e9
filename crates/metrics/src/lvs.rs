//! The metrics of lvs: its table, its services, their servers.

use crate::exposition::{Exposition, Family, Value};
use crate::status::{Counters, Lvs, Server, Service};

/// What lvs does with the table.
const MODES: [&str; 4] = ["active", "standby", "relaying", "waiting"];
/// What a checker can have found.
const VERDICTS: [&str; 3] = ["up", "down", "unknown"];

const VERSION: Family = Family::gauge("piranha_lvs_version", "1 for the version that runs.");
const MODE: Family = Family::gauge("piranha_lvs_mode", "1 for what lvs does with the table.");
const TABLE_SERVICES: Family = Family::gauge(
    "piranha_table_services",
    "Services in the kernel's table, those of others included.",
);
const TABLE_SERVERS: Family = Family::gauge(
    "piranha_table_servers",
    "Servers in the kernel's table, those of others included.",
);
const BATCHES: Family = Family::counter(
    "piranha_table_batches",
    "Batches of changes that lvs wrote into the table.",
);
const OPERATIONS: Family = Family::counter(
    "piranha_table_operations",
    "Changes of the table in these batches.",
);
const AUDITS: Family = Family::counter(
    "piranha_table_audits",
    "How often the table was read to see that it is right.",
);
const AUDIT: Family = Family::gauge(
    "piranha_table_audit_seconds",
    "How long the last audit took.",
)
.in_unit("seconds");
const SERVERS: Family = Family::gauge(
    "piranha_service_servers",
    "Servers of the service by the last verdict on them.",
);

type OfService = fn(&Service<'_>) -> Option<Value>;
type OfServer = fn(&Server<'_>) -> Option<Value>;

/// What is told of each service.
const SERVICE: [(Family, OfService); 7] = [
    (
        Family::gauge("piranha_service_present", "Whether it is in the table."),
        |service| Some(service.present.into()),
    ),
    (
        Family::gauge(
            "piranha_service_refused",
            "Whether the kernel refuses a change of it.",
        ),
        |service| Some(service.refused.is_some().into()),
    ),
    (
        Family::gauge(
            "piranha_service_sorry_server_in_use",
            "Whether clients are sent to its sorry server.",
        ),
        |service| {
            service
                .sorry_server
                .as_ref()
                .map(|sorry| sorry.in_use.into())
        },
    ),
    (
        Family::counter(
            "piranha_service_connections",
            "Connections scheduled since the entry was made.",
        ),
        |service| service.counters.map(|counters| counters.connections.into()),
    ),
    (
        Family::gauge("piranha_service_nannies", "Checkers at work for it."),
        |service| Some(nannies(service).into()),
    ),
    (
        Family::gauge(
            "piranha_service_weight",
            "Sum of the weights of its servers in the table.",
        ),
        |service| Some(weight(service).into()),
    ),
    (
        Family::gauge(
            "piranha_service_open_connections",
            "Established connections of all its servers.",
        ),
        |service| open(service).map(Value::from),
    ),
];

/// What is told of each server.
const SERVER: [(Family, OfServer); 8] = [
    (
        Family::gauge(
            "piranha_server_up",
            "The last verdict on it; absent before the first one.",
        ),
        |server| match &*server.verdict {
            "up" => Some(true.into()),
            "down" => Some(false.into()),
            _ => None,
        },
    ),
    (
        Family::counter(
            "piranha_server_verdict_changes",
            "How often the verdict on it became another.",
        ),
        |server| server.changes.map(Value::from),
    ),
    (
        Family::gauge(
            "piranha_server_check_seconds",
            "How long its last check took, as of the checker's last sign of life.",
        )
        .in_unit("seconds"),
        |server| server.check_ms.map(|took| (took / 1e3).into()),
    ),
    (
        Family::gauge(
            "piranha_server_weight",
            "Its weight in the table; absent when it is not there.",
        ),
        |server| server.weight.map(Value::from),
    ),
    (
        Family::gauge("piranha_server_configured_weight", "Its weight in lvs.cf."),
        |server| server.configured_weight.map(Value::from),
    ),
    (
        Family::gauge(
            "piranha_server_drained",
            "Whether people took it out of service.",
        ),
        |server| Some(server.drained.is_some().into()),
    ),
    (
        Family::counter(
            "piranha_server_connections",
            "Connections scheduled since the entry was made.",
        ),
        |server| server.counters.map(|counters| counters.connections.into()),
    ),
    (
        Family::gauge(
            "piranha_server_checked",
            "Whether a checker is at work for it.",
        ),
        |server| Some(server.nanny.is_some().into()),
    ),
];

const SERVICE_PACKETS: Family = Family::counter(
    "piranha_service_packets",
    "Packets from clients (in) and to clients (out) since the entry was made.",
);
const SERVICE_BYTES: Family = Family::counter(
    "piranha_service_bytes",
    "Bytes from clients (in) and to clients (out) since the entry was made.",
)
.in_unit("bytes");
const SERVER_PACKETS: Family = Family::counter(
    "piranha_server_packets",
    "Packets from clients (in) and to clients (out) since the entry was made.",
);
const SERVER_BYTES: Family = Family::counter(
    "piranha_server_bytes",
    "Bytes from clients (in) and to clients (out) since the entry was made.",
)
.in_unit("bytes");
const SERVER_OPEN: Family = Family::gauge(
    "piranha_server_open_connections",
    "Connections by the kernel's states: established ones are active, all others inactive.",
);

pub(crate) fn write(text: &mut Exposition, lvs: &Lvs<'_>) {
    text.begin(&VERSION);
    text.sample(&[("version", &lvs.version)], true);
    text.one_of(&MODE, "mode", &MODES, &lvs.mode);
    let table = lvs.table.as_ref();
    text.single(&TABLE_SERVICES, table.map(|table| table.services));
    text.single(&TABLE_SERVERS, table.map(|table| table.servers));
    let batches = lvs.batches.as_ref();
    text.single(&BATCHES, batches.map(|batches| batches.count));
    text.single(&OPERATIONS, batches.map(|batches| batches.operations));
    let audit = lvs.audit.as_ref();
    text.single(&AUDITS, audit.map(|audit| audit.count));
    let last = audit.filter(|audit| audit.count > 0);
    text.single(&AUDIT, last.map(|audit| audit.last_ms / 1e3));
    services(text, lvs);
    servers(text, lvs);
}

/// The labels by which a service is known: its name in lvs.cf, and what it is in the table.
fn about<'a>(service: &'a Service<'_>) -> [(&'static str, &'a str); 2] {
    [("virtual", &service.name), ("service", &service.service)]
}

/// The labels by which a server is known: those of its service, as blocks of lvs.cf may share a name;
/// its own name in lvs.cf, and its address and port.
fn about_server<'a>(
    service: &'a Service<'_>,
    server: &'a Server<'_>,
) -> [(&'static str, &'a str); 4] {
    let [name, id] = about(service);
    [
        name,
        id,
        ("server", &server.name),
        ("address", &server.server),
    ]
}

fn services(text: &mut Exposition, lvs: &Lvs<'_>) {
    for (family, value) in &SERVICE {
        text.begin(family);
        for service in &lvs.services {
            text.sample_if(&about(service), value(service));
        }
    }
    text.begin(&SERVERS);
    for service in &lvs.services {
        let [name, id] = about(service);
        for verdict in VERDICTS {
            let of_it = |server: &&Server<'_>| server.verdict == verdict;
            let count = service.servers.iter().filter(of_it).count();
            text.sample(&[name, id, ("verdict", verdict)], count);
        }
    }
    for (family, both) in [
        (&SERVICE_PACKETS, packets as Both),
        (&SERVICE_BYTES, bytes as Both),
    ] {
        text.begin(family);
        for service in &lvs.services {
            two_ways(text, &about(service), service.counters.map(both));
        }
    }
}

fn servers(text: &mut Exposition, lvs: &Lvs<'_>) {
    let all = || {
        lvs.services
            .iter()
            .flat_map(|service| service.servers.iter().map(move |server| (service, server)))
            .map(|(service, server)| (about_server(service, server), server))
    };
    for (family, value) in &SERVER {
        text.begin(family);
        for (labels, server) in all() {
            text.sample_if(&labels, value(server));
        }
    }
    text.begin(&SERVER_OPEN);
    for (labels, server) in all() {
        for (state, count) in [
            ("active", server.active_connections),
            ("inactive", server.inactive_connections),
        ] {
            text.sample_if(&[&labels[..], &[("state", state)]].concat(), count);
        }
    }
    for (family, both) in [
        (&SERVER_PACKETS, packets as Both),
        (&SERVER_BYTES, bytes as Both),
    ] {
        text.begin(family);
        for (labels, server) in all() {
            two_ways(text, &labels, server.counters.map(both));
        }
    }
}

/// From and to clients.
type Both = fn(Counters) -> (u64, u64);

const fn packets(counters: Counters) -> (u64, u64) {
    (counters.in_packets, counters.out_packets)
}

const fn bytes(counters: Counters) -> (u64, u64) {
    (counters.in_bytes, counters.out_bytes)
}

fn two_ways(text: &mut Exposition, labels: &[(&str, &str)], both: Option<(u64, u64)>) {
    let Some((into, out)) = both else { return };
    for (direction, count) in [("in", into), ("out", out)] {
        let direction = [labels, &[("direction", direction)]].concat();
        text.sample(&direction, count);
    }
}

fn nannies(service: &Service<'_>) -> usize {
    let checked = |server: &&Server<'_>| server.nanny.is_some();
    service.servers.iter().filter(checked).count()
}

fn weight(service: &Service<'_>) -> f64 {
    let weights = service.servers.iter().filter_map(|server| server.weight);
    weights.map(f64::from).sum()
}

fn open(service: &Service<'_>) -> Option<u64> {
    let servers = service.servers.iter();
    let open = servers.filter_map(|server| server.active_connections);
    open.fold(None, |sum: Option<u64>, one| {
        Some(sum.unwrap_or_default().saturating_add(one))
    })
}
