//! The command line: help that teaches, errors that help, exit codes.

use std::process::{Command, Output};

fn riskgraph(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_riskgraph")).args(arguments).output().unwrap()
}

fn check(arguments: &[&str], code: i32, part: &str) {
    let output = riskgraph(arguments);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
    assert!(text.contains(part), "{arguments:?}: {text}");
}

#[test]
fn help_teaches_and_errors_help() {
    check(&["--help"], 0, "riskgraph demo");
    for command in
        ["serve", "demo", "ingest", "posture", "report", "verify", "vendors", "token", "schema", "migrate", "check"]
    {
        check(&[command, "--help"], 0, "Usage");
    }
    check(&["ingest", "x.log", "--token", "t", "--format", "papyrus"], 2, "nginx");
    check(&["ingest", "no-such-file", "--token", "t"], 2, "no-such-file");
    check(&["ingest", "no-such-file"], 2, "RISKGRAPH_TOKEN");
    check(&["serve", "--config", "no-such-file.toml"], 2, "configuration");
    check(&["serve", "--listen", "192.0.2.1:1", "--data-dir", "/nonexistent/x"], 2, "--listen");
    check(&["posture", "example.com", "--resolver", "nine"], 2, "ADDRESS:PORT");
    check(&["posture", "example.com", "--fail-on", "bad"], 2, "CRITICAL");
    check(&["schema", "event"], 0, "auth.login");
    check(&["schema", "nothing"], 2, "lists them");
}

#[test]
fn tokens_are_made_listed_and_revoked_offline() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let made = riskgraph(&["token", "create", "--role", "reader", "--name", "dashboard", "--data-dir", data]);
    let bearer = String::from_utf8(made.stdout).unwrap().trim().to_owned();
    assert!(made.status.success() && bearer.starts_with("rg_"), "{bearer}");
    let listed = riskgraph(&["token", "list", "--format", "json", "--data-dir", data]);
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(rows[0]["name"], "dashboard");
    assert!(!rows.to_string().contains(&bearer[30..]), "no secret is listed");
    let id = rows[0]["id"].as_str().unwrap();
    assert!(riskgraph(&["token", "revoke", id, "--data-dir", data]).status.success());
    assert_eq!(riskgraph(&["token", "revoke", id, "--data-dir", data]).status.code(), Some(3));
    assert_eq!(riskgraph(&["token", "create", "--role", "king", "--data-dir", data]).status.code(), Some(2));
}

#[test]
fn check_says_what_is_fine() {
    let dir = tempfile::tempdir().unwrap();
    check(&["check", "--data-dir", dir.path().to_str().unwrap()], 0, "ok      database");
    check(&["migrate", "--data-dir", dir.path().to_str().unwrap()], 0, "schema");
}
