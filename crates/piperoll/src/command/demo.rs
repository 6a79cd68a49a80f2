//! `piperoll demo`: the whole of Piperoll at work, on a week of a small shop.

use std::{
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use piperoll_core::name::{LedgerId, Origin};
use piperoll_server::{
    clock::{self, System},
    engine, entropy,
    folder::Folder,
    found::{self, Founding},
    serve::{self, Config, Running},
};

use tokio::net::TcpListener;

use crate::{
    ask::Source,
    demo::{Layout, Player, StoryClock, print, story_begins},
    exit::{Exit, Problem, Result},
    ledger, output,
    place::{self, DatabaseArgs},
    rim,
};

/// The demo's ledger, for ever.
const ORIGIN: &str = "piperoll.acme.example/log/demo";
/// Where `serve` listens too; taken unless somebody else has it.
const DEFAULT_PORT: u16 = 7470;

/// See all of it work: a fresh ledger, a real server, and a week of a small shop
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder for everything the demo makes
    #[arg(long, value_name = "FOLDER", default_value = "piperoll-demo")]
    data: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Where to listen [default: 127.0.0.1:7470, or a free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// End after printing
    #[arg(long)]
    exit: bool,
}

pub(crate) async fn run(args: Args) -> Result<ExitCode> {
    let layout = Layout::new(&args.data);
    let address = args.database.address_beside(&args.data)?;
    let is_there = Folder::new(&args.data).check().is_ok();
    let (running, source, player) = if is_there {
        let (running, source) = again(&args, &layout).await?;
        (running, source, None)
    } else {
        let (running, source, player) = first_time(&args, &layout).await?;
        (running, source, Some(player))
    };
    let ledger = running.state().ledger.id;
    let stored = print::Stored {
        folder: &args.data,
        database: args.database.for_a_shell(),
    };
    match print::answer(&running, &source, ledger, &stored, args.exit).await {
        // What was found is the answer; the pages show what is stored.
        Err(found) if found.exit == Exit::Unverified && !args.exit => {
            output::say(found.lines().trim_end());
            output::say(&format!(
                "It is served as it is, on http://{}; Ctrl-C ends it.",
                running.address()
            ));
        }
        answered => answered?,
    }
    if args.exit {
        running.shutdown().await;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(player) = player {
        player.fetch_receipts().await?;
    }
    super::serve::until_told(running, &address).await
}

async fn first_time(args: &Args, layout: &Layout) -> Result<(Running, Source, Player)> {
    let now = rim::now();
    let clock = Arc::new(StoryClock::at(story_begins(now)));
    let shared = Arc::clone(&clock) as clock::Shared;
    // First of all, so that a demo that cannot listen leaves nothing behind.
    let listener = listen(args).await?;
    let ledger = found_in(layout, &args.database, Arc::clone(&shared)).await?;
    let running = start(listener, args, layout, shared).await?;
    let server = ledger::connect(&format!("http://{}", running.address()))?;
    output::say(
        "The demo's server tells the time of its story, the week to last Saturday (UTC); then the system's.",
    );
    let status = running.state().status.clone();
    let mut player = Player::new(layout.clone(), server.clone(), ledger, status, clock, now);
    player.play().await?;
    std::fs::write(layout.told(), "the demo's story was told to its end\n")?;
    Ok((running, Source::Server(server), player))
}
/// A folder that the demo made before: nothing is sent a second time.
async fn again(args: &Args, layout: &Layout) -> Result<(Running, Source)> {
    if !layout.recovery_key().exists() {
        return Err(Problem::failed(format!(
            "{} holds a ledger that is not the demo's",
            args.data.display()
        ))
        .hint("name another folder: piperoll demo --data FOLDER")
        .hint(format!(
            "serve the one that is there with: piperoll serve --data {}",
            args.data.display()
        )));
    }
    if !layout.told().exists() {
        return Err(Problem::failed(format!(
            "{} holds a demo that did not get to its end",
            args.data.display()
        ))
        .hint("remove that folder, or name another with --data"));
    }
    output::say(&format!(
        "{} is already there from an earlier demo: nothing is sent again, it is served as it is.",
        args.data.display()
    ));
    output::say("For a fresh one: remove that folder, or name another with --data.");
    let running = start(listen(args).await?, args, layout, Arc::new(System)).await?;
    let server = ledger::connect(&format!("http://{}", running.address()))?;
    Ok((running, Source::Server(server)))
}

/// Founds the ledger in a folder of its own and moves it up, so that the recovery key can lie outside of it and yet inside the
/// demo's folder, which is all that the demo touches.
async fn found_in(
    layout: &Layout,
    database: &DatabaseArgs,
    clock: clock::Shared,
) -> Result<LedgerId> {
    let taken = |folder: &Path| {
        folder
            .read_dir()
            .is_ok_and(|mut names| names.next().is_some())
    };
    if taken(&layout.data) {
        return Err(Problem::failed(format!(
            "{} is there already, and no demo that got to its end is in it",
            layout.data.display()
        ))
        .hint("name another with --data; if a demo was broken off there, remove it"));
    }
    private(&layout.data)?;
    let origin = Origin::parse(ORIGIN).map_err(anyhow::Error::from)?;
    let founding = Founding {
        data: layout.founding(),
        database: database.address_text(),
        origin,
        recovery_key: layout.recovery_key(),
        clock,
        entropy: entropy::system,
    };
    let address = database.address_beside(&layout.data)?;
    let founded = found::found(founding).await.map_err(|error| {
        layout.take_back();
        place::trouble(&error, Some(&address))
    })?;
    for entry in layout.founding().read_dir()? {
        let entry = entry?;
        std::fs::rename(entry.path(), layout.data.join(entry.file_name()))?;
    }
    std::fs::remove_dir(layout.founding())?;
    Ok(founded.ledger)
}

/// A new folder is only its owner's, as `init` makes one: names, texts and keys will lie in it.
fn private(folder: &Path) -> Result {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(folder).map_err(|error| {
        Problem::failed(format!("{} cannot be made: {error}", folder.display()))
            .hint("name another folder with --data")
    })
}

/// On the address that was named; else on the usual port, or any free one.
async fn listen(args: &Args) -> Result<TcpListener> {
    let local = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let bound = match (
        serve::bind(args.listen.unwrap_or(local(DEFAULT_PORT))).await,
        args.listen,
    ) {
        (Err(serve::Error::PortInUse { .. }), None) => serve::bind(local(0)).await,
        (bound, _) => bound,
    };
    bound.map_err(|error| Problem::failed(error.to_string()))
}
async fn start(
    listener: TcpListener,
    args: &Args,
    layout: &Layout,
    clock: clock::Shared,
) -> Result<Running> {
    let config = Config {
        engine: engine::Config {
            data: layout.data.clone(),
            database: args.database.address_text(),
            state: layout.state(),
            nats: None,
            clock,
            entropy: entropy::system,
        },
        listen: listener.local_addr()?,
        public_url: None,
    };
    let address = args.database.address_beside(&args.data)?;
    let started = serve::start_on(listener, config).await;
    started.map_err(|error| super::serve::explain(&error, &address))
}
