use riskgraph_domain::posture::CheckResult::{Fail, Pass, Unknown, Warn};

use crate::posture::fixtures::*;

#[test]
fn attributes() {
    let check = |cookies: &[&str], result| {
        let headers: Vec<(&str, &str)> = cookies.iter().map(|&c| ("set-cookie", c)).collect();
        expect(&page_with(&headers), "HTTP-12", result);
    };
    check(&[], Pass);
    check(&["id=1; Secure; HttpOnly; SameSite=Lax"], Pass);
    check(&["PHPSESSID=1; secure; httponly"], Pass);
    check(&["PHPSESSID=1; HttpOnly"], Fail);
    check(&["PHPSESSID=1; Secure"], Fail);
    check(&["connect.sid=1; Secure"], Fail);
    check(&["user_login=1"], Fail);
    check(&["lang=en"], Warn);
    check(&["lang=en; Secure; SameSite=Maybe"], Warn);
    check(&["lang=en; Secure; SameSite="], Warn);
    check(&["lang=en; SameSite=None"], Warn);
    check(&["csrftoken=1; Secure; HttpOnly"], Warn);
    check(&["csrftoken=1; Secure; SameSite=Strict"], Pass);
    check(&["__Host-id=1; Secure; Path=/"], Pass);
    check(&["__Host-id=1; Secure; Path=/; Domain=example.com"], Warn);
    check(&["__Secure-id=1"], Warn);
    check(&["session=; Max-Age=0"], Pass);
    check(&["session=; expires=Thu, 01 Jan 1970 00:00:00 GMT"], Pass);
    check(&["heroku-session-affinity=1; Secure"], Pass);
    // The last one of a name counts; nonsense is ignored as browsers do.
    check(&["sid=1", "sid=2; Secure; HttpOnly"], Pass);
    check(&["nonsense", "=x", ""], Pass);
}

#[test]
fn cookies_along_redirects_count() {
    let mut seen = page_with(&[]);
    let web = seen.https.as_mut().expect("a fetch");
    web.hops.insert(0, hop("https://example.com/", 301, &[("set-cookie", "session=1")]));
    expect(&seen, "HTTP-12", Fail);
    web_fails(&mut seen);
    expect(&seen, "HTTP-12", Unknown);
}

fn web_fails(seen: &mut riskgraph_domain::observation::DomainObservations) {
    let failure = riskgraph_domain::observation::ProbeFailure::BotWall(403);
    seen.https.as_mut().expect("a fetch").failure = Some(failure);
}
