//! What a command means by "this content": artifacts, commits and bundles, as flags and as binds.

use std::path::Path;

use piperoll_core::{
    Hash,
    event::{Bind, Digest},
};
use piperoll_tlog::hash::sha256;

use crate::{
    ci::{self, Run},
    exit::{Problem, Result},
};

/// The exact content meant.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ContentArgs {
    /// The artifact, by digest: sha256:HEX or NAME@sha256:HEX; may be repeated
    #[arg(long = "artifact", value_name = "DIGEST")]
    artifacts: Vec<String>,
    /// The full commit hash (from the CI variables, if not given)
    #[arg(long, value_name = "HASH")]
    commit: Option<String>,
    /// A bundle: NAME@VERSION=sha256:HEX, or NAME@VERSION=FILE with its manifest; may be repeated
    #[arg(long = "bundle", value_name = "BUNDLE")]
    bundles: Vec<String>,
}
impl ContentArgs {
    /// Artifacts, bundles, then the commit. Empty when nothing is known.
    pub(crate) fn binds(&self, run: &Run) -> Result<Vec<Bind>> {
        let mut binds = Vec::new();
        for artifact in &self.artifacts {
            binds.push(parse_artifact(artifact)?);
        }
        for bundle in &self.bundles {
            binds.push(parse_bundle(bundle)?);
        }
        let commit = match &self.commit {
            Some(commit) => Some(parse_commit(commit)?),
            None => run.commit.clone(),
        };
        binds.extend(commit.map(|commit| Bind {
            name: "commit".to_owned(),
            digest: Digest::GitCommit(commit),
        }));
        Ok(binds)
    }
    /// Whether anything was given by hand.
    pub(crate) fn is_given(&self) -> bool {
        !self.artifacts.is_empty() || !self.bundles.is_empty() || self.commit.is_some()
    }
}

/// `sha256:HEX`, `NAME@sha256:HEX` or an image reference, whose last part becomes the label.
pub(crate) fn parse_artifact(text: &str) -> Result<Bind> {
    let (name, digest) = match text.rsplit_once('@') {
        Some((reference, digest)) => (label(reference), digest),
        None => ("image", text),
    };
    let digest = sha256_of(digest).ok_or_else(|| {
        Problem::usage(format!("artifact {text:?} is not a digest"))
            .hint("an artifact is named by its content: sha256:<64 hex digits>, or an image reference that ends in one")
            .hint("try: --artifact sha256:$(docker inspect … ) or what your build printed as digest")
    })?;
    Ok(Bind {
        name: name.to_owned(),
        digest: Digest::Sha256(digest),
    })
}
/// The last part of an image reference, without its tag.
fn label(reference: &str) -> &str {
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split(':')
        .next()
        .filter(|name| !name.is_empty())
        .unwrap_or("image")
}
fn parse_bundle(text: &str) -> Result<Bind> {
    let wrong = || {
        Problem::usage(format!("bundle {text:?} is not understood"))
            .hint("a bundle is NAME@VERSION=sha256:<64 hex digits>, or NAME@VERSION=FILE with its manifest")
    };
    let (name, value) = text.split_once('=').ok_or_else(wrong)?;
    if !name.contains('@') {
        return Err(wrong());
    }
    let of_file = || {
        let manifest = std::fs::read(Path::new(value));
        manifest
            .map(|manifest| sha256(&manifest))
            .map_err(|error| wrong().hint(format!("reading {value} as a manifest: {error}")))
    };
    let digest = sha256_of(value).map_or_else(of_file, Ok)?;
    Ok(Bind {
        name: format!("bundle:{name}"),
        digest: Digest::Sha256(digest),
    })
}
pub(crate) fn parse_commit(text: &str) -> Result<String> {
    ci::full_commit(text).ok_or_else(|| {
        Problem::usage(format!("commit {text:?} is not a full commit hash"))
            .hint("a commit is named by all of its 40 (or 64) hex digits; try: --commit \"$(git rev-parse HEAD)\"")
    })
}
fn sha256_of(text: &str) -> Option<Hash> {
    Hash::from_hex(&text.strip_prefix("sha256:")?.to_ascii_lowercase())
}
/// A digest for people and shells: `sha256:…` or the commit hash.
pub(crate) fn show(digest: &Digest) -> String {
    match digest {
        Digest::Sha256(hash) => format!("sha256:{hash}"),
        Digest::GitCommit(commit) => commit.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "dbaff69af539662f09eba75085cdd905dd752e22d4b6fb0bfe8ad76ab8633fb9";
    const COMMIT: &str = "3facdc47b231584945b35e2da9c325c7fe448603";

    fn args(artifacts: &[&str], commit: Option<&str>) -> ContentArgs {
        ContentArgs {
            artifacts: artifacts.iter().map(|text| (*text).to_owned()).collect(),
            commit: commit.map(str::to_owned),
            bundles: Vec::new(),
        }
    }

    #[test]
    fn an_image_reference_gives_its_name_as_label() {
        let of = |text: &str| parse_artifact(text).unwrap().name;
        assert_eq!(of(&format!("sha256:{HEX}")), "image");
        assert_eq!(
            of(&format!("ghcr.io/acme/checkout:v4@sha256:{HEX}")),
            "checkout"
        );
        assert_eq!(of(&format!("receipts@sha256:{HEX}")), "receipts");
    }

    #[test]
    fn the_commit_of_the_run_is_bound_unless_another_is_given() {
        let run = Run {
            commit: Some(COMMIT.into()),
            ..Run::default()
        };
        let binds = args(&[&format!("sha256:{HEX}")], None).binds(&run).unwrap();
        assert_eq!(binds.len(), 2);
        assert_eq!(show(&binds[0].digest), format!("sha256:{HEX}"));
        assert_eq!(
            binds[1],
            Bind {
                name: "commit".into(),
                digest: Digest::GitCommit(COMMIT.into())
            }
        );
        let other = "e161a327d959852e4ff7155ebaf5c87abcd13d78";
        assert_eq!(
            show(&args(&[], Some(other)).binds(&run).unwrap()[0].digest),
            other
        );
        assert!(args(&[], None).binds(&Run::default()).unwrap().is_empty());
    }

    #[test]
    fn tags_and_short_hashes_are_not_content() {
        for wrong in ["checkout:latest", "sha256:abc", HEX, "@"] {
            assert!(
                parse_artifact(wrong)
                    .unwrap_err()
                    .lines()
                    .contains("sha256:<64 hex digits>"),
                "{wrong}"
            );
        }
        assert!(
            parse_commit("3facdc4")
                .unwrap_err()
                .lines()
                .contains("git rev-parse HEAD")
        );
        assert!(parse_bundle("shop=sha256:1").is_err());
    }
}
