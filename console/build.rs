//! Notices when the console was built anew: its files have new names, which the embedding alone would not see.

fn main() {
    println!("cargo:rerun-if-changed=web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    if !std::path::Path::new("web/dist/index.html").exists() {
        println!(
            "cargo:warning=the console is not built: run `make console` first, or the binary shows a plain page instead"
        );
    }
}
