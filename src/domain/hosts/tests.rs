//! Which addresses of nats-servers are taken.

use super::*;

#[test]
fn only_addresses_of_the_internet_are_public() {
    for public in ["8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "2a01::1"]
    {
        assert!(is_public(public.parse().unwrap()), "{public}");
    }
    for other in [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.8.9.10",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.19.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "::10.0.0.1",
        "64:ff9b::a00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(other.parse().unwrap()), "{other}");
    }
}

#[test]
fn a_host_is_allowed_by_its_name_or_its_address() {
    let not_public = |address: &str| Err(HostRefusal::NotPublic(address.parse().unwrap()));
    let (inside, outside) = ("10.1.2.3", "8.8.8.8");
    for (list, host, address, expected) in [
        ("*", "nats.example.org", outside, Ok(())),
        ("*", "nats.example.org", inside, not_public(inside)),
        ("*", "8.8.8.8", outside, Ok(())),
        ("*", "127.0.0.1", "127.0.0.1", not_public("127.0.0.1")),
        ("*", "x", "::ffff:10.1.2.3", not_public("::ffff:10.1.2.3")),
        ("*.example.org", "nats.example.org", outside, Ok(())),
        ("*.example.org", "a.b.example.org", outside, Ok(())),
        ("*.example.org", "nats.example.org", inside, not_public(inside)),
        ("*.example.org", "example.org", outside, Err(HostRefusal::NotListed)),
        ("*.example.org", "badexample.org", outside, Err(HostRefusal::NotListed)),
        ("*.example.org", "example.org.evil.net", outside, Err(HostRefusal::NotListed)),
        ("nats.example.org", "nats.example.org", inside, Ok(())),
        ("NATS.Example.org.", "nats.example.org", inside, Ok(())),
        ("nats.example.org", "other.example.org", inside, Err(HostRefusal::NotListed)),
        ("10.0.0.0/8", "nats.example.org", inside, Ok(())),
        ("10.0.0.0/8", "nats.example.org", "::ffff:10.1.2.3", Ok(())),
        ("10.0.0.0/8", "nats.example.org", "11.0.0.1", Err(HostRefusal::NotListed)),
        ("10.1.2.3", "10.1.2.3", inside, Ok(())),
        ("10.1.2.3", "10.1.2.4", "10.1.2.4", Err(HostRefusal::NotListed)),
        ("fd00::/8", "x", "fd00::1", Ok(())),
        ("0.0.0.0/0", "x", "::1", Err(HostRefusal::NotListed)),
        ("*,10.0.0.0/8", "x", inside, Ok(())),
        ("*,10.0.0.0/8", "x", "192.168.0.1", not_public("192.168.0.1")),
        ("", "x", outside, Err(HostRefusal::NotListed)),
    ] {
        let hosts = AllowedHosts::parse(list.split(',').filter(|entry| !entry.is_empty())).unwrap();
        assert_eq!(hosts.permit(host, address.parse().unwrap()), expected, "{list}: {host} at {address}");
        assert!(hosts.may_have(host) || expected == Err(HostRefusal::NotListed), "{list}: {host}");
    }
}

#[test]
fn an_entry_is_a_host_or_a_network() {
    for bad in ["", "*.", "*x", "a.*", "a b", "nats://x", "x:4222", "10.0.0.0/33", "10.0.0/8", "x/8", "-.@", "::1/129"]
    {
        assert_eq!(AllowedHosts::parse([bad]), Err(bad.to_owned()), "{bad:?}");
    }
    let good = ["*", "*.example.org", "nats.example.org", "10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"];
    assert_eq!(AllowedHosts::parse(good).unwrap().entries(), good);
}

#[test]
fn a_url_is_a_scheme_a_host_and_a_port() {
    for (text, is_tls, host, port, written) in [
        ("nats://nats.example.org", false, "nats.example.org", 4222, "nats://nats.example.org:4222"),
        ("tls://NATS.Example.org.:443", true, "nats.example.org", 443, "tls://nats.example.org:443"),
        ("nats://[2a01::1]:5222", false, "2a01::1", 5222, "nats://[2a01::1]:5222"),
        ("nats://[::1]", false, "::1", 4222, "nats://[::1]:4222"),
        // What a name like that means is for whoever looks it up, and the address is judged.
        ("nats://0x7f.1", false, "0x7f.1", 4222, "nats://0x7f.1:4222"),
    ] {
        let url: ServerUrl = text.parse().unwrap();
        assert_eq!(url, ServerUrl { is_tls, host: host.to_owned(), port });
        assert_eq!(url.to_string(), written);
    }
    let long = format!("nats://{}", "a".repeat(300));
    for (text, wrong) in [
        (long.as_str(), BadServerUrl::TooLong),
        ("", BadServerUrl::Scheme),
        ("nats.example.org", BadServerUrl::Scheme),
        ("http://nats.example.org", BadServerUrl::Scheme),
        ("ws://nats.example.org", BadServerUrl::Scheme),
        ("nats://user:password@nats.example.org", BadServerUrl::User),
        ("nats://", BadServerUrl::Place),
        ("nats://:4222", BadServerUrl::Place),
        ("nats://a:0", BadServerUrl::Place),
        ("nats://a:99999", BadServerUrl::Place),
        ("nats://a,b", BadServerUrl::Place),
        ("nats://a/b", BadServerUrl::Place),
        ("nats://a?b", BadServerUrl::Place),
        ("nats://a b", BadServerUrl::Place),
        ("nats://[::1", BadServerUrl::Place),
        ("nats://[x]", BadServerUrl::Place),
        ("nats://[::1]x", BadServerUrl::Place),
        ("nats://::1", BadServerUrl::Place),
    ] {
        assert_eq!(text.parse::<ServerUrl>(), Err(wrong), "{text}");
    }
}
