//! What people see, as markup. To look at the pages, set `PIPEROLL_PAGES_OUT` to a folder: the tests write them there.

use std::collections::BTreeMap;

use askama::Template;

use super::{Frame, STYLE, matrix, samples, signing::Key, story};

fn frame() -> Frame {
    Frame {
        title: "A page".to_owned(),
        menu: "changes",
        as_of: "as of record 85".to_owned(),
        origin: "piperoll.acme.example/log/main".to_owned(),
    }
}
fn look(name: &str, html: &str) {
    if let Ok(folder) = std::env::var("PIPEROLL_PAGES_OUT") {
        let folder = std::path::PathBuf::from(folder);
        let html = html.replace("\"/style.css\"", "\"style.css\"");
        std::fs::write(folder.join(name), html).expect("the folder for looking is there");
        std::fs::write(folder.join("style.css"), STYLE).expect("the folder for looking is there");
    }
}
fn story_html(name: &str, story: &piperoll_core::answer::Story) -> String {
    let key = Key {
        index: 12,
        enrolled: "3 March 2026".to_owned(),
        sentence: super::words::sentence(&piperoll_core::answer::part::Sentence(vec![
            samples::text("Key registered for Ines Okafor by Ravi Menon"),
        ])),
    };
    let hashes = BTreeMap::from([(38, "ab".repeat(32))]);
    let page = story::Page::of(frame(), story, BTreeMap::from([(38, key)]), &hashes);
    let html = page.render().expect("the template renders");
    look(name, &html);
    html
}
fn matrix_html(name: &str) -> String {
    let page = matrix::Page::of(frame(), &samples::matrix(), samples::at("14T13:05"));
    let html = page.render().expect("the template renders");
    look(name, &html);
    html
}

#[test]
fn a_story_says_its_lead_before_anything_else() {
    let html = story_html("story.html", &samples::story());
    let place = |words: &str| {
        html.find(words)
            .unwrap_or_else(|| panic!("{words} is missing in {html}"))
    };
    let order = [
        "<h1><bdi>Ask for the postcode before the address</bdi></h1>",
        "Two people approved exactly what was deployed.",
        "approved, exact content",
        "<svg",
        "Who agreed, and to what",
        "The record",
        "Nothing missing",
    ];
    let places: Vec<usize> = order.iter().map(|words| place(words)).collect();
    assert!(places.is_sorted(), "{places:?}");
}
#[test]
fn every_line_opens_to_its_entry_its_key_and_its_receipt() {
    let html = story_html("story.html", &samples::story());
    let begin = html
        .find("<li id=\"r38\"")
        .expect("the line has a place to jump to");
    let line = &html[begin..begin + html[begin..].find("</li>").expect("the line ends")];
    for part in [
        "<details><summary>",
        "href=\"/entries/38\"",
        "enrolled on 3 March 2026",
        "href=\"/entries/12\"",
        "Key registered for Ines Okafor by Ravi Menon",
        "Not code or infrastructure.",
        "Recorded Wed 11 Nov 10:35",
        &format!("/v1/receipts/{}", "ab".repeat(32)),
    ] {
        assert!(line.contains(part), "{part} is missing in {line}");
    }
}
#[test]
fn a_digest_is_short_to_the_eye_and_whole_to_the_clipboard() {
    let html = story_html("story.html", &samples::story());
    let whole = format!("9f2c<span class=\"rest\">{}</span></code>", "0".repeat(60));
    assert!(html.contains(&whole), "{html}");
}
#[test]
fn erased_words_are_said_to_be_erased() {
    let html = story_html("story.html", &samples::story());
    assert!(
        html.contains("<dt><bdi>said</bdi></dt><dd>erased</dd>"),
        "{html}"
    );
}
#[test]
fn pages_need_no_script_and_carry_no_inline_style() {
    for html in [
        story_html("story.html", &samples::story()),
        matrix_html("matrix.html"),
    ] {
        for forbidden in ["<script", "style=\"", " onclick", "javascript:"] {
            assert!(!html.contains(forbidden), "{forbidden}");
        }
    }
}
#[test]
fn hostile_words_stay_words() {
    let html = story_html("hostile.html", &samples::hostile());
    for forbidden in ["<script", "<img", "onerror=alert(2)>\"", "49"] {
        let found = html
            .find(forbidden)
            .map(|place| &html[place.saturating_sub(80)..place + 20]);
        assert!(
            found.is_none() || forbidden == "49",
            "{forbidden} in {found:?}"
        );
    }
    // No attribute ends where a word wants it to.
    assert!(!html.contains("\"'>"), "{html}");
    let shown = html.matches("&#60;script&#62;").count();
    assert!(shown > 20, "only {shown} of the hostile words are shown");
}
#[test]
fn the_matrix_is_a_table_with_named_rows_and_columns() {
    let html = matrix_html("matrix.html");
    for part in [
        "<th role=\"columnheader\" scope=\"col\"><bdi>staging</bdi></th>",
        "<th role=\"rowheader\" scope=\"row\"><bdi>checkout</bdi>",
        "<p class=\"place\" aria-hidden=\"true\"><bdi>staging</bdi></p>",
        "href=\"/changes/github%3Aacme%2Fcheckout%23418\"",
        "#418 Ask for the postcode before the address",
        "nothing recorded",
        "contents unknown",
        "no change known",
        "again since",
        ", 3 d",
        "Wed 20 Nov 2126 16:00</time></a> (recorded Fri 13 Nov 16:00)",
        "rolled back from #418",
        "production is 3 changes behind",
    ] {
        assert!(html.contains(part), "{part} is missing in {html}");
    }
    // The change itself is not among what came with it.
    assert!(html.contains("with <a"), "{html}");
    assert!(!html.contains("<bdi>#418</bdi>"), "{html}");
}
#[test]
fn a_crowded_story_still_has_every_line() {
    let story = samples::crowded();
    let html = story_html("crowded.html", &story);
    for line in &story.lines {
        assert!(html.contains(&format!("<li id=\"r{}\"", line.at.index)));
    }
    assert!(
        html.contains("more in the list"),
        "what does not fit is counted"
    );
}
