//! Names, ids and words that are meant to be obeyed by whoever shows them: pages, terminals, logs and JSON show them and nothing else.

mod html;
mod said;

use serde_json::Value;

use crate::{
    cli::{Said, run},
    http,
    ledger::Ledger,
    server::Server,
};
use said::{Hostile, is_obeyed};

/// Runs a question; gives what a terminal would be shown.
fn ask(ledger: &Ledger, server: &Server, words: &[&str]) -> Said {
    let words = [words, &["--server", &server.url]].concat();
    let said = run(ledger, &words, &[]);
    said.succeeds();
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_every_name_and_word_and_none_becomes_a_part_of_them() {
    let hostile = Hostile::told().await;
    let server = &hostile.server;
    let (_, changes) = server.get("/v1/changes").await;
    let (_, ready) = server.get("/readyz").await;
    let mut paths = vec!["/".to_owned(), "/where".to_owned(), "/changes".to_owned()];
    for row in changes["rows"].as_array().unwrap() {
        let id = row["change"]["id"].as_str().unwrap();
        paths.push(format!("/changes/{}", said::in_a_path(id)));
    }
    assert!(paths.len() > 5, "{changes}");
    paths.extend((0..ready["size"].as_u64().unwrap()).map(|index| format!("/entries/{index}")));
    let (mut shown, mut tags) = (String::new(), 0);
    for path in &paths {
        let html = page(server, path, 200).await;
        tags += html::check(&html, path);
        // What was signed is shown as it was signed, so that it can be copied and hashed; everything else is shown to be read.
        let mut read = html.lines().filter(|line| !line.starts_with("<pre"));
        let is_unseen = |letter: char| is_obeyed(letter) && letter != '\t';
        let unseen = read.find(|line| line.contains(is_unseen));
        assert_eq!(unseen, None, "{path}");
        shown.push_str(&html);
    }
    assert!(tags > 500, "the pages are all but empty");
    for escaped in [
        "&#60;script&#62;alert(1)&#60;/script&#62;",
        "onerror=alert(1)&#62;",
        "second line",
    ] {
        assert!(shown.contains(escaped), "no page shows {escaped:?}");
    }
    // What was typed into the address comes back in the answer.
    for (path, status) in [
        ("/changes/%3Cscript%3Ealert(2)%3C%2Fscript%3E", 404),
        ("/entries/%22%20onload%3D%22alert(1)", 404),
        ("/changes?cursor=%3Cscript%3E", 400),
        ("/%3Cscript%3Ealert(1)%3C%2Fscript%3E", 404),
    ] {
        html::check(&page(server, path, status).await, path);
    }
}
async fn page(server: &Server, path: &str, status: u16) -> String {
    let url = format!("{}{path}", server.url);
    let answer = http::exchange("GET", &url, &[("accept", "text/html")], Vec::new())
        .await
        .unwrap();
    assert_eq!(
        answer.status,
        status,
        "{path}: {}",
        String::from_utf8_lossy(&answer.body)
    );
    let policy = answer
        .head
        .lines()
        .find_map(|line| line.strip_prefix("content-security-policy: "));
    let policy = policy.unwrap_or_else(|| panic!("{path} has no policy: {}", answer.head));
    assert!(
        policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
        "{path}: {policy}"
    );
    assert!(
        !policy.contains("script-src"),
        "{path}: no page needs a script: {policy}"
    );
    assert!(
        answer
            .head
            .contains("content-type: text/html; charset=utf-8"),
        "{path}: {}",
        answer.head
    );
    assert!(
        answer.head.contains("x-content-type-options: nosniff"),
        "{path}"
    );
    String::from_utf8(answer.body).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_is_shown_names_and_words_and_obeys_none() {
    let Hostile { ledger, server, .. } = Hostile::told().await;
    let (_, changes) = server.get("/v1/changes").await;
    let ids = changes["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["change"]["id"].as_str().unwrap());
    let stories: Vec<[&str; 2]> = ids.map(|id| ["change", id]).collect();
    let mut shown = String::new();
    let tables: [&[&str]; 5] = [
        &["log"],
        &["log", "-n", "0"],
        &["log", "--refused"],
        &["where"],
        &["timeline"],
    ];
    for words in tables
        .into_iter()
        .chain(stories.iter().map(<[&str; 2]>::as_slice))
    {
        let said = ask(&ledger, &server, words);
        for text in [&said.out, &said.err] {
            let obeyed = text.chars().find(|letter| is_obeyed(*letter));
            assert_eq!(obeyed, None, "{words:?}: {text:?}");
        }
        shown.push_str(&said.out);
    }
    for visible in ["<script>alert(1)</script>", "\\u{200b}", "\\u{2028}"] {
        assert!(
            shown.contains(visible),
            "nothing shows {visible:?}: {shown}"
        );
    }
    // Off a terminal, a row is a line, whatever stands in it.
    let (_, ready) = server.get("/readyz").await;
    let log = ask(&ledger, &server, &["log", "-n", "0"]);
    assert_eq!(
        log.out.lines().count() as u64,
        ready["size"].as_u64().unwrap() + 1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn json_gives_back_every_name_as_it_was_signed() {
    let Hostile { ledger, server, .. } = Hostile::told().await;
    let log = ask(&ledger, &server, &["log", "--output", "json", "-n", "0"]);
    assert!(log.out.chars().all(|letter| !is_obeyed(letter)));
    let rows: Vec<Value> = serde_json::from_str(&log.out).unwrap();
    let signed = ledger.sql("select group_concat(cast(body as text), char(10)) from payload");
    let signed: Vec<Value> = signed
        .lines()
        .map(|payload| serde_json::from_str(payload).unwrap())
        .collect();
    assert_eq!(rows.len(), signed.len());
    for row in &rows {
        let payload = &signed[usize::try_from(row["index"].as_u64().unwrap()).unwrap()];
        let profile = &payload["customData"]["piperoll"];
        assert_eq!(row["id"], payload["context"]["id"]);
        assert_eq!(row["service"], profile["service"]);
        assert_eq!(row["environment"], profile["environment"]);
        assert!(
            profile["change"].is_null() || row["change"] == profile["change"],
            "{row}"
        );
        let summary = row["summary"].as_str().unwrap();
        assert!(
            !summary.contains('\n'),
            "a summary is one line: {summary:?}"
        );
    }
    for words in [
        &["where", "--json"][..],
        &["timeline", "--json"],
        &["log", "--refused", "--json"],
    ] {
        let said = ask(&ledger, &server, words);
        serde_json::from_str::<Value>(&said.out).unwrap();
        assert!(
            said.out.chars().all(|letter| !is_obeyed(letter)),
            "{words:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_servers_log_is_one_line_whatever_was_sent() {
    let hostile = Hostile::told().await;
    hostile.refused_requests().await;
    let log = hostile.server.kill();
    assert!(
        log.contains("a webhook says what cannot be an event"),
        "{log}"
    );
    for line in log.lines() {
        let obeyed = line.chars().find(|letter| is_obeyed(*letter));
        assert_eq!(obeyed, None, "{line:?}");
        // 2026-11-21T12:33:38.421723Z, then the level; or what the command itself says when it begins.
        let begins_with_time = line
            .get(..28)
            .is_some_and(|begin| begin.ends_with("Z ") && begin.starts_with("20"));
        assert!(
            begins_with_time || line.starts_with("piperoll: "),
            "a line of its own: {line:?}\n{log}"
        );
    }
    let secret = &hostile.github.secret;
    assert!(!log.contains(secret.as_str()), "the log holds a secret");
}
