//! A detour: what comes in by one interface and is not for this machine goes to another router.
//!
//! Owns a routing rule and the table that it leads to, both with a number of their own. Must not
//! decide when.

use std::io;
use std::net::Ipv4Addr;

use netlink_packet_route::route::RouteMessage;
use netlink_packet_route::rule::{RuleAction, RuleAttribute, RuleMessage};
use netlink_packet_route::{AddressFamily, route::RouteProtocol};
use nix::errno::Errno;
use rtnetlink::RouteMessageBuilder;

use crate::{Error, Netdev, Result, index_of};

/// Number of the table, and the rule's place: after the kernel's own addresses (0), before the main
/// table (32766). The heartbeat port, so that people see whose it is.
const NUMBER: u32 = 539;

/// Where packets are led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detour {
    /// Where they come in and go out again.
    pub interface: String,
    /// Who gets them; on that interface's network.
    pub router: Ipv4Addr,
}

impl Netdev {
    /// Opens the detour; another one that was open is closed.
    pub async fn open_detour(&self, detour: &Detour) -> Result<()> {
        self.close_detour().await?;
        let index = index_of(&detour.interface)?;
        let failed = |source| Error::Detour {
            interface: detour.interface.clone(),
            router: detour.router,
            source,
        };
        let route = route(index, detour.router);
        self.retried(async |handle| handle.route().add(route.clone()).execute().await)
            .await?
            .map_err(failed)?;
        let opened = self
            .retried(async |handle| {
                handle
                    .rule()
                    .add()
                    .v4()
                    .input_interface(&detour.interface)
                    .priority(NUMBER)
                    .table_id(NUMBER)
                    .action(RuleAction::ToTable)
                    .execute()
                    .await
            })
            .await?;
        opened.map_err(failed)
    }

    /// Closes the detour, if it is open.
    pub async fn close_detour(&self) -> Result<()> {
        let rule = rule();
        let closed = self
            .retried(async |handle| handle.rule().del(rule.clone()).execute().await)
            .await?;
        let route = RouteMessageBuilder::<Ipv4Addr>::new()
            .table_id(NUMBER)
            .build();
        let emptied = self
            .retried(async |handle| handle.route().del(route.clone()).execute().await)
            .await?;
        unless_absent(closed)?;
        unless_absent(emptied)
    }
}

fn route(index: u32, router: Ipv4Addr) -> RouteMessage {
    RouteMessageBuilder::<Ipv4Addr>::new()
        .table_id(NUMBER)
        .protocol(RouteProtocol::Static)
        .output_interface(index)
        .gateway(router)
        .build()
}

fn rule() -> RuleMessage {
    let mut rule = RuleMessage::default();
    rule.header.family = AddressFamily::Inet;
    rule.attributes = vec![
        RuleAttribute::Priority(NUMBER),
        RuleAttribute::Table(NUMBER),
    ];
    rule
}

fn unless_absent(result: io::Result<()>) -> Result<()> {
    let absent = [Errno::ENOENT, Errno::ESRCH].map(|errno| Some(errno as i32));
    match result {
        Err(error) if !absent.contains(&error.raw_os_error()) => Err(Error::CloseDetour(error)),
        _ => Ok(()),
    }
}
