//! Data made by others, other implementations, and properties, against the crate's public face.
#![expect(clippy::unwrap_used, reason = "a test helper may stop the test")]

mod example;
mod oracles;
mod properties;
mod vectors;

use std::path::{Path, PathBuf};

use piperoll_tlog::{Hash, hash};

/// The folder of test data made by others.
fn test_data() -> PathBuf {
    let folder = std::env::var_os("PIPEROLL_TEST_DATA")
        .expect("PIPEROLL_TEST_DATA is not set; it names the folder of test data made by others");
    PathBuf::from(folder)
}
fn read(path: &Path) -> String {
    std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}
fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    serde_json::from_str(&read(path))
        .unwrap_or_else(|error| panic!("{} is not as expected: {error}", path.display()))
}
/// Leaf hashes of `count` leaves that differ.
fn leaf_hashes(count: u64) -> Vec<Hash> {
    (0..count)
        .map(|index| hash::leaf_hash(&index.to_be_bytes()))
        .collect()
}
