//! `piperoll serve`: a server on a ledger that `init` founded.

use std::{
    io::IsTerminal,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use piperoll_server::{
    clock::System,
    engine, found,
    serve::{self, Config, Running},
    stream::jetstream,
};
use piperoll_store::Address;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    exit::{Problem, Result},
    output,
    place::{self, DataArgs, StateArgs},
    rim,
};

/// Serve a ledger: intake, bridges, answers and pages
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    place: DataArgs,
    #[command(flatten)]
    state: StateArgs,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7470")]
    listen: SocketAddr,
    /// The address under which others reach it, for links and snippets [default: where it listens]
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    #[command(flatten)]
    nats: NatsArgs,
}
/// The stream that stands in for the queue in memory.
#[derive(Debug, clap::Args)]
struct NatsArgs {
    /// Take events from JetStream at this address; credentials come from NATS_CREDS, NATS_NKEY and NATS_CA (files)
    #[arg(long, value_name = "URL", hide_env_values = true)]
    nats: Option<String>,
    /// Follow the stream that is there from now on, although the ledger followed another: this is recorded
    #[arg(long, requires = "nats")]
    adopt_stream: bool,
}
impl NatsArgs {
    fn config(self) -> Option<jetstream::Config> {
        let file = |name| rim::variable(name).map(PathBuf::from);
        self.nats.map(|url| jetstream::Config {
            credentials: file("NATS_CREDS"),
            nkey: file("NATS_NKEY"),
            ca: file("NATS_CA"),
            adopt: self.adopt_stream,
            ..jetstream::Config::new(url)
        })
    }
}

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    write_log_lines();
    let address = args.place.address()?;
    let (data, state) = (args.place.folder(), args.state.folder()?);
    refuse_a_guard_inside(&data, &state)?;
    let config = Config {
        engine: engine::Config {
            data,
            database: args.place.database(),
            state,
            nats: args.nats.config(),
            clock: Arc::new(System),
            entropy: rim::fill,
        },
        listen: args.listen,
        public_url: args.public_url,
    };
    let running = serve::start(config)
        .await
        .map_err(|error| explain(&error, &address))?;
    output::say(&format!(
        "piperoll: ledger {} is listening on http://{}",
        running.state().ledger.origin.as_str(),
        running.address()
    ));
    until_told(running, &address).await
}

/// A guard that is restored together with the ledger guards nothing.
fn refuse_a_guard_inside(data: &Path, state: &Path) -> Result {
    let whole = |path: &Path| std::path::absolute(path);
    if !found::lies_within(&whole(state)?, &whole(data)?) {
        return Ok(());
    }
    Err(Problem::usage(format!(
        "state {} lies in the server's folder, so that a backup of the ledger would bring back its guard too",
        state.display()
    ))
    .hint("name a folder outside of it, and outside backups: --state /var/lib/piperoll-state"))
}

/// Serves until SIGINT or SIGTERM, or until a part of the server ends by itself.
pub(crate) async fn until_told(mut running: Running, address: &Address) -> Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let failed = tokio::select! {
        error = running.wait() => Some(error),
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            None
        }
        _ = terminate.recv() => None,
    };
    running.shutdown().await;
    match failed {
        Some(error) => Err(explain(&error, address)),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Why a server did not start or did not go on, with the chain of causes.
pub(crate) fn explain(error: &serve::Error, address: &Address) -> Problem {
    place::trouble(error, Some(address))
}

/// What never reaches the log, whatever `RUST_LOG` says.
const SILENT: &str = "sqlx_postgres::options::pgpass=off";

/// Log lines go to stderr; `RUST_LOG` chooses what, `PIPEROLL_LOG=json` how.
pub(crate) fn write_log_lines() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"))
        // It logs lines of ~/.pgpass that it cannot read, passwords and all.
        .add_directive(SILENT.parse().expect("a directive of ours is well-formed"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(rim::variable("NO_COLOR").is_none() && std::io::stderr().is_terminal());
    let set = if rim::variable("PIPEROLL_LOG").as_deref() == Some("json") {
        lines.json().try_init()
    } else {
        lines.try_init()
    };
    // A second call in one process (the demo serves too) keeps the first one's settings.
    drop(set);
}
