//! Key files: OpenSSH private keys, Ed25519, not encrypted. The comment holds the principal's URN.

use piperoll_tlog::key::SecretKey;
use ssh_key::{
    Algorithm, LineEnding, PrivateKey, PublicKey,
    private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData},
    public::{Ed25519PublicKey, KeyData},
};

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
pub fn read(text: &str) -> Result<(SecretKey, String), Error> {
    let file = PrivateKey::from_openssh(text).map_err(|_| Error::Format)?;
    if file.is_encrypted() {
        return Err(Error::Encrypted);
    }
    if file.algorithm() != Algorithm::Ed25519 {
        return Err(Error::Algorithm);
    }
    let pair = file.key_data().ed25519().ok_or(Error::Algorithm)?;
    let seed = zeroize::Zeroizing::new(pair.private.to_bytes());
    let key = SecretKey::from_seed(*seed);
    // A file whose public half belongs to another key would sign as somebody else.
    if key.public().as_bytes() != &pair.public.0 {
        return Err(Error::Format);
    }
    Ok((key, file.comment().to_owned()))
}
/// Writes one, ending in LF.
pub fn write(key: &SecretKey, comment: &str) -> zeroize::Zeroizing<String> {
    let pair = Ed25519Keypair {
        public: Ed25519PublicKey(*key.public().as_bytes()),
        private: Ed25519PrivateKey::from_bytes(&key.seed()),
    };
    PrivateKey::new(KeypairData::Ed25519(pair), comment)
        .and_then(|file| file.to_openssh(LineEnding::LF))
        .expect("an unencrypted Ed25519 key can always be written")
}
/// The `ssh-ed25519 AAAA… comment` line of a public key, without LF.
pub fn public_line(key: &[u8; 32], comment: &str) -> String {
    PublicKey::new(KeyData::Ed25519(Ed25519PublicKey(*key)), comment)
        .to_openssh()
        .expect("an Ed25519 key can always be written")
}
/// Reads such a line.
pub fn read_public_line(line: &str) -> Result<([u8; 32], String), Error> {
    let key = PublicKey::from_openssh(line.trim_end()).map_err(|_| Error::Format)?;
    match key.key_data() {
        KeyData::Ed25519(bytes) => Ok((bytes.0, key.comment().to_owned())),
        _ => Err(Error::Algorithm),
    }
}
