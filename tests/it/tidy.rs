//! What a reviewer should not have to check: crate edges, homes of dependencies, equal migration numbers, file lengths.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::support::repository;

/// A crate uses the crates before it in the table of `ARCHITECTURE.md`, and no other.
const EDGES: &[(&str, &[&str])] = &[
    ("tlog", &[]),
    ("core", &["tlog"]),
    ("store", &["tlog", "core"]),
    ("client", &["tlog", "core"]),
    ("server", &["tlog", "core", "store", "client"]),
    ("piperoll", &["tlog", "core", "store", "client", "server"]),
];

/// Dependencies with one home (`async-nats` has two), as in the table of `ARCHITECTURE.md`.
const HOMES: &[(&str, &[&str])] = &[
    ("sha2", &["tlog"]),
    ("hmac", &["tlog"]),
    ("ed25519-dalek", &["tlog"]),
    ("ssh-key", &["core"]),
    ("sqlx", &["store"]),
    ("reqwest", &["client"]),
    ("axum", &["server"]),
    ("hyper", &["server"]),
    ("hyper-util", &["server"]),
    ("askama", &["server"]),
    ("clap", &["piperoll"]),
    ("clap_complete", &["piperoll"]),
    ("mimalloc", &["piperoll"]),
    ("anyhow", &["piperoll"]),
    ("async-nats", &["client", "server"]),
];

/// What a crate must not know, as dependencies.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("tlog", &["tokio", "sqlx", "axum", "jiff", "getrandom"]),
    (
        "core",
        &["tokio", "sqlx", "axum", "async-nats", "getrandom"],
    ),
    ("store", &["axum", "async-nats", "reqwest"]),
    ("client", &["sqlx", "axum", "askama"]),
    ("server", &["clap"]),
    ("piperoll", &["sqlx", "sha2", "askama"]),
];

/// Lines of a source file; above it there is a second idea inside.
const FILE_LINES_MAX: usize = 500;

fn manifest(name: &str) -> toml::Table {
    let path = repository().join("crates").join(name).join("Cargo.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn dependencies(name: &str, table: &str) -> BTreeSet<String> {
    let manifest = manifest(name);
    let table = manifest
        .get(table)
        .and_then(toml::Value::as_table)
        .cloned()
        .unwrap_or_default();
    table.keys().cloned().collect()
}

fn crates() -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(repository().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn files_below(folder: &Path, ending: &str, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, ending, into);
        } else if path.extension().is_some_and(|found| found == ending) {
            into.push(path);
        }
    }
}

#[test]
fn every_crate_is_in_the_table() {
    let known: BTreeSet<_> = EDGES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(crates().into_iter().collect::<BTreeSet<_>>(), known);
}

#[test]
fn crates_use_only_crates_to_their_left() {
    for (name, allowed) in EDGES {
        for dependency in dependencies(name, "dependencies") {
            if let Some(ours) = dependency.strip_prefix("piperoll-") {
                assert!(allowed.contains(&ours), "crate {name} must not use {ours}");
            }
        }
    }
}

#[test]
fn heavy_dependencies_have_one_home() {
    for (dependency, homes) in HOMES {
        for name in crates() {
            let used = dependencies(&name, "dependencies").contains(*dependency);
            assert!(
                !used || homes.contains(&name.as_str()),
                "{dependency} is used in {name}; its home is {homes:?}"
            );
        }
        let used_at_home = homes
            .iter()
            .any(|home| dependencies(home, "dependencies").contains(*dependency));
        assert!(
            used_at_home,
            "{dependency} is not used at its home any more: take it out of the tables"
        );
    }
}

#[test]
fn crates_do_not_know_what_they_must_not() {
    for (name, forbidden) in FORBIDDEN {
        let used = dependencies(name, "dependencies");
        for dependency in *forbidden {
            assert!(
                !used.contains(*dependency),
                "crate {name} must not know {dependency}"
            );
        }
    }
}

#[test]
fn the_architecture_names_every_crate_and_home() {
    let text = std::fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    for (name, _) in EDGES {
        assert!(
            text.contains(&format!("`{name}`")),
            "ARCHITECTURE.md does not name crate {name}"
        );
    }
    for (dependency, _) in HOMES {
        assert!(
            text.contains(dependency),
            "ARCHITECTURE.md does not say where {dependency} lives"
        );
    }
}

#[test]
fn every_dependency_has_its_reason_and_says_its_home() {
    let text = std::fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let table = text.split("[workspace.dependencies]").nth(1).unwrap();
    let table = table.split("\n[").next().unwrap();
    let mut said = BTreeMap::new();
    for line in table
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with("piperoll-"))
    {
        let (declared, reason) = line.rsplit_once('#').unwrap_or((line, ""));
        assert!(reason.trim().len() > 10, "no reason beside: {line}");
        let (_, homes) = reason
            .rsplit_once("home: ")
            .or_else(|| reason.rsplit_once("homes: "))
            .unwrap_or_default();
        if !homes.is_empty() {
            let name = declared.split_whitespace().next().unwrap();
            said.insert(name, homes.split(", ").collect::<Vec<_>>());
        }
    }
    let homes = HOMES.iter().map(|(name, homes)| (*name, homes.to_vec()));
    assert_eq!(said, homes.collect());
}

