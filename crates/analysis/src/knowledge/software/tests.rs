use riskgraph_domain::observation::{PageFacts, Peer, ScriptTag};

use super::*;

fn blank_for_tests(domain: &str) -> DomainObservations {
    let nothing = serde_json::json!({ "domain": domain, "started_at": 0, "finished_at": 0, "tls": [], "https": null,
        "http": null, "files": [], "cors": null,
        "dns": { "lookups": [], "name_servers": [], "dnssec": { "state": "insecure" } } });
    serde_json::from_value(nothing).expect("observations of nothing")
}

fn fetched(url: &str, headers: &[(&str, &str)], page: PageFacts) -> WebFacts {
    WebFacts {
        url: url.to_owned(),
        peer: Peer::Verified,
        hops: vec![Hop {
            url: url.to_owned(),
            status: 200,
            headers: headers.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }],
        failure: None,
        body: None,
        page: Some(page),
    }
}

fn of_headers(headers: &[(&str, &str)]) -> Vec<Software> {
    let mut seen = blank_for_tests("shop.example");
    seen.https = Some(fetched("https://shop.example/", headers, PageFacts::default()));
    recognise(&seen, None)
}

#[test]
fn headers_tell_products_versions_and_distributions() {
    let check = |name: &str, value: &str, want: &[(&str, Option<&str>, Option<&str>)]| {
        let found = of_headers(&[(name, value)]);
        let got: Vec<_> =
            found.iter().map(|it| (it.name.as_str(), it.version.as_deref(), it.backported_by.as_deref())).collect();
        assert_eq!(got, want, "{value}");
    };
    check("server", "nginx/1.18.0", &[("nginx", Some("1.18.0"), None)]);
    check("server", "nginx/1.18.0 (Ubuntu)", &[("nginx", Some("1.18.0"), Some("Ubuntu"))]);
    check("server", "nginx", &[("nginx", None, None)]);
    check(
        "server",
        "Apache/2.4.6 (CentOS) OpenSSL/1.0.2k-fips PHP/5.4.16",
        &[
            ("Apache HTTP Server", Some("2.4.6"), Some("CentOS")),
            ("OpenSSL", Some("1.0.2k"), Some("CentOS")),
            ("PHP", Some("5.4.16"), Some("CentOS")),
        ],
    );
    check("x-powered-by", "PHP/7.4.3-4ubuntu2.18", &[("PHP", Some("7.4.3"), Some("Ubuntu"))]);
    check("x-powered-by", "PHP/7.3.31-1~deb10u1", &[("PHP", Some("7.3.31"), Some("Debian"))]);
    check("server", "Microsoft-IIS/10.0", &[("Microsoft IIS", Some("10.0"), None)]);
    check("server", "Jetty(9.4.53.v20231009)", &[("Jetty", Some("9.4.53"), None)]);
    check("via", "1.1 varnish (Varnish/6.0)", &[("Varnish", Some("6.0"), None)]);
    check("x-generator", "Drupal 9 (https://www.drupal.org)", &[("Drupal", Some("9"), None)]);
    check("x-jenkins", "2.426.1", &[("Jenkins", Some("2.426.1"), None)]);
    check("set-cookie", "BIGipServer~pool=1.2.3; path=/", &[("F5 BIG-IP", None, None)]);
    check("server", "(((((((((", &[]);
    check("server", "cloudflare", &[]);
}

#[test]
fn independent_signs_are_counted() {
    let mut seen = blank_for_tests("shop.example");
    let resource = "https://shop.example/wp-includes/css/dist/block-library/style.min.css?ver=6.1.1".to_owned();
    let page = PageFacts {
        metas: vec![("generator".into(), "WordPress 6.1.1".into())],
        resources: vec![resource],
        scripts: vec![ScriptTag {
            src: None,
            url: Some("https://cdn.example/ajax/libs/jquery/3.4.1/jquery.min.js".into()),
            integrity: None,
            crossorigin: None,
            inline_sha256: None,
        }],
        ..PageFacts::default()
    };
    seen.https = Some(fetched("https://shop.example/", &[("server", "nginx/1.20.1")], page));
    seen.http = Some(fetched("http://shop.example/", &[("server", "nginx/1.20.1")], PageFacts::default()));
    let check = |name: &str, version: &str, n_signals: usize| {
        let found = recognise(&seen, None);
        let it = found.iter().find(|it| it.name.as_str() == name).expect("recognised");
        assert_eq!((it.version.as_deref(), it.n_signals()), (Some(version), n_signals), "{it:?}");
    };
    check("WordPress", "6.1.1", 2);
    check("jQuery", "3.4.1", 1);
    check("nginx", "1.20.1", 2);
}

#[test]
fn what_stands_elsewhere_is_not_the_domains() {
    let mut seen = blank_for_tests("shop.example");
    seen.https = Some(fetched("https://login.other.example/", &[("server", "nginx/1.18.0")], PageFacts::default()));
    assert_eq!(recognise(&seen, None), []);
}

#[test]
fn versions_in_paths() {
    let check = |url: &str, pattern: &str, want: Option<Option<&str>>| {
        let got = in_path(url, pattern);
        assert_eq!(got.as_ref().map(|version| version.as_deref()), want, "{url} {pattern}");
    };
    check("https://x/jquery-1.12.4.min.js", "/jquery-{v}.min.js", Some(Some("1.12.4")));
    check("https://x/jquery-migrate.min.js", "/jquery-{v}.min.js", None);
    check("https://x/a.css?ver=6.1", "/a.css?ver={v}", Some(Some("6.1")));
    check("https://x/a.css?ver=1700000000", "/a.css?ver={v}", None);
    check("https://x/wp-content/a.js", "/wp-content/", Some(None));
}
