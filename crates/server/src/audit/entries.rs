//! The walk over all entries: leaf, payload, texts, signature, authority and columns of each, then the tree above them.

use jiff::Timestamp;
use piperoll_core::{
    authority::Authority,
    event::Event,
    judge::{self, Checked, Recorded, Verdict},
    kind::Content,
    leaf::Leaf,
    limits::TEXT_BYTES_MAX,
    name::{LedgerId, Origin},
    time,
};
use piperoll_store::{Beyond, Head, Store, StoredEntry};
use piperoll_tlog::{
    hash,
    note::{KeyName, VerifierKey},
    tree::Edge,
};

use super::{
    Error, Place,
    consumed::Control,
    tree::{Checkpoints, Tiles},
};
use crate::{
    found::ADMISSION,
    projector::{in_parallel, is_control},
    receipts::envelope_of,
};

/// Entries in memory at once; each is at most a few hundred kilobytes.
const PAGE_ENTRIES: u32 = 256;

/// What the walk found.
pub(super) struct Walked {
    pub(super) ledger: LedgerId,
    pub(super) origin: Origin,
    pub(super) controls: Vec<Control>,
    pub(super) texts: Texts,
    pub(super) tiles: u64,
    pub(super) checkpoints: u64,
    /// Size of the latest checkpoint.
    pub(super) published: u64,
    /// As of the last entry.
    pub(super) authority: Authority,
}
#[derive(Clone, Copy, Default)]
pub(super) struct Texts {
    pub(super) compared: u64,
    pub(super) erased: u64,
    pub(super) not_supplied: u64,
}

pub(super) async fn walk(
    store: &dyn Store,
    head: &Head,
    pinned: Option<LedgerId>,
) -> Result<Walked, Error> {
    let mut walk = Walk {
        store,
        pinned,
        authority: Authority::new(),
        edge: Edge::new(),
        tiles: Tiles::new(store),
        checkpoints: Checkpoints::new(store),
        key: None,
        controls: Vec::new(),
        texts: Texts::default(),
        recorded_at: None,
    };
    while walk.edge.size() < head.size {
        walk.page(head.size).await?;
    }
    walk.end(head).await
}

/// What can be said of an entry without those before it.
struct Examined {
    entry: StoredEntry,
    checked: Checked,
}

