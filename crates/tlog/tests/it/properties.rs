//! What holds for every tree, note and receipt.

use std::collections::HashMap;

use piperoll_tlog::{
    Hash,
    checkpoint::Checkpoint,
    hash,
    key::SecretKey,
    note::{self, KeyName, VerifierKey},
    proof,
    receipt::{self, Receipt},
    tile::TileId,
    tree::{self, Edge},
};
use proptest::prelude::*;

use crate::leaf_hashes;

const ORIGIN: &str = "piperoll.acme.example/log/main";

fn key() -> SecretKey {
    SecretKey::from_seed([5; 32])
}
fn vkey() -> VerifierKey {
    VerifierKey {
        name: KeyName::new(ORIGIN).unwrap(),
        key: key().public(),
    }
}
/// The tiles of a tree of at most 65,535 entries.
fn tiles(leaves: &[Hash]) -> HashMap<TileId, Vec<Hash>> {
    let tile = |level, (index, hashes): (u64, &[Hash])| (TileId { level, index }, hashes.to_vec());
    let above: Vec<Hash> = leaves.chunks_exact(256).map(tree::root_of).collect();
    let bottom = (0..)
        .zip(leaves.chunks(256))
        .map(|numbered| tile(0, numbered));
    bottom
        .chain(
            (0..)
                .zip(above.chunks(256))
                .map(|numbered| tile(1, numbered)),
        )
        .collect()
}
/// A receipt of entry `index` in a tree of `size`.
fn receipt(index: u64, size: u64) -> Receipt {
    let leaves = leaf_hashes(size);
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size,
        root: tree::root_of(&leaves),
    };
    Receipt {
        leaf: index.to_be_bytes().to_vec(),
        index,
        proof: proof::inclusion(index, size, &tiles(&leaves)).unwrap(),
        checkpoint: checkpoint.sign(&key()).unwrap(),
    }
}
fn flip(hash: &mut Hash, bit: usize) {
    hash.0[bit / 8 % 32] ^= 1 << (bit % 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_edge_has_the_root_of_the_definition_and_comes_back_from_its_parts(size in 0_u64..1400) {
        let leaves = leaf_hashes(size);
        let mut edge = Edge::new();
        let mut complete = Vec::new();
        for leaf in &leaves {
            complete.extend(edge.append(*leaf));
        }
        prop_assert_eq!(edge.root(), tree::root_of(&leaves));
        prop_assert_eq!(complete.len() as u64, size / 256);
        for tile in complete {
            prop_assert_eq!(tile.root, tree::root_of(&tile.hashes));
            let first = usize::try_from(tile.id.index).unwrap() * 256;
            prop_assert_eq!(&tile.hashes[..], &leaves[first..first + 256]);
        }
        let levels: Vec<Vec<Hash>> = (0..=2).map(|level| edge.level(level).to_vec()).collect();
        prop_assert_eq!(Edge::from_parts(size, levels.clone()), Some(edge));
        prop_assert_eq!(Edge::from_parts(size + 1, levels), None);
    }

    #[test]
    fn every_proof_verifies_and_none_verifies_for_another_question(
        (size, index, other) in (1_u64..800).prop_flat_map(|size| (Just(size), 0..size, 0..size)),
        bit in 0_usize..256,
    ) {
        let leaves = leaf_hashes(size);
        let root = tree::root_of(&leaves);
        let leaf = |index: u64| leaves[usize::try_from(index).unwrap()];
        let proof = proof::inclusion(index, size, &tiles(&leaves)).unwrap();
        prop_assert_eq!(proof::verify_inclusion(index, size, &leaf(index), &proof, &root), Ok(()));
        if other != index {
            prop_assert!(proof::verify_inclusion(other, size, &leaf(index), &proof, &root).is_err());
            prop_assert!(proof::verify_inclusion(index, size, &leaf(other), &proof, &root).is_err());
        }
        for place in 0..proof.len() {
            let mut wrong = proof.clone();
            flip(&mut wrong[place], bit);
            prop_assert!(proof::verify_inclusion(index, size, &leaf(index), &wrong, &root).is_err());
            wrong.remove(place);
            prop_assert!(proof::verify_inclusion(index, size, &leaf(index), &wrong, &root).is_err());
        }
        let longer = [&proof[..], &[root]].concat();
        prop_assert!(proof::verify_inclusion(index, size, &leaf(index), &longer, &root).is_err());
    }

    #[test]
    fn a_consistency_proof_verifies_between_its_two_trees_only(
        (new, old) in (1_u64..800).prop_flat_map(|size| (Just(size), 1..=size)),
        bit in 0_usize..256,
    ) {
        let leaves = leaf_hashes(new);
        let old_root = tree::root_of(&leaves[..usize::try_from(old).unwrap()]);
        let new_root = tree::root_of(&leaves);
        let proof = proof::consistency(old, new, &tiles(&leaves)).unwrap();
        prop_assert_eq!(proof::verify_consistency(old, new, &old_root, &new_root, &proof), Ok(()));
        for place in 0..proof.len() {
            let mut wrong = proof.clone();
            flip(&mut wrong[place], bit);
            prop_assert!(proof::verify_consistency(old, new, &old_root, &new_root, &wrong).is_err());
            wrong.remove(place);
            prop_assert!(proof::verify_consistency(old, new, &old_root, &new_root, &wrong).is_err());
        }
        let mut wrong = old_root;
        flip(&mut wrong, bit);
        prop_assert!(proof::verify_consistency(old, new, &wrong, &new_root, &proof).is_err());
        let mut wrong = new_root;
        flip(&mut wrong, bit);
        prop_assert!(proof::verify_consistency(old, new, &old_root, &wrong, &proof).is_err());
    }

    // An index or a size near the end of u64 must neither overflow nor loop.
    #[test]
    fn verifying_takes_any_numbers(
        index: u64, size: u64, proof in proptest::collection::vec(any::<[u8; 32]>(), 0..70), root: [u8; 32],
    ) {
        let proof: Vec<Hash> = proof.into_iter().map(Hash).collect();
        prop_assert!(proof::verify_inclusion(index, size, &Hash(root), &proof, &Hash([0; 32])).is_err());
        prop_assert!(proof::verify_consistency(index, size, &Hash(root), &Hash([0; 32]), &proof).is_err());
        let absent = HashMap::<TileId, Vec<Hash>>::new();
        prop_assert!(size <= 1 || proof::inclusion(index, size, &absent).is_err());
    }

    #[test]
    fn a_receipt_reads_back_and_a_changed_byte_of_it_never_verifies(
        (size, index) in (1_u64..600).prop_flat_map(|size| (Just(size), 0..size)),
        place: prop::sample::Index,
        bit in 0_u8..7,
    ) {
        let receipt = receipt(index, size);
        let text = receipt.encode();
        prop_assert_eq!(Receipt::parse(&text), Ok(receipt.clone()));
        prop_assert!(receipt.verify(&vkey()).is_ok());
        let mut bytes = text.into_bytes();
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let accepted = String::from_utf8(bytes).ok().and_then(|text| Receipt::parse(&text).ok()?.verify(&vkey()).ok());
        prop_assert_eq!(accepted, None);
    }

    #[test]
    fn reading_never_panics(text: String) {
        let _ = Receipt::parse(&text);
        let _ = note::open(&text, &[vkey()]);
        let _ = Checkpoint::parse(&text);
        let _ = VerifierKey::parse(&text);
        let _ = TileId::parse(&text);
    }
}

#[test]
fn each_changed_field_of_a_receipt_is_refused_by_name() {
    let good = receipt(37, 300);
    assert!(good.verify(&vkey()).is_ok());
    let change = |change: &dyn Fn(&mut Receipt)| {
        let mut changed = good.clone();
        change(&mut changed);
        changed.verify(&vkey()).unwrap_err()
    };
    let wrong = receipt::Error::Proof(proof::Error::Wrong);
    assert_eq!(change(&|receipt| receipt.leaf.push(b' ')), wrong);
    assert_eq!(change(&|receipt| receipt.index = 38), wrong);
    assert_eq!(change(&|receipt| flip(&mut receipt.proof[0], 0)), wrong);
    assert_eq!(change(&|receipt| receipt.proof.truncate(1)), wrong);
    let outside = receipt::Error::Proof(proof::Error::OutOfRange {
        index: 300,
        size: 300,
    });
    assert_eq!(change(&|receipt| receipt.index = 300), outside);
    let bad = receipt::Error::Checkpoint(note::Error::BadSignature(ORIGIN.to_owned()));
    assert_eq!(
        change(&|receipt| receipt.checkpoint = receipt.checkpoint.replacen("\n300\n", "\n301\n", 1)),
        bad
    );
    let unknown = receipt::Error::Checkpoint(note::Error::NoKnownSignature);
    let other = Checkpoint {
        origin: "piperoll.acme.example/log/other".to_owned(),
        size: 300,
        root: Hash([0; 32]),
    };
    assert_eq!(
        change(&|receipt| receipt.checkpoint = other.sign(&key()).unwrap()),
        unknown
    );
}

#[test]
fn receipts_in_another_spelling_are_refused() {
    let good = receipt(1, 3).encode();
    assert!(Receipt::parse(&good).is_ok());
    for (from, to) in [
        ("tlog-proof@v1", "tlog-proof@v2"),
        ("index 1\n", "index 01\n"),
        ("index 1\n", "index +1\n"),
        ("index 1\n", "index 1 \n"),
        ("index 1\n", "index 1\nindex 1\n"),
        ("extra ", "extra  "),
        ("extra ", "Extra "),
        ("\n", "\r\n"),
    ] {
        assert!(
            Receipt::parse(&good.replacen(from, to, 1)).is_err(),
            "{to:?}"
        );
    }
    let hash = Hash([0; 32]);
    let long = Receipt {
        leaf: Vec::new(),
        index: 0,
        proof: vec![hash; 64],
        checkpoint: String::new(),
    };
    assert_eq!(
        Receipt::parse(&long.encode()),
        Err(receipt::Error::Malformed("the proof is too long"))
    );
}

#[test]
fn a_note_is_opened_only_as_it_was_written() {
    let good = note::sign("text\n", &vkey().name, &key()).unwrap();
    let line = good.strip_prefix("text\n\n").unwrap();
    assert_eq!(note::open(&good, &[vkey()]), Ok("text\n"));
    let unknown = "\u{2014} someone AAAAAAAA\n";
    assert_eq!(
        note::open(&format!("text\n\n{unknown}{line}{unknown}"), &[vkey()]),
        Ok("text\n")
    );
    assert_eq!(
        note::open(&format!("text\n\n{unknown}"), &[vkey()]),
        Err(note::Error::NoKnownSignature)
    );
    let failed = Err(note::Error::BadSignature(ORIGIN.to_owned()));
    assert_eq!(note::open(&format!("Text\n\n{line}"), &[vkey()]), failed);
    // A known key that fails refuses the note, even beside a good signature of the same key.
    let other = note::sign("other\n", &vkey().name, &key()).unwrap();
    let failing = other.strip_prefix("other\n\n").unwrap();
    assert_eq!(
        note::open(&format!("text\n\n{line}{failing}"), &[vkey()]),
        failed
    );
    for malformed in [
        String::new(),
        "text\n".to_owned(),
        "text\n\n".to_owned(),
        format!("text\n{line}"),
        format!("text\n\n{}", line.trim_end()),
        format!("text\n\n{line}\n"),
        format!("te\txt\n\n{line}"),
        format!("text\r\n\n{line}"),
        format!("text\n\n{}", line.replacen('\u{2014}', "-", 1)),
        format!("text\n\n{line}\u{2014} some+one AAAAAAAA\n"),
        format!("text\n\n{line}\u{2014} someone AAAA\n"),
        format!("text\n\n{line}\u{2014} someone AAAAAAA\n"),
        format!("text\n\n{line}{}", unknown.repeat(100)),
        format!("{}\n\n{line}", "x".repeat(1_000_000)),
    ] {
        let opened = note::open(&malformed, &[vkey()]);
        assert!(
            matches!(opened, Err(note::Error::Malformed(_))),
            "{malformed:?}: {opened:?}"
        );
    }
}

#[test]
fn what_cannot_be_signed_as_a_note_is_refused() {
    let name = KeyName::new("a").unwrap();
    assert!(note::sign("no line feed", &name, &key()).is_err());
    assert!(note::sign("\u{1}\n", &name, &key()).is_err());
    for bad in ["", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{7}"] {
        assert_eq!(KeyName::new(bad), Err(note::Error::KeyName), "{bad:?}");
        let checkpoint = Checkpoint {
            origin: bad.to_owned(),
            size: 0,
            root: Hash::empty_root(),
        };
        assert_eq!(checkpoint.sign(&key()), Err(note::Error::KeyName));
    }
}

#[test]
fn verifier_keys_in_another_spelling_are_refused() {
    let vkey = vkey().encode();
    let (rest, base64) = vkey.rsplit_once('+').unwrap();
    let (name, id) = rest.split_once('+').unwrap();
    assert!(VerifierKey::parse(&vkey).is_ok());
    for bad in [
        format!("{name}+{id}"),
        format!("{name}+00000000+{base64}"),
        format!("{name}+{}+{base64}", id.to_uppercase()),
        format!("{name}x+{id}+{base64}"),
        format!("{name}+{id}+{base64}\n"),
        format!("{name}+{id}+{}", base64.replacen('A', "B", 1)),
        format!("+{id}+{base64}"),
    ] {
        assert!(VerifierKey::parse(&bad).is_err(), "{bad:?}");
    }
}

#[test]
fn checkpoints_in_another_spelling_are_refused() {
    let root = hash::sha256(b"").to_base64();
    assert!(Checkpoint::parse(&format!("a\n0\n{root}\n")).is_ok());
    for bad in [
        format!("a\n0\n{root}"),
        format!("a\n0\n{root}\nextension\n"),
        format!("a\n00\n{root}\n"),
        format!("a\n-1\n{root}\n"),
        format!("a\n+1\n{root}\n"),
        format!("a\n18446744073709551616\n{root}\n"),
        format!("\n0\n{root}\n"),
        format!("a\n0\n{root}=\n"),
        "a\n0\nAAAA\n".to_owned(),
    ] {
        assert!(Checkpoint::parse(&bad).is_err(), "{bad:?}");
    }
    // A note by the right key about another origin is not a checkpoint of this one.
    let other = note::sign(&format!("other\n0\n{root}\n"), &vkey().name, &key()).unwrap();
    assert!(matches!(
        Checkpoint::open(&other, &vkey()),
        Err(note::Error::Malformed(_))
    ));
}
