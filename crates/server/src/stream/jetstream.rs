//! The stream over JetStream (design.md section 8): transport with a memory, not the record.
//!
//! The stream is created once and then only compared. One pull consumer without acknowledgements reads from the cursor on; whether
//! anything is missing is ours to check, and what does not fit is an incident: nothing more is taken in until somebody decides.

mod feed;
mod intake;
mod position;
mod settings;
mod waiters;

use std::{path::PathBuf, time::Duration};

use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, Event,
    jetstream::{
        Context, ErrorCode,
        context::{ContextBuilder, GetStreamErrorKind},
        stream::{Info, Stream},
    },
};
use tokio::sync::watch;

pub use feed::Feed;
pub use intake::JetStream;
pub(crate) use intake::decide;
pub use position::Incident;
pub use waiters::Waiters;

use crate::{
    causes::chain,
    status::{self, Streaming},
};

/// The oldest server whose `sync_interval: always` keeps what it acknowledged.
const SERVER_MIN: (i64, i64, i64) = (2, 14, 6);
/// How long an acknowledgement or an answer may take; a busy disk syncs each message.
const ANSWER_WAIT: Duration = Duration::from_secs(10);
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// The longest pause between two tries to reach a server that went away.
const RECONNECT_MAX: Duration = Duration::from_secs(1);

/// How to reach NATS, and with which rights.
#[derive(Clone)]
pub struct Config {
    /// `nats://host:4222`, several with commas between.
    pub url: String,
    /// A `.creds` file.
    pub credentials: Option<PathBuf>,
    /// A file that holds the seed of an `NKey`.
    pub nkey: Option<PathBuf>,
    /// A PEM file of certificates to trust beside the system's.
    pub ca: Option<PathBuf>,
    /// Follow this stream from now on, although the ledger followed another: recorded as `stream.adopted`.
    pub adopt: bool,
    /// Bytes the stream may hold, for its creation.
    pub max_bytes: i64,
}
impl Config {
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: None,
            nkey: None,
            ca: None,
            adopt: false,
            max_bytes: settings::MAX_BYTES,
        }
    }
    /// The addresses without anything that was written before an `@`.
    fn shown(&self) -> String {
        let shown = |url: &str| match (url.split_once("://"), url.rsplit_once('@')) {
            (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
            (None, Some((_, host))) => host.to_owned(),
            (_, None) => url.to_owned(),
        };
        let all: Vec<_> = self.url.split(',').map(|url| shown(url.trim())).collect();
        all.join(", ")
    }
}
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Config({})", self.shown())
    }
}

/// Why NATS cannot be used. Each message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("NATS does not answer at {url}: {why}; start it, or correct --nats")]
    Unreachable { url: String, why: String },
    #[error(
        "NATS at {url} does not let this server in: {why}; correct the credentials (NATS_CREDS or NATS_NKEY)"
    )]
    Denied { url: String, why: String },
    #[error("{} cannot be read: {source}; correct its path or permissions", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "NATS at {url} is version {version}; Piperoll needs 2.14.6 or newer, because older ones lose messages they acknowledged"
    )]
    TooOld { url: String, version: String },
    #[error(
        "JetStream does not answer at {url}: {why}; switch it on in the server's configuration (`jetstream {{ … }}`)"
    )]
    NoJetStream { url: String, why: String },
    #[error(
        "the stream {stream} cannot be made: {why}; give JetStream more room, or make the stream's limits smaller"
    )]
    NotMade { stream: String, why: String },
    #[error("{}; {}", .0.why, .0.remedy)]
    Incident(Incident),
}

