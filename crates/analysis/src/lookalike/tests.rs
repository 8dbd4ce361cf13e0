use sha2::{Digest as _, Sha256};

use super::*;

fn made(name: &str) -> Vec<Permutation> {
    permutations(&Name::parse(name).expect("a name"), &Words::default())
}

/// Sizes and hashes (of the sorted names) that dnstwist 20250130 with `tld` 0.13.2 gives.
#[test]
fn sets_are_dnstwists() {
    let check = |name: &str, size: usize, hash: &str| {
        let mut names: Vec<String> = made(name).into_iter().map(|made| made.domain.to_string()).collect();
        names.sort();
        assert_eq!(names.len(), size, "{name}");
        let digest = Sha256::digest(names.join("\n").as_bytes());
        let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, hash, "{name}");
    };
    check("example.com", 1976, "e18cfcb835af03c3");
    check("shopify.com", 2306, "51a91aa3e98b6c44");
    check("adyen.com", 1823, "8472f420ae5d6861");
    check("klarna.com", 2251, "acee9991f35ef29c");
    check("a1.com", 140, "a21009ed0341f646");
    check("my-shop.co.uk", 238, "1a9e9f75ab86e6f6");
    check("paypal.com", 1369, "512ead3f665c0972");
    check("internationalbusinessmachines.com", 65473, "500a5df0cc106c9d");
    check("stripe.com", 1959, "63c37b0b967c061f");
    check("www.amazon.de", 916, "ece98ce84792c450");
    check("zalando.de", 1270, "3077689572ab4a46");
    check("xn--mnchen-3ya.de", 732, "121567ffd1f7b867");
    check("shop.example.co.jp", 223, "5f43815c17e417c2");
    check("müller.info", 267, "013319827bb17a23");
    // Suffixes themselves, wildcard rules and their exceptions, names without a known suffix.
    check("co.uk", 143, "464eccdc196811ab");
    check("foo.github.io", 447, "846bc0ed998886c5");
    check("www.foo.github.io", 449, "b96f31c51454dd59");
    check("foo.bar.unknown", 565, "aa164187ca27dc41");
    check("www.ck", 780, "ebda02ba8c6469fd");
    check("foo.bar.ck", 447, "b4839a70413b4b83");
    check("city.kawasaki.jp", 850, "ed6e10f85d55158f");
    check("foo.xn--55qx5d.cn", 48, "fb197c71e06f74e3");
}

#[test]
fn the_first_fuzzer_keeps_the_name() {
    let all = made("example.com");
    assert_eq!((all[0].fuzzer, all[0].domain.as_str()), (Fuzzer::Original, "example.com"));
    assert!(all.windows(2).all(|pair| (pair[0].fuzzer, &pair[0].domain) < (pair[1].fuzzer, &pair[1].domain)));
    let check = |name: &str, fuzzer: &str| {
        let found: Vec<&str> =
            all.iter().filter(|made| made.domain.as_str() == name).map(|made| made.fuzzer.as_str()).collect();
        assert_eq!(found, [fuzzer], "{name}");
    };
    check("examples.com", "addition");
    check("axample.com", "bitsquatting");
    check("examp1e.com", "homoglyph");
    check("ex-ample.com", "hyphenation");
    check("exmple.com", "omission");
    check("exxample.com", "repetition");
    check("exa.mple.com", "subdomain");
    check("xeample.com", "transposition");
    check("examplecom.com", "various");
}

#[test]
fn dictionaries_of_the_user() {
    let words = Words {
        dictionary: vec!["login".to_owned(), "a-".to_owned()],
        suffixes: vec!["net".to_owned(), "com".to_owned(), "co.uk".to_owned()],
    };
    let check = |name: &str, fuzzer: Fuzzer, want: &[&str]| {
        let all = permutations(&Name::parse(name).expect("a name"), &words);
        let found: Vec<&str> =
            all.iter().filter(|made| made.fuzzer == fuzzer).map(|made| made.domain.as_str()).collect();
        assert_eq!(found, want, "{name}");
    };
    check("ab.com", Fuzzer::TldSwap, &["ab.co.uk", "ab.net"]);
    check(
        "ab.com",
        Fuzzer::Dictionary,
        &["a--ab.com", "a-ab.com", "ab-login.com", "ablogin.com", "login-ab.com", "loginab.com"],
    );
}

#[test]
fn additions_stand_apart() {
    let check = |name: &str, fuzzer: &str, domain: &str| {
        let parsed = Name::parse(name).expect("a name");
        let ours = additions(&parsed, &Words::default());
        assert!(ours.iter().any(|made| made.fuzzer.as_str() == fuzzer && made.domain.as_str() == domain), "{domain}");
        let theirs = permutations(&parsed, &Words::default());
        let theirs: std::collections::BTreeSet<&Text> = theirs.iter().map(|made| &made.domain).collect();
        assert!(ours.iter().all(|made| !theirs.contains(&made.domain)), "{name}");
    };
    check("example.com", "combination", "example-login.com");
    check("www.example.com", "suffix", "example.shop");
    check("example.com", "missing-dot", "wwwexample.com");
    check("photo4you.com", "homophone", "foto4you.com");
    check("photo4you.com", "numeral", "photoforyou.com");
    check("book-shop.com", "swap", "shop-book.com");
    check("bücher.de", "combination", "xn--login-bcher-zhb.de");
}

#[test]
fn what_is_no_name() {
    let check = |text: &str, want: Option<&str>| {
        assert_eq!(Name::parse(text).ok().map(|name| name.ascii().to_owned()).as_deref(), want, "{text:?}");
    };
    check("Example.COM", Some("example.com"));
    check("https://user@WWW.Example.com:8443/path?x#y", Some("www.example.com"));
    check("MÜLLER.info", Some("xn--mller-kva.info"));
    check("bücher。de", Some("xn--bcher-kva.de"));
    for text in
        ["", "com", "a.b", "-a.com", "a-.com", "ab--c.com", "a..com", "a_b.com", "ftp://a.com", "☃.net", "xn--a.com"]
    {
        check(text, None);
    }
    check(&format!("{}.com", "a".repeat(64)), None);
    check(&"a.".repeat(2_000), None);
}
