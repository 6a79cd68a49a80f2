//! Ed25519 keys: admission of public keys, strict verification, signing.
//!
//! Only keys of prime order are admitted and every signature goes through `verify_strict`, alone. Then cofactored, cofactorless
//! and batch verifiers all accept what is accepted here.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

/// An admitted public key: canonical, torsion-free, not of small order. Cheap to clone; holds the decompressed point.
#[derive(Clone)]
pub struct PublicKey(VerifyingKey);

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
    /// Admits the 32 bytes of RFC 8032 section 5.1.2. About 30 µs, so once a key and not once a signature.
    pub fn admit(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes: &[u8; 32] = bytes.try_into().map_err(|_| KeyError::Length)?;
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotAPoint)?;
        let point = key.to_edwards();
        if point.compress().as_bytes() != bytes {
            return Err(KeyError::NotCanonical);
        }
        if key.is_weak() {
            return Err(KeyError::SmallOrder);
        }
        if !point.is_torsion_free() {
            return Err(KeyError::Torsion);
        }
        Ok(Self(key))
    }
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }
    /// `verify_strict`, one signature at a time. `signature` of another length than 64 bytes does not verify.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}
impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", crate::encoding::base64(self.as_bytes()))
    }
}
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}
impl Eq for PublicKey {}

/// A private key. Wiped on drop; never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);
impl SecretKey {
    /// From a 32-byte seed, which the caller takes from the operating system.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = zeroize::Zeroizing::new(seed);
        Self(SigningKey::from_bytes(&seed))
    }
    /// The seed, for writing a key file; wiped when dropped.
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }
    pub fn public(&self) -> PublicKey {
        // A point made from a seed is a multiple of the base point, so it needs no admission.
        PublicKey(self.0.verifying_key())
    }
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}
impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey(of {:?})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_holds_the_seed() {
        let key = SecretKey::from_seed([7; 32]);
        let shown = format!("{key:?}");
        assert!(
            !shown.contains(&crate::encoding::hex(&[7; 32]))
                && !shown.contains(&crate::encoding::base64(&[7; 32]))
        );
        assert!(shown.contains(&crate::encoding::base64(key.public().as_bytes())));
    }

    #[test]
    fn a_key_from_a_seed_is_admitted_and_equal_to_its_bytes() {
        let key = SecretKey::from_seed([9; 32]);
        assert_eq!(PublicKey::admit(key.public().as_bytes()), Ok(key.public()));
        assert_eq!(*key.seed(), [9; 32]);
    }

    #[test]
    fn a_signature_of_another_length_does_not_verify() {
        let key = SecretKey::from_seed([9; 32]);
        let signature = key.sign(b"a");
        assert!(key.public().verifies(b"a", &signature));
        assert!(!key.public().verifies(b"a", &signature[..63]));
        assert!(
            !key.public()
                .verifies(b"a", &[&signature[..], &[0]].concat())
        );
        assert!(!key.public().verifies(b"a", &[]));
    }
}
