//! What binds say as digests in hexadecimal, by which content is compared.

use std::collections::BTreeSet;

use super::{Bind, Digest};

/// A bind's digest.
pub(crate) fn hex(bind: &Bind) -> String {
    match &bind.digest {
        Digest::Sha256(hash) => hash.to_hex(),
        Digest::GitCommit(commit) => commit.clone(),
    }
}
/// The sha256 digests and the commits among binds, in hexadecimal.
pub(crate) fn digests(binds: &[Bind]) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut sha256 = BTreeSet::new();
    let mut commits = BTreeSet::new();
    for bind in binds {
        match &bind.digest {
            Digest::Sha256(hash) => sha256.insert(hash.to_hex()),
            Digest::GitCommit(commit) => commits.insert(commit.clone()),
        };
    }
    (sha256, commits)
}
/// The commit that is deployed: the only one bound, or the one bound as `commit`.
pub(crate) fn commit_of(binds: &[Bind]) -> Option<String> {
    let commits: BTreeSet<(&str, &str)> = binds
        .iter()
        .filter_map(|bind| match &bind.digest {
            Digest::GitCommit(commit) => Some((commit.as_str(), bind.name.as_str())),
            Digest::Sha256(_) => None,
        })
        .collect();
    let first = commits.first().map(|(commit, _)| *commit)?;
    if commits.iter().all(|(commit, _)| *commit == first) {
        return Some(first.to_owned());
    }
    let mut named = commits.iter().filter(|(_, name)| *name == "commit");
    let commit = named.next().map(|(commit, _)| (*commit).to_owned());
    if named.next().is_some() { None } else { commit }
}
