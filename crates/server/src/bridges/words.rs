//! Words of a body, as a ledger may hold them.

use std::collections::BTreeMap;

use piperoll_core::{json, limits::TEXT_BYTES_MAX};

/// Adds words under the name of a text, unless there are none.
pub(super) fn add(texts: &mut BTreeMap<String, String>, name: &str, words: Option<&str>) {
    if let Some(words) = words.filter(|words| !words.trim().is_empty()) {
        texts.insert(name.to_owned(), cut(json::clean_text(words)));
    }
}
/// At most 16 KiB; what is cut off is said.
fn cut(words: String) -> String {
    if words.len() <= TEXT_BYTES_MAX {
        return words;
    }
    let note = format!("\n[cut by the bridge: {} bytes in all]", words.len());
    let end = words.floor_char_boundary(TEXT_BYTES_MAX - note.len());
    format!("{}{note}", &words[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_at_16_kib_between_characters_and_say_so() {
        assert_eq!(cut("é".repeat(8192)), "é".repeat(8192));
        for length in 8193..8200 {
            let long = cut("é".repeat(length));
            assert!(long.len() <= TEXT_BYTES_MAX);
            assert!(long.ends_with(&format!("[cut by the bridge: {} bytes in all]", length * 2)));
            assert!(long.starts_with(&"é".repeat(8000)));
        }
    }

    #[test]
    fn words_that_are_only_white_space_are_no_text() {
        let mut texts = BTreeMap::new();
        add(&mut texts, "summary", Some(" \r\n"));
        add(&mut texts, "description", None);
        add(&mut texts, "comment", Some("a\r\nb\u{1b}"));
        assert_eq!(
            texts,
            BTreeMap::from([("comment".to_owned(), "a\nb\u{fffd}".to_owned())])
        );
    }
}
