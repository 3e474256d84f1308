//! The pages that people read: every link leads somewhere, every flag is
//! described. What they say is not judged here; `.ci/examples` and
//! `tests/ci-snippets` run their commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(Path::new(ROOT).join(folder))
        .unwrap_or_else(|error| panic!("{folder}: {error}"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    files.sort();
    files
}

fn pages() -> Vec<PathBuf> {
    ["", "docs", "scenarios", "benches", "fuzz"]
        .iter()
        .flat_map(|folder| files(folder, ".md"))
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// As GitHub makes them of headings.
fn anchors(page: &str) -> BTreeSet<String> {
    page.lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// Code holds no links, but may look like it.
fn links(page: &str) -> Vec<String> {
    let mut fenced = false;
    page.lines()
        .filter(|line| {
            fenced ^= line.starts_with("```");
            !fenced && !line.starts_with("    ")
        })
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .filter(|link| !link.starts_with("http"))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut seen = 0;
    for page in pages() {
        let shown = page.display();
        for link in links(&read(&page)) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().expect("a folder").join(file),
            };
            assert!(target.exists(), "{shown}: no file for {link}");
            if !anchor.is_empty() {
                let known = anchors(&read(&target));
                assert!(known.contains(anchor), "{shown}: no heading for {link}");
            }
            seen += 1;
        }
    }
    assert!(seen > 15, "only {seen} links were found");
}

#[test]
fn every_flag_is_described() {
    let pages: String = pages().iter().map(|page| read(page)).collect();
    let mut seen = 0;
    for golden in files("tests/golden", ".txt") {
        if !golden.to_string_lossy().contains("help-") {
            continue;
        }
        for word in read(&golden).split(|c: char| c != '-' && !c.is_ascii_alphanumeric()) {
            if word.starts_with("--") && word.len() > 2 && word != "--help" {
                assert!(
                    pages.contains(word),
                    "no page has {word} ({})",
                    golden.display()
                );
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "only {seen} flags were found");
}

/// What stands between fences after a link to a file.
fn shown(page: &str, file: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("(../examples/embedding/{file})"))?;
    let (_, rest) = rest.split_once("\n```")?;
    let (_, rest) = rest.split_once('\n')?;
    let (code, _) = rest.split_once("\n```\n")?;
    Some(format!("{code}\n"))
}

#[test]
fn the_tests_that_embedding_shows_are_the_files_that_run() {
    let page = read(&Path::new(ROOT).join("docs/embedding.md"));
    let ci = read(&Path::new(ROOT).join(".ci/embedding"));
    let mut seen = 0;
    for file in files("examples/embedding", "") {
        if !file.is_file() {
            continue;
        }
        let name = file.file_name().and_then(|name| name.to_str());
        let name = name.expect("UTF-8");
        assert_eq!(shown(&page, name).as_deref(), Some(&*read(&file)), "{name}");
        assert!(
            name.ends_with(".rs") || ci.contains(name),
            "{name} is not run"
        );
        seen += 1;
    }
    assert_eq!(seen, 5, "Rust, Python, Node, Go and Java");
}
