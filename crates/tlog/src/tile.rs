//! C2SP tlog-tiles: which tile holds which hash.

use crate::{Hash, hash};

/// Hashes in a full tile.
pub const TILE_WIDTH: u64 = 256;
/// The highest level a path may name (tlog-tiles).
const LEVEL_MAX: u8 = 63;

/// Where a tile stands. `index` counts tiles of that level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    pub level: u8,
    pub index: u64,
}
impl TileId {
    /// `tile/<L>/<N>[.p/<W>]`; `width` below 256 names a partial tile. There is no tile of width 0.
    pub fn path(self, width: u64) -> String {
        let Self { level, index } = self;
        let index = index_path(index);
        if width < TILE_WIDTH {
            format!("tile/{level}/{index}.p/{width}")
        } else {
            format!("tile/{level}/{index}")
        }
    }
    /// Reads such a path; gives the tile and its width (1 to 256). Only the spelling that [`TileId::path`] writes is read.
    pub fn parse(path: &str) -> Option<(Self, u64)> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level: u8 = level.parse().ok().filter(|level| *level <= LEVEL_MAX)?;
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (
                index,
                width
                    .parse()
                    .ok()
                    .filter(|width| (1..TILE_WIDTH).contains(width))?,
            ),
            None => (rest, TILE_WIDTH),
        };
        let id = Self {
            level,
            index: parse_index(index)?,
        };
        (id.path(width) == path).then_some((id, width))
    }
    /// How many hashes this tile has in a tree of `size` entries (0 to 256).
    pub fn width(self, size: u64) -> u64 {
        let hashes = size.checked_shr(8 * u32::from(self.level)).unwrap_or(0);
        self.index
            .checked_mul(TILE_WIDTH)
            .map_or(0, |first| hashes.saturating_sub(first).min(TILE_WIDTH))
    }
}
/// `<N>` of tlog-tiles: groups of three digits, all but the last with an `x` in front.
pub fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}
/// The value of `<N>`, whose spelling the caller checks by writing it again.
fn parse_index(text: &str) -> Option<u64> {
    text.split('/').try_fold(0_u64, |index, group| {
        let digits = group.strip_prefix('x').unwrap_or(group);
        index
            .checked_mul(1000)?
            .checked_add(digits.parse::<u16>().ok()?.into())
    })
}
/// A complete tile: 256 hashes, and the root over them, which is one hash of the level above.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteTile {
    pub id: TileId,
    pub hashes: Vec<Hash>,
    pub root: Hash,
}
/// Root of 2^k hashes (RFC 6962 with no odd edge). Panics are impossible for an empty slice: it gives the empty root.
///
/// With another count than 2^k an odd hash is carried up a level, which gives RFC 6962's root too.
pub fn perfect_root(hashes: &[Hash]) -> Hash {
    let pair_up = |level: &[Hash]| -> Vec<Hash> {
        level
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => hash::node_hash(left, right),
                odd => odd[0],
            })
            .collect()
    };
    match hashes {
        [] => Hash::empty_root(),
        [only] => *only,
        many => {
            let mut level = pair_up(many);
            while level.len() > 1 {
                level = pair_up(&level);
            }
            level[0]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        assert_eq!(index_path(5), "005");
        assert_eq!(index_path(1_234_067), "x001/x234/067");
        assert_eq!(index_path(1000), "x001/000");
        assert_eq!(index_path(u64::MAX), "x018/x446/x744/x073/x709/x551/615");
        assert_eq!(
            TileId {
                level: 0,
                index: 273
            }
            .path(112),
            "tile/0/273.p/112"
        );
        assert_eq!(TileId { level: 2, index: 0 }.path(256), "tile/2/000");
    }

    #[test]
    fn every_path_reads_back() {
        for index in [0, 1, 255, 999, 1000, 123_456, 1_234_067, u64::MAX] {
            for (level, width) in [(0, 1), (1, 255), (63, 256)] {
                let id = TileId { level, index };
                assert_eq!(TileId::parse(&id.path(width)), Some((id, width)));
            }
        }
    }

    #[test]
    fn another_spelling_of_a_path_is_refused() {
        for bad in [
            "tile/0/5",
            "tile/0/0005",
            "tile/0/x000/005",
            "tile/0/001/005",
            "tile/0/x001/x005",
            "tile/00/005",
            "tile/64/005",
            "tile/256/005",
            "tile/-1/005",
            "tile/+1/005",
            "tile/0/+05",
            "tile/0/005.p/0",
            "tile/0/005.p/256",
            "tile/0/005.p/01",
            "tile/0/005.p/",
            "tile/0/005.p/1.p/1",
            "tile/0/005/",
            "/tile/0/005",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/",
            "tile/0",
            "tile/entries/005",
            "",
        ] {
            assert_eq!(TileId::parse(bad), None, "{bad:?}");
        }
    }

    // The example of tlog-tiles: a tree of 70,000 entries.
    #[test]
    fn widths_follow_the_size() {
        let width = |level, index| TileId { level, index }.width(70_000);
        assert_eq!((width(0, 272), width(0, 273), width(0, 274)), (256, 112, 0));
        assert_eq!(
            (width(1, 0), width(1, 1), width(2, 0), width(3, 0)),
            (256, 17, 1, 0)
        );
        assert_eq!(
            TileId {
                level: 63,
                index: u64::MAX
            }
            .width(u64::MAX),
            0
        );
    }
}