struct Walk<'a> {
    store: &'a dyn Store,
    pinned: Option<LedgerId>,
    authority: Authority,
    edge: Edge,
    tiles: Tiles<'a>,
    checkpoints: Checkpoints<'a>,
    /// The checkpoint key, once entry 0 was read.
    key: Option<VerifierKey>,
    controls: Vec<Control>,
    texts: Texts,
    recorded_at: Option<Timestamp>,
}
impl Walk<'_> {
    /// Takes the next entries: first each by itself on all cores, then in order.
    async fn page(&mut self, size: u64) -> Result<(), Error> {
        let from = self.edge.size();
        let limit = u32::try_from(size - from).unwrap_or(PAGE_ENTRIES);
        let entries = self.store.entries(from, limit.min(PAGE_ENTRIES)).await?;
        let missing = (from..)
            .zip(&entries)
            .find_map(|(index, entry)| (entry.index != index).then_some(index));
        if entries.is_empty() || missing.is_some() {
            let place = Place::Entry(missing.unwrap_or(from));
            return Err(Error::wrong(place, "it is missing"));
        }
        self.once(&entries).await?;
        let authority = self.authority.clone();
        let examined = in_parallel(entries, move |entry| examine(entry, &authority)).await;
        for examined in examined {
            self.take(examined?).await?;
        }
        Ok(())
    }
    /// Each (source, id) leads to its own entry and to no other.
    async fn once(&self, entries: &[StoredEntry]) -> Result<(), Error> {
        let ids: Vec<_> = entries
            .iter()
            .map(|entry| (entry.source.clone(), entry.event_id.clone()))
            .collect();
        let known = self.store.find(&ids).await?;
        for (entry, known) in entries.iter().zip(known) {
            if known.is_none_or(|known| known.index != entry.index) {
                let what = "its source and id lead to another entry, or to none";
                return Err(Error::wrong(Place::Entry(entry.index), what));
            }
        }
        Ok(())
    }
    /// Judges the next entry as it was judged when it was recorded, and lets the tree grow.
    async fn take(&mut self, examined: Examined) -> Result<(), Error> {
        let Examined { entry, checked } = examined;
        let place = Place::Entry(entry.index);
        let wrong = |what: String| Error::wrong(place.clone(), what);
        let verdict = judge::judge(
            checked,
            &self.authority,
            entry.index,
            self.recorded_at,
            entry.recorded_at,
            None,
        );
        let recorded = match verdict {
            Verdict::Recorded(recorded) => *recorded,
            Verdict::Refused { refusal, .. } => {
                return Err(wrong(format!("it could not have been recorded: {refusal}")));
            }
            Verdict::Duplicate { .. } => unreachable!("nothing was said to be known"),
        };
        if recorded.leaf != entry.leaf {
            return Err(wrong(difference(&recorded, &entry)));
        }
        compare_columns(&entry, &recorded)?;
        self.compare_times(&entry)?;
        self.count_texts(&entry, &recorded.event);
        self.authority
            .apply(entry.index, &entry.leaf, &recorded.event)
            .map_err(|corrupt| wrong(corrupt.what))?;
        self.recorded_at = Some(entry.recorded_at);
        if is_control(recorded.event.kind()) {
            self.controls.push(Control {
                index: entry.index,
                content: recorded.event.content,
            });
        }
        for tile in self.edge.append(entry.leaf_hash) {
            self.tiles.compare(&tile).await?;
        }
        let key = self.checkpoint_key()?;
        self.checkpoints.compare(&self.edge, &key).await
    }
    /// An entry's time is that of its message on the stream, or that of the entry before it where that is later.
    fn compare_times(&self, entry: &StoredEntry) -> Result<(), Error> {
        let stamped = time::floor_to_millis(entry.stream_time);
        let fits = |time: Timestamp| {
            let expected = self.recorded_at.map_or(time, |before| before.max(time));
            expected == entry.recorded_at
        };
        let corrected = || {
            self.controls.iter().any(|control| {
                let Content::TimeCorrected(correction) = &control.content else {
                    return false;
                };
                let own = time::parse(&correction.stream_time).map(time::floor_to_millis);
                let used = time::parse(&correction.used_time).map(time::floor_to_millis);
                own == Some(stamped) && used.is_some_and(fits)
            })
        };
        if fits(stamped) || corrected() {
            return Ok(());
        }
        let what =
            "its time is neither that of its message on the stream nor that of the entry before it";
        Err(Error::wrong(Place::Entry(entry.index), what))
    }
    /// From entry 0; when it is first read, the ledger's id is compared with the pinned one.
    fn checkpoint_key(&mut self) -> Result<VerifierKey, Error> {
        if let Some(key) = &self.key {
            return Ok(key.clone());
        }
        let first = || Error::wrong(Place::Entry(0), "it is not a genesis event");
        let genesis = self.authority.genesis().ok_or_else(first)?;
        if genesis.admission > ADMISSION {
            return Err(Error::Admission(genesis.admission));
        }
        if let Some(pinned) = self.pinned
            && pinned != genesis.ledger
        {
            let what = format!(
                "its id is {}, not {}, which was pinned",
                genesis.ledger.0, pinned.0
            );
            return Err(Error::wrong(Place::Ledger, what));
        }
        let key = VerifierKey {
            name: KeyName::new(genesis.origin.as_str()).map_err(|_| first())?,
            key: genesis.checkpoint_key.clone(),
        };
        self.key = Some(key.clone());
        Ok(key)
    }
    fn count_texts(&mut self, entry: &StoredEntry, event: &Event) {
        for name in event.profile.texts.keys() {
            let stored = entry.texts.iter().find(|(stored, _)| stored == name);
            match stored {
                Some((_, Some(_))) => self.texts.compared += 1,
                Some((_, None)) => self.texts.erased += 1,
                None => self.texts.not_supplied += 1,
            }
        }
    }
    async fn end(mut self, head: &Head) -> Result<Walked, Error> {
        if self.edge.root() != head.root {
            let what = "its root is not the one that the entries make";
            return Err(Error::wrong(Place::Head, what));
        }
        if Some(head.recorded_at) != self.recorded_at {
            let what = "its time is not that of the last entry";
            return Err(Error::wrong(Place::Head, what));
        }
        if let Some(beyond) = self.store.beyond_head().await? {
            let Beyond { table, number } = beyond;
            let place = match table.as_str() {
                "payload" | "text" => "entry",
                itself => itself,
            };
            let place = Place::Stored(format!("{place} {number}"));
            let what = format!("the table {table} has a row of it where none can be");
            return Err(Error::wrong(place, what));
        }
        self.tiles.none_left().await?;
        self.checkpoints.none_left(head.size).await?;
        let genesis = self.authority.genesis().ok_or(Error::NoLedger)?;
        Ok(Walked {
            ledger: genesis.ledger,
            origin: genesis.origin.clone(),
            controls: self.controls,
            texts: self.texts,
            tiles: self.tiles.count(),
            checkpoints: self.checkpoints.count,
            published: self.checkpoints.published,
            authority: self.authority,
        })
    }
}

