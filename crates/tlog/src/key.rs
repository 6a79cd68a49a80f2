//! Ed25519 keys: admission of public keys, strict verification, signing.

/// An admitted public key: canonical, torsion-free, not of small order. Cheap to clone; holds the decompressed point.
#[derive(Clone)]
pub struct PublicKey(/* private */);

/// Why 32 bytes are not admitted as a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the key is not 32 bytes")]
    Length,
    #[error("the key is not a point of the curve")]
    NotAPoint,
    #[error("the key is not canonical")]
    NotCanonical,
    #[error("the key is of small order")]
    SmallOrder,
    #[error("the key is not torsion-free")]
    Torsion,
}

impl PublicKey {
    pub fn admit(_bytes: &[u8]) -> Result<Self, KeyError> {
        todo!()
    }
    pub fn as_bytes(&self) -> &[u8; 32] {
        todo!()
    }
    /// `verify_strict`, one signature at a time. `signature` of another length than 64 bytes does not verify.
    pub fn verifies(&self, _message: &[u8], _signature: &[u8]) -> bool {
        todo!()
    }
}
impl std::fmt::Debug for PublicKey {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
impl PartialEq for PublicKey {
    fn eq(&self, _other: &Self) -> bool {
        todo!()
    }
}
impl Eq for PublicKey {}

/// A private key. Wiped on drop; never printed.
#[derive(Clone)]
pub struct SecretKey(/* private */);
impl SecretKey {
    /// From a 32-byte seed, which the caller takes from the operating system.
    pub fn from_seed(_seed: [u8; 32]) -> Self {
        todo!()
    }
    /// The seed, for writing a key file; wiped when dropped.
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        todo!()
    }
    pub fn public(&self) -> PublicKey {
        todo!()
    }
    pub fn sign(&self, _message: &[u8]) -> [u8; 64] {
        todo!()
    }
}
impl std::fmt::Debug for SecretKey {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        todo!()
    }
}
