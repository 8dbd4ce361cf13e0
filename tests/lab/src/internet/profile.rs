//! What can be good or bad about a vendor's presence on the internet.

/// One way of being a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    Exemplary,
    Average,
    WeakHeaders,
    ExpiredCertificate,
    SelfSigned,
    WrongName,
    OpenMail,
    LegacyTls,
    BotWall,
    Dead,
    LooseScripts,
    Slow,
}

impl Profile {
    /// Every profile.
    pub const ALL: &'static [Self] = &[
        Self::Exemplary,
        Self::Average,
        Self::WeakHeaders,
        Self::ExpiredCertificate,
        Self::SelfSigned,
        Self::WrongName,
        Self::OpenMail,
        Self::LegacyTls,
        Self::BotWall,
        Self::Dead,
        Self::LooseScripts,
        Self::Slow,
    ];

    /// What is wrong, in words.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Exemplary => {
                "nothing: strict CSP, preloadable HSTS, SRI, security.txt, DMARC reject, MTA-STS, TLS-RPT, CAA, a signed zone"
            }
            Self::Average => "DMARC p=none, short HSTS, no CSP, no CAA, no security.txt; otherwise sound",
            Self::WeakHeaders => {
                "no security headers, no redirect to HTTPS, session cookie without Secure and HttpOnly, a dead name server"
            }
            Self::ExpiredCertificate => "the certificate expired three weeks ago",
            Self::SelfSigned => "the certificate is signed by nobody but itself",
            Self::WrongName => "the certificate is for another host",
            Self::OpenMail => "SPF ends in +all, no DMARC, no DKIM: anybody can send as them",
            Self::LegacyTls => "still accepts TLS 1.0 and 1.1",
            Self::BotWall => "answers 429 or 403 to everybody unknown: what cannot be seen is unknown, not bad",
            Self::Dead => "refuses web connections: unknown, not bad; DNS still answers",
            Self::LooseScripts => {
                "third-party scripts without SRI, one from a look-alike host, one from a host that is gone, packed inline code"
            }
            Self::Slow => "answers after seconds; otherwise average",
        }
    }

    /// Grades that would be right, best first; `NR` where too much cannot be seen.
    #[must_use]
    pub const fn expected_grades(self) -> &'static [&'static str] {
        match self {
            Self::Exemplary => &["A", "B"],
            Self::Average | Self::Slow => &["A", "B", "C", "NR"],
            Self::WeakHeaders | Self::LooseScripts => &["B", "C", "D", "F"],
            // Old versions are only a warning where nobody pays (TLS-09), so the rest decides.
            Self::LegacyTls => &["A", "B", "C"],
            Self::OpenMail => &["B", "C", "D", "F"],
            Self::ExpiredCertificate | Self::SelfSigned | Self::WrongName => &["D", "F"],
            Self::BotWall | Self::Dead => &["A", "B", "C", "D", "NR"],
        }
    }
}
