# The recipes are the steps of .ci/run.

# All of them.
ci:
    bash .ci/run

fmt:
    cargo fmt --all --check

lint:
    cargo clippy --workspace --all-targets -- -D warnings

test:
    cargo test --workspace

doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

deny:
    cargo deny check bans licenses sources

# The OpenAPI documents, and the release binary against them.
openapi:
    cargo build --release
    bash .ci/openapi

# The showcase.
load:
    cargo run --release -- load

bench:
    cargo bench -p benches

# The server against its targets; `just speed quick` for a first look.
speed *arguments:
    benches/speed {{arguments}}

# Exact, simulated and live figures of every scenario; `just agreement outage` for one.
agreement *scenarios:
    cargo build --release
    benches/agreement {{scenarios}}

# Arbitrary input: request, socket or grammar, for a while. See fuzz/README.md.
fuzz target seconds="60":
    RUSTC_BOOTSTRAP=1 cargo fuzz run -s none {{target}} -- -max_total_time={{seconds}} -max_len=4096

# Rewrite the golden files; read the diff before you commit it.
golden:
    EXPECTORATE=overwrite cargo test --workspace