/// A connection that heals itself, and the stream of one ledger.
#[derive(Clone)]
pub struct Connection {
    context: Context,
    /// `piperoll-<slug>`.
    name: String,
    slug: String,
    ledger: String,
    url: String,
    max_bytes: i64,
    /// Rises with every connect.
    connects: watch::Receiver<u64>,
}
impl Connection {
    /// Connects; afterwards the connection heals itself, and `status` says how it stands.
    pub async fn open(
        config: &Config,
        slug: &str,
        ledger: &str,
        status: status::Handle,
    ) -> Result<Self, Error> {
        let url = config.shown();
        let (rising, connects) = watch::channel(0);
        let connected = status.clone();
        let options = options(config)
            .await?
            .name(format!("piperoll {slug}"))
            .connection_timeout(CONNECT_WAIT)
            .reconnect_delay_callback(|attempts| {
                let attempts = u32::try_from(attempts).unwrap_or(u32::MAX).min(8);
                Duration::from_millis(10 << attempts).min(RECONNECT_MAX)
            })
            .event_callback(move |event| {
                note(&event, &status, &rising);
                std::future::ready(())
            });
        let client = options
            .connect(config.url.as_str())
            .await
            .map_err(|error| connect_error(&url, &error))?;
        check_version(&client, &url)?;
        set_connected(&connected, true);
        Ok(Self {
            context: ContextBuilder::new().timeout(ANSWER_WAIT).build(client),
            name: format!("piperoll-{slug}"),
            slug: slug.to_owned(),
            ledger: ledger.to_owned(),
            url,
            max_bytes: config.max_bytes,
            connects,
        })
    }
    /// Where the HTTP intake publishes.
    fn intake_subject(&self) -> String {
        format!("piperoll.v1.in.{}.http", self.slug)
    }
    /// The stream, or `None` if there is none.
    async fn stream(&self) -> Result<Option<Stream>, Error> {
        match self.context.get_stream(&self.name).await {
            Ok(stream) => Ok(Some(stream)),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(inner)
                    if inner.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                _ => Err(Error::NoJetStream {
                    url: self.url.clone(),
                    why: chain(&error),
                }),
            },
        }
    }
    /// The stream, made if it is not there; its settings must be ours. Gives its incarnation and the sequence before its first
    /// message.
    pub async fn ensure(&self) -> Result<(String, u64), Error> {
        let stream = if let Some(stream) = self.stream().await? {
            stream
        } else {
            let config = settings::wanted(&self.slug, &self.ledger, self.max_bytes);
            let made = self.context.create_stream(config).await;
            made.map_err(|error| Error::NotMade {
                stream: self.name.clone(),
                why: chain(&error),
            })?
        };
        let info = stream.cached_info();
        settings::compare(&self.slug, &self.ledger, &info.config).map_err(Error::Incident)?;
        let before_first = info.state.first_sequence.saturating_sub(1);
        Ok((incarnation(info), before_first))
    }
    /// Sends what is buffered and closes.
    pub async fn close(&self) {
        if let Err(error) = self.context.client().drain().await {
            tracing::debug!(%error, "the connection to NATS was closed already");
        }
    }
}

/// What tells one life of a stream from another: its name and when it was made.
fn incarnation(info: &Info) -> String {
    let created = timestamp(info.created);
    format!("{}@{created}", info.config.name)
}
/// An instant of NATS; it counts nanoseconds from 1970 in 64 bits, which always fit.
fn timestamp(at: async_nats::datetime::DateTime) -> jiff::Timestamp {
    jiff::Timestamp::from_nanosecond(at.unix_timestamp_nanos())
        .expect("a time of NATS lies between 1678 and 2262")
}

async fn options(config: &Config) -> Result<ConnectOptions, Error> {
    let file = |path: &PathBuf| {
        let path = path.clone();
        |source| Error::File { path, source }
    };
    let mut options = ConnectOptions::new();
    if let Some(path) = &config.credentials {
        options = options.credentials_file(path).await.map_err(file(path))?;
    }
    if let Some(path) = &config.nkey {
        let seed = tokio::fs::read_to_string(path).await.map_err(file(path))?;
        options = options.nkey(seed.trim().to_owned());
    }
    if let Some(path) = &config.ca {
        options = options.add_root_certificates(path.clone());
    }
    Ok(options)
}
fn connect_error(url: &str, error: &async_nats::ConnectError) -> Error {
    let url = url.to_owned();
    let why = chain(error);
    match error.kind() {
        ConnectErrorKind::Authentication | ConnectErrorKind::AuthorizationViolation => {
            Error::Denied { url, why }
        }
        _ => Error::Unreachable { url, why },
    }
}
fn check_version(client: &Client, url: &str) -> Result<(), Error> {
    let (major, minor, patch) = SERVER_MIN;
    if client.is_server_compatible(major, minor, patch) {
        return Ok(());
    }
    Err(Error::TooOld {
        url: url.to_owned(),
        version: client.server_info().version,
    })
}
/// Keeps the status and the count of connects up to date.
fn note(event: &Event, status: &status::Handle, rising: &watch::Sender<u64>) {
    match event {
        Event::Connected => {
            tracing::info!("connected to NATS");
            set_connected(status, true);
            rising.send_modify(|connects| *connects += 1);
        }
        Event::Disconnected | Event::Closed => {
            tracing::warn!("the connection to NATS is gone; it is tried again");
            set_connected(status, false);
        }
        other => tracing::warn!(event = %other, "NATS reports"),
    }
}
fn set_connected(status: &status::Handle, now_connected: bool) {
    status.update(|now| {
        if let Streaming::JetStream { connected, .. } = &mut now.streaming {
            *connected = now_connected;
        }
    });
}
/// Why the stream is not read at the moment; `None` says that it is.
fn set_unread(status: &status::Handle, why: Option<String>) {
    status.update(|now| {
        if let Streaming::JetStream { unread, .. } = &mut now.streaming {
            *unread = why;
        }
    });
}
fn set_last_sequence(status: &status::Handle, sequence: u64) {
    status.update(|now| {
        if let Streaming::JetStream { last_sequence, .. } = &mut now.streaming {
            *last_sequence = sequence.max(*last_sequence);
        }
    });
}
