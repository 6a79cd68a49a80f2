//! A running `piperoll serve`, and what a test asks of it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use crate::http;

/// Where a bridge listens and what it wants to be shown.
#[derive(Clone)]
pub(crate) struct Bridge {
    pub(crate) url: String,
    pub(crate) secret: String,
}

/// How long to wait for what must come, in polls of 20 ms.
const POLLS_MAX: u32 = 1_500;

/// A running `piperoll serve`. Killed without ceremony when dropped.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
    log: std::thread::JoinHandle<String>,
}

impl Server {
    /// Starts `command` and reads its standard error until it says where it listens.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut process = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        let url = loop {
            let mut line = String::new();
            let read = lines.read_line(&mut line).unwrap();
            said.push_str(&line);
            assert_ne!(read, 0, "the server ended before it listened: {said}");
            if let Some((_, url)) = line.split_once("listening on ") {
                break url
                    .split_whitespace()
                    .next()
                    .unwrap()
                    .trim_end_matches('/')
                    .to_owned();
            }
        };
        let log = std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                said.push_str(&line);
                said.push('\n');
            }
            said
        });
        Self { process, url, log }
    }

    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// SIGKILL, and waits until it is gone; gives what it had logged.
    pub(crate) fn kill(mut self) -> String {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        log.join().unwrap()
    }

    /// SIGTERM, and waits until it has ended in order; gives what it had logged.
    pub(crate) fn terminate(mut self) -> String {
        crate::postgres::signal("-TERM", &[self.process.id().to_string()]);
        let ended = self.process.wait().unwrap();
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        let log = log.join().unwrap();
        assert!(ended.success(), "{log}");
        log
    }

    /// POSTs an envelope; gives status and body.
    pub(crate) async fn post(&self, envelope: &str) -> (u16, serde_json::Value) {
        let answer = http::post(
            &format!("{}/v1/events?wait=recorded", self.url),
            "application/json",
            &[],
            envelope.as_bytes().to_vec(),
        )
        .await;
        let (status, body) = answer.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// The newest entry of a kind, once there is one.
    pub(crate) async fn wait_for_entry(&self, kind: &str) -> serde_json::Value {
        self.wait(&format!("/v1/log?kind={kind}&limit=1"), |body| {
            let entry = body["rows"].get(0)?;
            (!entry.is_null()).then(|| entry.clone())
        })
        .await
    }

    /// Until a checkpoint covers `size` entries.
    pub(crate) async fn wait_for_checkpoint(&self, size: u64) {
        self.wait("/readyz", |body| {
            (body["published"].as_u64()? >= size).then_some(())
        })
        .await;
    }

    /// Asks again and again until `found` finds what it looks for.
    pub(crate) async fn wait<T>(
        &self,
        path: &str,
        found: impl Fn(&serde_json::Value) -> Option<T>,
    ) -> T {
        let mut last = serde_json::Value::Null;
        for _ in 0..POLLS_MAX {
            last = self.get(path).await.1;
            if let Some(found) = found(&last) {
                return found;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        panic!("{path} never said what was waited for; at last: {last}");
    }

    /// GETs a path and reads JSON.
    pub(crate) async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let (status, body) = http::get(&format!("{}{path}", self.url)).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.process.kill().unwrap();
            self.process.wait().unwrap();
        }
    }
}
