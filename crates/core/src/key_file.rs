//! Key files: OpenSSH private keys, Ed25519, not encrypted. The comment holds the principal's URN.

use piperoll_tlog::key::SecretKey;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not an OpenSSH private key")]
    Format,
    #[error("the key is encrypted; Piperoll needs a key file without a passphrase")]
    Encrypted,
    #[error("the key is not Ed25519")]
    Algorithm,
}
/// Reads an OpenSSH private key; gives the key and its comment.
pub fn read(_text: &str) -> Result<(SecretKey, String), Error> {
    todo!()
}
/// Writes one, ending in LF.
pub fn write(_key: &SecretKey, _comment: &str) -> zeroize::Zeroizing<String> {
    todo!()
}
/// The `ssh-ed25519 AAAA… comment` line of a public key.
pub fn public_line(_key: &[u8; 32], _comment: &str) -> String {
    todo!()
}
/// Reads such a line.
pub fn read_public_line(_line: &str) -> Result<([u8; 32], String), Error> {
    todo!()
}
