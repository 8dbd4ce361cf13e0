//! Signs of card theft in what a script says. Weights are of a noisy-or: each is the chance that a script with this sign
//! alone is one. It must *not* know pages: whether the host is approved is the ledger's question.

use std::collections::BTreeSet;

use super::Reading;

/// Names of fields that hold a card, in shops' and payment forms.
const CARD: &[&str] = &[
    "cc_number",
    "ccnumber",
    "cc-number",
    "cardnumber",
    "card_number",
    "card-number",
    "card[number]",
    "cc_cid",
    "cc-cid",
    "cc_exp",
    "cc-exp",
    "ccexp",
    "cvv",
    "cvc",
    "card_code",
    "cardcode",
    "expiry",
    "expmonth",
    "exp_month",
    "exp-month",
    "payment[",
    "creditcard",
    "credit_card",
    "credit-card",
    "cc_owner",
    "ccsave",
    "cardholder",
    "card_holder",
];
/// Who pays.
const PERSONAL: &[&str] =
    &["billing[", "billing:", "billing_", "firstname", "lastname", "postcode", "telephone", "shipping["];
/// Where people pay.
const CHECKOUT: &[&str] =
    &["checkout", "onepage", "onestep", "firecheckout", "place-order", "placeorder", "/payment", "paypal|"];
/// Names that thieves' hosts borrow, and the registrable domains these names belong to.
const BORROWED: &[(&str, &[&str])] = &[
    (
        "google",
        &[
            "google.com",
            "googleapis.com",
            "googletagmanager.com",
            "google-analytics.com",
            "googleadservices.com",
            "googlesyndication.com",
            "googleusercontent.com",
            "googlevideo.com",
        ],
    ),
    ("googletag", &["googletagmanager.com", "googletagservices.com"]),
    ("analytics", &["google-analytics.com"]),
    ("gstatic", &["gstatic.com"]),
    ("jquery", &["jquery.com", "jqueryui.com", "jquery.org"]),
    ("cloudflare", &["cloudflare.com", "cloudflareinsights.com", "cloudflarestream.com"]),
    ("magento", &["magento.com", "magentocommerce.com", "adobe.com"]),
    ("mage", &["magento.com"]),
    ("facebook", &["facebook.com", "facebook.net"]),
    ("paypal", &["paypal.com", "paypalobjects.com"]),
    ("stripe", &["stripe.com", "stripe.network"]),
    ("bootstrap", &["bootstrapcdn.com", "getbootstrap.com"]),
    ("hotjar", &["hotjar.com", "hotjar.io"]),
    ("fontawesome", &["fontawesome.com"]),
];

pub(super) fn sinks(reading: &Reading) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut note = |is: bool, name: &'static str| {
        if is {
            found.insert(name);
        }
    };
    note(reading.has_name(&["fetch"]), "fetch");
    note(reading.has_name(&["XMLHttpRequest", "ajax", "ActiveXObject", "axios"]), "xhr");
    note(reading.has_name(&["sendBeacon"]), "beacon");
    note(reading.has_name(&["WebSocket"]), "websocket");
    note(reading.has_name(&["RTCPeerConnection", "createDataChannel"]), "webrtc");
    note(reading.has_name(&["EventSource"]), "event-source");
    note(reading.has_name(&["Image"]) || (reading.has_name(&["createElement"]) && reading.says(&["img"])), "image");
    let makes = |tag: &str| reading.has_name(&["createElement"]) && reading.strings.iter().any(|text| text == tag);
    note(makes("script") || reading.says(&["<script"]), "script-injection");
    note(makes("iframe") || reading.says(&["<iframe"]), "frame-injection");
    note(reading.has_name(&["submit", "requestSubmit"]), "form-submit");
    note(reading.has_name(&["eval", "Function"]), "eval");
    note(reading.has_name(&["write", "writeln"]) && reading.has_name(&["document"]), "document-write");
    note(reading.has_name(&["innerHTML", "outerHTML", "insertAdjacentHTML"]), "html");
    note(reading.has_name(&["postMessage"]), "post-message");
    note(reading.has_name(&["serviceWorker", "importScripts"]), "worker");
    found
}