/// Steps 1 and 2 for a stored entry: hashes first, so that what was changed is named, then the signature.
fn examine(entry: StoredEntry, authority: &Authority) -> Result<Examined, Error> {
    let wrong = |what: &str| Error::wrong(Place::Entry(entry.index), what);
    let leaf =
        Leaf::parse(&entry.leaf).ok_or_else(|| wrong("its leaf is not six well-formed lines"))?;
    let payload = entry
        .payload
        .as_deref()
        .ok_or_else(|| wrong("its payload is missing"))?;
    if hash::sha256(payload) != leaf.payload_hash {
        return Err(wrong("its payload is not the one that was signed"));
    }
    if entry.payload_hash != leaf.payload_hash {
        return Err(wrong("its payload hash is not the one in its leaf"));
    }
    if hash::leaf_hash(&entry.leaf) != entry.leaf_hash {
        return Err(wrong("its leaf hash is not that of its leaf"));
    }
    if entry.recorded_at != leaf.recorded_at {
        return Err(wrong("its time is not the one in its leaf"));
    }
    // Texts may have come with several messages, so they are looked at one by one.
    let mut envelope = envelope_of(&entry)?;
    let texts = std::mem::take(&mut envelope.texts);
    let checked = judge::check(envelope.to_json().as_bytes(), authority);
    let payload = match &checked {
        Checked::Refused(refusal) => return Err(wrong(&refusal.to_string())),
        Checked::Signed(read) | Checked::KeyNotKnownYet(read) => &read.payload,
    };
    let odd = texts.iter().find(|(name, text)| {
        text.body.len() > TEXT_BYTES_MAX || payload.text_hash(name) != Some(text.hash())
    });
    if let Some((name, _)) = odd {
        let what = format!("its text {name:?} does not match its hash in the payload");
        return Err(wrong(&what));
    }
    Ok(Examined { entry, checked })
}
/// How the leaf that the rules give differs from the stored one.
fn difference(recorded: &Recorded, entry: &StoredEntry) -> String {
    match Leaf::parse(&entry.leaf) {
        Some(leaf) if leaf.recorded_at != recorded.recorded_at => {
            "its time is before that of the entry before it".to_owned()
        }
        Some(leaf) if leaf.key != recorded.key => format!(
            "its leaf names the key {}.{}, but {}.{} was in force",
            leaf.key.index, leaf.key.ordinal, recorded.key.index, recorded.key.ordinal
        ),
        Some(_) => "its leaf names another signature scheme than its key's".to_owned(),
        None => "its leaf is not six well-formed lines".to_owned(),
    }
}
/// What an entry is found by must be what its event says.
fn compare_columns(entry: &StoredEntry, recorded: &Recorded) -> Result<(), Error> {
    let event = &recorded.event;
    let profile = &event.profile;
    let kind = event.kind();
    let same = [
        ("event_id", entry.event_id == event.id),
        ("source", entry.source == event.source.as_str()),
        ("kind", entry.kind == kind.name()),
        ("type_name", entry.type_name == kind.type_name()),
        ("time", entry.time == event.timestamp),
        ("subject", entry.subject == event.subject),
        ("change", entry.change == profile.change),
        ("service", entry.service == profile.service),
        ("environment", entry.environment == profile.environment),
    ];
    match same.into_iter().find(|(_, same)| !same) {
        None => Ok(()),
        Some((column, _)) => Err(Error::wrong(
            Place::Entry(entry.index),
            format!("its column {column} is not what its event says"),
        )),
    }
}
