//! Prints the permutations of names read from standard input, one JSON array a line, to compare with other tools.

use std::io::{BufRead as _, Write as _};

use riskgraph_analysis::lookalike::{Name, Words, permutations};

fn main() -> std::io::Result<()> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match Name::parse(&line) {
            Ok(name) => serde_json::to_writer(&mut out, &permutations(&name, &Words::default()))?,
            Err(_) => out.write_all(b"null")?,
        }
        out.write_all(b"\n")?;
    }
    Ok(())
}
