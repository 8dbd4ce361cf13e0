//! Files of reports over HTTP: who gets them, and what a browser may do with them.

use crate::support::{READER, SHARED, Server, answer};

#[tokio::test]
async fn a_link_opens_one_report_and_lets_it_load_nothing() {
    let server = Server::start().await;
    for (query, kind, how) in [
        ("", "text/html; charset=utf-8", "inline"),
        ("?format=pdf", "application/pdf", "inline"),
        ("?format=csv", "text/csv; charset=utf-8; header=present", "attachment"),
        ("?format=json", "application/json", "attachment"),
    ] {
        let url = server.url(&format!("/shared/{SHARED}{query}"));
        let response = server.client.get(url).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200, "{query}");
        let header = |name: &str| response.headers()[name].to_str().expect("text").to_owned();
        assert_eq!(header("content-type"), kind);
        assert!(header("content-disposition").starts_with(how), "{query}");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert!(header("x-robots-tag").contains("noindex"));
        assert!(header("content-security-policy").contains("default-src 'none'"));
        assert!(!header("content-security-policy").contains("script"));
    }
    for (path, status) in [(format!("/shared/{SHARED}?format=exe"), 400), ("/shared/other".to_owned(), 404)] {
        assert_eq!(answer(server.client.get(server.url(&path))).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn the_key_is_for_everybody_and_files_are_not() {
    let server = Server::start().await;
    let response = server.client.get(server.url("/reports/key")).send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 200);
    assert!(response.headers()["content-type"].to_str().expect("text").starts_with("text/plain"));
    let file = server.url("/reports/rep_00000000000000000000000000.html");
    assert_eq!(answer(server.client.get(&file)).await.0, 401);
    assert_eq!(answer(server.client.get(&file).bearer_auth(READER)).await.0, 404);
}
