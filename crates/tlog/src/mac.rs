//! HMAC-SHA-256 for webhooks, compared in constant time, fed piece by piece.

/// An HMAC over a body that is read as a stream.
#[derive(Clone)]
pub struct HmacSha256(/* private */);
impl HmacSha256 {
    pub fn new(_secret: &[u8]) -> Self {
        todo!()
    }
    pub fn update(&mut self, _bytes: &[u8]) {
        todo!()
    }
    /// Constant-time comparison with `tag` (32 bytes; another length is false).
    pub fn verifies(self, _tag: &[u8]) -> bool {
        todo!()
    }
    /// The tag itself, for those who send.
    pub fn tag(self) -> [u8; 32] {
        todo!()
    }
}
/// Constant-time equality of two secrets, such as bearer tokens (compared by HMAC under a key of no meaning).
pub fn secrets_equal(_a: &[u8], _b: &[u8]) -> bool {
    todo!()
}
