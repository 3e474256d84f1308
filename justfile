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

# Rewrite the golden files; read the diff before you commit it.
golden:
    EXPECTORATE=overwrite cargo test --workspace
