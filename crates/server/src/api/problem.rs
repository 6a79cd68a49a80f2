//! What goes wrong, as RFC 9457 problem documents. Every status but the good ones is decided in this file.

use axum::{
    extract::rejection::{BytesRejection, PathRejection, QueryRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use piperoll_core::judge::{Reason, Refusal};
use piperoll_store as store;
use serde::Serialize;

use crate::{api::limits, causes, intake};

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Document>);

/// Its members. `reason` is one of a fixed set of words that programs may act on; `detail` is for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Document {
    #[serde(rename = "type")]
    type_uri: String,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
    reason: &'static str,
    /// The entry that has the id already, for an equivocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<u64>,
    /// The server to ask instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    elsewhere: Option<String>,
    /// Seconds, with 503 only; also the header `Retry-After`.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_s: Option<u32>,
}

impl Problem {
    fn new(
        status: StatusCode,
        reason: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Document {
            type_uri: format!("urn:piperoll:problem:{}", slug(reason)),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            remedy: None,
            reason,
            first: None,
            elsewhere: None,
            retry_after_s: None,
        }))
    }
    pub fn status(&self) -> u16 {
        self.0.status
    }
    pub fn reason(&self) -> &'static str {
        self.0.reason
    }
    pub fn title(&self) -> &'static str {
        self.0.title
    }
    pub fn detail(&self) -> &str {
        &self.0.detail
    }
    pub fn remedy_text(&self) -> Option<&str> {
        self.0.remedy.as_deref()
    }
    #[must_use]
    fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }
    #[must_use]
    fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(field.into());
        self
    }

    /// The ledger does not take an event: the table of `formats.md` section 8. `first` is the entry that has the id.
    pub fn refused(refusal: &Refusal, first: Option<u64>) -> Self {
        let status = StatusCode::from_u16(refusal.reason.status())
            .expect("the table of formats.md section 8 holds only valid statuses");
        let mut problem = Self::new(
            status,
            refusal.reason.as_str(),
            refusal_title(refusal.reason),
            refusal.detail.clone(),
        );
        problem.0.field.clone_from(&refusal.field);
        problem.0.remedy.clone_from(&refusal.remedy);
        problem.0.first = first;
        problem
    }
    /// 503: nothing was taken.
    pub fn unavailable(unavailable: &intake::Unavailable) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the ledger cannot take this now",
            unavailable.why.clone(),
        )
        .remedy(match &unavailable.elsewhere {
            Some(address) => format!("send it to {address}, or keep the event and send it again"),
            None => "keep the event and send it again".to_owned(),
        });
        problem.0.elsewhere.clone_from(&unavailable.elsewhere);
        problem.0.retry_after_s = Some(unavailable.retry_after_s);
        problem
    }
    /// 503: more work than we take on at a time.
    pub fn busy(detail: &str) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            "the server is busy",
            detail,
        );
        problem.0.retry_after_s = Some(limits::RETRY_AFTER_S);
        problem
    }
    /// 408: the request did not arrive in time.
    pub fn timed_out(detail: &str) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "timed out",
            "the request took too long",
            detail,
        )
    }
    /// 400: a question we do not understand. `field` is the parameter.
    pub fn bad_question(field: &str, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad question",
            "the question cannot be read",
            detail,
        )
        .field(field)
        .remedy(remedy)
    }
    /// 404: there is no such thing in this ledger.
    pub fn not_found(detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not found",
            "there is no such thing in this ledger",
            detail,
        )
        .remedy(remedy)
    }
    /// 404: more than one change answers to the name.
    pub fn ambiguous(name: &str, candidates: &[String]) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ambiguous",
            "more than one change answers to that name",
            format!("{name:?} could be {}", candidates.join(", ")),
        )
        .field("id")
        .remedy("ask again with one of these ids")
    }
    /// 404: there is no such address.
    pub fn no_such_address() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not found",
            "there is no such address",
            "this server has nothing at this address",
        )
        .remedy("the pages begin at /, the questions at /v1/where and /v1/log")
    }
    pub fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method not allowed",
            "this address does not take that method",
            "events are sent with POST, questions are asked with GET",
        )
    }
    /// 401: reading needs a sign-in that does not exist yet.
    pub fn sign_in() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not signed in",
            "reading needs a sign-in",
            "this server listens beyond its own machine, where reading needs a sign-in, which this version does not have",
        )
        .remedy("read on the machine itself, or through a tunnel such as ssh -L to a server that listens on 127.0.0.1")
    }
    /// 403: the request names another host, as after DNS rebinding.
    pub fn wrong_host() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "wrong host",
            "the request is meant for another host",
            "this server listens on loopback and answers questions only under the names 127.0.0.1, localhost and [::1]",
        )
        .field("Host")
        .remedy("use http://127.0.0.1 and the server's port")
    }
    /// 403: another web site made the browser ask.
    pub fn cross_site() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "cross site",
            "another web site asked",
            "a page of another site made this request, and what is recorded here is not for it",
        )
        .field("Sec-Fetch-Site")
        .remedy("type the address, or open it from a page of this server")
    }
    /// 413: a body beyond `bytes_max`.
    pub fn too_large(what: &str, bytes_max: usize, remedy: &str) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Reason::TooLarge.as_str(),
            "too large",
            format!("{what} may have {bytes_max} bytes at most"),
        )
        .remedy(remedy)
    }
    /// 413: a body of more than `max` of `what`.
    pub fn too_many(what: &str, max: usize, remedy: &str) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            Reason::TooLarge.as_str(),
            "too large",
            format!("a body may have {max} {what} at most; none of these was taken"),
        )
        .remedy(remedy)
    }
    /// 400: the body did not arrive whole, or a webhook's body is not what its system sends.
    pub fn bad_body(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            Reason::Shape.as_str(),
            "the body cannot be read",
            detail,
        )
    }
    /// 401: a webhook without its proof of origin.
    pub fn unsigned(header: &'static str, remedy: &'static str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "signature missing",
            "the request does not show where it comes from",
            format!("the header {header} is missing"),
        )
        .field(header)
        .remedy(remedy)
    }
    /// 403: a webhook whose proof of origin is wrong.
    pub fn wrong_secret(header: &'static str, remedy: &'static str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            Reason::BadSignature.as_str(),
            "the request was not made with this bridge's secret",
            format!("the header {header} does not fit the body and the secret"),
        )
        .field(header)
        .remedy(remedy)
    }
    /// 500: our own trouble; what it was is in the log, never in the answer.
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "the server failed",
            "something on the server's side went wrong; its log says what",
        )
        .remedy("try again; if it stays so, tell whoever runs the server")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status)
            .expect("the status was a StatusCode when the problem was made");
        let body = serde_json::to_string(&self).expect("a problem holds only strings and integers");
        let mut response = (
            status,
            [(header::CONTENT_TYPE, "application/problem+json")],
            body,
        )
            .into_response();
        if let Some(seconds) = self.0.retry_after_s {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        // For the layer that shows problems as pages to people with a browser.
        response.extensions_mut().insert(self);
        response
    }
}

