//! What a GitHub webhook becomes (`formats.md` section 10). Pure.

use jiff::Timestamp;

use super::{
    config::Github,
    relay::{Mapped, Unreadable},
};

/// `event` is the header `X-GitHub-Event`, `body` the JSON as it came, `received` the time of arrival.
pub fn map(
    _event: &str,
    _body: &[u8],
    _config: &Github,
    _received: Timestamp,
) -> Result<Mapped, Unreadable> {
    todo!()
}
