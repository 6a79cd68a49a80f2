//! The same questions put to other implementations: `tlog_tiles`, `ct-merkle` and `signed_note`.

use std::{cell::RefCell, collections::HashMap};

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use piperoll_tlog::{
    Hash,
    checkpoint::Checkpoint,
    encoding, hash,
    key::SecretKey,
    note::{self, KeyName, VerifierKey},
    proof,
    tile::{TileId, index_path},
    tree::{self, Edge},
};
use sha2::Sha256;
use tlog_tiles::HashReader;

use crate::leaf_hashes;

/// Every size up to two tiles and a bit, and sizes at both sides of 256² where level 2 begins.
const LARGE_SIZE: u64 = 66_000;
const LARGE_SIZES: [u64; 9] = [255, 256, 257, 511, 513, 65_535, 65_536, 65_537, LARGE_SIZE];
const LARGE_INDEXES: [u64; 9] = [0, 1, 254, 255, 256, 257, 65_535, 65_536, 65_999];

fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(hash.0)
}
fn ours(hashes: &[tlog_tiles::Hash]) -> Vec<Hash> {
    hashes.iter().map(|hash| Hash(hash.0)).collect()
}

/// The stored hashes of `tlog_tiles`, in its own order.
struct Stored(Vec<tlog_tiles::Hash>);
impl Stored {
    fn of(leaf_hashes: &[Hash]) -> Self {
        let mut stored = Self(Vec::new());
        for (index, leaf_hash) in leaf_hashes.iter().enumerate() {
            let added = tlog_tiles::stored_hashes_for_record_hash(
                index as u64,
                theirs(*leaf_hash),
                &stored,
            )
            .unwrap();
            stored.0.extend(added);
        }
        stored
    }
}
impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes
            .iter()
            .map(|index| self.0[usize::try_from(*index).unwrap()])
            .collect())
    }
}

/// Our tree: every tile, the partial ones at its edge too.
fn our_tiles(leaf_hashes: &[Hash]) -> (HashMap<TileId, Vec<Hash>>, Edge) {
    let mut tiles = HashMap::new();
    let mut edge = Edge::new();
    for leaf_hash in leaf_hashes {
        for complete in edge.append(*leaf_hash) {
            assert_eq!(
                tiles.insert(complete.id, complete.hashes),
                None,
                "{:?} twice",
                complete.id
            );
        }
    }
    for (level, width) in (0..).zip(Edge::widths(edge.size())) {
        let hashes = edge.level(level);
        assert_eq!(hashes.len() as u64, width);
        if width > 0 {
            tiles.insert(
                TileId {
                    level,
                    index: (edge.size() >> (8 * u32::from(level))) / 256,
                },
                hashes.to_vec(),
            );
        }
    }
    (tiles, edge)
}

#[test]
fn roots_agree_at_every_size() {
    let leaves = leaf_hashes(LARGE_SIZE);
    let stored = Stored::of(&leaves);
    let mut edge = Edge::new();
    for (leaf_hash, size) in leaves.iter().zip(1..) {
        edge.append(*leaf_hash);
        if size <= 1000 || size % 977 == 0 || LARGE_SIZES.contains(&size) {
            let expected = tlog_tiles::tree_hash(size, &stored).unwrap();
            assert_eq!(edge.root().0, expected.0, "at size {size}");
        }
    }
    assert_eq!(Edge::new().root().0, tlog_tiles::EMPTY_HASH.0);
    assert_eq!(tree::root_of(&leaves), edge.root());
}

#[test]
fn proofs_agree_for_every_small_tree() {
    let leaves = leaf_hashes(40);
    let stored = Stored::of(&leaves);
    let (tiles, _) = our_tiles(&leaves);
    for size in 1..=40 {
        for index in 0..size {
            let expected = tlog_tiles::prove_record(size, index, &stored).unwrap();
            assert_eq!(
                proof::inclusion(index, size, &tiles),
                Ok(ours(&expected)),
                "{index} in {size}"
            );
            let expected = tlog_tiles::prove_tree(size, index + 1, &stored).unwrap();
            assert_eq!(
                proof::consistency(index + 1, size, &tiles),
                Ok(ours(&expected)),
                "{index} + 1 to {size}"
            );
        }
    }
}

#[test]
fn proofs_agree_around_the_edges_of_tiles_and_each_verifies_the_other_s() {
    let leaves = leaf_hashes(LARGE_SIZE);
    let stored = Stored::of(&leaves);
    let (tiles, _) = our_tiles(&leaves);
    let root = |size| tlog_tiles::tree_hash(size, &stored).unwrap();
    for size in LARGE_SIZES {
        for index in LARGE_INDEXES.into_iter().filter(|index| *index < size) {
            let (leaf, new_root) = (leaves[usize::try_from(index).unwrap()], root(size));
            let proof = proof::inclusion(index, size, &tiles).unwrap();
            assert_eq!(
                proof::verify_inclusion(index, size, &leaf, &proof, &Hash(new_root.0)),
                Ok(())
            );
            let proof = proof.into_iter().map(theirs).collect();
            tlog_tiles::check_record(&proof, size, new_root, index, theirs(leaf)).unwrap();

            let old = index + 1;
            let proof = proof::consistency(old, size, &tiles).unwrap();
            let (old_root, ours_new) = (root(old), Hash(new_root.0));
            assert_eq!(
                proof::verify_consistency(old, size, &Hash(old_root.0), &ours_new, &proof),
                Ok(())
            );
            let proof = proof.into_iter().map(theirs).collect();
            tlog_tiles::check_tree(&proof, size, new_root, old, old_root).unwrap();
        }
    }
}

