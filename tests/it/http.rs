//! The least of an HTTP client, so that tests see exactly what is on the wire.

use std::fmt::Write as _;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

pub(crate) type Answer = std::io::Result<(u16, Vec<u8>)>;

pub(crate) async fn get(url: &str) -> Answer {
    request("GET", url, &[], Vec::new()).await
}

pub(crate) async fn post(
    url: &str,
    media_type: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let mut all = vec![("content-type", media_type)];
    all.extend_from_slice(headers);
    request("POST", url, &all, body).await
}

/// One request on a connection of its own.
pub(crate) async fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let whole = exchange(method, url, headers, body).await?;
    Ok((whole.status, whole.body))
}

/// An answer with its headers.
pub(crate) struct Whole {
    pub(crate) status: u16,
    /// Status line and headers, in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) async fn exchange(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> std::io::Result<Whole> {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap_or_else(|| panic!("no path in {url}"));
    let mut stream = tokio::net::TcpStream::connect(host).await?;
    let mut head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
    let (mut reading, mut writing) = stream.split();
    let write = async {
        writing.write_all(head.as_bytes()).await?;
        writing.write_all(&body).await
    };
    let mut answer = Vec::new();
    let read = reading.read_to_end(&mut answer);
    // A server that refuses a body does not read it to its end: its answer counts, whatever became of the rest.
    let (written, read) = tokio::join!(write, read);
    if answer.is_empty() {
        written.and(read)?;
    }
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .ok_or(std::io::ErrorKind::UnexpectedEof)?;
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap();
    let body = answer[end + 4..].to_vec();
    let length = head.lines().find_map(|line| {
        line.strip_prefix("content-length: ")?
            .trim()
            .parse::<usize>()
            .ok()
    });
    if length.is_some_and(|length| body.len() < length) {
        return Err(std::io::ErrorKind::UnexpectedEof.into()); // the server died while it answered
    }
    let body = if head.contains("transfer-encoding: chunked") {
        unchunk(&body)
    } else {
        body
    };
    Ok(Whole { status, head, body })
}

fn unchunk(mut body: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
        let size =
            usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap().trim(), 16).unwrap();
        whole.extend_from_slice(&body[end + 2..][..size]);
        body = &body[end + 2 + size + 2..];
        if size == 0 {
            break;
        }
    }
    whole
}
