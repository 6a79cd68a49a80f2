//! Where the key that signed an entry comes from.

use std::collections::{BTreeMap, BTreeSet};

use piperoll_core::{answer, leaf::Leaf};

use super::words::{self, Sentence};
use crate::{answers, api::problem::Problem, state};

/// The key that signed.
pub(super) struct Key {
    /// The record that registered it.
    pub(super) index: u64,
    /// `12 November 2026`
    pub(super) enrolled: String,
    pub(super) sentence: Sentence,
}

/// For each entry, the key that signed it: which record enrolled it, and when.
pub(super) async fn keys(
    state: &state::State,
    indexes: &[u64],
) -> Result<BTreeMap<u64, Key>, Problem> {
    let mut enrolled_by = BTreeMap::new();
    for entry in state.store.entries_at(indexes).await? {
        if let Some(leaf) = Leaf::parse(&entry.leaf) {
            enrolled_by.insert(entry.index, leaf.key.index);
        }
    }
    let enrolments: BTreeSet<u64> = enrolled_by.values().copied().collect();
    let views = answers::ask(&*state.store, None, |reading| {
        answers::all(enrolments.iter().copied(), |index| {
            answer::entry(index, reading)
        })
    })
    .await?;
    let views: BTreeMap<u64, _> = enrolments.iter().copied().zip(views).collect();
    Ok(enrolled_by
        .into_iter()
        .filter_map(|(index, enrolment)| {
            let view = views.get(&enrolment)?;
            let key = Key {
                index: enrolment,
                enrolled: view.row.time.strftime("%-d %B %Y").to_string(),
                sentence: words::sentence(&view.line.sentence),
            };
            Some((index, key))
        })
        .collect())
}