/// Remembers what a prover asked for.
struct Watched<'a> {
    tiles: &'a HashMap<TileId, Vec<Hash>>,
    asked: RefCell<Vec<(TileId, u64)>>,
}
impl proof::TileReader for Watched<'_> {
    fn tile(&self, id: TileId, width: u64) -> Option<&[Hash]> {
        self.asked.borrow_mut().push((id, width));
        self.tiles.tile(id, width)
    }
}

#[test]
fn a_prover_reads_exactly_the_tiles_it_named() {
    let (tiles, _) = our_tiles(&leaf_hashes(LARGE_SIZE));
    for size in LARGE_SIZES {
        for index in LARGE_INDEXES.into_iter().filter(|index| *index < size) {
            let read = |prove: &dyn Fn(&Watched)| {
                let watched = Watched {
                    tiles: &tiles,
                    asked: RefCell::default(),
                };
                prove(&watched);
                let mut asked = watched.asked.into_inner();
                asked.sort_unstable();
                asked.dedup();
                asked
            };
            let asked = read(&|watched| drop(proof::inclusion(index, size, watched).unwrap()));
            assert_eq!(asked, proof::tiles_for_inclusion(index, size));
            let asked =
                read(&|watched| drop(proof::consistency(index + 1, size, watched).unwrap()));
            assert_eq!(asked, proof::tiles_for_consistency(index + 1, size));
        }
    }
}

#[test]
fn tiles_and_their_paths_agree() {
    let leaves = leaf_hashes(LARGE_SIZE);
    let stored = Stored::of(&leaves);
    let (tiles, edge) = our_tiles(&leaves);
    let expected: Vec<_> = tlog_tiles::Tile::new_tiles(8, 0, LARGE_SIZE);
    assert_eq!(expected.len(), tiles.len());
    for tile in expected {
        let id = TileId {
            level: tile.level(),
            index: tile.level_index(),
        };
        let width = u64::from(tile.width());
        assert_eq!(id.width(edge.size()), width);
        assert_eq!(
            tile.read_data(&stored).unwrap(),
            tiles[&id]
                .iter()
                .flat_map(|hash| hash.0)
                .collect::<Vec<_>>()
        );
        // That crate writes the tile's height into the path, as the checksum database does.
        assert_eq!(id.path(width), tile.path().replacen("tile/8/", "tile/", 1));
    }
    assert_eq!(
        format!("tile/8/0/{}", index_path(1_234_067)),
        tlog_tiles::Tile::new(8, 0, 1_234_067, 256, false).path()
    );
}

#[test]
fn ct_merkle_gives_the_same_roots_and_proofs() {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    for index in 0..300_u64 {
        tree.push(index.to_be_bytes().to_vec());
    }
    let leaves = leaf_hashes(300);
    let (tiles, edge) = our_tiles(&leaves);
    let bytes = |proof: Vec<Hash>| {
        proof
            .into_iter()
            .flat_map(|hash| hash.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(edge.root().0[..], tree.root().as_bytes()[..]);
    for index in 0..300_u64 {
        let expected = tree.prove_inclusion(usize::try_from(index).unwrap());
        assert_eq!(
            bytes(proof::inclusion(index, 300, &tiles).unwrap()),
            expected.as_bytes(),
            "{index}"
        );
        let old = index + 1;
        let expected = tree.prove_consistency(usize::try_from(300 - old).unwrap());
        assert_eq!(
            bytes(proof::consistency(old, 300, &tiles).unwrap()),
            expected.as_bytes(),
            "{old}"
        );
    }
}

#[test]
fn signed_note_and_tlog_tiles_read_our_checkpoints() {
    let key = SecretKey::from_seed([3; 32]);
    let origin = "piperoll.acme.example/log/main";
    let vkey = VerifierKey {
        name: KeyName::new(origin).unwrap(),
        key: key.public(),
    };
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: 70_000,
        root: hash::sha256(b"root"),
    };
    let signed = checkpoint.sign(&key).unwrap();

    let known = signed_note::StandardVerifier::new(&vkey.encode()).unwrap();
    let note = signed_note::Note::from_bytes(signed.as_bytes()).unwrap();
    let (by_us, by_others) = note
        .verify(&signed_note::VerifierList::new(vec![Box::new(known)]))
        .unwrap();
    assert_eq!((by_us.len(), by_others.len()), (1, 0));
    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    assert_eq!(
        (read.origin(), read.size(), read.hash().0),
        (origin, 70_000, checkpoint.root.0)
    );
    assert_eq!(read.extension(), "");
}

#[test]
fn we_read_a_note_of_signed_note_s() {
    let key = SecretKey::from_seed([4; 32]);
    let vkey = VerifierKey {
        name: KeyName::new("example.com/log").unwrap(),
        key: key.public(),
    };
    let secret = encoding::base64(&[&[1], &key.seed()[..]].concat());
    let skey = format!(
        "PRIVATE+KEY+example.com/log+{}+{secret}",
        encoding::hex(&vkey.id())
    );
    let signer = signed_note::StandardSigner::new(&skey).unwrap();
    let mut note = signed_note::Note::new(b"first\n\nsecond\n", &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let text = String::from_utf8(note.to_bytes()).unwrap();
    assert_eq!(note::open(&text, &[vkey]), Ok("first\n\nsecond\n"));
    assert_eq!(
        note::sign(
            "first\n\nsecond\n",
            &KeyName::new("example.com/log").unwrap(),
            &key
        ),
        Ok(text)
    );
}
