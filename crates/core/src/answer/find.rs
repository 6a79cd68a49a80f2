//! Which change somebody means by what they typed.

use serde::{Deserialize, Serialize};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "lowercase")]
pub enum Found {
    /// The change's id.
    One { change: String },
    /// Ids to choose from, sorted.
    Several { changes: Vec<String> },
    /// Nothing; `hint` is a sentence that says what could be typed.
    None { hint: String },
}

/// The texts to ask the store for (`Store::find_changes`), best first: ask each until one gives rows.
///
/// Takes `#418`, `checkout#418`, `acme/checkout#418`, a full id, `commit:…` or a prefix of a commit or digest from 4 hexadecimal
/// digits (`sha256:` may stand before it), a ticket (`SHOP-77`), a tag, the URL of a run.
pub fn lookups(_typed: &str) -> Vec<String> {
    todo!()
}
/// What the rows of the lookup that gave any (or none) mean. An exact id wins over others.
pub fn find_change(_typed: &str, _rows: &[String]) -> Found {
    todo!()
}
