//! What a terminal may be shown. Words of an event, a server or a file never reach it unescaped: control characters could move
//! the cursor or change what a line seems to say, and bidirectional characters could reorder it.

use std::{
    borrow::Cow,
    fmt::Write,
    io::{self, IsTerminal},
};

/// Columns of the terminal on stdout; `None` when stdout is something else, which has no width.
pub(crate) fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    let (terminal_size::Width(columns), _) = terminal_size::terminal_size()?;
    Some(columns)
}

/// One line: every unsafe character, line feeds and tabs included, is written as `\u{…}` or `\n`.
pub(crate) fn escape_line(text: &str) -> Cow<'_, str> {
    escape(text, &[])
}
/// Several lines: line feeds stay, everything else unsafe is written out. A tab becomes four spaces.
pub(crate) fn escape_block(text: &str) -> String {
    escape(text, &['\n', '\t']).replace('\t', "    ")
}
/// JSON as it is printed: unsafe characters can stand only inside its strings, where `\uXXXX` means the same.
pub(crate) fn escape_json(json: &str) -> Cow<'_, str> {
    if !json.chars().any(|c| c != '\n' && is_unsafe(c)) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c != '\n' && is_unsafe(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

fn escape<'a>(text: &'a str, kept: &[char]) -> Cow<'a, str> {
    let shown = |c: char| kept.contains(&c) || !is_unsafe(c);
    if text.chars().all(shown) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if shown(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            c => escaped.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(escaped)
}
/// Control characters (C0, DEL, C1), bidirectional controls, line separators, and the invisible joiners and fillers that let two
/// different words look alike.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_bidi_characters_become_visible() {
        assert_eq!(escape_line("a\u{1b}]0;x\u{7}b"), "a\\u{1b}]0;x\\u{7}b");
        assert_eq!(escape_line("pay\u{202e}lanimret"), "pay\\u{202e}lanimret");
        assert_eq!(
            escape_line("two\nlines\t\u{9b}1m"),
            "two\\nlines\\t\\u{9b}1m"
        );
        assert_eq!(escape_line("naïve 日本 ✓"), "naïve 日本 ✓");
    }

    #[test]
    fn a_block_keeps_its_lines_and_nothing_else() {
        assert_eq!(escape_block("a\n\tb\r\u{1b}c"), "a\n    b\\r\\u{1b}c");
    }

    proptest::proptest! {
        #[test]
        fn nothing_unsafe_is_left_whatever_was_said(text in proptest::prelude::any::<String>()) {
            proptest::prop_assert!(!escape_line(&text).chars().any(is_unsafe));
            proptest::prop_assert!(!escape_block(&text).chars().any(|c| c != '\n' && is_unsafe(c)));
            let json = serde_json::to_string(&text).unwrap();
            let shown = escape_json(&json).into_owned();
            proptest::prop_assert!(!shown.chars().any(is_unsafe));
            proptest::prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({"a": "x\u{9b}\u{202e}y", "b": "ok\u{e0041}"});
        let shown = escape_json(&serde_json::to_string_pretty(&value).unwrap()).into_owned();
        assert!(shown.chars().all(|c| c == '\n' || !is_unsafe(c)), "{shown}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
            value
        );
    }
}
