//! What the tests share: where the repository is, independent data, tools, and what to say when one is missing.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

/// The top of the repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_path_buf()
}

/// Notes that a test could not run. In CI that is a failure at once; elsewhere `scripts/test` prints the list at its end.
pub(crate) fn skip(test: &str, why: &str) {
    assert_ne!(
        std::env::var("CI").as_deref(),
        Ok("true"),
        "in CI nothing may be skipped: {test}: {why}"
    );
    if let Some(list) = std::env::var_os("PIPEROLL_TEST_SKIPPED") {
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(list)
            .unwrap();
        writeln!(file, "{test}: {why}").unwrap();
    }
}

/// A folder or program that `scripts/test` names in a variable; `None` (noted as skipped) where it does not.
pub(crate) fn from_environment(test: &str, variable: &str, what: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(PathBuf::from);
    if found.is_none() {
        skip(
            test,
            &format!("{what} is not there ({variable} is unset; scripts/test sets it)"),
        );
    }
    found
}

/// A file of the test data that others made.
pub(crate) fn test_data(file: &str) -> Vec<u8> {
    let root = std::env::var_os("PIPEROLL_TEST_DATA")
        .expect("PIPEROLL_TEST_DATA is not set; it names the folder of test data made by others");
    let path = Path::new(&root).join(file);
    std::fs::read(&path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}
