//! The house rules that a program can check: every file says what it is, and
//! none grows beyond reading.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file at most, tests at its end not counted.
const LONGEST: usize = 500;

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    let mut files = Vec::new();
    rust_files(Path::new(env!("CARGO_MANIFEST_DIR")), &mut files);
    assert!(files.len() > 80, "the workspace was not found");
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        let shown = file.display();
        assert!(text.starts_with("//! "), "{shown} does not open with //!");
        let body = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let lines = body.lines().count();
        assert!(lines <= LONGEST, "{shown} has {lines} lines");
        let trailing = text.lines().position(|line| line.ends_with(' '));
        assert_eq!(trailing, None, "{shown} has a space at the end of a line");
    }
}
