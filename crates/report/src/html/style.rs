//! The style sheet: light, dark and on paper. It must *not* know the report.

use std::fmt::Write as _;

use crate::palette::{self, ACCENT, Colour, INK, LINE, MUTED, PANEL, STALE, STALE_PAPER, hex};

/// In the dark.
const DARK: [(&str, Colour); 8] = [
    ("paper", (0x12, 0x15, 0x1b)),
    ("ink", (0xe7, 0xea, 0xf0)),
    ("muted", (0xa3, 0xac, 0xbb)),
    ("line", (0x34, 0x3b, 0x47)),
    ("panel", (0x1b, 0x20, 0x28)),
    ("accent", (0x8a, 0xb4, 0xf8)),
    ("stale", (0xff, 0xc2, 0x6e)),
    ("stale-paper", (0x3a, 0x2a, 0x10)),
];

const RULES: &str = "
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:60rem;padding:2.5rem 1.5rem 4rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;overflow-wrap:anywhere}
a{color:var(--accent);text-decoration-thickness:1px;text-underline-offset:2px}
a:focus-visible,[tabindex]:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-999rem}.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.5rem}
header{border-bottom:1px solid var(--line);padding-bottom:1.25rem;margin-bottom:1.5rem}
.audience{margin:0;color:var(--muted);font-size:.85rem;font-weight:600;letter-spacing:.04em;text-transform:uppercase}
h1{margin:.2rem 0 .3rem;font-size:2rem;line-height:1.2;letter-spacing:-.01em}
h2{margin:2.2rem 0 .8rem;font-size:1.3rem;line-height:1.3}
h3,caption,figcaption{font-size:1rem;font-weight:600;text-align:start;margin:0 0 .5rem}
p{margin:.4rem 0}
.asof,.note,.detail{color:var(--muted)}
.asof{font-size:.95rem}
.note{font-size:.85rem}
.lead{margin-top:1rem;font-size:1.08rem}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(13.5rem,1fr));gap:.75rem;list-style:none;margin:0 0 1.5rem;padding:0}
.figure{display:flex;flex-direction:column;gap:.1rem;background:var(--panel);border:1px solid var(--line);border-inline-start:4px solid var(--plain);border-radius:6px;padding:.75rem .9rem}
.figure .label{font-size:.9rem;color:var(--muted)}
.figure .value{font-size:1.7rem;font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums}
.figure .evidence{font-size:.85rem;margin-top:auto;padding-top:.35rem}
.mark{display:block;width:fit-content;margin-top:.25rem;padding:.05rem .4rem;border-radius:4px;background:var(--stale-paper);color:var(--stale);font-size:.8rem;font-weight:500}
.stale{display:inline-block;margin-top:.75rem;padding:.35rem .7rem;border-radius:6px;background:var(--stale-paper);color:var(--stale)}
.stale a{color:inherit}
.scroll{overflow-x:auto;margin:1rem 0 1.5rem}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th,td{padding:.5rem .6rem;text-align:start;vertical-align:top;border-bottom:1px solid var(--line);min-width:4.5rem}
thead th{color:var(--muted);font-weight:600;font-size:.85rem;border-bottom-width:2px;vertical-align:bottom}
tbody th{font-weight:500}
.num{text-align:end;font-variant-numeric:tabular-nums}
.detail{display:block;font-size:.85rem;font-weight:400}
.badge{display:inline-block;padding:.05rem .5rem;border-radius:999px;font-size:.85rem;font-weight:600;white-space:nowrap}
.none{margin:1rem 0 1.5rem;padding:.8rem 1rem;border:1px solid var(--line);border-radius:6px}
.none h3{margin:0}.none p{margin:.2rem 0 0;color:var(--muted)}
figure{margin:1rem 0 1.5rem}
svg{display:block;width:100%;height:auto;max-width:44rem}
svg text{fill:var(--muted);font-family:inherit}
svg .rule{stroke:var(--line);stroke-width:1;fill:none}
svg .line{fill:none;stroke-width:2;stroke-linejoin:round}
.method{margin-top:2.5rem;border-top:1px solid var(--line);color:var(--muted);font-size:.88rem}
.method h2{font-size:1rem;margin-top:1.2rem}
ul{padding-inline-start:1.2rem}
@media (max-width:40rem){body{padding:1.25rem .9rem 3rem}h1{font-size:1.6rem}table{min-width:38rem}}
@media print{
@page{size:A4;margin:16mm 15mm 18mm}
body{max-width:none;padding:0;font-size:10pt}
h1{font-size:20pt}h2{font-size:13pt;break-after:avoid}
h3,caption,figcaption{break-after:avoid}
.skip{display:none}.scroll{overflow:visible}
thead{display:table-header-group}tr,figure,.figure,.none{break-inside:avoid}
table{font-size:8.5pt}.figures{grid-template-columns:repeat(3,1fr)}
.badge,.figure,.mark,.stale{-webkit-print-color-adjust:exact;print-color-adjust:exact}
svg{-webkit-print-color-adjust:exact;print-color-adjust:exact}
}
";

pub(super) fn sheet() -> String {
    let light: [(&str, Colour); 8] = [
        ("paper", (0xff, 0xff, 0xff)),
        ("ink", INK),
        ("muted", MUTED),
        ("line", LINE),
        ("panel", PANEL),
        ("accent", ACCENT),
        ("stale", STALE),
        ("stale-paper", STALE_PAPER),
    ];
    let mut sheet = String::from(":root{");
    variables(&mut sheet, &light, |look| (look.solid, look.ink, look.soft));
    sheet.push_str("}\n@media screen and (prefers-color-scheme:dark){:root{");
    variables(&mut sheet, &DARK, |look| look.dark);
    sheet.push_str("}}");
    sheet.push_str(RULES);
    for tone in palette::ALL {
        let name = palette::look(tone).name;
        let _ = writeln!(
            sheet,
            ".figure.{name}{{border-inline-start-color:var(--{name})}}.badge.{name}{{background:var(--{name}-soft);color:var(--{name}-ink)}}\
             svg .{name}{{fill:var(--{name})}}svg .line.{name}{{fill:none;stroke:var(--{name})}}"
        );
    }
    sheet
}

fn variables(sheet: &mut String, fixed: &[(&str, Colour)], of: impl Fn(palette::Look) -> (Colour, Colour, Colour)) {
    for (name, colour) in fixed {
        let _ = write!(sheet, "--{name}:{};", hex(*colour));
    }
    for tone in palette::ALL {
        let look = palette::look(tone);
        let (solid, ink, soft) = of(look);
        let name = look.name;
        let _ = write!(sheet, "--{name}:{};--{name}-ink:{};--{name}-soft:{};", hex(solid), hex(ink), hex(soft));
    }
}
