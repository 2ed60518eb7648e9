//! The table as commands (`ipvsadm.md` 2.7).

use ipvs::text::{write_saved_server, write_saved_service};
use ipvs::{Error, Service};

use crate::kernel::Kernel;
use crate::list::{sort_servers, sort_services};
use crate::names::Names;

/// Bytes kept free for a service and its servers: a text that need not grow is not moved.
const ROOM: usize = 1024;

/// Writes the table in the form that `-R` reads, as far as the original does.
pub(crate) fn print(out: &mut String, kernel: &mut dyn Kernel, numeric: bool) -> Result<(), Error> {
    let services = kernel.services()?;
    out.reserve(services.len() * ROOM);
    for state in sort_services(&services) {
        write_entry(out, kernel, &state.service, Names { numeric })?;
    }
    Ok(())
}

/// Writes one service with its servers in that form.
pub(crate) fn write_entry(
    out: &mut String,
    kernel: &mut dyn Kernel,
    service: &Service,
    names: Names,
) -> Result<(), Error> {
    let mut name =
        |out: &mut String, address, port, protocol| names.write(out, address, port, protocol);
    // Writing to a string does not fail.
    let _ = write_saved_service(out, service, &mut name);
    out.push('\n');
    let servers = kernel.servers(&service.id)?;
    for state in sort_servers(&servers) {
        let _ = write_saved_server(out, &service.id, &state.server, &mut name);
        out.push('\n');
    }
    Ok(())
}
