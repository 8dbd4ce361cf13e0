//! Signing in as a browser, and what foreign pages, forged and old cookies get.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use reqwest::RequestBuilder;
use riskgraph_api::{ApiOptions, LiveLimits, Networks};
use riskgraph_domain::id::TokenId;
use riskgraph_domain::ports::Gatekeeper as _;
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{ADMIN, ANALYST, CODE, DEADLINE, READER, Server, answer};

const NAME: &str = "riskgraph_session";
const ME: &str = "{ me { name role capabilities session } }";

/// Signs in and gives the cookie as a browser sends it back.
async fn sign_in(server: &Server, body: Value) -> String {
    let response = server.client.post(server.url("/session")).json(&body).send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 204);
    let cookie = response.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(response.text().await.expect("a body").is_empty(), "the secret is in the cookie alone");
    cookie.split(';').next().expect("a pair").to_owned()
}

fn query(server: &Server, cookie: &str) -> RequestBuilder {
    server.client.post(server.url("/graphql")).header("cookie", cookie).json(&json!({ "query": ME }))
}

fn console(request: RequestBuilder) -> RequestBuilder {
    request.header("x-riskgraph-console", "1")
}

#[tokio::test]
async fn a_token_or_code_becomes_a_cookie_that_works_everywhere() {
    let server = Server::start().await;
    let cookie = sign_in(&server, json!({ "token": ANALYST })).await;
    let (status, body) = answer(console(query(&server, &cookie))).await;
    let me = &body["data"]["me"];
    assert_eq!(
        (status, &me["name"], &me["role"], &me["session"]),
        (200, &json!("analyst"), &json!("ANALYST"), &json!(true))
    );
    assert_eq!(me["capabilities"], json!(["READ", "TRIAGE", "RESPOND", "APPROVE", "OBSERVE"]));
    let metrics = server.client.get(server.url("/metrics")).header("cookie", &cookie);
    assert_eq!(answer(console(metrics)).await.0, 200);
    let events = server.client.post(server.url("/v1/events")).header("cookie", &cookie).body("{}");
    assert_eq!(answer(console(events)).await.0, 401, "events come from programs");
    let (_, bearer) = server.ask(READER, ME, json!({})).await;
    assert_eq!(bearer["data"]["me"]["session"], false);

    let by_code = sign_in(&server, json!({ "code": CODE })).await;
    assert_eq!(answer(console(query(&server, &by_code))).await.1["data"]["me"]["role"], "ADMIN");
    let again = server.client.post(server.url("/session")).json(&json!({ "code": CODE }));
    assert_eq!(answer(again).await.0, 401, "a code works once");
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites() {
    let proxies = Networks::parse("k", &["127.0.0.1".to_owned()]).expect("a network");
    let server = Server::with(ApiOptions { proxies, ..ApiOptions::default() }).await;
    let set = async |proto: Option<&str>| {
        let mut request = server.client.post(server.url("/session")).json(&json!({ "token": ADMIN }));
        if let Some(proto) = proto {
            request = request.header("x-forwarded-proto", proto);
        }
        request.send().await.expect("an answer").headers()["set-cookie"].to_str().expect("text").to_owned()
    };
    let plain = set(None).await;
    assert!(plain.starts_with("riskgraph_session=") && !plain.contains("Secure"), "{plain}");
    let encrypted = set(Some("https")).await;
    assert!(encrypted.starts_with("__Host-riskgraph_session=") && encrypted.ends_with("; Secure"), "{encrypted}");
    for cookie in [plain, encrypted] {
        assert!(cookie.contains("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    let untrusting = Server::start().await;
    let request = untrusting.client.post(untrusting.url("/session")).json(&json!({ "token": ADMIN }));
    let response = request.header("x-forwarded-proto", "https").send().await.expect("an answer");
    assert!(!response.headers()["set-cookie"].to_str().expect("text").contains("Secure"), "anyone can send the header");
}

#[tokio::test]
async fn foreign_pages_get_nothing() {
    let server = Server::start().await;
    let cookie = sign_in(&server, json!({ "token": ADMIN })).await;
    let own = format!("http://{}", server.address);
    let check = async |what: &str, request: RequestBuilder, expected: u16| {
        assert_eq!(answer(request).await.0, expected, "{what}");
    };
    let post = || query(&server, &cookie);
    check("without the header", post(), 403).await;
    check("with it", console(post()), 200).await;
    check("from our own page", console(post()).header("origin", &own).header("sec-fetch-site", "same-origin"), 200)
        .await;
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1"] {
        check(origin, console(post()).header("origin", origin), 403).await;
    }
    for site in ["cross-site", "same-site", "none", "", "x"] {
        check(site, console(post()).header("sec-fetch-site", site), 403).await;
    }
    let form = server.client.post(server.url("/graphql")).header("cookie", &cookie).body("query=%7Bme%7D");
    check("a form", console(form).header("content-type", "application/x-www-form-urlencoded"), 415).await;
    let get = || server.client.get(server.url("/graphql")).query(&[("query", ME)]).header("cookie", &cookie);
    check("a link", get(), 403).await;
    check("a link the browser vouches for", get().header("sec-fetch-site", "same-origin"), 403).await;
    check("the console", console(get()), 200).await;
    let stream = || get().header("accept", "text/event-stream");
    check("a stream without Origin", stream(), 403).await;
    check("a foreign stream", stream().header("origin", "http://evil.example"), 403).await;
    check("a stream of ours", stream().header("origin", &own), 200).await;
    let metrics = || server.client.get(server.url("/metrics")).header("cookie", &cookie);
    check("a download by a foreign page", metrics().header("sec-fetch-site", "cross-site"), 403).await;
    check("a download nobody vouches for", metrics(), 403).await;
    check("a download from our own page", metrics().header("sec-fetch-site", "same-origin"), 200).await;
    let out = || server.client.delete(server.url("/session")).header("cookie", &cookie);
    check("signing out by a foreign page", out(), 403).await;
    let login = || server.client.post(server.url("/session")).json(&json!({ "token": ADMIN }));
    check("signing in by a foreign page", login().header("origin", "http://evil.example"), 403).await;
    check("signing in across sites", login().header("sec-fetch-site", "cross-site"), 403).await;
    check("signing out", console(out()), 204).await;
    check("after that", console(post()), 401).await;
}

#[tokio::test]
async fn forged_and_planted_cookies_open_nothing() {
    let server = Server::start().await;
    let cookie = sign_in(&server, json!({ "token": ADMIN })).await;
    let secret = cookie.strip_prefix("riskgraph_session=").expect("our cookie").to_owned();
    let check = async |cookie: &str, expected: u16| {
        assert_eq!(answer(console(query(&server, cookie))).await.0, expected, "{cookie}");
    };
    check(&cookie, 200).await;
    for forged in ["", "x", &"0".repeat(64), &secret.to_uppercase().replace('0', "O"), &secret[1..], &"a".repeat(5_000)]
    {
        check(&format!("{NAME}={forged}"), 401).await;
    }
    check(&format!("{NAME}={ADMIN}"), 401).await;
    check(&format!("__Host-{cookie}"), 401).await;
    check(&format!("{cookie}; {NAME}={}", "0".repeat(64)), 401).await;
    // A planted cookie is not taken over by the one who signs in, and one of their own ends.
    let planted = format!("{NAME}={}", "f".repeat(64));
    for before in [planted, cookie.clone()] {
        let request = server.client.post(server.url("/session")).header("cookie", &before);
        let response = request.json(&json!({ "token": READER })).send().await.expect("an answer");
        let after =
            response.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        assert_ne!(after, before);
        check(&before, 401).await;
        check(&after, 200).await;
    }
    let wrong = query(&server, &sign_in(&server, json!({ "token": ADMIN })).await).bearer_auth("no-such-token");
    assert_eq!(answer(console(wrong)).await.0, 401, "a wrong token is not mended by a cookie");
}

#[tokio::test]
async fn wrong_sign_ins_say_nothing_back() {
    let server = Server::start().await;
    let post = || server.client.post(server.url("/session")).header("content-type", "application/json");
    let huge = format!("{{\"token\": \"{}\"}}", "s".repeat(3_000_000));
    let long = format!("{{\"token\": \"{}\"}}", "s".repeat(1_000));
    for (body, expected) in [
        ("{\"token\": \"secret-nobody\"}", 401),
        ("{\"code\": \"secret-nobody\"}", 401),
        (long.as_str(), 401),
        (huge.as_str(), 413),
        ("", 400),
        ("{}", 400),
        ("[\"secret-nobody\"]", 400),
        ("{\"token\": \"secret-nobody\", \"code\": \"x\"}", 400),
        ("{\"token\": \"secret-nobody\", \"more\": 1}", 400),
        ("{\"token\": {\"secret-nobody\": 1}}", 400),
    ] {
        let response = post().body(body.to_owned()).send().await.expect("an answer");
        let status = response.status().as_u16();
        assert!(response.headers().get("set-cookie").is_none());
        let text = response.text().await.expect("a body");
        assert_eq!(status, expected, "{text}");
        assert!(!text.contains("nobody") && text.contains("requestId"), "{text}");
    }
    let plain = server.client.post(server.url("/session")).body(json!({ "token": ADMIN }).to_string());
    assert_eq!(answer(plain).await.0, 400, "another kind of content");
}

async fn socket(server: &Server, cookie: &str, origin: Option<&str>) -> Result<(), u16> {
    let mut request = format!("ws://{}/graphql", server.address).into_client_request().expect("a request");
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
    headers.insert("cookie", cookie.parse().expect("a header"));
    if let Some(origin) = origin {
        headers.insert("origin", origin.parse().expect("a header"));
    }
    let (mut socket, _) = match connect_async(request).await {
        Ok(opened) => opened,
        Err(Error::Http(response)) => return Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    };
    socket.send(Message::text("{\"type\":\"connection_init\"}")).await.expect("sent");
    loop {
        match tokio::time::timeout(DEADLINE, socket.next()).await.expect("an answer in time") {
            Some(Ok(Message::Text(text))) if text.contains("connection_ack") => {}
            Some(Ok(Message::Close(frame))) => return Err(frame.map_or(0, |frame| frame.code.into())),
            Some(Ok(Message::Text(text))) => panic!("{text}"),
            Some(Ok(_)) => return Ok(()),
            Some(Err(_)) | None => return Err(0),
        }
    }
}

#[tokio::test]
async fn sockets_open_for_our_own_pages_and_end_with_the_session() {
    let live = LiveLimits {
        recheck_every: Duration::from_millis(200),
        ping_every: Duration::from_millis(600),
        ..LiveLimits::default()
    };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let cookie = sign_in(&server, json!({ "token": READER })).await;
    let own = format!("http://{}", server.address);
    assert_eq!(socket(&server, &cookie, None).await, Err(403), "no Origin");
    assert_eq!(socket(&server, &cookie, Some("http://evil.example")).await, Err(403));
    // The first ping comes after three checks of the session, so it lives.
    assert_eq!(socket(&server, &cookie, Some(&own)).await, Ok(()));
    assert_eq!(socket(&server, &format!("{NAME}={}", "0".repeat(64)), Some(&own)).await, Err(4403));
    // Between the acknowledgement and the ping the session ends: the check closes the socket.
    let ended = async {
        let out = server.client.delete(server.url("/session")).header("cookie", &cookie);
        assert_eq!(answer(console(out)).await.0, 204);
    };
    let (closed, ()) = tokio::join!(socket(&server, &cookie, Some(&own)), ended);
    assert_eq!(closed, Err(4403));
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let server = Server::start().await;
    let cookie = sign_in(&server, json!({ "token": READER })).await;
    assert_eq!(answer(console(query(&server, &cookie))).await.0, 200);
    server.world.revoke(TokenId::of(&[READER])).await.expect("revoked");
    assert_eq!(answer(console(query(&server, &cookie))).await.0, 401);
}
