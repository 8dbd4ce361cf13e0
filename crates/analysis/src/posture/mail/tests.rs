//! One small zone per case; `check` judges it.

use riskgraph_domain::Severity;
use riskgraph_domain::observation::{DnsAnswer, DomainObservations, Lookup, ProbeFailure};
use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Unknown, Warn};

use super::spf::record::{Qualifier, parse};
use super::*;
use crate::posture::AssetProfile;
use crate::posture::fixtures::*;

const D: &str = "example.com";
const STS_URL: &str = "https://mta-sts.example.com/.well-known/mta-sts.txt";
const STS: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmax_age: 604800\r\n";

/// A mail domain with everything in place; `change` breaks it.
fn zone() -> DomainObservations {
    let mut seen = blank(D);
    seen.dns.lookups = vec![
        records(D, "A", &["203.0.113.7"]),
        answered(D, "AAAA", DnsAnswer::NoData),
        records(D, "MX", &["10 mail.example.com."]),
        records(D, "TXT", &["v=spf1 mx include:_spf.esp.example -all", "other=1"]),
        records("_spf.esp.example", "TXT", &["v=spf1 ip4:198.51.100.0/24 -all"]),
        records("_dmarc.example.com", "TXT", &["v=DMARC1; p=reject; rua=mailto:dmarc@example.com"]),
        records("_mta-sts.example.com", "TXT", &["v=STSv1; id=20260101"]),
        records("_smtp._tls.example.com", "TXT", &["v=TLSRPTv1; rua=mailto:tls@example.com"]),
    ];
    seen.files = vec![file(STS_URL, 200, STS)];
    seen
}

fn set(seen: &mut DomainObservations, lookup: Lookup) {
    seen.dns.lookups.retain(|known| known.name != lookup.name || known.kind != lookup.kind);
    seen.dns.lookups.push(lookup);
}

#[track_caller]
fn check(id: &str, changes: &[Lookup], result: impl Into<Option<CheckResult>>) {
    let mut seen = zone();
    for change in changes {
        set(&mut seen, change.clone());
    }
    expect(&seen, id, result);
}

#[track_caller]
fn spf(id: &str, record: &str, result: impl Into<Option<CheckResult>>) {
    check(id, &[records(D, "TXT", &[record])], result);
}

#[track_caller]
fn dmarc(id: &str, record: &str, result: impl Into<Option<CheckResult>>) {
    check(id, &[records("_dmarc.example.com", "TXT", &[record])], result);
}

#[test]
fn a_good_zone_passes_everything() {
    for id in 1..=18 {
        if id != 15 {
            check(&format!("MAIL-{id:02}"), &[], Pass);
        }
    }
    check("MAIL-21", &[], None);
}

#[test]
fn failed_lookups_are_unknown() {
    let dead = |name: &str, kind: &str| {
        answered(name, kind, DnsAnswer::Failed(ProbeFailure::ResolverFailed("SERVFAIL".into())))
    };
    for id in ["01", "02", "05", "16", "18"] {
        check(&format!("MAIL-{id}"), &[dead(D, "MX")], Unknown);
    }
    check("MAIL-01", &[dead(D, "TXT")], Unknown);
    for id in ["02", "03", "04", "07"] {
        check(&format!("MAIL-{id}"), &[dead("_spf.esp.example", "TXT")], Unknown);
    }
    check("MAIL-05", &[dead("_spf.esp.example", "TXT")], Pass);
    for id in ["09", "10", "11"] {
        check(&format!("MAIL-{id}"), &[dead("_dmarc.example.com", "TXT")], Unknown);
    }
    check("MAIL-16", &[dead("_mta-sts.example.com", "TXT")], Unknown);
    check("MAIL-18", &[dead("_smtp._tls.example.com", "TXT")], Unknown);
}

