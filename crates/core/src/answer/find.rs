//! Which change somebody means by what they typed.

use serde::{Deserialize, Serialize};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "found", rename_all = "lowercase")]
pub enum Found {
    /// The change's id.
    One { change: String },
    /// Ids to choose from, sorted.
    Several { changes: Vec<String> },
    /// Nothing; `hint` is a sentence that says what could be typed.
    None { hint: String },
}

/// The texts to ask the store for (`Store::find_changes`), best first: ask each until one gives rows.
///
/// Takes `#418`, `checkout#418`, `acme/checkout#418`, a full id, `commit:…` or a prefix of a commit or digest from 4 hexadecimal
/// digits (`sha256:` may stand before it), a ticket (`SHOP-77`), a tag, the URL of a merge request or run.
pub fn lookups(typed: &str) -> Vec<String> {
    let typed = typed.trim();
    let mut texts = Vec::new();
    let mut add = |text: String| {
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    };
    if !typed.is_empty() && typed.bytes().all(|byte| byte.is_ascii_digit()) {
        add(format!("#{typed}"));
        add(format!("!{typed}"));
    }
    let lower = typed.to_lowercase();
    if let Some(path) = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))
    {
        add_url(path.trim_end_matches('/'), &mut add);
    }
    let hex = lower.strip_prefix("sha256:").unwrap_or(&lower);
    let hex = hex.strip_prefix("commit:").unwrap_or(hex);
    let is_hex = !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        if hex.len() >= HEX_DIGITS_MIN {
            add(hex.to_owned());
            add(format!("commit:{hex}"));
        }
        return texts;
    }
    add(typed.to_owned());
    if is_ticket(typed) {
        add(format!("ticket:{}", typed.to_uppercase()));
    }
    if !lower.contains(':') && lower.contains('@') {
        add(format!("tag:{typed}"));
    }
    add(lower);
    texts
}
/// Fewer digits of a hash say too little.
const HEX_DIGITS_MIN: usize = 4;

/// What the address of a page of a code host or CI system stands for.
fn add_url(path: &str, add: &mut impl FnMut(String)) {
    for (host, join, sign) in [
        ("github", "/pull/", '#'),
        ("gitlab", "/-/merge_requests/", '!'),
    ] {
        let Some((project, number)) = path.split_once(join) else {
            continue;
        };
        let number: String = number.chars().take_while(char::is_ascii_digit).collect();
        let project = project
            .strip_prefix(&format!("{host}.com/"))
            .unwrap_or(project);
        add(format!("{host}:{project}{sign}{number}"));
    }
    add(format!("run:{path}"));
}
/// A commit or digest, or the beginning of one.
fn is_hash(typed: &str) -> bool {
    let digits = typed.trim();
    let digits = digits.strip_prefix("sha256:").unwrap_or(digits);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.len() >= HEX_DIGITS_MIN
        && !is_number
        && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}
/// `SHOP-77`
fn is_ticket(typed: &str) -> bool {
    typed.split_once('-').is_some_and(|(project, number)| {
        project.starts_with(|first: char| first.is_ascii_alphabetic())
            && project.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// What the rows of the lookup that gave any (or none) mean. An exact id wins over others.
pub fn find_change(typed: &str, rows: &[String]) -> Found {
    let mut changes = rows.to_vec();
    changes.sort();
    changes.dedup();
    if let Some(exact) = changes.iter().find(|change| *change == typed.trim()) {
        return Found::One {
            change: exact.clone(),
        };
    }
    match changes.as_slice() {
        [] if is_hash(typed) => Found::None {
            hint: "A commit or digest leads to a change once an event that names the change, or its commit, binds it too. What \
                   runs where, whatever it is, stands under where."
                .to_owned(),
        },
        [] => Found::None {
            hint: "Type a number (#418), a service and number (checkout#418), at least 4 digits of a commit or digest, a \
                   ticket, or the address of a merge request or run."
                .to_owned(),
        },
        [change] => Found::One {
            change: change.clone(),
        },
        _ => Found::Several { changes },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_looked_up_under_the_names_the_fold_lists() {
        for (typed, wanted) in [
            ("418", "#418"),
            (" #418 ", "#418"),
            ("checkout#418", "checkout#418"),
            ("github:acme/checkout#418", "github:acme/checkout#418"),
            ("9F2C", "9f2c"),
            ("sha256:9f2c", "9f2c"),
            ("commit:9f2c", "commit:9f2c"),
            ("shop-77", "ticket:SHOP-77"),
            ("SHOP-77", "ticket:SHOP-77"),
            ("acme/checkout@v4.12.0", "tag:acme/checkout@v4.12.0"),
            (
                "https://github.com/acme/checkout/pull/418/files",
                "github:acme/checkout#418",
            ),
            (
                "https://github.com/acme/checkout/actions/runs/7005",
                "run:github.com/acme/checkout/actions/runs/7005",
            ),
            (
                "https://gitlab.com/shop/web/-/merge_requests/7",
                "gitlab:shop/web!7",
            ),
        ] {
            assert!(
                lookups(typed).contains(&wanted.to_owned()),
                "{typed}: {:?}",
                lookups(typed)
            );
        }
        assert!(lookups("9f2").is_empty(), "three digits say too little");
        assert!(lookups("  ").is_empty());
    }

    #[test]
    fn an_exact_id_wins_and_several_are_told_apart() {
        let rows = ["github:a/b#1".to_owned(), "github:a/b#12".to_owned()];
        assert_eq!(
            find_change("github:a/b#1", &rows),
            Found::One {
                change: "github:a/b#1".to_owned()
            }
        );
        assert_eq!(
            find_change("github:a/b#", &rows),
            Found::Several {
                changes: rows.to_vec()
            }
        );
        assert!(matches!(find_change("x", &[]), Found::None { .. }));
    }
}
