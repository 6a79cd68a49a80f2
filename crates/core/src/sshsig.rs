//! SSH signatures (`OpenSSH` PROTOCOL.sshsig), strictly: the one blob that our settings allow, and the inner signature checked like
//! any other.
//!
//! Namespace, hash and algorithm are fixed, so everything in a blob but its last 64 bytes is known beforehand. Comparing it whole
//! leaves no room for a version 0, a reserved field, trailing bytes or another key.

use piperoll_tlog::key::PublicKey;
use ssh_key::{HashAlg, SshSig};

/// Signatures made for anything else do not verify here, and ours nowhere else.
pub const NAMESPACE: &str = "piperoll-dsse-v1";
const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;
const ALGORITHM: &[u8] = b"ssh-ed25519";
const HASH: &[u8] = b"sha512";
const SIGNATURE_LEN: usize = 64;

/// Whether `blob`, the binary form of what `ssh-keygen -Y sign -n piperoll-dsse-v1` writes, signs `message` by `key`.
pub fn verifies(key: &PublicKey, message: &[u8], blob: &[u8]) -> bool {
    let Some(signature) = blob.strip_prefix(frame(key).as_slice()) else {
        return false;
    };
    let Ok(signed) = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, message) else {
        return false;
    };
    signature.len() == SIGNATURE_LEN && key.verifies(&signed, signature)
}
/// All of a blob but the 64 bytes of the inner signature.
fn frame(key: &PublicKey) -> Vec<u8> {
    let public_key = public_blob(key.as_bytes());
    let inner_len = u32::try_from(SIGNATURE_LEN).expect("64 fits").to_be_bytes();
    let signature = [string(ALGORITHM), inner_len.to_vec()].concat();
    let signature_len =
        u32::try_from(signature.len() + SIGNATURE_LEN).expect("it is 83 bytes long");
    [
        MAGIC.to_vec(),
        VERSION.to_be_bytes().to_vec(),
        string(&public_key),
        string(NAMESPACE.as_bytes()),
        string(b""),
        string(HASH),
        signature_len.to_be_bytes().to_vec(),
        signature,
    ]
    .concat()
}
/// The wire format of a public key: `string "ssh-ed25519"`, `string key`.
pub(crate) fn public_blob(key: &[u8; 32]) -> Vec<u8> {
    [string(ALGORITHM), string(key)].concat()
}
/// An SSH string: its length as four bytes, then its bytes.
fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("only short strings of our own");
    [&length.to_be_bytes(), bytes].concat()
}
