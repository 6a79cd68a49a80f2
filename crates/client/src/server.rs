//! One server, spoken to over HTTP: the only place that knows the HTTP library.

use std::time::Duration;

use reqwest::{Method, Url, header};

/// How long a connection may take to stand.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one request may take in all. `?wait=recorded` lets the server take 10 s of it.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// An answer is read up to here; a page of 500 rows stays far below.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    pub connect: Duration,
    pub request: Duration,
}
impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            request: REQUEST_TIMEOUT,
        }
    }
}

/// A server by its address, and the reader's token if there is one. Cheap to clone.
#[derive(Clone)]
pub struct Server {
    base: Url,
    http: reqwest::Client,
    token: Option<String>,
}
/// The address cannot be one of a server.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error("the server's address {address:?} is not usable: {rule}")]
    Rule { address: String, rule: &'static str },
    #[error(
        "the token in PIPEROLL_TOKEN holds characters that no HTTP header can carry, such as a line break"
    )]
    Token,
    #[error("cannot set up HTTP for {address}")]
    Http {
        address: String,
        #[source]
        source: reqwest::Error,
    },
}
/// No answer, or one that is not from a ledger.
#[derive(Debug, thiserror::Error)]
pub enum Unreachable {
    /// Nothing listens there, or the way is blocked.
    #[error("the server at {server} does not answer")]
    NoConnection {
        server: String,
        #[source]
        source: reqwest::Error,
    },
    /// The connection broke or time was up in the middle: the request may have been acted on.
    #[error("the server at {server} broke off before its answer was complete")]
    BrokenOff {
        server: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("what answers at {server} is not a ledger: {why}")]
    NotALedger { server: String, why: String },
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    /// `Retry-After` in seconds; a date is read as `None`.
    pub(crate) retry_after: Option<Duration>,
    pub(crate) body: Vec<u8>,
}

/// An address as it may be shown: what stands before an `@` can be a password.
fn without_secrets(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((_, host)) => format!("…@{host}"),
        None => address.to_owned(),
    }
}
impl Server {
    /// A server at `http://…` or `https://…`, with or without a path in front of `/v1`.
    pub fn new(address: &str, token: Option<String>) -> Result<Self, AddressError> {
        Self::with_timeouts(address, token, Timeouts::default())
    }
    pub fn with_timeouts(
        address: &str,
        token: Option<String>,
        timeouts: Timeouts,
    ) -> Result<Self, AddressError> {
        let broken = |rule| AddressError::Rule {
            address: without_secrets(address),
            rule,
        };
        let base =
            Url::parse(address.trim_end_matches('/')).map_err(|_| broken("it is not a URL"))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(broken("it must begin with http:// or https://"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(broken(
                "it must not hold a name or a password; a token goes into PIPEROLL_TOKEN",
            ));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(broken("it must not hold a query or a fragment"));
        }
        let http = http_client(&base, timeouts).map_err(|source| AddressError::Http {
            address: address.to_owned(),
            source,
        })?;
        let carried = |token: &String| header::HeaderValue::try_from(token.as_str()).is_ok();
        if token.as_ref().is_some_and(|token| !carried(token)) {
            return Err(AddressError::Token);
        }
        Ok(Self { base, http, token })
    }
    /// The address in one spelling, without a trailing slash.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }
    /// Whether only this machine can reach it under this address.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.base)
    }
    /// `path` begins with a slash; the pairs of `query` are escaped.
    pub(crate) async fn get(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Answer, Unreachable> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self
            .http
            .request(Method::GET, url)
            .header(header::ACCEPT, "application/json, application/problem+json");
        self.send(request).await
    }
    pub(crate) async fn post(
        &self,
        path: &str,
        query: &[(&str, &str)],
        content_type: &'static str,
        body: Vec<u8>,
    ) -> Result<Answer, Unreachable> {
        let mut url = self.url(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self
            .http
            .request(Method::POST, url)
            .header(header::CONTENT_TYPE, content_type)
            .body(body);
        self.send(request).await
    }
    /// POSTs JSON with headers of its own, as the sender of a webhook does; gives status and body.
    pub async fn post_json(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
    ) -> Result<(u16, Vec<u8>), Unreachable> {
        let request = self
            .http
            .request(Method::POST, self.url(path))
            .header(header::CONTENT_TYPE, "application/json")
            .body(body);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        let answer = self.send(request).await?;
        Ok((answer.status, answer.body))
    }
    fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url
    }
    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, Unreachable> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let mut response = request
            .send()
            .await
            .map_err(|source| self.no_answer(source))?;
        let text_of = |name| {
            let value = response
                .headers()
                .get(name)
                .and_then(|value: &header::HeaderValue| value.to_str().ok());
            value.unwrap_or_default().to_owned()
        };
        let content_type = text_of(header::CONTENT_TYPE);
        let retry_after = text_of(header::RETRY_AFTER)
            .parse()
            .ok()
            .map(Duration::from_secs);
        let status = response.status();
        if status.is_redirection() {
            let why = format!("it sends us on to {:?}", text_of(header::LOCATION));
            return Err(self.not_a_ledger(why));
        }
        let mut body = Vec::new();
        while let Some(part) = response
            .chunk()
            .await
            .map_err(|source| self.no_answer(source))?
        {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(self.not_a_ledger("its answer is too large".to_owned()));
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer {
            status: status.as_u16(),
            content_type,
            retry_after,
            body,
        })
    }
    pub(crate) fn not_a_ledger(&self, why: String) -> Unreachable {
        Unreachable::NotALedger {
            server: self.address().to_owned(),
            why,
        }
    }
    fn no_answer(&self, source: reqwest::Error) -> Unreachable {
        let server = self.address().to_owned();
        // The address is named once, by our own words.
        let is_connect = source.is_connect();
        let source = source.without_url();
        if is_connect {
            Unreachable::NoConnection { server, source }
        } else {
            Unreachable::BrokenOff { server, source }
        }
    }
}
impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

