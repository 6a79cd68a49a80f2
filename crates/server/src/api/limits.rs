//! Every limit of the HTTP side, named once (`design.md` section 10). Sizes are bytes, waits are durations.

use std::time::Duration;

/// `POST /v1/events`: one envelope is at most 160 KiB, a body of many 1 MiB.
pub const EVENTS_BODY_BYTES_MAX: usize = 1024 * 1024;
/// Lines of one NDJSON body. An event is rarely below 600 bytes, so a body of 1 MiB holds about 1,700; more lines than this are
/// not events, and each line costs a place in the projector's queue.
pub const EVENTS_LINES_MAX: usize = 2048;
/// Lines of one NDJSON body that wait for the projector at a time, so that one sender does not fill the queue.
pub const EVENTS_LINES_AT_ONCE: usize = 256;
/// GitHub caps webhook bodies at 25 MB.
pub const BRIDGE_BODY_BYTES_MAX: usize = 25 * 1024 * 1024;
/// Webhook bodies held in memory at a time: four of 25 MiB are 100 MiB.
pub const BRIDGE_BODIES_AT_ONCE: usize = 4;
/// A webhook's body up to this size is read without waiting for a turn, so that senders who dawdle with large ones do not keep out
/// the ordinary ones, which have some 20 KiB.
pub const BRIDGE_SMALL_BODY_BYTES: usize = 256 * 1024;
/// How long a webhook waits for its turn before it is told to come again (senders give up after 10 s).
pub const BRIDGE_TURN_WAIT: Duration = Duration::from_secs(5);
/// How long a webhook's body may take to arrive.
pub const BRIDGE_BODY_WAIT: Duration = Duration::from_secs(20);
/// Events of one webhook's body: what can be signed and kept within the time that senders wait. Alertmanager groups a few, and a
/// release has at most 1,000 assets.
pub const BRIDGE_EVENTS_MAX: usize = 5_000;
/// Envelopes of one body that are kept in one transaction, so that others get in between.
pub const BRIDGE_ROWS_AT_ONCE: usize = 250;
/// Rows of one page of a list.
pub const PAGE_ROWS_MAX: u32 = 500;
/// Rows of one page where the question does not say.
pub const PAGE_ROWS_DEFAULT: u32 = 100;
/// Entries one timeline shows; beyond that it says so.
pub const TIMELINE_ROWS_MAX: u32 = 500;
/// Bytes of a path and query; names are at most 200 bytes, three times that when percent-encoded, and a question has a few of them.
pub const URI_BYTES_MAX: usize = 8 * 1024;
/// Candidates that `find` lists.
pub const FIND_ROWS_MAX: u32 = 20;
/// A request, from its last header to its answer. `?wait=` takes up to 10 s of it.
pub const REQUEST_WAIT: Duration = Duration::from_secs(30);
/// Requests served at a time; those beyond are told to come again.
pub const REQUESTS_AT_ONCE: usize = 512;
/// What a client is told to wait before it comes again, in seconds.
pub const RETRY_AFTER_S: u32 = 2;
/// How often an answer that needs more loads it, before we call it a mistake of ours: each round follows one more reference.
pub const ANSWER_ROUNDS_MAX: usize = 64;
/// Connections at a time; the next one waits to be accepted. Above the requests at a time, as browsers hold idle ones.
pub const CONNECTIONS_AT_ONCE: usize = 1024;
/// How long a client may take over the headers of a request, and be idle before them.
pub const HEADERS_WAIT: Duration = Duration::from_secs(20);
/// Bytes of a request's first line and headers.
pub const HEADERS_BYTES_MAX: usize = 32 * 1024;
