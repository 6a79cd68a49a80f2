//! The signed events of a run, one a line in a file: made on all cores, read back as they are needed.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write},
    path::Path,
};

use anyhow::Context;
use rayon::prelude::*;

use super::shop::Shop;

/// Changes that are signed before their events are written: enough work for all cores, little memory.
const CHANGES_AT_ONCE: u64 = 256;

/// Writes `count` events of the shop's life to `path`.
pub(super) fn write(shop: &Shop, count: usize, path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).context("making the file of events")?;
    let mut file = BufWriter::new(file);
    let mut left = count;
    let mut first = 0;
    while left > 0 {
        let changes: Vec<Vec<String>> = (first..first + CHANGES_AT_ONCE)
            .into_par_iter()
            .map(|number| shop.change(number))
            .collect::<anyhow::Result<_>>()?;
        first += CHANGES_AT_ONCE;
        for message in changes.into_iter().flatten().take(left) {
            writeln!(file, "{message}")?;
            left -= 1;
        }
    }
    file.flush().context("writing the file of events")
}

/// Reads them again, in order.
pub(super) struct Reader(BufReader<File>);
impl Reader {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).context("reading the file of events")?;
        Ok(Self(BufReader::with_capacity(1024 * 1024, file)))
    }
    pub(super) fn next_message(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        line.pop();
        Ok(Some(line))
    }
}