pub(super) fn sources(reading: &Reading) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let mut note = |is: bool, name: &'static str| {
        if is {
            found.insert(name);
        }
    };
    let lower: BTreeSet<String> = reading.names.iter().map(|name| name.to_ascii_lowercase()).collect();
    let card_name = |name: &String| CARD.iter().any(|part| part.len() > 4 && name.contains(part));
    note(reading.says(CARD) || lower.iter().any(card_name), "card-fields");
    note(reading.says(PERSONAL), "personal-fields");
    let selects = [
        "querySelectorAll",
        "getElementsByTagName",
        "jQuery",
        "$",
        "forms",
        "elements",
        "FormData",
        "serialize",
        "serializeArray",
    ];
    let every = |text: &String| {
        matches!(text.as_str(), "input" | "select" | "textarea" | "form" | ":input")
            || text.starts_with("input,")
            || text.starts_with("input, ")
            || text.starts_with("input[")
    };
    let all_inputs = reading.has_name(&selects) && reading.strings.iter().any(every);
    note(all_inputs || reading.has_name(&["FormData", "serializeArray", "serialize"]), "all-inputs");
    note(
        reading.says(&["keydown", "keyup", "keypress", "onkey"])
            || reading.has_name(&["onkeydown", "onkeyup", "onkeypress"]),
        "keystrokes",
    );
    note(reading.has_name(&["cookie"]), "cookies");
    note(reading.has_name(&["localStorage", "sessionStorage", "indexedDB"]), "storage");
    note(reading.has_name(&["clipboard"]) || reading.says(&["paste"]), "clipboard");
    note(reading.has_name(&["location"]) && reading.says(CHECKOUT), "checkout-address");
    note(reading.has_name(&["value", "val", "serialize", "serializeArray", "FormData"]), "values");
    found
}

