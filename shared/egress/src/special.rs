//! Which addresses are nobody's on the public internet.
//!
//! Sources: the IANA special-purpose address registries for IPv4 and IPv6 (of 2025-10-09), and the IANA address spaces, which add
//! multicast and what is reserved. Ranges that the registries call globally reachable (AS112, AMT, 6to4 and NAT64 gateways) are
//! refused as well: no webhook receiver lives there, and an address inside an address must not be a way around this table.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks of IPv4 that no request goes to: first address, length of the prefix, what it is.
pub const IPV4: [(Ipv4Addr, u32, &str); 18] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private use"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by carriers"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link local, metadata of clouds"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private use"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "IETF protocols, dummy, NAT64 discovery"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "documentation"),
    (Ipv4Addr::new(192, 31, 196, 0), 24, "AS112"),
    (Ipv4Addr::new(192, 52, 193, 0), 24, "AMT"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private use"),
    (Ipv4Addr::new(192, 175, 48, 0), 24, "AS112"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved, broadcast"),
];

/// The only block of IPv6 that addresses of hosts are assigned from; everything else is special: unspecified, loopback, IPv4 in
/// IPv6, NAT64, discard-only, segment routing, unique local, link local, site local, multicast, and what is not assigned.
pub const IPV6_UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// Blocks within [`IPV6_UNICAST`] that no request goes to.
pub const IPV6: [(Ipv6Addr, u32, &str); 5] = [
    (
        Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0),
        23,
        "IETF protocols, Teredo, benchmarks, ORCHID, AMT, AS112",
    ),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48, "AS112"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "documentation"),
];

/// Whether an address is special: nothing that somebody from outside may have us call.
pub fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => IPV4.iter().any(|(block, prefix, _)| in_v4(address, *block, *prefix)),
        IpAddr::V6(address) => {
            let (unicast, prefix) = IPV6_UNICAST;
            !in_v6(address, unicast, prefix)
                || IPV6.iter().any(|(block, prefix, _)| in_v6(address, *block, *prefix))
        }
    }
}

fn in_v4(address: Ipv4Addr, block: Ipv4Addr, prefix: u32) -> bool {
    let mask = u32::MAX << (32 - prefix);
    u32::from(address) & mask == u32::from(block)
}

fn in_v6(address: Ipv6Addr, block: Ipv6Addr, prefix: u32) -> bool {
    let mask = u128::MAX << (128 - prefix);
    u128::from(address) & mask == u128::from(block)
}
