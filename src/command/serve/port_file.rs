//! The file by which a script learns the port. It exists only when the server
//! is ready, and is never seen half written.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// Where the port will be written.
pub(super) struct PortFile(PathBuf);

impl PortFile {
    /// Removes what an earlier run left there, lest somebody take it for ours.
    pub(super) fn reserve(path: PathBuf) -> anyhow::Result<Self> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error)
                .with_context(|| format!("cannot replace the port file {}", path.display())),
            _ => Ok(Self(path)),
        }
    }

    /// Writes the port under another name and then gives the file its own.
    pub(super) fn publish(&self, port: u16) -> anyhow::Result<()> {
        let Self(path) = self;
        let unfinished = unfinished(path);
        fs::write(&unfinished, format!("{port}\n"))
            .and_then(|()| fs::rename(&unfinished, path))
            .with_context(|| format!("cannot write the port file {}", path.display()))
    }
}

/// What a file is called until it is whole.
pub(super) fn unfinished(path: &Path) -> OsString {
    let mut name = OsString::from(path);
    name.push(".unfinished");
    name
}
