//! The ceiling: `verify_strict` alone, over the same messages, on all cores. No ledger that checks every signature can be faster.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use piperoll_core::envelope::Envelope;
use piperoll_tlog::key::PublicKey;
use rayon::prelude::*;

use super::{messages::Reader, shop::Shop};

/// Messages read, and put in order for the clock, at a time.
const AT_ONCE: usize = 8192;

/// Key, what is signed, signature.
type Signed<'a> = (&'a PublicKey, Vec<u8>, Vec<u8>);

/// Signatures checked in a second.
pub(super) fn measure(shop: &Shop, path: &Path) -> anyhow::Result<f64> {
    let mut messages = Reader::open(path)?;
    let mut elapsed = Duration::ZERO;
    let mut count = 0_u32;
    loop {
        let signed = take(shop, &mut messages)?;
        if signed.is_empty() {
            return Ok(f64::from(count) / elapsed.as_secs_f64());
        }
        let begun = Instant::now();
        let all_hold = signed
            .par_iter()
            .all(|(key, message, signature)| key.verifies(message, signature));
        elapsed += begun.elapsed();
        ensure!(all_hold, "a signature made for this run does not hold");
        count += u32::try_from(signed.len()).context("counting signatures")?;
    }
}
/// The next ones; reading them is not part of the measurement.
fn take<'a>(shop: &'a Shop, messages: &mut Reader) -> anyhow::Result<Vec<Signed<'a>>> {
    let mut signed = Vec::new();
    while signed.len() < AT_ONCE
        && let Some(message) = messages.next_message()?
    {
        let envelope = Envelope::parse(&message)?;
        let key = shop
            .key(&envelope.keyid)
            .context("a key that is nobody's")?;
        signed.push((key, envelope.pae(), envelope.signature));
    }
    Ok(signed)
}
