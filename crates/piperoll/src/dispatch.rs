//! Where events go: an outbox, the server it delivers to, and the ledger both must be of.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use piperoll_client::{
    courier::{Alarm, Courier, Fate, Patience, Report, Why},
    delivery::{self, Delivered, Wait},
    ledger::{self, Ledger},
    outbox::{Claim, Counts, Outbox},
    query,
    server::{Server, Unreachable},
    state::Folder,
};
use piperoll_core::{envelope::Envelope, name::LedgerId};

use crate::{
    exit::{Exit, Problem, Result},
    ledger::LedgerArgs,
    output, rim,
};

/// How long a command spends on events that waited before its own.
const OLDER_EVENTS_WITHIN: Duration = Duration::from_secs(10);
/// How long it spends on receipts of events before its own.
const RECEIPTS_WITHIN: Duration = Duration::from_secs(2);
/// How long it tries with a ledger that is there and takes nothing for now.
const PATIENCE: Patience = Patience {
    unavailable: Duration::from_secs(3),
    unreachable: Duration::ZERO,
};

/// `--outbox`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct OutboxArgs {
    /// The folder where events wait for their receipt [default: ~/.local/state/piperoll]
    #[arg(long, value_name = "FOLDER")]
    pub outbox: Option<PathBuf>,
}
impl OutboxArgs {
    /// What this user's commands remember: outbox, pinned ledgers, receipts.
    pub(crate) fn folder(&self) -> Result<Folder> {
        let root = match &self.outbox {
            Some(root) => root.clone(),
            None => default_state_folder()?,
        };
        Folder::open(&root).map_err(|error| {
            Problem::from(anyhow::Error::from(error))
                .hint("another folder can be named with --outbox or PIPEROLL_OUTBOX")
        })
    }
}
/// `$XDG_STATE_HOME/piperoll`, by default under `~/.local/state`.
fn default_state_folder() -> Result<PathBuf> {
    let base = rim::variable("XDG_STATE_HOME").map(PathBuf::from);
    let base =
        base.or_else(|| rim::variable("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    base.map(|base| base.join("piperoll")).ok_or_else(|| {
        Problem::usage("there is no home folder to keep events in")
            .hint("try: --outbox FOLDER (or PIPEROLL_OUTBOX)")
    })
}

/// An outbox and the way from it.
pub(crate) struct Dispatch {
    pub server: Server,
    pub ledger: LedgerId,
    pub folder: Folder,
    pub outbox: Outbox,
    /// The verified ledger, or why the server cannot be used now.
    reached: std::result::Result<Ledger, Unreached>,
    /// The server turned out to keep another ledger.
    other_ledger: AtomicBool,
}
/// Why events only go into the outbox for now.
#[derive(Clone, Debug)]
struct Unreached {
    why: String,
    wrong_ledger: bool,
}
/// What a flush did.
#[derive(Debug)]
pub(crate) struct Flushed {
    pub delivered: Report,
    pub receipts: Report,
    pub counts: Counts,
}

