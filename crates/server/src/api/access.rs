//! Who may read. Until sign-in exists: whoever is on this machine, when the server listens on loopback; nobody elsewhere.
//!
//! A browser on this machine can be made to ask on behalf of a foreign page, by a name that points at 127.0.0.1 or by a request
//! across sites. `Host` tells the first, `Sec-Fetch-Site` the second.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, Uri, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::api::problem::Problem;

/// Whether questions are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The server listens on loopback: answered to this machine's own programs and pages.
    Loopback,
    /// Reading needs a sign-in, which does not exist yet.
    SignIn,
}
impl Reading {
    /// By the address the server listens on.
    pub fn of_listener(address: SocketAddr) -> Self {
        let loopback = match address.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
            }
        };
        if loopback {
            Self::Loopback
        } else {
            Self::SignIn
        }
    }
    /// Whether a request may read.
    pub fn permits(self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        match self {
            Self::SignIn => Err(Problem::sign_in()),
            Self::Loopback if !names_loopback(uri, headers) => Err(Problem::wrong_host()),
            Self::Loopback if !from_here(headers) => Err(Problem::cross_site()),
            Self::Loopback => Ok(()),
        }
    }
}

/// A layer around what may be read.
pub async fn guard(State(reading): State<Reading>, request: Request, next: Next) -> Response {
    match reading.permits(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Whether everything that names the host names loopback, and something does.
fn names_loopback(uri: &Uri, headers: &HeaderMap) -> bool {
    let mut named = false;
    if let Some(authority) = uri.authority() {
        if !is_loopback(authority) {
            return false;
        }
        named = true;
    }
    for host in headers.get_all(header::HOST) {
        let authority = host.to_str().ok().and_then(|host| host.parse().ok());
        if !authority.is_some_and(|authority| is_loopback(&authority)) {
            return false;
        }
        named = true;
    }
    named
}
fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    !authority.as_str().contains('@')
        && (host == "127.0.0.1" || host == "[::1]" || host.eq_ignore_ascii_case("localhost"))
}
/// Programs send no `Sec-Fetch-Site`; browsers say `none` for a typed address.
fn from_here(headers: &HeaderMap) -> bool {
    headers
        .get_all("sec-fetch-site")
        .iter()
        .all(|site| site == "none" || site == "same-origin")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, Uri};

    use super::Reading;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }
    fn permitted(pairs: &[(&'static str, &'static str)]) -> Result<(), &'static str> {
        Reading::Loopback
            .permits(&Uri::from_static("/v1/where"), &headers(pairs))
            .map_err(|problem| problem.reason())
    }

    #[test]
    fn loopback_names_with_any_port_may_read() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:7470",
            "localhost:1",
            "LOCALHOST",
            "[::1]",
            "[::1]:7470",
        ] {
            assert_eq!(permitted(&[("host", host)]), Ok(()), "{host}");
        }
    }
    #[test]
    fn other_names_may_not_read_even_where_they_begin_with_loopback() {
        for host in [
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "evil.example",
            "127.0.0.2",
            "0.0.0.0",
            "127.0.0.1@evil.example",
            "localhost@evil.example:7470",
            "::1",
            "",
        ] {
            assert_eq!(permitted(&[("host", host)]), Err("wrong host"), "{host}");
        }
        assert_eq!(permitted(&[]), Err("wrong host"));
        assert_eq!(
            permitted(&[("host", "localhost"), ("host", "evil.example")]),
            Err("wrong host")
        );
    }
    #[test]
    fn an_absolute_address_counts_as_a_host_too() {
        let uri = Uri::from_static("http://evil.example/v1/where");
        let problem = Reading::Loopback.permits(&uri, &headers(&[("host", "localhost")]));
        assert_eq!(problem.map_err(|problem| problem.status()), Err(403));
    }
    #[test]
    fn pages_of_other_sites_may_not_read() {
        let host = ("host", "localhost");
        assert_eq!(permitted(&[host, ("sec-fetch-site", "none")]), Ok(()));
        assert_eq!(
            permitted(&[host, ("sec-fetch-site", "same-origin")]),
            Ok(())
        );
        for site in ["cross-site", "same-site", "", "NONE"] {
            assert_eq!(
                permitted(&[host, ("sec-fetch-site", site)]),
                Err("cross site"),
                "{site}"
            );
        }
        assert_eq!(
            permitted(&[
                host,
                ("sec-fetch-site", "none"),
                ("sec-fetch-site", "cross-site")
            ]),
            Err("cross site")
        );
    }
    #[test]
    fn beyond_loopback_reading_needs_a_sign_in() {
        let address = "192.0.2.1:7470".parse().unwrap();
        let reading = Reading::of_listener(address);
        let problem = reading.permits(&Uri::from_static("/"), &headers(&[("host", "localhost")]));
        assert_eq!(problem.map_err(|problem| problem.status()), Err(401));
        for loopback in [
            "127.0.0.1:0",
            "[::1]:0",
            "[::ffff:127.0.0.1]:0",
            "127.9.9.9:1",
        ] {
            assert_eq!(
                Reading::of_listener(loopback.parse().unwrap()),
                Reading::Loopback
            );
        }
    }
}
