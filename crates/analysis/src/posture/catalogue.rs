//! The table of all checks. `docs/checks.md` explains each; ids never change their meaning.

use riskgraph_domain::Severity::{Critical, High, Info, Low, Medium};

use super::check::Check;
use super::check::Judge::{Domain, Endpoint, Page};
use super::mail::{self, dmarc, spf, transport};
use super::{cookies, csp, dns, headers, scripts, tls, transparency};

macro_rules! checks {
    ($($id:literal $severity:ident $scope:ident($judge:path): $title:literal, $advice:literal, $reference:literal;)*) => {
        /// Every check, in the catalogue's order.
        pub const CATALOGUE: &[Check] = &[$(Check {
            id: $id, severity: $severity, title: $title, recommendation: $advice, reference: $reference,
            judge: $scope($judge),
        }),*];
    };
}

checks! {
    "DNS-01" Critical Domain(dns::delegation): "The domain is delegated to working name servers",
        "Restore the delegation at the registrar and make at least one name server answer for the zone.", "RFC 1034";
    "DNS-02" High Domain(dns::redundancy): "The zone has several name servers",
        "Add a second name server at another address.", "RFC 1034 4.1";
    "DNS-03" Medium Domain(dns::transports): "Name servers answer over UDP and TCP",
        "Open TCP port 53 on every name server.", "RFC 7766";
    "DNS-04" Low Domain(dns::networks): "Name servers stand in more than one network",
        "Place one name server in another network or with another provider.", "RFC 2182 3.1";
    "DNS-05" Medium Domain(dns::aliases): "No name server is an alias",
        "Let NS records name hosts with addresses, not CNAMEs.", "RFC 2181 10.3";
    "DNS-06" Low Domain(dns::parent_and_child): "The parent and the zone list the same name servers",
        "Make the NS records of the zone and of the registrar equal.", "RFC 1034 4.2.2";
    "DNS-07" Medium Domain(dns::glue): "Glue records match the addresses in the zone",
        "Update the glue records at the registrar.", "RFC 1034 4.2.1";
    "DNS-08" High Domain(dns::lame): "Every name server is authoritative",
        "Remove the name servers that do not serve the zone, or load the zone there.", "RFC 1912 2.8";
    "DNS-10" Low Domain(dns::soa): "The SOA record is consistent and sane",
        "Keep serials equal on all servers and the timers within RFC 1912.", "RFC 1912 2.2";
    "DNS-11" Medium Domain(dns::recursion): "Name servers offer no recursion",
        "Switch recursion off on authoritative servers.", "RFC 5358";
    "DNS-15" Medium Domain(dns::signed): "The zone is signed with DNSSEC",
        "Sign the zone and publish the DS record at the registrar.", "RFC 4035";
    "DNS-16" Critical Domain(dns::chain): "The DNSSEC chain of trust holds",
        "Repair the DS, DNSKEY and RRSIG records: validating resolvers refuse the domain now.", "RFC 4035 5";
    "DNS-20" Low Domain(dns::caa): "CAA says which authorities may issue certificates",
        "Publish valid CAA records for the authorities in use.", "RFC 8659";
    "DNS-23" Low Domain(dns::private_addresses): "No private address stands in public DNS",
        "Take internal addresses out of the public zone.", "RFC 1918";
    "MAIL-01" High Domain(spf::present): "One SPF record says who may send",
        "Publish exactly one TXT record v=spf1 that lists the senders and ends in -all.", "RFC 7208 4.5";
    "MAIL-02" High Domain(spf::syntax): "The SPF record can be evaluated",
        "Correct the record: receivers treat a broken one as no protection.", "RFC 7208 4.6";
    "MAIL-03" Medium Domain(spf::lookups): "SPF needs at most ten lookups",
        "Remove includes that are not needed or replace them by address ranges.", "RFC 7208 4.6.4";
    "MAIL-04" Medium Domain(spf::voids): "SPF names no dead ends",
        "Remove mechanisms whose names have no records.", "RFC 7208 4.6.4";
    "MAIL-05" High Domain(spf::terminal): "SPF refuses everyone else",
        "End the record in -all once all senders are listed.", "RFC 7208 5.1";
    "MAIL-06" High Domain(spf::networks): "SPF authorises no huge networks",
        "List the sending addresses instead of whole networks.", "RFC 7208 11.4";
    "MAIL-07" Critical Domain(spf::targets): "Every name SPF includes exists",
        "Remove the include: whoever registers the name may send as you.", "RFC 7208 5.2";
    "MAIL-08" Low Domain(spf::form): "The SPF record is short and without ptr",
        "Remove ptr, terms behind all, and shorten the record below 450 bytes.", "RFC 7208 3.4, 5.5";
    "MAIL-09" High Domain(dmarc::present): "A DMARC record decides about forgeries",
        "Publish a TXT record v=DMARC1 at _dmarc of the domain.", "RFC 9989 4.10";
    "MAIL-10" High Domain(dmarc::syntax): "The DMARC record is valid and alone",
        "Correct the record: one, at _dmarc, with valid values.", "RFC 9989 4.7";
    "MAIL-11" High Domain(dmarc::policy): "DMARC rejects forgeries",
        "Move to p=reject without t=y once reports show that own mail passes.", "RFC 9989 4.7";
    "MAIL-12" Medium Domain(dmarc::subdomains): "DMARC protects subdomains as well",
        "Set sp and np at least as strict as p, or leave them out.", "RFC 9989 4.7";
    "MAIL-13" Low Domain(dmarc::reports): "DMARC reports reach someone",
        "Name a mailbox in rua; if it is another organisation's, have it publish the agreement.", "RFC 9990 4";
    "MAIL-14" Info Domain(dmarc::removed): "No removed DMARC tags",
        "Remove pct, rf and ri.", "RFC 9989 A.4";
    "MAIL-16" Medium Domain(transport::mta_sts): "MTA-STS says that mail must arrive encrypted",
        "Publish _mta-sts and the policy file with every MX host.", "RFC 8461";
    "MAIL-17" Low Domain(transport::mta_sts_strength): "The MTA-STS policy is enforced for weeks",
        "Set mode: enforce and a max_age of weeks.", "RFC 8461 3.2";
    "MAIL-18" Low Domain(transport::tls_reports): "Failed mail encryption is reported",
        "Publish v=TLSRPTv1 with a rua at _smtp._tls.", "RFC 8460";
    "MAIL-21" Medium Domain(mail::parked): "A domain without mail says so",
        "Publish v=spf1 -all and a DMARC record with p=reject.", "RFC 7505; RFC 7208 10.1.2";
    "TLS-01" Critical Endpoint(tls::reachable): "HTTPS is offered",
        "Serve the site over HTTPS.", "RFC 9110 4.2.2";
    "TLS-02" Critical Endpoint(tls::validity): "The certificate is valid and not about to end",
        "Renew the certificate and automate renewal.", "RFC 5280 4.1.2.5";
    "TLS-03" Critical Endpoint(tls::host_name): "The certificate is for this host",
        "Use a certificate that names this host.", "RFC 9525";
    "TLS-04" Critical Endpoint(tls::trusted): "The certificate chain is trusted and complete",
        "Use a certificate of a public authority and send all intermediates.", "RFC 5280 6";
    "TLS-06" High Endpoint(tls::key_size): "The certificate's key is long enough",
        "Use ECDSA P-256 or RSA of at least 2048 bits, better 3072.", "SSL Labs 2009r; NCSC 2025";
    "TLS-07" High Endpoint(tls::signature): "No certificate is signed with MD5 or SHA-1",
        "Replace certificates signed with MD5 or SHA-1.", "RFC 9155";
    "TLS-08" Critical Endpoint(tls::ssl): "SSLv2 and SSLv3 are off",
        "Switch SSLv2 and SSLv3 off.", "RFC 6176; RFC 7568";
    "TLS-09" Medium Endpoint(tls::early_tls): "TLS 1.0 and 1.1 are off",
        "Switch TLS 1.0 and 1.1 off.", "RFC 8996";
    "TLS-10" Medium Endpoint(tls::modern_tls): "TLS 1.2 and 1.3 are on",
        "Switch TLS 1.3 on and keep 1.2.", "RFC 9325 3.1";
    "TLS-11" High Endpoint(tls::weak_suites): "No broken cipher suite is accepted",
        "Switch off suites without encryption or authentication, export suites, RC4, DES and 3DES.", "RFC 9325 4.1";
    "TLS-12" Medium Endpoint(tls::strong_suites): "Forward secrecy and authenticated encryption are offered",
        "Prefer ECDHE suites with AES-GCM or ChaCha20-Poly1305.", "RFC 9325 4.2";
    "TLS-17" Medium Endpoint(tls::transparency): "The certificate is publicly logged",
        "Use a certificate with signed certificate timestamps.", "RFC 6962";
    "TLS-19" Low Endpoint(tls::lifetime): "The certificate lives no longer than allowed",
        "Use certificates of at most 398 days, better 90.", "CA/Browser Forum BR 6.3.2";
    "HTTP-01" Medium Page(csp::policy): "A Content Security Policy keeps foreign and inline code out",
        "Send a Content-Security-Policy with nonces or hashes and 'strict-dynamic', without 'unsafe-inline' and broad sources.", "W3C CSP3";
    "HTTP-02" High Domain(headers::redirection): "Plain HTTP leads to HTTPS",
        "Redirect http:// to https:// on the same host with the first answer.", "RFC 9110 4.2.2";
    "HTTP-03" High Domain(headers::strict_transport): "HSTS keeps browsers on HTTPS",
        "Send Strict-Transport-Security: max-age=31536000; includeSubDomains.", "RFC 6797";
    "HTTP-04" Medium Page(headers::framing): "Strangers cannot frame the page",
        "Send Content-Security-Policy: frame-ancestors 'self' (a header, not <meta>).", "W3C CSP3 6.4.2; RFC 7034";
    "HTTP-05" Low Page(headers::sniffing): "Browsers do not guess content types",
        "Send X-Content-Type-Options: nosniff.", "Fetch standard";
    "HTTP-06" Low Page(headers::referrer): "Page addresses are not told to strangers",
        "Send Referrer-Policy: strict-origin-when-cross-origin.", "W3C Referrer Policy";
    "HTTP-07" Critical Domain(headers::cors): "No stranger may read with the visitor's cookies",
        "Do not reflect the Origin header together with Access-Control-Allow-Credentials.", "Fetch standard";
    "HTTP-08" Info Page(headers::resource_policy): "Cross-Origin-Resource-Policy is valid",
        "Send same-origin, same-site or cross-origin, once.", "Fetch standard";
    "HTTP-09" Info Page(headers::embedder_policy): "Cross-Origin-Embedder-Policy is valid",
        "Send require-corp, credentialless or unsafe-none, unquoted and once.", "HTML standard";
    "HTTP-10" Info Page(headers::opener_policy): "Cross-Origin-Opener-Policy is valid",
        "Send same-origin or same-origin-allow-popups, unquoted and once.", "HTML standard";
    "HTTP-11" High Page(scripts::integrity): "Scripts from other sites are pinned",
        "Load third-party scripts over https with an integrity attribute, or host them yourself.", "W3C SRI";
    "HTTP-12" High Page(cookies::attributes): "Cookies are Secure, HttpOnly and SameSite",
        "Set Secure and HttpOnly on session cookies and SameSite on all.", "RFC 6265bis";
    "HTTP-14" Low Page(csp::objects_and_base): "The policy restricts plugins and base URLs",
        "Add object-src 'none' and base-uri 'none' to the policy.", "W3C CSP3";
    "HTTP-15" Medium Page(csp::script_sources): "No script source that anyone can fill",
        "Remove wildcards over public suffixes, data: and blob: from the script sources.", "W3C CSP3";
    "HTTP-16" Medium Page(csp::frame_ancestors): "frame-ancestors restricts, and stands in a header",
        "Send frame-ancestors as a header and name the sites that may frame the page.", "W3C CSP3 6.4.2";
    "HTTP-17" Medium Page(headers::strict_transport_form): "The HSTS header is well-formed",
        "Send one valid header; preload only with includeSubDomains and at least a year.", "RFC 6797 6.1";
    "HTTP-18" Info Page(headers::version_leak): "No header tells software versions",
        "Leave version numbers out of Server and X-Powered-By.", "RFC 9110 10.2.4";
    "HTTP-24" High Page(scripts::mixed_content): "No active content comes over http",
        "Load scripts, frames and styles over https.", "W3C Mixed Content";
    "PAY-08" Critical Page(scripts::forms): "Card numbers and passwords go to the own site over https",
        "Send the form to https on the own site or the approved payment provider.", "PCI DSS 4.0.1 6.4.3";
    "TRAN-01" Low Domain(transparency::security_txt): "A valid security.txt tells whom to call",
        "Publish /.well-known/security.txt with Contact and an Expires date less than a year away.", "RFC 9116";
}
