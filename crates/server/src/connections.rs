//! The sockets: each connection is served by a task of its own, within bounds that a plain `axum::serve` does not set.
//!
//! A sender who is slow with its headers, or idle between two requests, is cut off; beyond so many connections the next one waits to
//! be accepted. At shutdown no connection is accepted, requests under way finish, and every task is awaited.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};

use crate::{api::limits, stop::Stop};

/// How long requests under way may take once the server stops; `?wait=published` takes at most 10 s.
const REQUESTS_END_WAIT: Duration = Duration::from_secs(12);
/// Before the next try when the system has no socket left to give.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// Answers until `stop`.
pub(crate) async fn answer(listener: TcpListener, router: Router, mut stop: Stop) {
    let room = Arc::new(Semaphore::new(limits::CONNECTIONS_AT_ONCE));
    let graceful = GracefulShutdown::new();
    let mut tasks = JoinSet::new();
    loop {
        let (stream, place) = tokio::select! {
            () = stop.stopped() => break,
            accepted = accept(&listener, &room) => accepted,
            Some(ended) = tasks.join_next() => {
                report(ended);
                continue;
            }
        };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits::HEADERS_WAIT)
            .max_buf_size(limits::HEADERS_BYTES_MAX)
            .serve_connection(
                TokioIo::new(stream),
                TowerToHyperService::new(router.clone()),
            );
        let watched = graceful.watch(connection);
        tasks.spawn(async move {
            // How a connection ends is the client's business: a reset or a timeout is no error of ours.
            if let Err(error) = watched.await {
                tracing::debug!(%error, "a connection ended");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(REQUESTS_END_WAIT, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests that did not end are cut off");
        tasks.abort_all();
    }
    while let Some(ended) = tasks.join_next().await {
        report(ended);
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let place = Arc::clone(room)
        .acquire_owned()
        .await
        .expect("this semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small and waited for.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its delay");
                }
                return (stream, place);
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}
fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "the task of a connection failed");
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, time::Duration};

    use axum::{Router, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        sync::{mpsc, watch},
        task::JoinHandle,
        time::Instant,
    };

    use super::answer;
    use crate::{api::limits, stop::Stop};

    async fn serving(router: Router) -> (SocketAddr, watch::Sender<bool>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (switch, stop) = Stop::new();
        (
            address,
            switch,
            tokio::spawn(answer(listener, router, stop)),
        )
    }
    async fn read_to_end(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        // A reset is an end as well.
        let _end = stream.read_to_end(&mut text).await;
        String::from_utf8(text).unwrap()
    }

    // The clock stands still and leaps to the next timer whenever nothing else is to be done.
    #[tokio::test(start_paused = true)]
    async fn who_is_slow_with_headers_is_cut_off() {
        let (address, switch, task) = serving(Router::new()).await;
        for begun in ["", "GET / HTTP/1.1\r\nHost: loc"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(begun.as_bytes()).await.unwrap();
            let since = Instant::now();
            let answer = read_to_end(&mut stream).await;
            assert!(!answer.contains("200"), "{answer}");
            let waited = since.elapsed();
            let most = limits::HEADERS_WAIT + Duration::from_secs(5);
            assert!((limits::HEADERS_WAIT..most).contains(&waited), "{waited:?}");
        }
        switch.send(true).unwrap();
        task.await.unwrap();
    }
    #[tokio::test]
    async fn a_request_under_way_finishes_and_no_new_one_begins_once_the_server_stops() {
        let (arrived, mut arrival) = mpsc::channel(1);
        let (go, gone) = watch::channel(false);
        let slow = move || {
            let (arrived, mut gone) = (arrived.clone(), gone.clone());
            async move {
                arrived.send(()).await.unwrap();
                gone.wait_for(|gone| *gone).await.unwrap();
                "done"
            }
        };
        let (address, switch, task) = serving(Router::new().route("/", get(slow))).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).await.unwrap();
        arrival.recv().await.unwrap();
        switch.send(true).unwrap();
        go.send(true).unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with("done"),
            "{answer}"
        );
        task.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }
    #[tokio::test]
    async fn headers_beyond_their_bound_are_refused() {
        let (address, switch, task) = serving(Router::new()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        let header = format!(
            "GET / HTTP/1.1\r\nX: {}\r\n\r\n",
            "x".repeat(8 * limits::HEADERS_BYTES_MAX)
        );
        // The server may answer before it has read all.
        let _sent = stream.write_all(header.as_bytes()).await;
        let answer = read_to_end(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
            "{answer}"
        );
        switch.send(true).unwrap();
        task.await.unwrap();
    }
}