fn http_client(base: &Url, timeouts: Timeouts) -> Result<reqwest::Client, reqwest::Error> {
    // One provider for the process; an error says that it stands already.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("piperoll/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.request)
            // A redirect would turn a POST into a GET, or carry the token elsewhere.
            .redirect(reqwest::redirect::Policy::none());
        // A proxy cannot reach this machine's own address.
        if is_loopback(base) {
            builder.no_proxy()
        } else {
            builder
        }
    };
    let own_roots = || {
        builder()
            .tls_backend_preconfigured(tls_with_own_roots())
            .build()
    };
    if base.scheme() == "http" {
        return own_roots();
    }
    // The system's certificates know a company's own; where there are none at all the client cannot be built with them.
    builder().build().or_else(|_no_certificates| own_roots())
}
fn is_loopback(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}
fn tls_with_own_roots() -> rustls::ClientConfig {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_no_server_s_is_refused() {
        for bad in [
            "",
            "127.0.0.1:7470",
            "localhost:7470",
            "ftp://ledger.example",
            "http://",
            "https://user:secret@ledger.example",
            "https://ledger.example/?a=b",
            "https://ledger.example/#a",
        ] {
            let error = Server::new(bad, None).unwrap_err();
            assert!(
                matches!(error, AddressError::Rule { .. }),
                "{bad:?}: {error}"
            );
        }
    }

    #[test]
    fn an_address_has_one_spelling() {
        for (given, address) in [
            ("http://127.0.0.1:7470", "http://127.0.0.1:7470"),
            ("HTTPS://Ledger.Example:443/", "https://ledger.example"),
            (
                "https://ledger.example/piperoll//",
                "https://ledger.example/piperoll",
            ),
        ] {
            assert_eq!(Server::new(given, None).unwrap().address(), address);
        }
        let under_a_path = Server::new("https://ledger.example/piperoll", None).unwrap();
        assert_eq!(
            under_a_path.url("/v1/events").as_str(),
            "https://ledger.example/piperoll/v1/events"
        );
    }

    #[test]
    fn a_token_is_never_shown() {
        let server = Server::new("http://127.0.0.1:1", Some("secret-token".to_owned())).unwrap();
        assert!(!format!("{server:?}").contains("secret-token"));
    }
}