impl Dispatch {
    pub(crate) async fn connect(ledger: &LedgerArgs, outbox: &OutboxArgs) -> Result<Self> {
        Self::open(ledger.connect()?, ledger.given()?, outbox.folder()?).await
    }
    /// Finds out which ledger the server keeps. One that does not answer is no obstacle as long as the ledger's id is known:
    /// by being told, or by having been pinned.
    pub(crate) async fn open(
        server: Server,
        told: Option<LedgerId>,
        folder: Folder,
    ) -> Result<Self> {
        let (ledger, reached) = match ledger::identify(&folder, &server, told).await {
            Ok(identified) => {
                let id = identified.ledger.id;
                if identified.first_use {
                    let address = server.address();
                    output::say(&format!(
                        "piperoll: first use of {address}: its ledger {} is pinned from now on",
                        id.0
                    ));
                }
                (id, Ok(identified.ledger))
            }
            Err(error) => {
                let wrong_ledger =
                    !matches!(error, ledger::Error::Query(_) | ledger::Error::State(_));
                let id = known(&folder, &server, told).ok_or_else(|| unknown(&server, &error))?;
                let why = match &error {
                    ledger::Error::Query(query::Error::Unreachable(
                        Unreachable::NoConnection { .. } | Unreachable::BrokenOff { .. },
                    )) => format!("the ledger at {} does not answer", server.address()),
                    other => other.to_string(),
                };
                (id, Err(Unreached { why, wrong_ledger }))
            }
        };
        let outbox = Outbox::open(&folder.outbox(ledger)).map_err(anyhow::Error::from)?;
        Ok(Self {
            server,
            ledger,
            folder,
            outbox,
            reached,
            other_ledger: AtomicBool::new(false),
        })
    }
    /// Whether the server keeps another ledger than the one events are signed for.
    pub(crate) fn is_wrong_ledger(&self) -> bool {
        self.other_ledger.load(Ordering::Relaxed)
            || self
                .reached
                .as_ref()
                .is_err_and(|unreached| unreached.wrong_ledger)
    }
    /// A ledger that was verified before is not asked again for each event. Where its answers surprise, it is asked whether it is
    /// still the same one; what is given is why it is not.
    async fn is_another(&self) -> Option<String> {
        let ledger = self.reached.as_ref().ok()?;
        match ledger::confirm(&self.folder, &self.server, ledger).await {
            Ok(()) | Err(ledger::Error::Query(_) | ledger::Error::State(_)) => None,
            Err(error) => {
                self.other_ledger.store(true, Ordering::Relaxed);
                Some(error.to_string())
            }
        }
    }
    /// Sends an event that was kept just now.
    pub(crate) async fn send(&self, claim: Claim) -> Result<Fate> {
        let courier = match self.courier() {
            Ok(courier) => courier,
            Err(unreached) => return Ok(Fate::Waiting(Why::Contradiction(unreached.why.clone()))),
        };
        let fate = match courier.send(claim).await {
            Ok(fate) => fate,
            // The event is kept; only what became of it cannot be noted beside it.
            Err(error) => {
                let why = format!("{:#}", anyhow::Error::from(error));
                return Ok(Fate::Waiting(Why::Contradiction(why)));
            }
        };
        if matches!(fate, Fate::Waiting(Why::Retry(_)))
            && let Some(why) = self.is_another().await
        {
            return Ok(Fate::Waiting(Why::Contradiction(why)));
        }
        Ok(fate)
    }
    /// Sends an event that could not be kept, once. Only an event that is recorded is safe then; anything else is a problem.
    pub(crate) async fn send_unkept(
        &self,
        envelope: &Envelope,
        message: &str,
        unkept: &str,
    ) -> Result<Fate> {
        let lost = |exit, why: &dyn std::fmt::Display| {
            Problem::new(exit, format!("the event is neither kept nor recorded: {unkept}"))
                .hint(format!("and it could not be sent past the outbox: {why}"))
                .hint("make room or set the rights there, or name another folder with --outbox or PIPEROLL_OUTBOX; then say it again")
        };
        if let Err(unreached) = &self.reached {
            return Err(lost(Exit::Failed, &unreached.why));
        }
        let delivered =
            delivery::deliver(&self.server, envelope, message.as_bytes(), Wait::Recorded).await;
        let (index, again) = match delivered {
            Delivered::Recorded(place) => (place.index, false),
            Delivered::Duplicate(place) => (place.index, true),
            Delivered::Accepted => {
                return Err(lost(
                    Exit::Failed,
                    &"it is on the stream, and the ledger has not come to it yet",
                ));
            }
            Delivered::Retry(problem)
            | Delivered::Refused(problem)
            | Delivered::Unavailable { problem, .. } => {
                return Err(lost(Exit::Failed, &problem));
            }
            Delivered::Unreachable(error) => return Err(lost(Exit::Failed, &error)),
            Delivered::Contradiction(why) => return Err(lost(Exit::Failed, &why)),
        };
        output::warn(
            &format!(
                "{unkept}; the event was sent without being kept, and its receipt is not fetched"
            ),
            &[],
        );
        Ok(Fate::Recorded { index, again })
    }
    /// What earlier commands left behind: receipts that are ready by now, then events that still wait. What comes of it is
    /// said, and stands in nobody's way.
    pub(crate) async fn catch_up(&self) {
        let caught_up = async {
            let answered = self.fetch_receipts().await?;
            if let Ok(courier) = self.courier()
                && answered
                && !self.is_wrong_ledger()
            {
                let report = courier.flush(OLDER_EVENTS_WITHIN).await;
                self.raise(&report.map_err(anyhow::Error::from)?).await;
            }
            Result::Ok(())
        };
        if let Err(problem) = caught_up.await {
            output::complain(&problem);
        }
    }
    /// Brings home the receipts that are ready by now; what is not ready comes with a later command. Gives whether the ledger
    /// answered, as far as it was asked.
    pub(crate) async fn fetch_receipts(&self) -> Result<bool> {
        let Ok(courier) = self.courier() else {
            return Ok(false);
        };
        let report = courier.fetch_receipts(RECEIPTS_WITHIN).await;
        let report = report.map_err(anyhow::Error::from)?;
        self.raise(&report).await;
        Ok(report.stopped.is_none())
    }
    /// Says what happened to other events on the way.
    async fn raise(&self, report: &Report) {
        if !report.alarms.is_empty()
            && let Some(why) = self.is_another().await
        {
            output::warn(&why, &[]);
            return;
        }
        raise(report);
    }
    /// Delivers whatever waits and fetches every receipt that is ready.
    pub(crate) async fn flush(&self, within: Duration) -> Result<Flushed> {
        let courier = match self.courier() {
            Ok(courier) => courier,
            Err(unreached) => return Err(self.stuck(unreached)?),
        };
        let delivered = courier.flush(within).await.map_err(anyhow::Error::from)?;
        let surprises = |report: &Report| {
            let retry = |fate: &Fate| matches!(fate, Fate::Waiting(Why::Retry(_)));
            !report.alarms.is_empty() || report.fates.iter().any(|(_, fate)| retry(fate))
        };
        if surprises(&delivered)
            && let Some(why) = self.is_another().await
        {
            return Err(self.stuck(&Unreached {
                why,
                wrong_ledger: true,
            })?);
        }
        let receipts = courier
            .fetch_receipts(within)
            .await
            .map_err(anyhow::Error::from)?;
        warn_of_unusable(&delivered);
        warn_of_unusable(&receipts);
        let counts = self.outbox.counts().map_err(anyhow::Error::from)?;
        Ok(Flushed {
            delivered,
            receipts,
            counts,
        })
    }
    /// Where events wait, for people: the folder of all outboxes.
    pub(crate) fn outbox_name(&self) -> String {
        tilde(&self.folder.root().join("outbox").display().to_string())
    }
    /// For what makes no sense without an answer: the problem, if the ledger cannot be reached now.
    pub(crate) fn require_answer(&self) -> Result {
        match self.courier() {
            Ok(_) => Ok(()),
            Err(unreached) => {
                let exit = if unreached.wrong_ledger {
                    Exit::Unverified
                } else {
                    Exit::NoAnswer
                };
                Err(Problem::new(exit, unreached.why.clone()).hint("nothing was changed"))
            }
        }
    }
    fn stuck(&self, unreached: &Unreached) -> Result<Problem> {
        let counts = self.outbox.counts().map_err(anyhow::Error::from)?;
        let exit = if unreached.wrong_ledger {
            Exit::Unverified
        } else {
            Exit::NoAnswer
        };
        let place = self.outbox_name();
        Ok(Problem::new(exit, unreached.why.clone())
            .hint(format!("{} waiting in {place}", counts.waiting)))
    }
    fn courier(&self) -> std::result::Result<Courier<'_>, &Unreached> {
        self.reached.as_ref().map(|ledger| Courier {
            outbox: &self.outbox,
            folder: &self.folder,
            server: &self.server,
            ledger,
            wait: Wait::Recorded,
            patience: PATIENCE,
        })
    }
}