#[test]
fn every_dependency_of_the_workspace_is_used() {
    let root: toml::Table = std::fs::read_to_string(repository().join("Cargo.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let declared = root["workspace"]["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .cloned();
    let mut used = BTreeSet::new();
    for name in crates() {
        used.extend(dependencies(&name, "dependencies"));
        used.extend(dependencies(&name, "dev-dependencies"));
    }
    for dependency in declared {
        assert!(
            used.contains(&dependency),
            "{dependency} stands in the root Cargo.toml and nobody uses it"
        );
    }
}

/// Where else a manifest could hide a dependency from the tables above.
#[test]
fn dependencies_stand_in_two_tables_only() {
    for name in crates() {
        for table in manifest(&name).keys() {
            assert!(
                !["build-dependencies", "target", "patch"].contains(&table.as_str()),
                "crate {name} has the table [{table}]"
            );
        }
    }
}

#[test]
fn every_used_dependency_is_named_in_the_source() {
    let mut idle = Vec::new();
    for name in crates() {
        let folder = repository().join("crates").join(&name);
        let (mut code, mut tests) = (Vec::new(), Vec::new());
        files_below(&folder.join("src"), "rs", &mut code);
        let folders = match name.as_str() {
            "piperoll" => [folder.join("src"), repository().join("tests")],
            _ => [folder.join("src"), folder.join("tests")],
        };
        for folder in folders.iter().filter(|folder| folder.is_dir()) {
            files_below(folder, "rs", &mut tests);
        }
        for (table, files) in [("dependencies", &code), ("dev-dependencies", &tests)] {
            let source = without_comments(files);
            for dependency in dependencies(&name, table) {
                let word = dependency.replace('-', "_");
                let is_named = [format!("{word}::"), format!("use {word};")]
                    .iter()
                    .any(|named| source.contains(named));
                if !is_named {
                    idle.push(format!("{name} [{table}] {dependency}"));
                }
            }
        }
    }
    assert!(idle.is_empty(), "declared and never named: {idle:?}");
}
fn without_comments(files: &[PathBuf]) -> String {
    let mut code = String::new();
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let lines = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        lines.for_each(|line| code.extend([line, "\n"]));
    }
    code
}

#[test]
fn migrations_have_the_same_numbers_on_both_databases() {
    let mut numbers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for database in ["sqlite", "postgres"] {
        let mut files = Vec::new();
        files_below(
            &repository().join("migrations").join(database),
            "sql",
            &mut files,
        );
        let mut names: Vec<_> = files
            .iter()
            .map(|file| {
                file.file_stem()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .split('_')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        names.sort();
        numbers.insert(database, names);
    }
    assert!(!numbers["sqlite"].is_empty());
    assert_eq!(numbers["sqlite"], numbers["postgres"]);
}

#[test]
fn no_source_file_grows_past_its_limit() {
    let mut files = Vec::new();
    files_below(&repository().join("crates"), "rs", &mut files);
    files_below(&repository().join("tests"), "rs", &mut files);
    let long: Vec<_> = files
        .iter()
        .map(|file| (std::fs::read_to_string(file).unwrap().lines().count(), file))
        .filter(|(lines, _)| *lines > FILE_LINES_MAX)
        .collect();
    assert!(long.is_empty(), "look for the second idea inside: {long:?}");
}

#[test]
fn there_is_no_mod_rs_and_no_room_for_leftovers() {
    let mut files = Vec::new();
    files_below(&repository().join("crates"), "rs", &mut files);
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        for bad in [
            "mod", "utils", "util", "common", "helpers", "manager", "prelude", "misc",
        ] {
            assert_ne!(name, bad, "{}", file.display());
        }
    }
}

/// A block that begins with three backticks, `rust` and a path shows lines of that file.
#[test]
fn lines_that_the_architecture_shows_stand_in_their_files() {
    let architecture = std::fs::read_to_string(repository().join("ARCHITECTURE.md")).unwrap();
    let mut shown = 0;
    for block in architecture.split("```rust ").skip(1) {
        let (path, lines) = block.split_once('\n').unwrap();
        let (lines, _) = lines.split_once("```").unwrap();
        let file = std::fs::read_to_string(repository().join(path)).unwrap();
        assert!(file.contains(lines), "{path} does not hold\n{lines}");
        shown += 1;
    }
    assert!(shown > 4, "only {shown} blocks were found");
}

#[test]
fn words_that_promise_too_much_are_not_used() {
    let mut files = Vec::new();
    for folder in ["crates", "docs", "migrations"] {
        for ending in ["rs", "md", "html", "sql"] {
            files_below(&repository().join(folder), ending, &mut files);
        }
    }
    files.push(repository().join("README.md"));
    files.push(repository().join("ARCHITECTURE.md"));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
        let promise = ["tamper", "proof"].join("-");
        assert!(
            !text.contains(&promise),
            "{}: say tamper-evident",
            file.display()
        );
    }
}
