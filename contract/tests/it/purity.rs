//! The pure crates, proven pure: what they may depend on is a closed list.

use std::path::Path;

/// Every library that a pure crate may name, beside the pure crates themselves.
/// None of them opens a file or a socket, starts a thread or reads a clock
/// unless it is asked to, and `clippy.toml` forbids the asking.
const ALLOWED: [&str; 26] = [
    "base64",
    "bytes",
    "fake",
    "form_urlencoded",
    "futures-util",
    "hdrhistogram",
    "hmac",
    "indexmap",
    "jiff",
    "multer",
    "rand",
    "rand_chacha",
    "rand_distr",
    "rustc-hash",
    "schemars",
    "serde",
    "serde_json",
    "serde_with",
    "sha2",
    "statrs",
    "strsim",
    "thiserror",
    "toml", // and our own:
    "contract",
    "mock-server-core",
    "loadgen-core",
];

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test reads manifests; the crate does not"
)]
fn pure_crates_depend_on_nothing_that_does_io() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace");
    for pure in [
        "contract",
        "mock-server/core",
        "loadgen/core",
        "loadgen/sim",
    ] {
        let manifest = root.join(pure).join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).expect("a pure crate has a manifest");
        let manifest: toml::Table = text.parse().expect("a manifest is TOML");
        let dependencies = manifest["dependencies"].as_table().expect("a table");
        for name in dependencies.keys() {
            assert!(
                ALLOWED.contains(&name.as_str()),
                "{pure} must not depend on {name}"
            );
        }
        assert!(
            !manifest.contains_key("build-dependencies"),
            "{pure} has a build script"
        );
        let lints = root.join(pure).join("clippy.toml");
        let bans = std::fs::read_to_string(lints).expect("a pure crate has its own bans");
        for banned in [
            "std::time::Instant",
            "std::time::SystemTime",
            "std::collections::HashMap",
        ] {
            assert!(
                bans.contains(banned),
                "{pure}/clippy.toml does not ban {banned}"
            );
        }
    }
}