/// The store's errors are ours to read, not the client's: logged here, once, with their causes.
impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(_) | store::Error::Unknown(_) => {
                tracing::warn!(
                    error = causes::chain(&error),
                    "the database does not answer a question"
                );
                Self::busy("the database does not answer at the moment")
            }
            store::Error::Conflict
            | store::Error::Corrupt { .. }
            | store::Error::Unfit { .. }
            | store::Error::Database(_) => {
                tracing::error!(
                    error = causes::chain(&error),
                    "a question failed at the database"
                );
                Self::internal()
            }
        }
    }
}
impl From<intake::Unavailable> for Problem {
    fn from(unavailable: intake::Unavailable) -> Self {
        Self::unavailable(&unavailable)
    }
}
impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_question(
            "query",
            rejection.body_text(),
            "look at the parameters' names and values",
        )
    }
}
impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::no_such_address()
    }
}
impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Self::too_large(
                "a body",
                limits::EVENTS_BODY_BYTES_MAX,
                "send the events in several requests",
            )
        } else {
            Self::bad_body("the body did not arrive whole")
        }
    }
}

fn refusal_title(reason: Reason) -> &'static str {
    match reason {
        Reason::Shape => "this is not an envelope the ledger can read",
        Reason::TooLarge => "too large",
        Reason::BadSignature => "the signature does not hold",
        Reason::PrincipalNotKeys => "the event speaks for somebody else",
        Reason::TextMismatch => "a text does not match its hash",
        Reason::UnknownKey => "the key is not registered",
        Reason::Equivocation => "the id is taken by another event",
        Reason::Grant => "the key may not say this",
        Reason::Content => "the event is not as its kind requires",
    }
}
/// The reason as the end of a URN: letters and hyphens only.
fn slug(reason: &str) -> String {
    reason
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            'a'..='z' => Some(letter),
            _ => None,
        })
        .collect()
}
