//! Base64 and hexadecimal, in the one spelling that counts: what does not re-encode to itself is refused.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};

/// Bytes as standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}
/// Bytes as base64url without padding.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
/// Standard padded base64 with no loose bits; `None` for anything else.
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}
/// Unpadded base64url with no loose bits; `None` for anything else.
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}
/// Padded base64 of either alphabet (never mixed), canonical; for the members of a DSSE envelope.
pub fn from_base64_either(text: &str) -> Option<Vec<u8>> {
    if text.contains(['-', '_']) {
        URL_SAFE.decode(text).ok()
    } else {
        from_base64(text)
    }
}
/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}
/// Lower-case hexadecimal of exactly `N` bytes; upper case is refused.
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn loose_bits_missing_padding_white_space_and_mixed_alphabets_are_refused() {
        assert_eq!(from_base64("+/8="), Some(vec![0xfb, 0xff]));
        for bad in ["+/9=", "+/8", "+/8==", "+/8= ", "-_8=", "+_8=", "+/8=\n"] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
        assert_eq!(from_base64_either("+/8="), Some(vec![0xfb, 0xff]));
        assert_eq!(from_base64_either("-_8="), Some(vec![0xfb, 0xff]));
        for bad in ["-/8=", "+_8=", "-_9=", "-_8"] {
            assert_eq!(from_base64_either(bad), None, "{bad:?}");
        }
        assert_eq!(from_base64url("-_8"), Some(vec![0xfb, 0xff]));
        for bad in ["-_9", "-_8=", "+/8"] {
            assert_eq!(from_base64url(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn upper_case_and_wrong_length_hexadecimal_are_refused() {
        assert_eq!(from_hex::<2>("00ff"), Some([0, 255]));
        for bad in ["00FF", "00f", "00ff0", "0x0f", "+0ff", "", "00fg"] {
            assert_eq!(from_hex::<2>(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_writes_to_the_same_text(text in "[A-Za-z0-9+/=_-]{0,12}") {
            if let Some(bytes) = from_base64(&text) { prop_assert_eq!(base64(&bytes), text.clone()); }
            if let Some(bytes) = from_base64url(&text) { prop_assert_eq!(base64url(&bytes), text.clone()); }
            if let Some(bytes) = from_hex::<4>(&text) { prop_assert_eq!(hex(&bytes), text); }
        }

        #[test]
        fn bytes_come_back(bytes: Vec<u8>, four: [u8; 4]) {
            prop_assert_eq!(from_base64(&base64(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(from_base64_either(&base64(&bytes)), Some(bytes.clone()));
            prop_assert_eq!(from_base64url(&base64url(&bytes)), Some(bytes));
            prop_assert_eq!(from_hex(&hex(&four)), Some(four));
        }
    }
}
