//! Row 28: no special address is connected to, however it is named.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use egress::Failure;
use egress::special::is_special;

use crate::support::{Fake, Server, get, lax, over, strict};

/// Every block of the two IANA special-purpose registries (of 2025-10-09) and of the registries of address spaces that is not given to
/// hosts, as they write them. Not taken from the code: what is missing there is found here.
const BLOCKS: &str = "
    0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29 192.0.0.8/32
    192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24
    192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    255.255.255.255/32
    ::1/128 ::/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128 2001:1::2/128
    2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28 2001:db8::/32 2002::/16
    2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10
    ::/96 ::/8 100::/8 200::/7 400::/6 800::/5 1000::/4 4000::/3 6000::/3 8000::/3 a000::/3 c000::/3 e000::/4 f000::/5 f800::/6
    fe00::/9 fec0::/10 ff00::/8
    ::ffff:127.0.0.1/128 ::ffff:10.0.0.1/128 ::ffff:169.254.169.254/128 64:ff9b::127.0.0.1/128 64:ff9b::10.0.0.1/128
    2002:7f00:1::/48 2002:a00:1::/48 2001:0:7f00:1::/64 ::ffff:8.8.8.8/128 64:ff9b::8.8.8.8/128";

/// The first, the last and some addresses in between of a block.
fn of_block(block: &str) -> Vec<IpAddr> {
    let (base, prefix) = block.split_once('/').unwrap();
    let prefix: u32 = prefix.parse().unwrap();
    match base.parse().unwrap() {
        IpAddr::V4(base) => {
            let size = 1_u64 << (32 - prefix);
            let steps = [0, 1, size / 3, size / 2, size - 1].map(|step| step.min(size - 1));
            let at = |step: u64| IpAddr::V4(Ipv4Addr::from(u32::from(base) + u32::try_from(step).unwrap()));
            steps.map(at).to_vec()
        }
        IpAddr::V6(base) => {
            let last = u128::MAX.checked_shr(prefix).unwrap_or(0);
            let steps = [0, 1, last / 3, last / 2, last].map(|step| step.min(last));
            steps.map(|step| IpAddr::V6(Ipv6Addr::from(u128::from(base) + step))).to_vec()
        }
    }
}

fn special() -> Vec<IpAddr> {
    BLOCKS.split_whitespace().flat_map(of_block).collect()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

// Fault 28
#[test]
fn every_address_of_every_special_block_is_special_and_its_public_neighbours_are_not() {
    for address in special() {
        assert!(is_special(address), "{address}");
    }
    let public = [
        "1.0.0.0",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "191.255.255.255",
        "192.0.1.0",
        "192.0.3.0",
        "192.31.195.255",
        "192.31.197.0",
        "192.52.192.255",
        "192.52.194.0",
        "192.88.98.255",
        "192.88.100.0",
        "192.167.255.255",
        "192.169.0.0",
        "192.175.47.255",
        "192.175.49.0",
        "198.17.255.255",
        "198.20.0.0",
        "198.51.99.255",
        "198.51.101.0",
        "203.0.112.255",
        "203.0.114.0",
        "223.255.255.255",
        "2000::",
        "2001:200::",
        "2001:4860:4860::8888",
        "2001:db7:ffff::",
        "2001:db9::",
        "2003::",
        "2600::1",
        "2620:4f:7fff::",
        "2620:4f:8001::",
        "2a00::1",
        "3ffe:ffff::",
        "3fff:1000::",
    ];
    for address in public {
        assert!(!is_special(ip(address)), "{address}");
    }
}

// Fault 28
#[tokio::test]
async fn no_special_address_is_connected_to_whether_it_is_named_or_resolved() {
    let network = Arc::new(Fake::default());
    let egress = over(&network, &strict());
    let mut tried = 0;
    for address in special() {
        network.answer(address);
        let literal = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        };
        for scheme in ["https", "http"] {
            let resolved = get(&egress, &format!("{scheme}://victim.example:8443/hook")).await;
            assert_eq!(resolved.unwrap_err(), Failure::SpecialAddress, "{address}");
            let named = get(&egress, &format!("{scheme}://{literal}/hook")).await;
            assert!(named.unwrap_err().is_refusal(), "{address}");
            assert!(egress.admit(&format!("{scheme}://{literal}/hook")).is_err(), "{address}");
            tried += 2;
        }
    }
    assert!(tried > 1_500, "{tried}");
    assert_eq!(network.dialled().len(), 0, "of {tried} tried");
}

// Fault 28
#[tokio::test]
async fn spellings_of_this_machine_that_only_a_resolver_understands_are_refused_too() {
    let network = Arc::new(Fake::default());
    let egress = over(&network, &strict());
    for host in ["localhost", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "localhost."] {
        let refused = get(&egress, &format!("http://{host}:9/")).await.unwrap_err();
        // A resolver that does not know a spelling says so.
        assert!(matches!(refused, Failure::SpecialAddress | Failure::Unresolved), "{host}: {refused:?}");
        assert!(network.dialled().is_empty(), "{host}");
    }
}

// Fault 28
#[tokio::test]
async fn of_a_name_with_public_and_private_addresses_only_the_public_ones_are_dialled() {
    let addresses = ["10.0.0.1", "93.184.216.34", "::1", "2606:2800:220:1::1", "169.254.169.254"].map(ip);
    let network = Arc::new(Fake::answering([addresses.to_vec()]));
    let refused = get(&over(&network, &strict()), "http://half.example/").await.unwrap_err();
    assert_eq!(refused, Failure::Unconnected);
    let dialled: Vec<IpAddr> = network.dialled().iter().map(|address| address.ip()).collect();
    assert_eq!(dialled, [ip("93.184.216.34"), ip("2606:2800:220:1::1")]);
}

// Fault 28
#[tokio::test]
async fn a_name_that_is_rebound_after_the_check_changes_nothing() {
    let server = Server::saying("HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
    // Public when it is asked for first, private ever after: who asks twice connects to the second.
    let answers = [vec![ip("93.184.216.34")], vec![ip("127.0.0.1")]];
    let network = Arc::new(Fake::answering(answers).reaching(server.address));
    let egress = over(&network, &strict());
    let answer = get(&egress, "http://rebound.example/hook").await.unwrap();
    assert_eq!(answer.status.as_u16(), 204);
    assert_eq!(*network.resolved.lock().unwrap(), 1, "one question for one connection");
    assert_eq!(network.dialled(), ["93.184.216.34:80".parse::<SocketAddr>().unwrap()]);
    let refused = get(&egress, "http://rebound.example/hook").await.unwrap_err();
    assert_eq!((refused, network.dialled().len()), (Failure::SpecialAddress, 1));
}

// Fault 28
#[tokio::test]
async fn a_redirect_is_an_answer_and_nobody_goes_there() {
    let inner = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let location = inner.url();
        let outer =
            Server::saying(format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n"));
        let answer = get(&over_this_machine(), &outer.await.url()).await.unwrap();
        assert!(answer.status.is_redirection(), "{status}");
    }
    assert_eq!(inner.heads.lock().unwrap().len(), 0);
}

fn over_this_machine() -> egress::Egress {
    egress::Egress::new(&lax()).unwrap()
}
