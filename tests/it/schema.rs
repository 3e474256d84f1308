//! The published JSON Schemas: what ships keeps them, and what they refuse the
//! reader refuses as well.

use std::fs;
use std::path::{Path, PathBuf};

use loadgen_core::scenario::{Overrides, Scenario};
use serde_json::{Value, json};

use crate::binary::otplab;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn printed(file: &str) -> String {
    let output = otplab().args(["schema", file]).output().expect("it runs");
    assert!(output.status.success());
    String::from_utf8(output.stdout).expect("text")
}

fn validator(file: &str) -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(&printed(file)).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

fn toml(origin: &str, text: &str) -> Value {
    contract::document::parse(origin, text).expect(text)
}

fn scenarios() -> Vec<PathBuf> {
    let folder = Path::new(ROOT).join("scenarios");
    let files = fs::read_dir(folder).expect("a folder");
    let files = files.map(|file| file.expect("a file").path());
    let files: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    assert!(files.len() > 9);
    files
}

#[test]
fn the_published_schemas_are_what_the_program_prints() {
    expectorate::assert_contents("scenarios/schema.json", &printed("scenario"));
    expectorate::assert_contents("docs/serve.schema.json", &printed("config"));
}

#[test]
fn every_scenario_that_ships_keeps_the_schema() {
    let validator = validator("scenario");
    for file in scenarios() {
        let shown = file.display().to_string();
        let text = fs::read_to_string(&file).expect("text");
        let read = toml(&shown, &text);
        let errors = validator.iter_errors(&read).map(|error| error.to_string());
        assert_eq!(errors.collect::<Vec<_>>(), [""; 0], "{shown}");
    }
}

#[test]
fn what_a_scenario_cannot_say_schema_and_reader_refuse_alike() {
    let validator = validator("scenario");
    let good = "[stop]\ncount = 1\n[users]\n[arrivals]\nusers = 1\n[mock]\n[setup]\nrentals = 1\n";
    assert!(validator.is_valid(&toml("s", good)));
    for section in ["[stop]", "[users]", "[arrivals]", "[setup]"] {
        let text = good.replace(section, &format!("{section}\nnonsense = 1"));
        assert!(!validator.is_valid(&toml("s", &text)), "{text}");
        let read = Scenario::read("s", "s.toml", &text, Overrides::default());
        let error = read.expect_err(&text).to_string();
        assert!(error.contains("unknown field `nonsense`"), "{error}");
    }
    // The mock's part has a reader of its own.
    let text = good.replace("[mock]", "[mock]\nnonsense = 1");
    assert!(!validator.is_valid(&toml("s", &text)), "{text}");
    for text in [
        "arrivals = 5\n[stop]\ncount = 1\n",
        "[stop]\ncount = 1\n",
        "arrivals = \"5/s\"\n",
        "arrivals = \"5/s\"\nseed = \"x\"\n[stop]\ncount = 1\n",
        "arrivals = \"5/s\"\n[stop]\ncount = 1\n[users]\ndo = \"nothing\"\n",
        "arrivals = \"5/s\"\n[stop]\ncount = 1\n[[populations]]\nname = \"x\"\n",
    ] {
        assert!(!validator.is_valid(&toml("s", text)), "{text}");
        let read = Scenario::read("s", "s.toml", text, Overrides::default());
        assert!(read.is_err(), "{text}");
    }
}

/// Every key of the file once, but for those that name files that have to be there.
const WHOLE: &str = r#"
listen = ["127.0.0.1:0", "unix:otplab.sock"]
socket_mode = "0660"
tls = true
tls_names = ["otplab.test"]
tls_cert_out = "cert.pem"
log_format = "json"
log_level = "warn"
port_file = "port"
threads = 1
allow_webhook_hosts = ["hooks.test"]
admin_listen = "127.0.0.1:0"
admin_token = "secret"
max_head = 1024
max_body = 1024
max_connections = 10
arrival_time = "5s"
time_scale = 1.5
journal_max = 10
journal_bytes = 1000
strict_keys = true
watch = true
lint = "warn"
lint_skip = ["rental-leaked"]
report = ["text"]
seed = 1
sms_delay = "2s"
faults = ["*: status(503) first 1"]
balance = "1.00"
rental_life = "1m"
webhook_url = "http://127.0.0.1:9/"
dialect = "laravel"

[accounts.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk]
balance = "5.00"

[accounts.kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk.dialect]
preset = "strict"
no_numbers = 404
"#;

/// Why the server does not start with this file.
fn refused(text: &str) -> String {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("serve.toml"), text).expect("writable");
    let output = otplab()
        .args(["serve", "--config", "serve.toml"])
        // Wherever it would get with a good file, it would not get beyond this.
        .args(["--tls-key", "absent", "--tls-cert", "absent"])
        .current_dir(directory.path())
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(2), "{text}");
    String::from_utf8(output.stderr).expect("text")
}

#[test]
fn what_a_configuration_cannot_say_schema_and_reader_refuse_alike() {
    let validator = validator("config");
    let whole = toml("serve.toml", WHOLE);
    let errors = validator.iter_errors(&whole).map(|error| error.to_string());
    assert_eq!(errors.collect::<Vec<_>>(), [""; 0]);
    let known = refused(WHOLE);
    assert!(!known.contains("serve.toml:"), "{known}");
    let schema: Value = serde_json::from_str(&printed("config")).expect("JSON");
    let keys = schema["properties"].as_object().expect("keys");
    for (name, property) in keys {
        let described = property["description"].is_string();
        assert!(described, "{name} has no description");
        let elsewhere = ["tls_cert", "tls_key", "report_dir"];
        let said = whole.get(name).is_some();
        assert!(
            said || elsewhere.contains(&name.as_str()),
            "{name} is not tried"
        );
    }
    for (place, nonsense) in [
        ("listen = [", "nonsense = 1\nlisten = ["),
        ("balance = \"5.00\"", "nonsense = 1"),
        ("preset = \"strict\"", "nonsense = 1"),
        ("threads = 1", "threads = \"one\""),
        ("seed = 1", "seed = \"x\""),
        ("strict_keys = true", "strict_keys = 1"),
        (
            "faults = [\"*: status(503) first 1\"]",
            "faults = \"*: timeout\"",
        ),
    ] {
        let text = WHOLE.replacen(place, nonsense, 1);
        assert!(!validator.is_valid(&toml("s", &text)), "{nonsense}");
        let told = refused(&text);
        assert!(told.contains("serve.toml:"), "{nonsense}: {told}");
    }
    assert!(!validator.is_valid(&json!({ "listen": [] })));
}