#[test]
fn spf_records() {
    check("MAIL-01", &[records(D, "TXT", &["hello"])], Fail);
    check("MAIL-01", &[records(D, "TXT", &["v=spf1 -all", "v=spf1 mx -all"])], Fail);
    check("MAIL-02", &[records(D, "TXT", &["v=spf1 -all", "v=spf1 mx -all"])], None);
    check("MAIL-01", &[records(D, "TXT", &["v=spf10 -all", "v=spf1 -all"])], Pass);
    check("MAIL-01", &[records(D, "TXT", &[" v=spf1 -all"])], Fail);
    check("MAIL-01", &[records(D, "TXT", &["\"v=spf1 mx \" \"-all\""])], Pass);
    for (record, result) in [
        ("v=spf1 -all", Pass),
        ("v=spf1 moo -all", Fail),
        ("v=spf1 ip4:1.2.3.4/33 -all", Fail),
        ("v=spf1 include:_spf.esp.example include:_none.example -all", Fail),
    ] {
        check("MAIL-02", &[records(D, "TXT", &[record]), answered("_none.example", "TXT", DnsAnswer::NoData)], result);
    }
    check("MAIL-02", &[records("_spf.esp.example", "TXT", &["v=spf1 include:example.com -all"])], Fail);
    check("MAIL-02", &[records("_spf.esp.example", "TXT", &["v=spf1 bad", "x"])], Fail);
    check("MAIL-07", &[answered("_spf.esp.example", "TXT", DnsAnswer::NxDomain)], Fail);
    check("MAIL-07", &[answered("_spf.esp.example", "TXT", DnsAnswer::NoData)], Pass);
    spf("MAIL-05", "v=spf1 mx ~all", Warn);
    spf("MAIL-05", "v=spf1 mx ?all", Fail);
    spf("MAIL-05", "v=spf1 mx", Fail);
    let outcome = outcome_of(
        &{
            let mut s = zone();
            set(&mut s, records(D, "TXT", &["v=spf1 +all"]));
            s
        },
        &AssetProfile::default(),
        "MAIL-05",
    );
    assert_eq!(outcome.map(|o| (o.result, o.severity)), Some((Fail, Severity::Critical)));
    check("MAIL-05", &[records(D, "TXT", &["v=spf1 redirect=_spf.esp.example"])], Pass);
    spf("MAIL-06", "v=spf1 ip4:10.0.0.0/8 mx -all", Warn);
    spf("MAIL-06", "v=spf1 ip4:10.0.0.0/16 mx -all", Warn);
    spf("MAIL-06", "v=spf1 ip4:10.0.0.0/17 mx -all", Pass);
    spf("MAIL-06", "v=spf1 ip4:0.0.0.0/0 -all", Fail);
    spf("MAIL-06", "v=spf1 mx/1 -all", Fail);
    spf("MAIL-06", "v=spf1 ip6:2001:db8::/32 -all", Pass);
    spf("MAIL-06", "v=spf1 ip6:2000::/3 -all", Fail);
    spf("MAIL-08", "v=spf1 ptr -all", Warn);
    spf("MAIL-08", "v=spf1 mx -all mx", Warn);
    spf("MAIL-08", &format!("v=spf1 {}-all", "ip4:198.51.100.77 ".repeat(30)), Warn);
}

#[test]
fn spf_counts() {
    let many = |n: usize| format!("v=spf1 {}-all", "exists:%{i}.x.example ".repeat(n));
    for (n, result) in [(8, Pass), (9, Warn), (10, Warn), (11, Fail)] {
        spf("MAIL-03", &many(n), result);
    }
    // Nested: three includes of three lookups each.
    let nested = "v=spf1 include:a.example include:b.example include:c.example -all";
    let inner = |name: &str| records(name, "TXT", &["v=spf1 a:x.example mx:x.example exists:%{i}.y.example -all"]);
    let zone = [records(D, "TXT", &[nested]), inner("a.example"), inner("b.example"), inner("c.example")];
    check("MAIL-03", &zone, Fail);
    let void = |name: &str| [answered(name, "A", DnsAnswer::NxDomain), answered(name, "AAAA", DnsAnswer::NxDomain)];
    let mut changes: Vec<Lookup> = ["a.example", "b.example", "c.example"].iter().flat_map(|name| void(name)).collect();
    changes.push(records(D, "TXT", &["v=spf1 a:a.example a:b.example -all"]));
    check("MAIL-04", &changes, Pass);
    changes.pop();
    changes.push(records(D, "TXT", &["v=spf1 a:a.example a:b.example a:c.example -all"]));
    check("MAIL-04", &changes, Fail);
}

