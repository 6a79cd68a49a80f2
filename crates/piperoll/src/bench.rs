//! `bench ingest`: how fast events become entries, beside the fastest that checking their signatures alone could be.
//!
//! The events are signed beforehand and wait in a file, so that memory and time are the ledger's own. They go through the real
//! intake, queue, checks, fold and durable commits, with a publisher that signs checkpoints as it always does; only HTTP is left out.

mod ceiling;
mod emitters;
mod load;
mod messages;
mod report;
mod shop;

use std::{path::PathBuf, sync::Arc};

use anyhow::Context;
use piperoll_core::name::Origin;
use piperoll_server::{
    clock::System,
    engine::{self, Engine},
    folder::Folder,
    found::{Founding, found},
};

use piperoll_store::admin;

pub(crate) use report::Report;

use crate::{output, rim};

/// What a run is asked to do.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// At least one.
    pub(crate) events: usize,
    /// Events handed in and not answered yet, at most.
    pub(crate) in_flight: usize,
    /// The server's folder of the ledger that is made, and kept; `None` is a temporary one.
    pub(crate) data: Option<PathBuf>,
    /// The database's address; `None` is `ledger.db` in the folder.
    pub(crate) database: Option<String>,
}

/// Makes a ledger, records the events, measures the ceiling.
pub(crate) async fn ingest(plan: Plan) -> anyhow::Result<Report> {
    let scratch = tempfile::tempdir().context("making a temporary folder")?;
    let data = plan
        .data
        .clone()
        .unwrap_or_else(|| scratch.path().join("ledger"));
    found(Founding {
        data: data.clone(),
        database: plan.database.clone(),
        origin: Origin::parse("piperoll.bench.example/log/bench")?,
        recovery_key: scratch.path().join("recovery"),
        clock: Arc::new(System),
        entropy: rim::fill,
    })
    .await?;
    let address = Folder::new(&data).address(plan.database.as_deref())?;
    let empty = admin::bytes(&address).await?;
    let engine = Engine::start(engine::Config {
        data: data.clone(),
        database: plan.database.clone(),
        state: scratch.path().join("state"),
        nats: None,
        clock: Arc::new(System),
        entropy: rim::fill,
    })
    .await?;
    let shop = emitters::enrol(&engine).await?;

    output::say(&format!("signing {} events", plan.events));
    let file = scratch.path().join("messages.jsonl");
    let events = plan.events;
    let (shop, file) = tokio::task::spawn_blocking(move || {
        messages::write(&shop, events, &file).map(|()| (Arc::new(shop), file))
    })
    .await??;

    output::say("recording them");
    let messages = messages::Reader::open(&file)?;
    let recorded = load::run(Arc::clone(&engine.intake), messages, plan.in_flight).await?;
    let peak_rss_mb = report::peak_rss_mb();
    let entries = engine.status.now().size;
    engine.shutdown().await;
    let full = admin::bytes(&address).await?;
    let disk = report::Disk {
        // What an empty PostgreSQL database takes is not the entries'.
        bytes: full.saturating_sub(empty),
        entries,
    };

    output::say("checking their signatures alone");
    let ceiling = tokio::task::spawn_blocking(move || ceiling::measure(&shop, &file)).await??;
    Ok(Report::new(&plan, &recorded, ceiling, peak_rss_mb, &disk))
}
