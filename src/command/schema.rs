//! `otplab schema`: the JSON Schema of the files that people write, for editors.
//! It is made from the types that read them, and the flags that say the same.

use std::io::Write;

use anyhow::Context;
use clap::CommandFactory;
use mock_server_core::SettingsFile;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::cli::schema::{SchemaArguments, SchemaFile};
use crate::command::serve;
use crate::exit::Exit;

/// Keys of the file that are lists of what a flag says one by one.
const LISTS: [(&str, &str); 3] = [
    ("faults", "fault"),
    ("tls_names", "tls-name"),
    ("allow_webhook_hosts", "allow-webhook-host"),
];

/// Prints it.
pub(crate) fn run(arguments: &SchemaArguments) -> anyhow::Result<Exit> {
    let schema = match arguments.file {
        SchemaFile::Scenario => scenario(),
        SchemaFile::Config => config(),
    };
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{schema:#}").context("cannot write to standard output")?;
    Ok(Exit::Passed)
}

fn scenario() -> Value {
    let mut schema = loadgen_core::scenario::schema();
    schema["title"] = json!("A scenario of otplab");
    schema["properties"]["mock"] = of::<SettingsFile>();
    describe(&mut schema["properties"]["mock"]["properties"]);
    schema
}

fn config() -> Value {
    let mut schema = of::<serve::File>();
    schema["title"] = json!("The configuration of otplab serve");
    describe(&mut schema["properties"]);
    schema
}

fn of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_deserialize();
    settings.inline_subschemas = true;
    let schema = settings.into_generator().into_root_schema_for::<T>();
    schema.to_value()
}

/// Each key is described as the flag that says the same.
fn describe(properties: &mut Value) {
    let command = Cli::command();
    let flags = command.find_subcommand("serve");
    let Some((flags, properties)) = flags.zip(properties.as_object_mut()) else {
        return;
    };
    for (name, property) in properties {
        let list = LISTS.iter().find(|(list, _)| list == name);
        let long = list.map_or_else(|| name.replace('_', "-"), |(_, flag)| (*flag).to_owned());
        let mut arguments = flags.get_arguments();
        let flag = arguments.find(|argument| argument.get_long() == Some(&long));
        if let Some(help) = flag.and_then(|flag| flag.get_help()) {
            property["description"] = json!(help.to_string());
        } else if name == "accounts" {
            property["description"] = json!("What is different about the accounts of these keys");
        }
    }
}
