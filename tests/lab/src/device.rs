//! What clients run on: browsers and the shop's own app, with their user agents and TLS fingerprints.

use riskgraph_domain::Text;

use crate::dice::Dice;

/// App releases the lab can go through.
const N_RELEASES: usize = 12;
/// Versions in circulation of each browser.
const N_VARIANTS: usize = 3;

/// A class of client software.
#[derive(Debug, Clone, Copy)]
struct Class {
    name: &'static str,
    /// User agent; `{v}` stands for the version.
    agent: &'static str,
    version: u32,
    share: f64,
    kind: ClassKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClassKind {
    Desktop,
    Phone,
    App,
}

const CLASSES: &[Class] = &[
    Class {
        name: "chrome-win",
        agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36",
        version: 141,
        share: 0.24,
        kind: ClassKind::Desktop,
    },
    Class {
        name: "edge-win",
        agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.0.0",
        version: 141,
        share: 0.06,
        kind: ClassKind::Desktop,
    },
    Class {
        name: "firefox",
        agent: "Mozilla/5.0 (X11; Linux x86_64; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",
        version: 143,
        share: 0.06,
        kind: ClassKind::Desktop,
    },
    Class {
        name: "safari-mac",
        agent: "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{v}.1 Safari/605.1.15",
        version: 18,
        share: 0.08,
        kind: ClassKind::Desktop,
    },
    Class {
        name: "safari-iphone",
        agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{v}.2 Mobile/15E148 Safari/604.1",
        version: 18,
        share: 0.17,
        kind: ClassKind::Phone,
    },
    Class {
        name: "chrome-android",
        agent: "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Mobile Safari/537.36",
        version: 141,
        share: 0.16,
        kind: ClassKind::Phone,
    },
    Class {
        name: "samsung",
        agent: "Mozilla/5.0 (Linux; Android 15; SAMSUNG SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{v}.0 Chrome/121.0.0.0 Mobile Safari/537.36",
        version: 26,
        share: 0.04,
        kind: ClassKind::Phone,
    },
    Class { name: "app-ios", agent: "ShopApp/{v} (iPhone; iOS 18.2)", version: 50, share: 0.1, kind: ClassKind::App },
    Class {
        name: "app-android",
        agent: "ShopApp/{v} (Android 15; okhttp/4.12)",
        version: 50,
        share: 0.09,
        kind: ClassKind::App,
    },
];

/// A device in somebody's hands.
#[derive(Debug, Clone)]
pub(crate) struct Device {
    pub class: u8,
    pub variant: u8,
    pub release: u8,
    pub id: Text,
}

/// User agents and fingerprints of one seed.
#[derive(Debug, Clone)]
pub(crate) struct Devices {
    /// By class, by variant (browsers) or release (apps).
    agents: Vec<Vec<(Text, Text)>>,
}

impl Devices {
    pub(crate) fn of(seed: u64) -> Self {
        let agents = CLASSES
            .iter()
            .map(|class| {
                let n = if class.kind == ClassKind::App { N_RELEASES } else { N_VARIANTS };
                (0..n).map(|at| describe(seed, class, at)).collect()
            })
            .collect();
        Self { agents }
    }

    /// A new device, of a class as common as in the market.
    pub(crate) fn draw(&self, kind: Option<ClassKind>, release: u8, dice: &mut Dice) -> Device {
        let weights: Vec<f64> = CLASSES
            .iter()
            .map(|class| if kind.is_none_or(|wanted| wanted == class.kind) { class.share } else { 0.0 })
            .collect();
        let class = dice.weighted(&weights) as u8;
        let variant = dice.below(N_VARIANTS as u64) as u8;
        Device { class, variant, release, id: Text::from(format!("d-{}", dice.hex(10))) }
    }

    /// User agent and TLS fingerprint.
    pub(crate) fn agent(&self, device: &Device) -> &(Text, Text) {
        let row = &self.agents[usize::from(device.class)];
        let at = if kind_of(device) == ClassKind::App { device.release } else { device.variant };
        &row[usize::from(at).min(row.len() - 1)]
    }
}

/// What kind of client a device is.
pub(crate) fn kind_of(device: &Device) -> ClassKind {
    CLASSES[usize::from(device.class)].kind
}

/// A TLS fingerprint in the JA4 form, made from a name.
pub(crate) fn ja4(seed: u64, name: &str) -> Text {
    let mut dice = Dice::of(seed, &["ja4", name]);
    let (ciphers, extensions) = (dice.range(9, 17), dice.range(8, 18));
    Text::from(format!("t13d{ciphers:02}{extensions:02}h2_{}_{}", dice.hex(12), dice.hex(12)))
}

fn describe(seed: u64, class: &Class, at: usize) -> (Text, Text) {
    let app = class.kind == ClassKind::App;
    let version = if app { format!("5.{at}.0") } else { (class.version - at as u32).to_string() };
    // An app's network library changes with its release; a browser keeps its hello over neighbouring versions.
    let name = if app { format!("{}-{at}", class.name) } else { class.name.to_owned() };
    (Text::from(class.agent.replace("{v}", &version)), ja4(seed, &name))
}
