//! Packets that are led to another router.

use netdev::{Detour, Netdev};

use crate::{in_namespace, ip};

#[test]
fn a_detour_is_a_rule_and_a_table_of_its_own() {
    in_namespace(async || {
        let netdev = Netdev::open().unwrap();
        ip("address add 10.1.2.2/24 dev left");
        netdev.close_detour().await.unwrap();
        let detour = |last| Detour {
            interface: "left".to_owned(),
            router: std::net::Ipv4Addr::new(10, 1, 2, last),
        };
        for last in [3, 4] {
            netdev.open_detour(&detour(last)).await.unwrap();
            assert_eq!(
                ip("rule show priority 539"),
                "539:\tfrom all iif left lookup 539\n"
            );
            let routes = ip("route show table 539");
            let expected = format!("default via 10.1.2.{last} dev left");
            assert!(routes.starts_with(&expected), "{routes}");
            assert_eq!(routes.lines().count(), 1, "{routes}");
        }
        netdev.close_detour().await.unwrap();
        assert_eq!(ip("rule show priority 539"), "");
        assert_eq!(ip("route show table 539"), "");
        let far = Detour {
            router: std::net::Ipv4Addr::new(192, 0, 2, 1),
            ..detour(3)
        };
        let error = netdev.open_detour(&far).await.unwrap_err().to_string();
        assert!(
            error.starts_with("cannot lead what comes in by left to 192.0.2.1: "),
            "{error}"
        );
    });
}
