//! HMAC-SHA-256 for webhooks, compared in constant time, fed piece by piece.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// An HMAC over a body that is read as a stream (RFC 2104).
#[derive(Clone)]
pub struct HmacSha256(Hmac<Sha256>);
impl HmacSha256 {
    pub fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }
    /// Constant-time comparison with `tag` (32 bytes; another length is false).
    pub fn verifies(self, tag: &[u8]) -> bool {
        self.0.verify_slice(tag).is_ok()
    }
    /// The tag itself, for those who send.
    pub fn tag(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}
/// Constant-time equality of two secrets, such as bearer tokens (compared by HMAC under a key of no meaning, so that neither
/// content nor the place of the first difference shows in the time it takes).
pub fn secrets_equal(a: &[u8], b: &[u8]) -> bool {
    let mac_of = |secret: &[u8]| {
        let mut mac = HmacSha256::new(b"piperoll secrets_equal");
        mac.update(secret);
        mac
    };
    mac_of(a).verifies(&mac_of(b).tag())
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 4231 section 4.3, test case 2.
    #[test]
    fn the_tag_is_that_of_rfc_4231() {
        let tag = crate::encoding::from_hex::<32>(
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        )
        .expect("64 digits");
        let mut mac = HmacSha256::new(b"Jefe");
        mac.update(b"what do ya want ");
        mac.update(b"for nothing?");
        assert_eq!(mac.clone().tag(), tag);
        assert!(mac.clone().verifies(&tag));
        assert!(!mac.clone().verifies(&tag[..31]));
        assert!(!mac.verifies(&[&tag[..], &[0]].concat()));
    }

    #[test]
    fn equal_secrets_are_equal_and_others_are_not() {
        assert!(secrets_equal(b"token", b"token"));
        assert!(secrets_equal(b"", b""));
        for other in [&b"tokem"[..], b"toke", b"tokens", b""] {
            assert!(!secrets_equal(b"token", other));
        }
    }
}
