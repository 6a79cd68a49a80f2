//! Words of a body, as a ledger may hold them.

use std::collections::BTreeMap;

use piperoll_core::words;

/// Adds words under the name of a text, unless there are none.
pub(super) fn add(texts: &mut BTreeMap<String, String>, name: &str, said: Option<&str>) {
    if let Some(said) = said.filter(|said| !said.trim().is_empty()) {
        texts.insert(name.to_owned(), words::fitting_text(said, "the bridge"));
    }
}
#[cfg(test)]
mod tests {
    use super::*;

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
