//! Enough of an HTML reader to see which tags and attributes a page has, as a browser would.

/// Every tag that our pages are made of.
const TAGS: [&str; 62] = [
    "a",
    "abbr",
    "article",
    "aside",
    "b",
    "bdi",
    "blockquote",
    "body",
    "br",
    "caption",
    "circle",
    "code",
    "col",
    "colgroup",
    "dd",
    "details",
    "desc",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "g",
    "h1",
    "h2",
    "h3",
    "head",
    "header",
    "html",
    "i",
    "li",
    "line",
    "link",
    "main",
    "meta",
    "nav",
    "ol",
    "p",
    "path",
    "polygon",
    "pre",
    "q",
    "rect",
    "section",
    "small",
    "span",
    "strong",
    "summary",
    "svg",
    "table",
    "tbody",
    "td",
    "text",
    "th",
    "thead",
    "time",
    "title",
    "tr",
    "tspan",
    "ul",
];

/// Reads a page and fails where a tag or an attribute is none of ours; gives the number of tags.
pub(super) fn check(html: &str, page: &str) -> usize {
    let mut tags = 0;
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        rest = &rest[open + 1..];
        if rest.starts_with("!doctype") || rest.starts_with("!DOCTYPE") || rest.starts_with('/') {
            continue;
        }
        let name = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        let (tag, after) = rest.split_at(name);
        assert!(
            TAGS.contains(&tag),
            "{page}: a tag <{tag} at {:?}",
            excerpt(rest)
        );
        rest = attributes(tag, after, page);
        tags += 1;
    }
    assert!(tags > 5, "{page} is all but empty: {html}");
    tags
}
/// Checks the attributes of a tag; gives what follows it.
fn attributes<'h>(tag: &str, mut rest: &'h str, page: &str) -> &'h str {
    loop {
        rest = rest.trim_start().trim_start_matches('/').trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return after;
        }
        let name = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric() && !"-:".contains(letter))
            .unwrap_or(rest.len());
        let (attribute, after) = rest.split_at(name);
        let what = format!("{page}: <{tag} {attribute} at {:?}", excerpt(rest));
        assert!(
            !attribute.is_empty() && !attribute.starts_with("on"),
            "{what}"
        );
        assert!(
            !["src", "style", "srcdoc", "formaction", "action"].contains(&attribute),
            "{what}"
        );
        let Some(value) = after.strip_prefix("=\"") else {
            assert!(!after.starts_with('='), "a value without quotes: {what}");
            rest = after;
            continue;
        };
        let (value, after) = value.split_once('"').unwrap_or_else(|| panic!("{what}"));
        assert!(!value.contains(['<', '>']), "{what}");
        if attribute.ends_with("href") {
            assert!(
                value.starts_with('/') || value.starts_with('#'),
                "a link that leads elsewhere: {what}"
            );
            assert!(
                !value.starts_with("//"),
                "a link that leads elsewhere: {what}"
            );
        }
        rest = after;
    }
}
fn excerpt(text: &str) -> String {
    text.chars().take(120).collect()
}
