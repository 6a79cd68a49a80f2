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
    let file = PrivateKey::from_openssh(text).map_err(|error| match error {
        ssh_key::Error::AlgorithmUnknown | ssh_key::Error::AlgorithmUnsupported { .. } => {
            Error::Algorithm
        }
        _ => Error::Format,
    })?;
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

#[cfg(test)]
mod tests {
    use super::*;

    const URN: &str = "urn:piperoll:pipeline:checkout-deploy";

    #[test]
    fn a_key_file_gives_back_the_key_and_its_principal() {
        let key = SecretKey::from_seed([7; 32]);
        let text = write(&key, URN);
        assert!(text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert!(text.ends_with("-----END OPENSSH PRIVATE KEY-----\n"));
        let (again, comment) = read(&text).unwrap();
        assert_eq!(*again.seed(), [7; 32]);
        assert_eq!(comment, URN);
        let line = public_line(key.public().as_bytes(), URN);
        assert!(line.starts_with("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI"));
        assert!(line.ends_with(&format!(" {URN}")));
        let read = PublicKey::from_openssh(&line).unwrap();
        assert_eq!(
            read.key_data().ed25519().unwrap().0,
            *key.public().as_bytes()
        );
    }

    #[test]
    fn other_files_say_why_they_are_not_read() {
        assert_eq!(read("").unwrap_err(), Error::Format);
        assert_eq!(
            read("-----BEGIN PRIVATE KEY-----\n").unwrap_err(),
            Error::Format
        );
        // Two keys of which one half each was put together.
        let pair = Ed25519Keypair {
            public: Ed25519PublicKey([9; 32]),
            private: Ed25519PrivateKey::from_bytes(&[7; 32]),
        };
        let mixed = PrivateKey::new(KeypairData::Ed25519(pair), "x")
            .and_then(|file| file.to_openssh(LineEnding::LF))
            .unwrap();
        assert_eq!(read(&mixed).unwrap_err(), Error::Format);
    }

    /// Made by `ssh-keygen -t ed25519 -N '' -C urn:piperoll:pipeline:x` and `ssh-keygen -t ed25519 -N secret`.
    #[test]
    fn files_of_ssh_keygen_are_read_and_encrypted_ones_named() {
        let (key, comment) = read(PLAIN).unwrap();
        assert_eq!(comment, "urn:piperoll:pipeline:x");
        assert_eq!(public_line(key.public().as_bytes(), &comment), PLAIN_PUBLIC);
        assert_eq!(read(ENCRYPTED).unwrap_err(), Error::Encrypted);
        assert_eq!(read(ECDSA).unwrap_err(), Error::Algorithm);
    }
    const PLAIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n\
QyNTUxOQAAACAAP6OoXIpE8G0hOJOHIPLjT72zNUqaKAlUql5r44P2MAAAAKBt1qHxbdah\n\
8QAAAAtzc2gtZWQyNTUxOQAAACAAP6OoXIpE8G0hOJOHIPLjT72zNUqaKAlUql5r44P2MA\n\
AAAEBnpb1uHv+196o75NT1jHi7OmzhLMlTHuJX7L7kXHDfeAA/o6hcikTwbSE4k4cg8uNP\n\
vbM1SpooCVSqXmvjg/YwAAAAF3VybjpwaXBlcm9sbDpwaXBlbGluZTp4AQIDBAUG\n\
-----END OPENSSH PRIVATE KEY-----\n\
";
    const PLAIN_PUBLIC: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAA/o6hcikTwbSE4k4cg8uNPvbM1SpooCVSqXmvjg/Yw urn:piperoll:pipeline:x";
    const ENCRYPTED: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABCI0QVWn+\n\
98GF9IQJrAIpNDAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIF27i/r/VH6UIlzo\n\
HCs/XC8OaCCpED/O8vIRpgZvTiP7AAAAkNIFmLI1LjZIDS/o6XA/Y5M4Gr8DBxM9V7o2WC\n\
SuA2ek5Jl5PxHOKR2rJM4dQ++hxH6yylwetZZVOTWjmlDLrPeZEal5khRj2swAozkD0PX4\n\
Ywjj8HIvmTEro0O2NFex35Mllq1WWTlAgDprNMWqOF+Ib3bmJpKpNkdy4fL5sSfVLyAV7D\n\
UP2cZmfIQVLWNBGw==\n\
-----END OPENSSH PRIVATE KEY-----\n\
";
    const ECDSA: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAaAAAABNlY2RzYS\n\
1zaGEyLW5pc3RwMjU2AAAACG5pc3RwMjU2AAAAQQTdmh4yIluQrMM3YW5U6DGEUrrkmcJr\n\
6wwYqdadr1qbVcMgk7Q7hodUD7/xrbMHPt9mLt2T21/S7Btdu6vALZ4xAAAAoBhgpwUYYK\n\
cFAAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBN2aHjIiW5Cswzdh\n\
blToMYRSuuSZwmvrDBip1p2vWptVwyCTtDuGh1QPv/Gtswc+32Yu3ZPbX9LsG127q8Atnj\n\
EAAAAgelhrw96Kyqk/KVgv5qVTFEz3eO1RDfRGrZBYeO/TfPEAAAABeAECAwQFBgc=\n\
-----END OPENSSH PRIVATE KEY-----\n\
";
}
