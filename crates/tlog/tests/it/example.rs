//! The small ledger of the test data, written by another implementation of the same formats: byte for byte.

use std::{collections::HashMap, path::PathBuf};

use piperoll_tlog::{
    Hash,
    checkpoint::Checkpoint,
    encoding, hash,
    key::SecretKey,
    note::VerifierKey,
    proof,
    receipt::Receipt,
    tile::TileId,
    tree::{self, Edge},
};

use crate::{read, read_json, test_data};

#[derive(serde::Deserialize)]
struct Tree {
    origin: String,
    vkey: String,
    ledger: String,
    roots: Vec<Root>,
}
#[derive(serde::Deserialize)]
struct Root {
    size: u64,
    hex: String,
    base64: String,
}
#[derive(serde::Deserialize)]
struct Entry {
    index: u64,
    leaf: String,
    leaf_hash: String,
}
#[derive(serde::Deserialize)]
struct Key {
    name: String,
    seed: String,
    public: String,
}
#[derive(serde::Deserialize)]
struct Consistency {
    old: u64,
    new: u64,
    proof: Vec<String>,
}

fn example(file: &str) -> PathBuf {
    test_data().join("example").join(file)
}
fn entries() -> Vec<Entry> {
    read(&example("entries.jsonl"))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
fn leaf_hashes() -> Vec<Hash> {
    entries()
        .iter()
        .map(|entry| hash::leaf_hash(entry.leaf.as_bytes()))
        .collect()
}
fn root_at(tree: &Tree, size: u64) -> Hash {
    Hash::from_hex(
        &tree
            .roots
            .iter()
            .find(|root| root.size == size)
            .unwrap()
            .hex,
    )
    .unwrap()
}
/// The example stays below 256 entries, so its tree is one tile.
fn tiles() -> HashMap<TileId, Vec<Hash>> {
    HashMap::from([(TileId { level: 0, index: 0 }, leaf_hashes())])
}

#[test]
fn the_edge_has_the_example_s_root_at_every_size() {
    let tree: Tree = read_json(&example("tree.json"));
    let mut edge = Edge::new();
    let hashes = leaf_hashes();
    assert_eq!(tree.roots.len(), hashes.len());
    for (entry, leaf_hash) in entries().iter().zip(&hashes) {
        assert_eq!(leaf_hash.to_hex(), entry.leaf_hash);
        assert_eq!(edge.append(*leaf_hash), []);
        assert_eq!(edge.size(), entry.index + 1);
        assert_eq!(
            edge.root(),
            root_at(&tree, edge.size()),
            "at size {}",
            edge.size()
        );
        let root = tree
            .roots
            .iter()
            .find(|root| root.size == edge.size())
            .unwrap();
        assert_eq!(edge.root().to_base64(), root.base64);
    }
    assert_eq!(tree::root_of(&hashes), edge.root());
    assert_eq!(
        hash::sha256(entries()[0].leaf.as_bytes()).to_hex(),
        tree.ledger
    );
}

#[test]
fn checkpoints_open_and_signing_again_gives_the_same_bytes() {
    let tree: Tree = read_json(&example("tree.json"));
    let vkey = VerifierKey::parse(&tree.vkey).unwrap();
    assert_eq!(vkey.encode(), tree.vkey);
    let keys: Vec<Key> = read_json(&example("keys.json"));
    let key = keys.iter().find(|key| key.name == "checkpoint").unwrap();
    let key = SecretKey::from_seed(encoding::from_hex(&key.seed).unwrap());
    for (file, size) in [
        ("checkpoint", 75),
        ("checkpoint.13", 13),
        ("checkpoint.39", 39),
    ] {
        let signed = read(&example(file));
        let checkpoint = Checkpoint::open(&signed, &vkey).unwrap();
        assert_eq!(
            checkpoint,
            Checkpoint {
                origin: tree.origin.clone(),
                size,
                root: root_at(&tree, size)
            }
        );
        assert_eq!(checkpoint.sign(&key).unwrap(), signed);
    }
}

#[test]
fn every_seed_gives_the_example_s_public_key() {
    for key in read_json::<Vec<Key>>(&example("keys.json")) {
        let secret = SecretKey::from_seed(encoding::from_hex(&key.seed).unwrap());
        assert_eq!(
            encoding::base64(secret.public().as_bytes()),
            key.public,
            "{}",
            key.name
        );
    }
}

#[test]
fn receipts_verify_and_making_them_gives_the_same_bytes() {
    let tree: Tree = read_json(&example("tree.json"));
    let vkey = VerifierKey::parse(&tree.vkey).unwrap();
    for (index, size, checkpoint) in [
        (0, 39, "checkpoint.39"),
        (38, 39, "checkpoint.39"),
        (72, 75, "checkpoint"),
    ] {
        let text = read(&example(&format!("receipt-{index}.tlog-proof")));
        let receipt = Receipt::parse(&text).unwrap();
        assert_eq!(receipt.verify(&vkey).unwrap().size, size);
        assert_eq!(receipt.encode(), text);
        let made = Receipt {
            leaf: entries()[usize::try_from(index).unwrap()]
                .leaf
                .clone()
                .into_bytes(),
            index,
            proof: proof::inclusion(index, size, &tiles()).unwrap(),
            checkpoint: read(&example(checkpoint)),
        };
        assert_eq!(made.encode(), text);
    }
}

#[test]
fn consistency_proofs_verify_and_making_them_gives_the_same_hashes() {
    let tree: Tree = read_json(&example("tree.json"));
    for given in read_json::<Vec<Consistency>>(&example("consistency.json")) {
        let hashes: Vec<Hash> = given
            .proof
            .iter()
            .map(|hash| Hash::from_base64(hash).unwrap())
            .collect();
        let (old_root, new_root) = (root_at(&tree, given.old), root_at(&tree, given.new));
        assert_eq!(
            proof::verify_consistency(given.old, given.new, &old_root, &new_root, &hashes),
            Ok(())
        );
        assert_eq!(
            proof::consistency(given.old, given.new, &tiles()),
            Ok(hashes)
        );
    }
}
