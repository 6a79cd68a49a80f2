//! Wires a running server and takes it down again.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;

use crate::{
    api, bridges, connections,
    engine::{self, Engine, Task},
    in_flight::InFlight,
    state::{State, Web},
    stop::Stop,
};

/// What a server needs.
pub struct Config {
    pub engine: engine::Config,
    /// Port 0 takes a free one.
    pub listen: SocketAddr,
    /// `--public-url`; `None` is `http://<the address that was bound>`.
    pub public_url: Option<String>,
}
/// Why a server does not start, or ended by itself. Each message names the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "cannot listen on {address}: the port is in use, perhaps by another `piperoll serve`; stop that one or name another with --listen"
    )]
    PortInUse { address: SocketAddr },
    #[error("cannot listen on {address}: {source}; name another address with --listen")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(transparent)]
    Engine(#[from] engine::Error),
}

/// A server that answers.
pub struct Running {
    state: State,
    engine: Engine,
    http: Task,
    bridges: Task,
}

/// Starts a server: binds the port first, so that a second server on it changes nothing.
pub async fn start(config: Config) -> Result<Running, Error> {
    let listener = bind(config.listen).await?;
    start_on(listener, config).await
}
/// The same on a port that was bound before.
pub async fn start_on(listener: TcpListener, config: Config) -> Result<Running, Error> {
    let address = listener.local_addr().map_err(listen_error(config.listen))?;
    let public_url = config
        .public_url
        .unwrap_or_else(|| format!("http://{address}"));
    let public_url = public_url.trim_end_matches('/').to_owned();
    let engine = Engine::start_at(config.engine, &public_url).await?;
    let state = State {
        ledger: Arc::clone(&engine.ledger),
        store: Arc::clone(&engine.store),
        intake: Arc::clone(&engine.intake),
        receipts: engine.receipts.clone(),
        status: engine.status.clone(),
        clock: Arc::clone(&engine.clock),
        entropy: engine.entropy,
        folder: engine.folder.clone(),
        web: Arc::new(Web {
            address,
            public_url,
        }),
        in_flight: InFlight::default(),
    };
    let (bridges_switch, bridges_stop) = Stop::new();
    let (http_switch, http_stop) = Stop::new();
    let bridges = Task::start(
        "bridges",
        Some(bridges_switch),
        bridges::run(state.clone(), bridges_stop),
    );
    let router = api::router(state.clone());
    let http = Task::start(
        "HTTP side",
        Some(http_switch),
        connections::answer(listener, router, http_stop),
    );
    Ok(Running {
        state,
        engine,
        http,
        bridges,
    })
}
/// Takes a port, so that whatever is made for the server is made only where it can answer.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(listen_error(address))
}
fn listen_error(address: SocketAddr) -> impl FnOnce(io::Error) -> Error {
    move |source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortInUse { address },
        _ => Error::Listen { address, source },
    }
}
impl Running {
    /// The address that was bound.
    pub fn address(&self) -> SocketAddr {
        self.state.web.address
    }
    /// What the HTTP side holds, for those who run in the same process.
    pub fn state(&self) -> &State {
        &self.state
    }
    /// Waits for as long as all is well. What it gives is why the server must end; call [`Running::shutdown`] then.
    pub async fn wait(&mut self) -> Error {
        tokio::select! {
            error = self.engine.ended() => error.into(),
            name = self.http.ended() => engine::Error::Ended(name).into(),
            name = self.bridges.ended() => engine::Error::Ended(name).into(),
        }
    }
    /// Stops in order: no new requests, those under way finish, bridges, stream, projector, a last checkpoint. Every task is
    /// awaited.
    pub async fn shutdown(self) {
        self.http.end().await;
        self.bridges.end().await;
        drop(self.state);
        self.engine.shutdown().await;
    }
}