/// The id to sign for without a server: what was told counts, even against what was pinned.
fn known(folder: &Folder, server: &Server, told: Option<LedgerId>) -> Option<LedgerId> {
    told.or_else(|| folder.pinned(server.address()).ok().flatten())
}
fn unknown(server: &Server, error: &ledger::Error) -> Problem {
    match error {
        ledger::Error::Query(_) => {
            let address = server.address();
            Problem::new(
                Exit::NoAnswer,
                format!("the ledger at {address} does not answer, and its id is not known, so nothing can be signed for it"),
            )
            .hint("nothing was kept")
            .hint("set PIPEROLL_LEDGER (or --ledger) to the id that piperoll init printed, and events wait until it answers")
        }
        ledger::Error::State(error) => Problem::failed(error.to_string()),
        ledger::Error::Wrong { .. } | ledger::Error::Unproved { .. } => {
            Problem::new(Exit::Unverified, error.to_string())
                .hint("nothing was signed or sent; find out why before you go on")
        }
    }
}
/// What lies in the outbox and stops nothing, for a person to clear up.
fn warn_of_unusable(report: &Report) {
    for error in &report.unusable {
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        output::warn(
            &format!("passed over in the outbox: {error}{}", cause.unwrap_or_default()),
            &["if another user left it there, give it to this user (chown), and it goes out; if it is no event, remove it".to_owned()],
        );
    }
}
/// One line for each event, and a warning for each alarm.
fn raise(report: &Report) {
    warn_of_unusable(report);
    for alarm in &report.alarms {
        let what = match alarm {
            Alarm::Vanished { .. } | Alarm::Moved { .. } => {
                "the ledger changed what it had recorded"
            }
            Alarm::Receipt(_) => "a receipt is wrong",
            Alarm::Contradiction(_) => "the ledger contradicts itself",
        };
        let hint = "keep the outbox as it is and show it to whoever runs the ledger".to_owned();
        output::warn(&format!("{what}: {alarm}"), &[hint]);
    }
    for (_, fate) in &report.fates {
        match fate {
            Fate::Recorded { index, .. } => {
                output::say(&format!(
                    "piperoll: an event that waited is recorded as {index}"
                ));
            }
            Fate::Refused(problem) => {
                output::warn(&format!("an event that waited was refused: {problem}"), &[]);
            }
            Fate::Waiting(_) => {}
        }
    }
}
/// A path with the home folder as `~`, for people.
fn tilde(path: &str) -> String {
    match rim::variable("HOME").and_then(|home| path.strip_prefix(&home).map(str::to_owned)) {
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}
