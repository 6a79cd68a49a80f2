//! Base64 and hexadecimal, in the one spelling that counts: what does not re-encode to itself is refused.

/// Bytes as standard base64 with padding.
pub fn base64(_bytes: &[u8]) -> String {
    todo!()
}
/// Bytes as base64url without padding.
pub fn base64url(_bytes: &[u8]) -> String {
    todo!()
}
/// Standard padded base64 with no loose bits; `None` for anything else.
pub fn from_base64(_text: &str) -> Option<Vec<u8>> {
    todo!()
}
/// Unpadded base64url with no loose bits; `None` for anything else.
pub fn from_base64url(_text: &str) -> Option<Vec<u8>> {
    todo!()
}
/// Padded base64 of either alphabet (never mixed), canonical; for the members of a DSSE envelope.
pub fn from_base64_either(_text: &str) -> Option<Vec<u8>> {
    todo!()
}
/// Lower-case hexadecimal.
pub fn hex(_bytes: &[u8]) -> String {
    todo!()
}
/// Lower-case hexadecimal of exactly `N` bytes; upper case is refused.
pub fn from_hex<const N: usize>(_text: &str) -> Option<[u8; N]> {
    todo!()
}