#[test]
fn spf_grammar() {
    for good in [
        "v=spf1",
        "V=SPF1 MX -ALL",
        "v=spf1  a  -all ",
        "v=spf1 a:mail.example.com/24//64 a//64 mx/24 -all",
        "v=spf1 ip6:::1/128 ip4:1.2.3.4/0 ?all",
        "v=spf1 exists:%{ir}.%{l1r+-}.%{d2}._spf.example.com -all",
        "v=spf1 include:%{d} -all",
        "v=spf1 exp=explain._spf.%{d} -all",
        "v=spf1 unknown=%{c}%{r}%{t}%%%_%- -all",
        "v=spf1 a:1.example.x-y. -all",
        "v=spf1 -all redirect=a.example",
    ] {
        assert!(parse(good).is_ok(), "{good}: {:?}", parse(good));
    }
    for bad in [
        "v=spf1 all:x",
        "v=spf1 all/8",
        "v=spf1 include",
        "v=spf1 include:",
        "v=spf1 include:com",
        "v=spf1 include:a.example/24",
        "v=spf1 a:example.com:8080",
        "v=spf1 a:1.2.3.4",
        "v=spf1 a:foo.example-",
        "v=spf1 a/33",
        "v=spf1 a/08",
        "v=spf1 a//129",
        "v=spf1 mx/",
        "v=spf1 ip4:1.2.3",
        "v=spf1 ip4:01.2.3.4",
        "v=spf1 ip4",
        "v=spf1 ip6:::1.1.1.1/0x",
        "v=spf1 ip4:1.2.3.4~all",
        "v=spf1 exists:%{x}.example.com",
        "v=spf1 exists:%{c}.example.com",
        "v=spf1 exists:%{d0}.example.com",
        "v=spf1 exists:%{d.example.com",
        "v=spf1 exists:%x.example.com",
        "v=spf1 redirect=a.example redirect=b.example",
        "v=spf1 exp=a.example exp=a.example",
        "v=spf1 redirect=",
        "v=spf1 --all",
        "v=spf1 -all\ta",
        "v=spf1 ptr:",
        "v=spf1 mechanism",
        "v=spf1 ä:example.com",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    let record = parse("v=spf1 ~all").expect("valid");
    assert_eq!((record.all(), record.names_senders()), (Some(Qualifier::SoftFail), false));
}

#[test]
fn dmarc_records() {
    check("MAIL-09", &[answered("_dmarc.example.com", "TXT", DnsAnswer::NoData)], Fail);
    check("MAIL-10", &[answered("_dmarc.example.com", "TXT", DnsAnswer::NoData)], None);
    for id in ["11", "12", "13", "14"] {
        check(&format!("MAIL-{id}"), &[answered("_dmarc.example.com", "TXT", DnsAnswer::NoData)], None);
    }
    for (record, result) in [
        ("v=DMARC1; p=reject", Pass),
        ("v = DMARC1 ; p = ReJect ;", Pass),
        ("v=DMARC1; p=reject; xyz=1", Pass),
        ("v=DMARC1", Pass),
        ("v=DMARC1; p=rejct", Fail),
        ("v=DMARC1; p=reject; p=none", Fail),
        ("v=DMARC1; p=reject; fo=x", Fail),
        ("v=DMARC1; p=reject; psd=x", Fail),
        ("v=DMARC1; p=reject; np=invalid", Fail),
        ("v=DMARC1; p=reject; nonsense", Fail),
        ("v=DMARC1; p=reject; rua=dmarc@example.com", Fail),
        ("v=DMARC2; p=reject", Fail),
        (" v=DMARC1; p=reject", Fail),
        ("v=spf1 -all", Fail),
    ] {
        dmarc("MAIL-10", record, result);
    }
    check("MAIL-10", &[records("_dmarc.example.com", "TXT", &["v=DMARC1; p=none", "v=DMARC1; p=reject"])], Fail);
    let misplaced = records(D, "TXT", &["v=spf1 mx -all", "v=DMARC1; p=reject"]);
    check("MAIL-10", &[misplaced, answered("_dmarc.example.com", "TXT", DnsAnswer::NxDomain)], Fail);
    for (record, result) in [
        ("v=DMARC1; p=reject", Pass),
        ("v=DMARC1; p=quarantine; pct=50", Warn),
        ("v=DMARC1; p=none", Fail),
        ("v=DMARC1; rua=mailto:a@example.com", Fail),
        ("v=DMARC1; p=reject; t=y", Warn),
        ("v=DMARC1; p=quarantine; t=y", Fail),
        ("v=DMARC1; p=reject; t=n", Pass),
    ] {
        dmarc("MAIL-11", record, result);
    }
    for (record, result) in [
        ("v=DMARC1; p=reject; sp=none", Some(Fail)),
        ("v=DMARC1; p=reject; sp=quarantine", Some(Warn)),
        ("v=DMARC1; p=reject; np=none", Some(Fail)),
        ("v=DMARC1; p=quarantine; sp=reject; np=reject", Some(Pass)),
        ("v=DMARC1; p=none; sp=none", None),
    ] {
        dmarc("MAIL-12", record, result);
    }
    dmarc("MAIL-13", "v=DMARC1; p=reject", Warn);
    let foreign = records("_dmarc.example.com", "TXT", &["v=DMARC1; p=reject; rua=mailto:x@collect.example.net"]);
    let agreement = "example.com._report._dmarc.collect.example.net";
    check("MAIL-13", &[foreign.clone(), answered(agreement, "TXT", DnsAnswer::NxDomain)], Warn);
    check("MAIL-13", &[foreign, records(agreement, "TXT", &["v=DMARC1"])], Pass);
    dmarc("MAIL-14", "v=DMARC1; p=reject; ri=3600", Warn);
}

#[test]
fn dmarc_tree_walk() {
    let host = "a.shop.example.com";
    let check = |found: &[(&str, &str)], id: &str, result: CheckResult| {
        let mut seen = blank(host);
        seen.dns.lookups = vec![records(host, "MX", &["10 mx.example.com."])];
        for name in [host, "shop.example.com", "example.com", "com"] {
            let at = format!("_dmarc.{name}");
            seen.dns.lookups.push(match found.iter().find(|(known, _)| *known == name) {
                Some((_, record)) => records(&at, "TXT", &[record]),
                None => answered(&at, "TXT", DnsAnswer::NxDomain),
            });
        }
        expect(&seen, id, result);
    };
    check(&[], "MAIL-09", Fail);
    check(&[("example.com", "v=DMARC1; p=reject")], "MAIL-11", Pass);
    check(&[("example.com", "v=DMARC1; p=reject; sp=none")], "MAIL-11", Fail);
    check(&[(host, "v=DMARC1; p=none"), ("example.com", "v=DMARC1; p=reject")], "MAIL-11", Fail);
    // The shortest name is the organisational domain, unless psd says otherwise.
    check(&[("shop.example.com", "v=DMARC1; p=none"), ("example.com", "v=DMARC1; p=reject")], "MAIL-11", Pass);
    check(&[("shop.example.com", "v=DMARC1; p=none; psd=n"), ("example.com", "v=DMARC1; p=reject")], "MAIL-11", Fail);
    check(&[("example.com", "v=DMARC1; p=reject"), ("com", "v=DMARC1; p=none; psd=y")], "MAIL-11", Pass);
    check(&[("com", "v=DMARC1; p=none; sp=reject; psd=y")], "MAIL-11", Pass);
}

#[test]
fn mta_sts() {
    check("MAIL-16", &[answered("_mta-sts.example.com", "TXT", DnsAnswer::NxDomain)], Warn);
    check("MAIL-17", &[answered("_mta-sts.example.com", "TXT", DnsAnswer::NxDomain)], None);
    check("MAIL-16", &[records("_mta-sts.example.com", "TXT", &["v=STSv1; id=a; id=b"])], Fail);
    check("MAIL-16", &[records("_mta-sts.example.com", "TXT", &["v=STSv1"])], Fail);
    check("MAIL-16", &[records(D, "MX", &["10 other.example.net."])], Fail);
    let with = |policy: WebFacts, id: &str, result: CheckResult| {
        let mut seen = zone();
        seen.files = vec![policy];
        expect(&seen, id, result);
    };
    use riskgraph_domain::observation::WebFacts;
    with(file(STS_URL, 200, &STS.replace("mail.example.com", "*.example.com")), "MAIL-16", Pass);
    with(file(STS_URL, 200, &STS.replace("mail.example.com", "mail.*.com")), "MAIL-16", Fail);
    with(file(STS_URL, 200, &STS.replace("enforce", "invalid")), "MAIL-16", Fail);
    with(file(STS_URL, 200, &STS.replace("604800", "abc")), "MAIL-16", Fail);
    with(file(STS_URL, 200, &STS.replace("604800", "31557601")), "MAIL-16", Fail);
    with(file(STS_URL, 200, "version: STSv1\nnot_a_pair\n"), "MAIL-16", Fail);
    with(file(STS_URL, 404, ""), "MAIL-16", Fail);
    with(file(STS_URL, 503, ""), "MAIL-16", Unknown);
    with(unfetched(STS_URL, ProbeFailure::Timeout), "MAIL-16", Unknown);
    with(file(STS_URL, 200, &STS.replace("enforce", "testing")), "MAIL-17", Warn);
    with(file(STS_URL, 200, &STS.replace("604800", "3600")), "MAIL-17", Warn);
    assert!(transport::matches("mail.example.com", "*.example.com"));
    assert!(!transport::matches("a.mail.example.com", "*.example.com"));
    assert!(!transport::matches("example.com", "*.example.com"));
    let tls = "_smtp._tls.example.com";
    check("MAIL-18", &[answered(tls, "TXT", DnsAnswer::NoData)], Warn);
    check("MAIL-18", &[records(tls, "TXT", &["v=TLSRPTv1; rua=tls@example.com"])], Warn);
    check("MAIL-18", &[records(tls, "TXT", &["v=TLSRPTv1;rua=https://r.example/"])], Pass);
}

#[test]
fn domains_without_mail() {
    let null_mx = records(D, "MX", &["0 ."]);
    let closed = records(D, "TXT", &["v=spf1 -all"]);
    check("MAIL-21", &[null_mx.clone(), closed.clone()], Pass);
    check("MAIL-21", std::slice::from_ref(&null_mx), Fail);
    check(
        "MAIL-21",
        &[null_mx.clone(), closed.clone(), records("_dmarc.example.com", "TXT", &["v=DMARC1; p=none"])],
        Fail,
    );
    check("MAIL-21", &[answered(D, "MX", DnsAnswer::NoData), closed.clone()], Pass);
    for id in ["01", "09", "11", "16", "18"] {
        check(&format!("MAIL-{id}"), &[null_mx.clone(), records(D, "TXT", &["x"])], None);
    }
    // Without MX but with senders it is a mail domain.
    check("MAIL-21", &[answered(D, "MX", DnsAnswer::NoData)], None);
    check("MAIL-05", &[answered(D, "MX", DnsAnswer::NoData)], Pass);
    let mut sends = zone();
    set(&mut sends, null_mx);
    set(&mut sends, records(D, "TXT", &["x"]));
    expect_for(&sends, &AssetProfile { mail: true, ..AssetProfile::default() }, "MAIL-01", Fail);
}
