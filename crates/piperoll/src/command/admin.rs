//! `piperoll admin`: what an operator does with a whole database. No server may run on it meanwhile.

use std::path::Path;

use clap::Subcommand;
use piperoll_core::Hash;
use piperoll_server::{folder::Folder, rebuild};
use piperoll_store::{
    self as store, Address, OpenMode,
    admin::{self, CopyError, Side},
};
use piperoll_tlog::encoding;
use serde_json::json;

use crate::{
    exit::{Problem, Result},
    output::{self, Format, FormatArgs},
    place::{self, ReadArgs},
    rim,
};

/// Work on a ledger's database: bring it up to date, rebuild what is derived, move it
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}
#[derive(Debug, Subcommand)]
enum What {
    Migrate(MigrateArgs),
    Rebuild(RebuildArgs),
    Copy(CopyArgs),
}

/// Make the tables, or bring them up to date; on `PostgreSQL` as the role that owns them
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: PIPEROLL_DATABASE=postgres://owner@db.example/ledger piperoll admin migrate --service-role piperoll"
)]
struct MigrateArgs {
    #[command(flatten)]
    place: ReadArgs,
    /// Give this role what `piperoll serve` needs, and no more
    #[arg(long, value_name = "ROLE")]
    service_role: Option<String>,
}
/// Fold all entries anew, compare with the read models that are there, and put right what differs
#[derive(Debug, clap::Args)]
struct RebuildArgs {
    #[command(flatten)]
    place: ReadArgs,
    #[command(flatten)]
    format: FormatArgs,
}
/// Copy a ledger into an empty database, either way, and compare the roots
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll admin copy --from ./ledger --to postgres://piperoll@db.example/ledger"
)]
struct CopyArgs {
    /// A server's folder, a file, or a database's address; it is only read
    #[arg(long, value_name = "FOLDER|FILE|ADDRESS", hide_default_value = true)]
    from: String,
    /// A server's folder, a file, or a database's address; it must hold no ledger
    #[arg(long, value_name = "FOLDER|FILE|ADDRESS", hide_default_value = true)]
    to: String,
    #[command(flatten)]
    format: FormatArgs,
}

pub(crate) async fn run(args: Args) -> Result {
    match args.what {
        What::Migrate(args) => migrate(args).await,
        What::Rebuild(args) => rebuild(args).await,
        What::Copy(args) => copy(args).await,
    }
}

async fn migrate(args: MigrateArgs) -> Result {
    let address = args.place.required()?;
    if let (Address::File(_), Some(role)) = (&address, &args.service_role) {
        return Err(Problem::usage(format!(
            "a SQLite file has no roles, so {role} cannot be given rights"
        ))
        .hint("leave --service-role out, or name a PostgreSQL database"));
    }
    if let Address::File(path) = &address
        && !path.exists()
    {
        return Err(
            Problem::failed(format!("{} does not exist", path.display()))
                .hint("piperoll init makes a ledger; there is nothing to migrate before"),
        );
    }
    admin::migrate(&address, args.service_role.as_deref())
        .await
        .map_err(|error| place::trouble(&error, Some(&address)))?;
    let mut said = format!("the tables of {address} are those of this version\n");
    if let Some(role) = &args.service_role {
        said = format!("{said}{role} may serve the ledger: read it, and insert\n");
    }
    output::data(&said)
}

async fn rebuild(args: RebuildArgs) -> Result {
    let address = args.place.required()?;
    let trouble = |error: &(dyn std::error::Error + 'static)| place::trouble(error, Some(&address));
    let lock = lock_folder(&address)?;
    let store = store::open(&address, OpenMode::ReadWrite)
        .await
        .map_err(|error| trouble(&error))?;
    let holder = format!("admin rebuild {}", encoding::hex(&rim::random::<8>()));
    let rebuilt = rebuild::rebuild(&*store, &holder).await;
    store.close().await;
    drop(lock);
    let rebuilt = rebuilt.map_err(|error| trouble(&error))?;
    let same = rebuilt.before == rebuilt.after;
    match args.format.format() {
        Format::Json => output::json(&json!({
            "entries": rebuilt.size,
            "before": rebuilt.before.to_hex(),
            "after": rebuilt.after.to_hex(),
            "same": same,
        })),
        Format::Table => output::data(&if same {
            format!(
                "{} entries folded: the read models are as they should be, digest {}\n",
                rebuilt.size,
                short(rebuilt.after)
            )
        } else {
            format!(
                "{} entries folded: the read models were not what the entries make (digest {}, not {}); they are now\n",
                rebuilt.size,
                short(rebuilt.before),
                short(rebuilt.after)
            )
        }),
    }
}

async fn copy(args: CopyArgs) -> Result {
    let (from, to) = (address(&args.from)?, address(&args.to)?);
    let trouble = |error: &CopyError| {
        let at = match error.side {
            Side::From => &from,
            Side::To => &to,
        };
        match error.source {
            store::Error::Conflict => {
                Problem::failed(format!("{at} was written while it was copied"))
                    .hint("stop every server on either, empty the target, and copy again")
            }
            _ => place::trouble(error, Some(at)),
        }
    };
    let locks = (lock_folder(&from)?, lock_folder(&to)?);
    refuse_a_server_on(&from).await?;
    let copied = admin::copy(&from, &to).await;
    drop(locks);
    let copied = copied.map_err(|error| trouble(&error))?;
    match args.format.format() {
        Format::Json => output::json(&json!({
            "entries": copied.size,
            "root": copied.root.to_hex(),
        })),
        Format::Table => output::data(&format!(
            "{} entries copied into {to}, and their root is the same there: {}\n\
             next: serve that one, with the same --data (its keys) and the same --state; never both\n",
            copied.size,
            short(copied.root)
        )),
    }
}

/// A folder stands for the `ledger.db` in it.
fn address(text: &str) -> Result<Address> {
    let named = Address::parse(text).map_err(|error| Problem::usage(error.to_string()))?;
    Ok(match named {
        Address::File(path) if path.is_dir() => {
            Address::from(Folder::new(path).database().as_path())
        }
        other => other,
    })
}
/// Where a database lies in a server's folder, no server may run on that folder.
fn lock_folder(address: &Address) -> Result<Option<piperoll_server::folder::Lock>> {
    let Address::File(path) = address else {
        return Ok(None);
    };
    let folder = Folder::new(path.parent().unwrap_or(Path::new(".")));
    if folder.check().is_err() {
        return Ok(None); // a file by itself
    }
    folder
        .lock()
        .map(Some)
        .map_err(|error| Problem::failed(error.to_string()))
}
async fn refuse_a_server_on(address: &Address) -> Result {
    let trouble = |error: store::Error| place::trouble(&error, Some(address));
    let store = store::open(address, OpenMode::ReadOnly)
        .await
        .map_err(trouble)?;
    let lease = store.lease().await;
    store.close().await;
    match lease.map_err(trouble)? {
        Some(lease) if lease.live => Err(Problem::failed(format!(
            "the ledger in {address} is being written by the server at {}",
            lease.address
        ))
        .hint("stop it first: what it records after the copy would be missing in it")),
        _ => Ok(()),
    }
}
fn short(hash: Hash) -> String {
    let hex = hash.to_hex();
    format!("{}…{}", &hex[..8], &hex[hex.len() - 4..])
}
