# Two commands: `make demo` runs the product on a small internet of its own, `make test` passes the tests.
# Both set up what they need on a Debian-like machine that has Rust, Node and make.

# Seconds after which the demo ends by itself; empty: it runs until Ctrl-C.
FOR ?=

.PHONY: demo test console journeys screenshots bench gen lint

demo: console
	cargo build --release --locked
	./target/release/riskgraph demo $(if $(FOR),--for $(FOR))

test:
	./scripts/test.sh

console:
	./scripts/console.sh

# The console in a real browser against the demo, and the pictures of the README from it.
journeys: console
	cargo build --locked
	./scripts/journeys.sh journeys

screenshots: console
	cargo build --release --locked
	./scripts/journeys.sh screenshots

bench:
	cargo bench --locked

gen:
	cargo xtask gen

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
