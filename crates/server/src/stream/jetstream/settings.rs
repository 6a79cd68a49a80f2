//! The settings of a ledger's stream: stated at its creation, compared ever after.

use std::{collections::HashMap, time::Duration};

use async_nats::jetstream::stream::{
    Config, DiscardPolicy, PersistenceMode, RetentionPolicy, StorageType,
};

use super::Incident;

/// Half a gigabyte: about 400,000 events, a month of a busy house. Once full, publishers are told so.
pub(super) const MAX_BYTES: i64 = 512 * 1024 * 1024;
/// An envelope of 160 KiB, with room for NATS's own headers.
const MAX_MESSAGE_BYTES: i32 = 176 * 1024;
const DAY: Duration = Duration::from_hours(24);
/// Erased words leave the stream within this time.
const MAX_AGE: Duration = Duration::from_hours(30 * 24);
const MAX_AGE_DAYS: std::ops::RangeInclusive<u32> = 7..=90;
/// The server's default. Nobody sets message ids: the ledger alone judges duplicates.
const DUPLICATE_WINDOW: Duration = Duration::from_mins(2);
/// Names the ledger in the stream's metadata, so that two ledgers of one slug do not share a stream.
const LEDGER: &str = "piperoll_ledger";

pub(super) fn subjects(slug: &str) -> String {
    format!("piperoll.v1.in.{slug}.*")
}
/// As the stream is made.
pub(super) fn wanted(slug: &str, ledger: &str, max_bytes: i64) -> Config {
    Config {
        name: format!("piperoll-{slug}"),
        description: Some("events on their way to a Piperoll ledger".to_owned()),
        subjects: vec![subjects(slug)],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::New,
        discard_new_per_subject: false,
        max_age: MAX_AGE,
        max_bytes,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_message_size: MAX_MESSAGE_BYTES,
        max_consumers: -1,
        num_replicas: 1,
        no_ack: false,
        duplicate_window: DUPLICATE_WINDOW,
        deny_delete: true,
        deny_purge: true,
        allow_rollup: false,
        allow_direct: true,
        allow_atomic_publish: true,
        allow_message_ttl: false,
        allow_message_schedules: false,
        allow_message_counter: false,
        metadata: HashMap::from([(LEDGER.to_owned(), ledger.to_owned())]),
        ..Config::default()
    }
}

/// The first setting that is not as the ledger needs it. What an operator may choose (bytes, replicas, placement, age within its
/// range) is free.
pub(super) fn compare(slug: &str, ledger: &str, is: &Config) -> Result<(), Incident> {
    let named = is.metadata.get(LEDGER);
    let own = [
        ("subjects", is.subjects == [subjects(slug)], subjects(slug)),
        (
            "metadata",
            named.is_none_or(|named| named == ledger),
            format!("{LEDGER}={ledger}"),
        ),
    ];
    let fixed = kept(is)
        .into_iter()
        .chain(never_lost(is))
        .map(|(setting, holds, wanted)| (setting, holds, wanted.to_owned()));
    let wrong = own.into_iter().chain(fixed).find(|(_, holds, _)| !holds);
    match wrong {
        None => Ok(()),
        Some((setting, _, wanted)) => Err(Incident {
            why: format!(
                "the stream piperoll-{slug} has another {setting} than the ledger needs ({wanted})"
            ),
            remedy: "find out who changed it, and set it back with `nats stream edit`".to_owned(),
        }),
    }
}
type Rule = (&'static str, bool, &'static str);

/// How messages are kept.
fn kept(is: &Config) -> [Rule; 9] {
    let ages = DAY * *MAX_AGE_DAYS.start()..=DAY * *MAX_AGE_DAYS.end();
    [
        (
            "retention",
            is.retention == RetentionPolicy::Limits,
            "limits",
        ),
        ("storage", is.storage == StorageType::File, "file"),
        ("discard", is.discard == DiscardPolicy::New, "new"),
        (
            "discard_new_per_subject",
            !is.discard_new_per_subject,
            "false",
        ),
        ("max_age", ages.contains(&is.max_age), "7 to 90 days"),
        ("max_bytes", is.max_bytes > 0, "a limit"),
        ("max_msgs", is.max_messages <= 0, "no limit"),
        (
            "max_msgs_per_subject",
            is.max_messages_per_subject <= 0,
            "no limit",
        ),
        (
            "max_msg_size",
            is.max_message_size == MAX_MESSAGE_BYTES,
            "180224",
        ),
    ]
}
/// What could delete, rewrite or hide a message.
fn never_lost(is: &Config) -> [Rule; 10] {
    let expires = is.allow_message_ttl || is.subject_delete_marker_ttl.is_some();
    let made_elsewhere = is.mirror.is_some()
        || is
            .sources
            .as_ref()
            .is_some_and(|sources| !sources.is_empty())
        || is.subject_transform.is_some()
        || is.republish.is_some();
    let is_async = matches!(is.persist_mode, Some(PersistenceMode::Async));
    [
        ("no_ack and sealed", !is.no_ack && !is.sealed, "false"),
        ("deny_delete", is.deny_delete, "true"),
        ("deny_purge", is.deny_purge, "true"),
        ("allow_rollup_hdrs", !is.allow_rollup, "false"),
        ("allow_direct", is.allow_direct, "true"),
        ("allow_atomic", is.allow_atomic_publish, "true"),
        (
            "allow_msg_ttl and subject_delete_marker_ttl",
            !expires,
            "off",
        ),
        (
            "allow_msg_schedules and allow_msg_counter",
            !is.allow_message_schedules && !is.allow_message_counter,
            "false",
        ),
        (
            "mirror, sources, subject_transform and republish",
            !made_elsewhere,
            "absent",
        ),
        ("persist_mode", !is_async, "default"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = wanted("main", "abcd", MAX_BYTES);
        change(&mut config);
        compare("main", "abcd", &config)
            .err()
            .map(|incident| incident.why)
    }

    #[test]
    fn a_stream_as_it_was_made_is_accepted_and_room_is_the_operators_to_choose() {
        assert_eq!(changed(|_| {}), None);
        assert_eq!(changed(|config| config.max_bytes *= 4), None);
        assert_eq!(changed(|config| config.num_replicas = 3), None);
        assert_eq!(changed(|config| config.max_age = DAY * 90), None);
    }
    #[test]
    fn a_setting_that_could_lose_or_hide_messages_is_named() {
        type Change = fn(&mut Config);
        let cases: [(Change, &str); 9] = [
            (|config| config.discard = DiscardPolicy::Old, "discard"),
            (|config| config.max_messages = 1, "max_msgs"),
            (|config| config.max_age = DAY, "max_age"),
            (|config| config.max_bytes = -1, "max_bytes"),
            (|config| config.deny_purge = false, "deny_purge"),
            (|config| config.allow_rollup = true, "allow_rollup_hdrs"),
            (|config| config.allow_message_ttl = true, "allow_msg_ttl"),
            (|config| config.storage = StorageType::Memory, "storage"),
            (|config| config.subjects.push("more".to_owned()), "subjects"),
        ];
        for (change, setting) in cases {
            let why = changed(change).expect("a changed stream is refused");
            assert!(why.contains(setting), "{setting}: {why}");
        }
    }
    #[test]
    fn the_stream_of_another_ledger_is_refused() {
        let config = wanted("main", "another", MAX_BYTES);
        assert!(compare("main", "abcd", &config).is_err());
    }
    #[test]
    fn the_size_that_is_said_is_the_size_that_is_set() {
        assert_eq!(MAX_MESSAGE_BYTES.to_string(), "180224");
    }
}
