//! Where test data comes from, and a ledger in memory to judge against.

use std::{collections::HashMap, path::PathBuf};

use piperoll_core::{
    authority::Authority,
    judge::{self, Checked, Known, Verdict},
    kind::Content,
    time::{self, Timestamp},
};

/// A folder of the data made by others; a test that needs it fails where it is not there.
pub(crate) fn test_data(folder: &str) -> PathBuf {
    let root = std::env::var_os("PIPEROLL_TEST_DATA").expect(
        "PIPEROLL_TEST_DATA is not set: point it at the folder with cdevents, example, github and merkle",
    );
    PathBuf::from(root).join(folder)
}
pub(crate) fn read_json(path: &std::path::Path) -> serde_json::Value {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}
pub(crate) fn read_lines(path: &std::path::Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A ledger without a store: what judging needs, and the leaves.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) authority: Authority,
    pub(crate) leaves: Vec<Vec<u8>>,
    previous: Option<Timestamp>,
    once: HashMap<(String, String), Known>,
    /// (incarnation, sequence) to the time that counts for that message.
    corrected: HashMap<(String, u64), Timestamp>,
}
impl Ledger {
    pub(crate) fn index(&self) -> u64 {
        u64::try_from(self.leaves.len()).unwrap()
    }
    /// Judges a message; takes it in when it is recorded.
    pub(crate) fn give(
        &mut self,
        message: &[u8],
        position: Option<(&str, u64)>,
        stream_time: Timestamp,
    ) -> Verdict {
        let stream_time = position
            .and_then(|(incarnation, sequence)| {
                self.corrected
                    .get(&(incarnation.to_owned(), sequence))
                    .copied()
            })
            .unwrap_or(stream_time);
        let verdict = self.judge(judge::check(message, &self.authority), stream_time);
        if let Verdict::Recorded(recorded) = &verdict {
            let index = self.index();
            self.authority
                .apply(index, &recorded.leaf, &recorded.event)
                .unwrap();
            self.once.insert(
                (
                    recorded.event.source.as_str().to_owned(),
                    recorded.event.id.clone(),
                ),
                Known {
                    index,
                    payload_hash: recorded.payload_hash,
                },
            );
            self.previous = Some(recorded.recorded_at);
            self.leaves.push(recorded.leaf.clone());
            if let Content::TimeCorrected(content) = &recorded.event.content {
                self.corrected.insert(
                    (content.incarnation.clone(), content.sequence),
                    time::parse(&content.used_time).unwrap(),
                );
            }
        }
        verdict
    }
    pub(crate) fn judge(&self, checked: Checked, stream_time: Timestamp) -> Verdict {
        let known = match &checked {
            Checked::Signed(read) | Checked::KeyNotKnownYet(read) => self
                .once
                .get(&(read.payload.source.clone(), read.payload.id.clone()))
                .copied(),
            Checked::Refused(_) => None,
        };
        judge::judge(
            checked,
            &self.authority,
            self.index(),
            self.previous,
            stream_time,
            known,
        )
    }
}
