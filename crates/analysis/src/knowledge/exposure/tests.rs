use super::*;

fn ips(list: &[&str]) -> Vec<IpAddr> {
    list.iter().map(|text| text.parse().expect("an address")).collect()
}

#[test]
fn scans_are_read() {
    let mut scan = ScanIndex::default();
    let n_bad = scan.add(
        r#"{"ip_str":"192.0.2.7","ip":3221225991,"port":3389,"hostnames":["a.example"],"product":"RDP","timestamp":"2026-01-02T03:04:05.678"}
{"ip":"192.0.2.7","host":"shop.example","port":6379}
{"port":1}
"#,
    );
    assert_eq!(n_bad, 1);
    let check = |address: &str, shared: &[Text], want: Option<&[u16]>| {
        let got = scan.of("shop.example", &ips(&[address]), shared);
        let ports: Option<Vec<u16>> = got.map(|scan| scan.open.iter().map(|port| port.port).collect());
        assert_eq!(ports.as_deref(), want, "{address}");
    };
    check("192.0.2.7", &[], Some(&[3389, 6379]));
    check("192.0.2.7", &[Text::from("192.0.2.7")], Some(&[6379]));
    check("192.0.2.8", &[], None);
}

#[test]
fn listed_addresses() {
    let mut lists = AddressLists::default();
    lists.add("ipsum", "# comment\n192.0.2.7\t5\n198.51.100.0/24\n");
    lists.add("own", "192.0.2.7 # seen\n");
    let check = |address: &str, shared: &[Text], want: Option<(usize, u32)>| {
        let got = lists.of(&ips(&[address]), shared);
        assert_eq!(got.first().map(|entry| (entry.lists.len(), entry.level)), want, "{address}");
    };
    check("192.0.2.7", &[], Some((2, 6)));
    check("198.51.100.9", &[], Some((1, 1)));
    check("192.0.2.8", &[], None);
    check("192.0.2.7", &[Text::from("192.0.2.7")], None);
}

#[test]
fn origins_are_validated() {
    let mut routes = Routes::default();
    routes.add_announced(
        "192.0.2.0\t24\t64500\n198.51.100.0\t25\t64501\n203.0.113.0\t24\t64502\nnoise\n2001:db8::\t32\t64500_64509\n",
    );
    let roas = br#"{"roas":[{"asn":"AS64500","prefix":"192.0.2.0/24","maxLength":24},
        {"asn":64501,"prefix":"198.51.100.0/24","maxLength":24},{"asn":64500,"prefix":"2001:db8::/32"}]}"#;
    routes.add_authorised(roas).expect("reads");
    let check = |address: &str, want: &[(u32, RouteState)]| {
        let got: Vec<_> = routes.of(&ips(&[address])).iter().map(|origin| (origin.asn, origin.state)).collect();
        assert_eq!(got, want, "{address}");
    };
    check("192.0.2.7", &[(64500, RouteState::Valid)]);
    check("198.51.100.7", &[(64501, RouteState::Invalid)]);
    check("203.0.113.7", &[(64502, RouteState::NotFound)]);
    check("2001:db8::1", &[(64500, RouteState::Valid), (64509, RouteState::Invalid)]);
    check("10.0.0.1", &[]);
    assert!(routes.add_authorised(b"{}").is_err());
}

#[test]
fn delivery_networks() {
    let json = r#"{"cdn":{"one":["192.0.2.0/24"]},"waf":{"two":["2001:db8::/32"]},"cloud":{"aws":["198.51.100.0/24"]},"common":{}}"#;
    let check = |text: &str, address: &str, want: bool| {
        assert_eq!(DeliveryNetworks::parse(text).has(address.parse().expect("an address")), want, "{address}");
    };
    check(json, "192.0.2.9", true);
    check(json, "2001:db8::9", true);
    check(json, "198.51.100.9", false);
    check("192.0.2.0/25\nnoise\n", "192.0.2.1", true);
    check("192.0.2.0/25\n", "192.0.2.200", false);
}

#[test]
fn containers() {
    let check = |url: &str, want: Option<&str>| assert_eq!(place(url).as_deref(), want, "{url}");
    check("https://shop-img.s3.eu-west-1.amazonaws.com/a.png", Some("shop-img.s3.eu-west-1.amazonaws.com"));
    check("https://s3.amazonaws.com/shop-img/a.png", Some("s3.amazonaws.com/shop-img"));
    check("https://storage.googleapis.com/shop/a.js", Some("storage.googleapis.com/shop"));
    check("https://acme.blob.core.windows.net/public/a.js", Some("acme.blob.core.windows.net/public"));
    check("https://shop.example/a.js", None);
    let buckets = Buckets::parse("{\"url\":\"https://s3.amazonaws.com/shop-img/\",\"access\":\"list\"}\nnoise\n");
    assert_eq!(buckets.by_place.get("s3.amazonaws.com/shop-img"), Some(&BucketAccess::List));
}
