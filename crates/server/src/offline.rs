//! Answers about a ledger that nobody serves: the same routes, asked without a socket, over a store opened for reading. Also beside
//! a running server, which is not disturbed.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, body::Body, http::Request};
use piperoll_store::{self as store, Address, OpenMode};
use piperoll_tlog::note::{KeyName, VerifierKey};
use tower::ServiceExt;

use crate::{
    api, clock,
    engine::Error,
    entropy::Entropy,
    folder::Folder,
    in_flight::InFlight,
    intake::{Answer, Intake, Unavailable, Wait},
    projector,
    receipts::{Receipts, Waiting},
    state::{Ledger, State, Web},
    status::{self, Streaming},
};

/// An answer to a GET is read up to here; a page of 500 rows stays far below.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A ledger that is only read.
pub struct Reader {
    router: Router,
    state: State,
}
/// Nothing is taken in: nobody projects.
struct Closed;
#[async_trait::async_trait]
impl Intake for Closed {
    async fn submit(&self, _message: Vec<u8>, _wait: Wait) -> Result<Answer, Unavailable> {
        Err(Unavailable {
            why: "this ledger is only read; start it with `piperoll serve`".to_owned(),
            elsewhere: None,
            retry_after_s: 1,
        })
    }
}

impl Reader {
    /// Opens the ledger in the database at `address`. The server's folder and its keys are not needed.
    pub async fn open(
        address: &Address,
        clock: clock::Shared,
        entropy: Entropy,
    ) -> Result<Self, Error> {
        let store = store::open(address, OpenMode::ReadOnly).await?;
        let ledger = identify(address, &store).await?;
        // Nothing listens; the address only says that whoever asks is on this machine.
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let state = State {
            ledger: Arc::new(ledger),
            receipts: Receipts::new(Arc::clone(&store), Waiting::default()),
            store,
            intake: Arc::new(Closed),
            status: status::Handle::new(Streaming::Embedded),
            clock,
            entropy,
            // Bridges live in a server's folder, and nobody calls them here.
            folder: Folder::new("/dev/null"),
            web: Arc::new(Web {
                address: nowhere,
                public_url: "http://127.0.0.1".to_owned(),
            }),
            in_flight: InFlight::default(),
        };
        Ok(Self {
            router: api::router(state.clone()),
            state,
        })
    }
    /// The store, opened for reading.
    pub fn store(&self) -> &store::Shared {
        &self.state.store
    }
    /// Asks `path_and_query`, escaped as in a URL; gives status, content type and body, as the server would.
    pub async fn get(&self, path_and_query: &str) -> Result<(u16, String, Vec<u8>), String> {
        let request = Request::get(path_and_query)
            .header("host", "127.0.0.1")
            .body(Body::empty())
            .map_err(|error| error.to_string())?;
        let answered = self.router.clone().oneshot(request).await;
        let response = answered.unwrap_or_else(|never| match never {});
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or_default().to_owned();
        let body = axum::body::to_bytes(response.into_body(), ANSWER_BYTES_MAX)
            .await
            .map_err(|error| error.to_string())?;
        Ok((status, content_type, body.to_vec()))
    }
}

async fn identify(address: &Address, store: &store::Shared) -> Result<Ledger, Error> {
    let state = projector::State::load(&**store).await?;
    let genesis = state
        .authority()
        .genesis()
        .ok_or_else(|| Error::NotFounded(address.to_string()))?;
    Ok(Ledger {
        id: genesis.ledger,
        origin: genesis.origin.clone(),
        verifier: VerifierKey {
            name: KeyName::new(genesis.origin.as_str())?,
            key: genesis.checkpoint_key.clone(),
        },
    })
}
