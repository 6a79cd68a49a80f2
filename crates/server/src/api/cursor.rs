//! Where a list goes on: opaque to clients, so that it may change.
//!
//! It carries the size of the ledger of the first page, so that later pages show the same list while the ledger grows.

use piperoll_tlog::encoding;

use crate::api::problem::Problem;

/// A place in a list that is ordered by descending numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Number of entries the list speaks of.
    pub as_of: u64,
    /// Rows below this number follow.
    pub before: u64,
}
impl Cursor {
    pub fn encode(self) -> String {
        encoding::base64url(format!("{}.{}", self.as_of, self.before).as_bytes())
    }
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let read = || {
            let bytes = encoding::from_base64url(text)?;
            let text = String::from_utf8(bytes).ok()?;
            let (as_of, before) = text.split_once('.')?;
            Some(Self {
                as_of: as_of.parse().ok()?,
                before: before.parse().ok()?,
            })
        };
        read().ok_or_else(|| {
            Problem::bad_question(
                "cursor",
                "the cursor is not one that this server gave",
                "take `next` of the page before as it stands, or leave it out to begin anew",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn a_cursor_reads_back_as_it_was_given() {
        let cursor = Cursor {
            as_of: 86,
            before: u64::MAX,
        };
        assert_eq!(Cursor::parse(&cursor.encode()).ok(), Some(cursor));
    }
    #[test]
    fn what_no_server_gave_is_refused() {
        for text in ["", "…", "ODY", "ODYuNQ==", "LTEuNQ", "' or 1=1"] {
            assert_eq!(
                Cursor::parse(text).map_err(|problem| problem.status()),
                Err(400),
                "{text}"
            );
        }
    }
}
