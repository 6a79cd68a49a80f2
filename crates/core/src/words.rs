//! Words of people and systems: which characters they may hold (`formats.md` section 1), and making them fit.

use std::fmt::Write;

use crate::limits::TEXT_BYTES_MAX;

/// The first forbidden character of a payload string, if any.
pub fn forbidden_in_payload(text: &str) -> Option<char> {
    // Printable ASCII is nearly everything that comes, and none of it is forbidden.
    if text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return None;
    }
    text.chars().find(|char| is_forbidden(*char))
}
/// The first forbidden character of a text, if any.
pub fn forbidden_in_text(text: &str) -> Option<char> {
    text.chars()
        .find(|char| is_forbidden(*char) && !matches!(char, '\n' | '\t'))
}
fn is_forbidden(char: char) -> bool {
    let noncharacter =
        matches!(char, '\u{fdd0}'..='\u{fdef}') || u32::from(char) & 0xfffe == 0xfffe;
    noncharacter
        || matches!(
            char,
            '\0'..='\u{1f}'
                | '\u{7f}'..='\u{9f}'
                | '\u{61c}'
                | '\u{200e}'..='\u{200f}'
                | '\u{202a}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
        )
}
/// One segment of a URL's path: all but the unreserved characters of RFC 3986 section 2.3 percent-encoded.
pub fn url_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _infallible = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
/// CRLF and CR become LF, every other character a text may not hold becomes U+FFFD.
pub fn clean_text(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .map(|char| match char {
            '\r' => '\n',
            '\n' | '\t' => char,
            other if is_forbidden(other) => char::REPLACEMENT_CHARACTER,
            other => other,
        })
        .collect()
}
/// Like [`clean_text`], and LF and tab become spaces; for strings of a payload.
pub fn clean_string(text: &str) -> String {
    clean_text(text).replace(['\n', '\t'], " ")
}
/// A text as an event may hold it: clean, and at most 16 KiB. What is cut off is said, in the name of whoever cuts.
pub fn fitting_text(text: &str, cutter: &str) -> String {
    let text = clean_text(text);
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    let note = format!("\n[cut by {cutter}: {} bytes in all]", text.len());
    let end = text.floor_char_boundary(TEXT_BYTES_MAX - note.len());
    format!("{}{note}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaning_keeps_the_words_and_loses_what_may_not_be_written() {
        assert_eq!(clean_text("a\r\nb\rc\n\td"), "a\nb\nc\n\td");
        assert_eq!(clean_text("a\u{1b}[31m\u{202e}"), "a\u{fffd}[31m\u{fffd}");
        assert_eq!(clean_string("a\r\nb\tc"), "a b c");
    }

    #[test]
    fn words_are_cut_at_16_kib_between_characters_and_say_so() {
        let fitting = |text: String| fitting_text(&text, "the bridge");
        assert_eq!(fitting("é".repeat(8192)), "é".repeat(8192));
        for length in 8193..8200 {
            let long = fitting("é".repeat(length));
            assert!(long.len() <= TEXT_BYTES_MAX);
            assert!(long.ends_with(&format!("[cut by the bridge: {} bytes in all]", length * 2)));
            assert!(long.starts_with(&"é".repeat(8000)));
        }
    }

    #[test]
    fn an_id_is_one_segment_of_a_path() {
        assert_eq!(
            url_segment("github:acme/checkout#418"),
            "github%3Aacme%2Fcheckout%23418"
        );
        assert_eq!(url_segment("ä b?&\"<"), "%C3%A4%20b%3F%26%22%3C");
        assert_eq!(url_segment("a-b.c_d~9"), "a-b.c_d~9");
    }
}
