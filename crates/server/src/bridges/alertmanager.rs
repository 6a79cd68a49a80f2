//! What a notification of Alertmanager becomes (`formats.md` section 10). Pure.

use jiff::Timestamp;

use super::{
    config::Alertmanager,
    relay::{Mapped, Unreadable},
};

/// `body` is the JSON as it came, `received` the time of arrival.
pub fn map(
    _body: &[u8],
    _config: &Alertmanager,
    _received: Timestamp,
) -> Result<Mapped, Unreadable> {
    todo!()
}
