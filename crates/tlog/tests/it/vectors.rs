//! Vectors made by others: transparency-dev/merkle for proofs, Wycheproof for signatures, the C2SP note example, and the bad
//! messages of the example ledger for keys.
//!
//! transparency-dev/merkle's `subtreeinclusion` and `subtreeconsistency` are left out: they prove parts of a tree, which no
//! format of this crate uses.

use std::path::{Path, PathBuf};

use piperoll_tlog::{
    Hash, encoding, hash,
    key::{KeyError, PublicKey, SecretKey},
    note::{self, VerifierKey},
    proof,
};
use wycheproof::{TestResult, eddsa};

use crate::{read_json, test_data};

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Inclusion {
    leaf_idx: u64,
    tree_size: u64,
    leaf_hash: String,
    root: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Consistency {
    size1: u64,
    size2: u64,
    root1: String,
    root2: String,
    proof: Option<Vec<String>>,
    want_err: bool,
}

/// All `.json` files under a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
    {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found.sort();
    found
}
/// `None` where a hash is not 32 bytes, which no caller of this crate can express; such vectors all want an error.
fn hashes(proof: Option<&Vec<String>>) -> Option<Vec<Hash>> {
    proof.map_or(Some(Vec::new()), |proof| {
        proof.iter().map(|hash| Hash::from_base64(hash)).collect()
    })
}

#[test]
fn inclusion_proofs_of_transparency_dev_are_judged_as_they_say() {
    let files = files(&test_data().join("merkle/testdata/inclusion"));
    assert_eq!(files.len(), 98);
    for file in files {
        let vector: Inclusion = read_json(&file);
        let judge = || {
            let (leaf, root) = (
                Hash::from_base64(&vector.leaf_hash)?,
                Hash::from_base64(&vector.root)?,
            );
            let proof = hashes(vector.proof.as_ref())?;
            proof::verify_inclusion(vector.leaf_idx, vector.tree_size, &leaf, &proof, &root).ok()
        };
        assert_eq!(judge().is_none(), vector.want_err, "{}", file.display());
    }
}

#[test]
fn consistency_proofs_of_transparency_dev_are_judged_as_they_say() {
    let files = files(&test_data().join("merkle/testdata/consistency"));
    assert_eq!(files.len(), 98);
    for file in files {
        let vector: Consistency = read_json(&file);
        let judge = || {
            // Some roots are words such as "don't care"; a hash of the word is as equal or different.
            let root = |text: &str| {
                Hash::from_base64(text).unwrap_or_else(|| hash::sha256(text.as_bytes()))
            };
            let (old, new) = (root(&vector.root1), root(&vector.root2));
            let proof = hashes(vector.proof.as_ref())?;
            proof::verify_consistency(vector.size1, vector.size2, &old, &new, &proof).ok()
        };
        assert_eq!(judge().is_none(), vector.want_err, "{}", file.display());
    }
}

#[test]
fn wycheproof_s_ed25519_signatures_are_judged_as_they_say() {
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let mut judged = 0;
    for group in set.test_groups {
        let key = PublicKey::admit(&group.key.pk).unwrap();
        for test in group.tests {
            let valid = match test.result {
                TestResult::Valid => true,
                TestResult::Invalid => false,
                TestResult::Acceptable => panic!("test {} leaves it open", test.tc_id),
            };
            assert_eq!(
                key.verifies(&test.msg, &test.sig),
                valid,
                "test {}: {}",
                test.tc_id,
                test.comment
            );
            judged += 1;
        }
    }
    assert_eq!(judged, 151);
}

// RFC 8032 section 7.1, TEST 3.
#[test]
fn signing_gives_the_signature_of_rfc_8032() {
    let seed = "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7";
    let public = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
    let signature = "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
                     18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";
    let key = SecretKey::from_seed(encoding::from_hex(seed).unwrap());
    assert_eq!(encoding::hex(key.public().as_bytes()), public);
    assert_eq!(encoding::hex(&key.sign(&[0xaf, 0x82])), signature);
}

#[test]
fn a_signature_whose_s_is_larger_by_the_group_order_is_refused() {
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order: [u8; 32] = encoding::from_hex(order).unwrap();
    let key = SecretKey::from_seed([1; 32]);
    let mut signature = key.sign(b"message");
    assert!(key.public().verifies(b"message", &signature));
    let mut carry = 0;
    for (byte, add) in signature[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    assert!(!key.public().verifies(b"message", &signature));
}

/// The key that a bad message of the example ledger wants to register.
fn key_of_bad_message(file: &str) -> Vec<u8> {
    let bad: serde_json::Value = read_json(&test_data().join("example/bad").join(file));
    let envelope: serde_json::Value =
        serde_json::from_str(bad["message"].as_str().unwrap()).unwrap();
    let payload = encoding::from_base64_either(envelope["payload"].as_str().unwrap()).unwrap();
    let payload: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    encoding::from_base64(payload["subject"]["content"]["key"].as_str().unwrap()).unwrap()
}

#[test]
fn keys_of_the_example_are_admitted_or_refused_as_it_says() {
    assert!(PublicKey::admit(&key_of_bad_message("key-good.json")).is_ok());
    for (file, why) in [
        ("key-small-order.json", KeyError::SmallOrder),
        ("key-mixed-order.json", KeyError::Torsion),
        ("key-not-canonical.json", KeyError::NotCanonical),
    ] {
        assert_eq!(
            PublicKey::admit(&key_of_bad_message(file)),
            Err(why),
            "{file}"
        );
    }
}

// The points of small order, in every encoding that decompresses (as listed by libsodium and in ePrint 2020/1244, table 1).
#[test]
fn every_key_of_small_order_is_refused() {
    for hex in [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ] {
        let key: [u8; 32] = encoding::from_hex(hex).unwrap();
        let why = PublicKey::admit(&key).unwrap_err();
        assert!(
            matches!(why, KeyError::SmallOrder | KeyError::NotCanonical),
            "{hex}: {why}"
        );
    }
    assert_eq!(PublicKey::admit(&[2; 31]), Err(KeyError::Length));
    assert_eq!(PublicKey::admit(&[2; 32]), Err(KeyError::NotAPoint));
}

// The example of the signed-note specification.
#[test]
fn the_note_of_the_specification_opens() {
    let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let key = VerifierKey::parse(vkey).unwrap();
    assert_eq!(key.encode(), vkey);
    let note = "This is an example message.\n\n\u{2014} example.com/foo \
        Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
    assert_eq!(
        note::open(note, &[key]),
        Ok("This is an example message.\n")
    );
}

// The note of golang.org/x/mod `sumdb/note`, signed by two keys.
#[test]
fn a_note_of_go_s_with_two_signatures_opens_with_either_key() {
    let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
    let note = format!(
        "{text}\n\u{2014} PeterNeumann \
         x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n\
         \u{2014} EnochRoot \
         rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
    );
    let peter =
        VerifierKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
            .unwrap();
    let enoch =
        VerifierKey::parse("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
            .unwrap();
    for known in [vec![peter.clone()], vec![enoch.clone()], vec![peter, enoch]] {
        assert_eq!(note::open(&note, &known), Ok(text));
    }
    assert_eq!(note::open(&note, &[]), Err(note::Error::NoKnownSignature));
}