/// The signs, strongest first.
pub(super) fn indicators(
    reading: &Reading,
    sinks: &BTreeSet<&'static str>,
    sources: &BTreeSet<&'static str>,
) -> Vec<(&'static str, f64)> {
    let sends = [
        "fetch",
        "xhr",
        "beacon",
        "websocket",
        "webrtc",
        "image",
        "form-submit",
        "frame-injection",
        "script-injection",
    ]
    .iter()
    .any(|sink| sinks.contains(sink));
    let reads = sources.contains("values");
    let card = sources.contains("card-fields") && reads;
    let inputs = sources.contains("all-inputs") && reads;
    let hides = ["hex-names", "escaped-strings", "packer", "char-codes", "hidden-code", "jsfuck"]
        .iter()
        .filter(|how| reading.obfuscation.contains(*how))
        .count();
    let hidden_host = !reading.hidden_hosts.is_empty();
    let any_host = hidden_host || !reading.plain_hosts.is_empty();
    let checkout = sources.contains("checkout-address");
    let listens = reading.has_name(&[
        "addEventListener",
        "attachEvent",
        "onsubmit",
        "onclick",
        "on",
        "bind",
        "change",
        "setInterval",
        "onload",
    ]) || reading.says(&["click", "submit", "change", "blur"]);
    let all: [(&'static str, bool, f64); 19] = [
        ("card fields sent to a host that is hidden", card && sends && hidden_host, 0.75),
        ("card fields read by hidden code", card && hides > 0, 0.5),
        ("card fields sent to another host", card && sends && any_host && listens, 0.45),
        ("every field read and sent to a hidden host", inputs && sends && hidden_host, 0.6),
        ("every field read by hidden code", inputs && hides > 0 && (sends || checkout), 0.45),
        ("acts only where people pay and sends", checkout && sends && any_host, 0.4),
        ("acts only where people pay, and hides", checkout && hides > 0, 0.5),
        ("loads code from a hidden host", hidden_host && sinks.contains("script-injection"), 0.45),
        ("code hidden in strings is run", reading.obfuscation.contains("hidden-code"), 0.35),
        (
            "fields or keys go over a socket",
            (card || inputs) && (sinks.contains("websocket") || sinks.contains("webrtc")),
            0.6,
        ),
        ("a host with a borrowed name", borrowed(reading), 0.45),
        ("an image that is code", image_as_code(reading, sinks), 0.35),
        ("looks for developer tools", devtools(reading), 0.2),
        ("card and personal fields together, sent", card && sources.contains("personal-fields") && sends, 0.35),
        (
            "card fields kept in storage or cookies",
            card && (sources.contains("storage") || sources.contains("cookies")) && sends && any_host,
            0.3,
        ),
        ("every field read and sent where people pay", inputs && checkout && sends && any_host, 0.45),
        ("card fields taken by a timer and sent", card && sends && any_host && reading.has_name(&["setInterval"]), 0.4),
        ("most of it is one thing to decode, and a decoder", reading.obfuscation.contains("mostly-encoded"), 0.6),
        ("two ways of hiding", hides >= 2, 0.25),
    ];
    let mut found: Vec<(&'static str, f64)> =
        all.into_iter().filter(|(_, is, _)| *is).map(|(name, _, weight)| (name, weight)).collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

/// A host that carries a known name, or one a letter away, without belonging to its owner.
#[must_use]
pub fn is_borrowed(host: &str) -> bool {
    let Some(domain) = psl::domain_str(host) else { return false };
    let label = domain.split('.').next().unwrap_or("");
    BORROWED.iter().any(|(name, owners)| {
        let owned = owners.contains(&domain) || BORROWED.iter().any(|(_, all)| all.contains(&domain));
        let parts = || label.split(['-', '_']);
        // The owner's own name under another suffix, or as a part of a name that says service.
        let carries = name.len() >= 4
            && (parts().any(|part| part == *name || near(part, name))
                || (label.starts_with(name) && label.len() > name.len() && has_service_word(&label[name.len()..])));
        !owned && carries
    })
}

fn borrowed(reading: &Reading) -> bool {
    reading.plain_hosts.iter().chain(&reading.hidden_hosts).any(|host| is_borrowed(host))
}

fn has_service_word(rest: &str) -> bool {
    ["cdn", "js", "api", "static", "tag", "script", "analytic", "analytc", "stat", "cloud", "code", "lib", "play"]
        .iter()
        .any(|word| rest.trim_start_matches(['-', '_', 's']).starts_with(word))
}

/// Whether two words of some length differ by one letter changed, dropped, doubled or swapped.
fn near(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a == b || a.len() < 5 || b.len() < 6 || a.len().abs_diff(b.len()) > 1 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    // A letter more or less at the end makes a plural or another word.
    if start == a.len().min(b.len()) {
        return false;
    }
    let (a, b) = (&a[start..], &b[start..]);
    let tail = |from_a: usize, from_b: usize| a.get(from_a..).unwrap_or(&[]) == b.get(from_b..).unwrap_or(&[]);
    let swapped = a.len() >= 2 && b.len() >= 2 && a[0] == b[1] && a[1] == b[0] && tail(2, 2);
    tail(1, 1) || tail(1, 0) || tail(0, 1) || swapped
}

/// Something named as a picture that is fetched and run.
fn image_as_code(reading: &Reading, sinks: &BTreeSet<&'static str>) -> bool {
    let pictures = [".ico", ".png", ".gif", ".svg", ".jpg", ".webp"];
    let fetched = reading.strings.iter().any(|text| {
        text.contains("//")
            && pictures.iter().any(|end| text.split(['?', '#']).next().is_some_and(|path| path.ends_with(end)))
    });
    fetched && (sinks.contains("fetch") || sinks.contains("xhr")) && sinks.contains("eval")
}

fn devtools(reading: &Reading) -> bool {
    reading.says(&["devtools", "firebug"])
        || (reading.has_name(&["outerWidth"])
            && reading.has_name(&["innerWidth"])
            && reading.has_name(&["outerHeight"])
            && reading.has_name(&["innerHeight"])
            && reading.has_name(&["setInterval"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_borrowed_names() {
        let check = |host: &str, want: bool| assert_eq!(is_borrowed(host), want, "{host}");
        for host in [
            "jquery-code.su",
            "google-anaiytics.com",
            "googletagmanagar.com",
            "www.google-analytics.cm",
            "magento-cdn.net",
            "jquery-main.su",
            "gogle.net",
            "cloudflare-js.top",
        ] {
            check(host, true);
        }
        for host in [
            "code.jquery.com",
            "www.google-analytics.com",
            "maps.googleapis.com",
            "cdn.shop.example",
            "static.cloudflareinsights.com",
            "images.com",
            "m.stripe.network",
            "js.stripe.com",
            "imagekit.io",
        ] {
            check(host, false);
        }
    }
}
