//! Problem documents (RFC 9457), as the ledger answers what it does not take.

use serde::{Deserialize, Serialize};

/// Why something was refused, in words for a person. Members that a server leaves out are empty; others are ignored.
///
/// The words come from outside: whoever shows them escapes them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Problem {
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_uri: Option<String>,
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    pub detail: String,
    /// The member of the event or the parameter it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The row of the table in `formats.md` section 8, such as `equivocation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
impl Problem {
    /// Reads one; `None` where the body is not a problem document, so that a proxy's error page is not taken for a verdict.
    pub fn parse(content_type: &str, body: &[u8]) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if !media_type.eq_ignore_ascii_case("application/problem+json") {
            return None;
        }
        serde_json::from_slice(body).ok()
    }
}
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = if self.detail.is_empty() {
            &self.title
        } else {
            &self.detail
        };
        f.write_str(words)?;
        if let Some(field) = &self.field {
            write!(f, " ({field})")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_problem_document_is_a_problem() {
        let body = br#"{"status":409,"title":"Conflict","reason":"equivocation","else":1}"#;
        let problem = Problem::parse("application/problem+json; charset=utf-8", body).unwrap();
        assert_eq!(
            (problem.status, problem.reason.as_deref()),
            (409, Some("equivocation"))
        );
        assert_eq!(problem.to_string(), "Conflict");
        assert_eq!(Problem::parse("application/json", body), None);
        assert_eq!(Problem::parse("text/html", b"<h1>403</h1>"), None);
        assert_eq!(
            Problem::parse("application/problem+json", b"<h1>403</h1>"),
            None
        );
    }
}
