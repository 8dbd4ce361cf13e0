//! Word lists for people, companies and things sold. Invented; any likeness is chance.

pub(crate) const FIRST: &[&str] = &[
    "mia", "noah", "emma", "liam", "lea", "finn", "anna", "jonas", "sofia", "paul", "lina", "max", "clara", "leon",
    "ida", "emil", "nora", "oskar", "maja", "hugo", "elsa", "axel", "freja", "viktor", "julia", "piotr", "zofia",
    "jan", "agata", "luca", "giulia", "marco", "elena", "pablo", "lucia", "diego", "carmen", "tom", "grace", "oliver",
    "chloe", "louis", "camille", "hugh", "ines", "daan", "sanne", "bram", "fleur", "mikael", "aino", "eero", "marta",
    "rui", "beatriz", "petr", "jana", "andrei", "ioana", "katalin", "bence", "dimitra", "nikos", "aylin", "emre",
];
pub(crate) const LAST: &[&str] = &[
    "holm", "berg", "lind", "weber", "fischer", "wolf", "braun", "keller", "vogt", "sommer", "winter", "novak",
    "kowal", "wozniak", "rossi", "conti", "marino", "garcia", "lopez", "navarro", "dupont", "moreau", "girard",
    "dejong", "visser", "bakker", "smit", "jensen", "nielsen", "dahl", "haugen", "virtanen", "korhonen", "silva",
    "pereira", "costa", "svoboda", "dvorak", "popescu", "ionescu", "nagy", "toth", "papas", "demir", "kaya", "turner",
    "baker", "hughes", "reed", "murphy", "walsh", "byrne", "clarke", "price", "wood", "hart", "lowe", "frost",
];
/// First halves of company names.
pub(crate) const COMPANY_HEAD: &[&str] = &[
    "Nord", "Blau", "Quick", "Silver", "Cargo", "Klar", "Ever", "Prime", "Alto", "Vela", "Terra", "Luma", "Swift",
    "Falk", "Orbi", "Kepler", "Mont", "Rivo", "Stella", "Tern", "Vanta", "Wil", "Zeph", "Arbo", "Brisk", "Coral",
];
/// Second halves of company names, by what the company does.
pub(crate) const COMPANY_TAIL: &[&str] =
    &["istix", "wave", "line", "bridge", "point", "loop", "field", "stack", "port", "grid", "mark", "scope", "cove"];
pub(crate) const LEGAL: &[&str] =
    &["GmbH", "GmbH & Co. KG", "AB", "B.V.", "S.p.A.", "SAS", "Ltd", "Inc.", "Oy", "ApS", "sp. z o.o.", "AG"];
/// What headlines make of a legal form.
pub(crate) const HEADLINE_LEGAL: &[&str] = &["Ltd", "Inc", "Limited", "Group", "", "AG", "LLC"];
pub(crate) const MAIL_DOMAINS: &[&str] =
    &["mail.example", "post.example", "inbox.example", "webmail.example", "home.example", "letters.example"];
pub(crate) const CATEGORIES: &[&str] = &[
    "shoes", "jackets", "lamps", "kitchen", "garden", "toys", "books", "audio", "phones", "bikes", "sale", "new",
    "outdoor", "beauty", "office", "pets",
];
pub(crate) const SEARCHES: &[&str] = &[
    "running+shoes",
    "lamp",
    "usb+c+cable",
    "winter+jacket",
    "coffee+grinder",
    "tent",
    "gift",
    "headphones",
    "dog+bed",
    "desk",
    "rain+coat",
    "water+bottle",
    "kids+bike",
    "knife",
    "backpack",
    "blue+dress",
];
