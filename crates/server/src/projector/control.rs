//! Control entries: decisions about the stream, which go straight to the projector and move its cursor.

use piperoll_core::kind::{Content, Kind};
use piperoll_store::Cursor;

use super::Position;

/// Whether events of a kind are such decisions.
pub fn is_control(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::StreamAdopted | Kind::StreamGapAccepted | Kind::TimeCorrected
    )
}

/// Why an event that may be recorded by all other rules is not: a control entry in the wrong place, or one that does not speak of
/// the cursor as it stands.
pub(super) fn objection(content: &Content, position: Position, cursor: &Cursor) -> Option<String> {
    match position {
        Position::Next | Position::Sequence(_) => is_control(content.kind())
            .then(|| "a control entry is given to the server, not to the stream".to_owned()),
        Position::Control => misfit(content, cursor),
    }
}
fn misfit(content: &Content, cursor: &Cursor) -> Option<String> {
    let Cursor {
        incarnation,
        sequence,
        ..
    } = cursor;
    let (fits, rule) = match content {
        Content::StreamAdopted(adopted) => {
            let follows = adopted.previous.as_ref().is_some_and(|previous| {
                previous.incarnation == *incarnation && previous.sequence == *sequence
            });
            (
                follows && adopted.incarnation != *incarnation,
                "that is what a new stream follows",
            )
        }
        Content::StreamGapAccepted(gap) => (
            gap.incarnation == *incarnation && gap.first == sequence + 1 && gap.last >= gap.first,
            "a gap begins right after that",
        ),
        Content::TimeCorrected(correction) => (
            correction.incarnation == *incarnation && correction.sequence > *sequence,
            "only the time of a later message can be corrected",
        ),
        _ => return Some("only a control entry goes straight to the projector".to_owned()),
    };
    (!fits).then(|| format!("the ledger has read {incarnation} up to {sequence}; {rule}"))
}
/// What a recorded control entry does to the cursor. The message there is another stream's, or none, afterwards.
pub(crate) fn steer(content: &Content, cursor: &mut Cursor) {
    match content {
        Content::StreamAdopted(adopted) => {
            *cursor = Cursor {
                incarnation: adopted.incarnation.clone(),
                sequence: adopted.sequence,
                message: None,
            };
        }
        Content::StreamGapAccepted(gap) => {
            cursor.sequence = gap.last;
            cursor.message = None;
        }
        _ => {}
    }
}
