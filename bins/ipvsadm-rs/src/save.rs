//! The table as commands (`ipvsadm.md` 2.7).

use ipvs::Error;
use ipvs::text::{write_saved_server, write_saved_service};

use crate::kernel::Kernel;
use crate::list::{sort_servers, sort_services};
use crate::names::Names;

/// Bytes kept free for a service and its servers: a text that need not grow is not moved.
const ROOM: usize = 1024;

/// Writes the table in the form that `-R` reads, as far as the original does.
pub(crate) fn print(out: &mut String, kernel: &mut dyn Kernel, numeric: bool) -> Result<(), Error> {
    let names = Names { numeric };
    let mut name =
        |out: &mut String, address, port, protocol| names.write(out, address, port, protocol);
    let services = kernel.services()?;
    out.reserve(services.len() * ROOM);
    for state in sort_services(&services) {
        // Writing to a string does not fail.
        let _ = write_saved_service(out, &state.service, &mut name);
        out.push('\n');
        let servers = kernel.servers(&state.service.id)?;
        for server in sort_servers(&servers) {
            let _ = write_saved_server(out, &state.service.id, &server.server, &mut name);
            out.push('\n');
        }
    }
    Ok(())
}
