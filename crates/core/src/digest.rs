//! Digests of content, as they stand in JSON.

use piperoll_tlog::Hash;
use serde::{Deserialize, Serialize};

/// A digest with exactly one algorithm. `GitCommit` holds 40 or 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Digest {
    #[serde(rename = "sha256", with = "hex_hash")]
    Sha256(Hash),
    #[serde(rename = "gitCommit")]
    GitCommit(String),
}

/// Serde of a [`struct@Hash`] as bare lower-case hexadecimal.
pub(crate) mod hex_hash {
    use piperoll_tlog::Hash;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hash.to_hex())
    }
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        Hash::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("not 64 lower-case hexadecimal digits"))
    }
}
