//! A ledger made and served by the real command in a folder of its own, and emitters that sign without it.

use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use piperoll_core::{
    authority::{Grants, Purpose, Scheme, keyid, possession_message},
    draft::Draft,
    envelope::Envelope,
    event::{Bind, Digest, Profile},
    key_file,
    kind::{Content, Custody, DeploymentFinished, DeploymentStarted, KeyRegistered, Outcome},
    name::{LedgerId, Principal, PrincipalKind},
    time::Timestamp,
};
use piperoll_tlog::{Hash, encoding, hash::sha256, key::SecretKey};

/// The command under test.
pub(crate) const PIPEROLL: &str = env!("CARGO_BIN_EXE_piperoll");

/// A folder with a ledger in it: the server's folder `data`, the guard's `state`, and a home for everything of a user.
pub(crate) struct Ledger {
    folder: tempfile::TempDir,
    pub(crate) id: LedgerId,
}

impl Ledger {
    /// `piperoll init` in a fresh folder.
    pub(crate) fn found() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Self {
            folder,
            id: LedgerId(Hash::empty_root()),
        };
        let recovery = ledger.path("recovery.key");
        let output = ledger.run(
            &[
                "init",
                "--data",
                "data",
                "--origin",
                "piperoll.example/log/main",
                "--recovery-key",
            ],
            &[recovery.to_str().unwrap()],
        );
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        ledger.with_id_of_the_genesis()
    }

    fn with_id_of_the_genesis(mut self) -> Self {
        let leaf = self.sql("select cast(leaf as text) from entry where idx = 0");
        self.id = LedgerId(sha256(leaf.as_bytes()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command in the folder, with nothing of the tester's own environment that could reach it.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(PIPEROLL);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap());
        command
            .env("HOME", self.path("home"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("NO_COLOR", "1");
        command
            .env("XDG_CONFIG_HOME", self.path("config"))
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, first: &[&str], then: &[&str]) -> Output {
        self.command().args(first).args(then).output().unwrap()
    }

    /// Runs a statement with the `sqlite3` program, as an attacker with the file would; gives what it prints.
    pub(crate) fn sql(&self, statement: &str) -> String {
        let program = std::env::var_os("PIPEROLL_TEST_SQLITE3").unwrap_or_else(|| "sqlite3".into());
        let output = Command::new(program)
            .args(["-cmd", ".timeout 5000"])
            .arg(self.path("data/ledger.db"))
            .arg(statement)
            .output()
            .expect("sqlite3 is installed by scripts/test");
        assert!(
            output.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let mut printed = String::from_utf8(output.stdout).unwrap();
        if printed.ends_with('\n') {
            printed.pop(); // the line feed that sqlite3 adds
        }
        printed
    }

    /// `piperoll serve` on a free port, ready.
    pub(crate) fn serve(&self) -> Server {
        self.serve_with(&[])
    }

    pub(crate) fn serve_with(&self, more: &[&str]) -> Server {
        let mut command = self.command();
        command
            .args(["serve", "--data", "data", "--listen", "127.0.0.1:0"])
            .args(more);
        Server::start(command)
    }

    /// An administrator's signer, with the key that `init` left in the folder.
    pub(crate) fn administrator(&self) -> Signer {
        let text = std::fs::read_to_string(self.path("data/keys/admin")).unwrap();
        let (key, principal) = key_file::read(&text).unwrap();
        Signer {
            principal: Principal::parse(&principal).unwrap(),
            key,
            ledger: self.id,
        }
    }

    /// `piperoll add bridge`, as an administrator on the server's machine would.
    pub(crate) fn add_bridge(&self, server: &Server, kind: &str) -> Bridge {
        let output = self.run(
            &[
                "add",
                "bridge",
                kind,
                "--data",
                "data",
                "--server",
                &server.url,
            ],
            &[],
        );
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            output.status.success(),
            "{said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let file = std::fs::read_to_string(self.path("data/bridges").join(format!("{kind}.toml")))
            .unwrap();
        let settings: toml::Table = file.parse().unwrap();
        let secret = ["secret", "token"]
            .iter()
            .find_map(|name| settings.get(*name)?.as_str())
            .unwrap()
            .to_owned();
        let url = format!("{}/bridges/{kind}", server.url);
        assert!(
            said.contains(&secret) && said.contains(&url),
            "nothing to paste in: {said}"
        );
        Bridge { url, secret }
    }

    /// An entry with words: a person, described by the administrator.
    pub(crate) async fn describe_somebody(&self, server: &Server) {
        let administrator = self.administrator();
        let person = Principal::person([7; 16]).as_str().to_owned();
        let content = Content::PersonDescribed(piperoll_core::kind::Empty {});
        let mut draft = administrator.draft(Some(person), content, administrator.profile());
        draft
            .texts
            .insert("name".to_owned(), "Ines Okafor".to_owned());
        let (status, body) = server.post(&administrator.sign(&draft).to_json()).await;
        assert_eq!(status, 201, "{body}");
    }

    /// A pipeline that may say everything about everything, registered at `server`.
    pub(crate) async fn pipeline(&self, server: &Server, slug: &str) -> Signer {
        let signer = Signer {
            principal: Principal::named(PrincipalKind::Pipeline, slug).unwrap(),
            key: SecretKey::from_seed(sha256(slug.as_bytes()).0),
            ledger: self.id,
        };
        let registration = self.administrator().sign(&signer.registration());
        let answer = server.post(&registration.to_json()).await;
        assert_eq!(answer.0, 201, "{}", answer.1);
        signer
    }
}

/// Somebody who signs events for tests: times and random bytes are numbers that count up.
pub(crate) struct Signer {
    pub(crate) principal: Principal,
    pub(crate) key: SecretKey,
    pub(crate) ledger: LedgerId,
}

/// Random enough for ids and salts of a test: no two draws are the same within one run.
pub(crate) fn draw(buffer: &mut [u8]) {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let seed = DRAWN.fetch_add(1, Ordering::Relaxed);
    let process = std::process::id().to_le_bytes();
    for (block, chunk) in buffer.chunks_mut(32).enumerate() {
        let bytes = sha256(&[&seed.to_le_bytes()[..], &process, &block.to_le_bytes()].concat());
        chunk.copy_from_slice(&bytes.0[..chunk.len()]);
    }
}

impl Signer {
    pub(crate) fn sign(&self, draft: &Draft) -> Envelope {
        draft.sign(&self.principal, &self.key, &mut draw).unwrap()
    }

    pub(crate) fn profile(&self) -> Profile {
        Profile {
            ledger: Some(self.ledger),
            ..Profile::default()
        }
    }

    /// What an administrator signs to register this signer's key for everything.
    pub(crate) fn registration(&self) -> Draft {
        let purpose = Purpose::EventPipeline;
        let public = *self.key.public().as_bytes();
        let message = possession_message(
            &self.ledger,
            &self.principal,
            purpose,
            Scheme::Ed25519,
            &public,
        );
        let everything = vec!["*".to_owned()];
        let content = KeyRegistered {
            key: encoding::base64(&public),
            scheme: Scheme::Ed25519,
            principal: self.principal.clone(),
            purpose,
            custody: Custody::File,
            possession: encoding::base64(&self.key.sign(&message)),
            grants: Some(Grants {
                kinds: everything.clone(),
                services: everything.clone(),
                environments: everything,
            }),
            until: None,
            established: None,
        };
        self.draft(
            Some(keyid(&public)),
            Content::KeyRegistered(content),
            self.profile(),
        )
    }

    pub(crate) fn draft(
        &self,
        subject: Option<String>,
        content: Content,
        profile: Profile,
    ) -> Draft {
        let timestamp: Timestamp = "2026-11-10T12:00:00Z".parse().unwrap();
        Draft {
            id: None,
            timestamp,
            subject,
            content,
            profile,
            texts: std::collections::BTreeMap::new(),
        }
    }

    /// The `n`th event of a stream of deployments: odd ones start, even ones finish.
    pub(crate) fn deployment(&self, n: u64) -> Envelope {
        let run = n / 2;
        let mut profile = self.profile();
        profile.service = Some(format!("service-{}", run % 7));
        profile.environment = Some(
            if run % 3 == 0 {
                "production"
            } else {
                "staging"
            }
            .to_owned(),
        );
        let image = sha256(&run.to_le_bytes());
        profile.binds = Some(vec![Bind {
            name: "image".to_owned(),
            digest: Digest::Sha256(image),
        }]);
        let content = if n.is_multiple_of(2) {
            Content::DeploymentStarted(DeploymentStarted { trigger: None })
        } else {
            let outcome = if run % 11 == 0 {
                Outcome::Failure
            } else {
                Outcome::Success
            };
            Content::DeploymentFinished(DeploymentFinished {
                outcome,
                trigger: None,
                failure_type: None,
            })
        };
        let subject = format!("{}/run-{run}", self.principal.slug());
        self.sign(&self.draft(Some(subject), content, profile))
    }
}

/// Where a bridge listens and what it wants to be shown.
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

    /// POSTs an envelope; gives status and body.
    pub(crate) async fn post(&self, envelope: &str) -> (u16, serde_json::Value) {
        let answer = http::post(
            &format!("{}/v1/events", self.url),
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
            let entry = body["entries"].get(0)?;
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

/// The least of an HTTP client, so that tests see exactly what is on the wire.
pub(crate) mod http {
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
        let (host, path) = url
            .strip_prefix("http://")
            .unwrap()
            .split_once('/')
            .unwrap_or_else(|| panic!("no path in {url}"));
        let mut stream = tokio::net::TcpStream::connect(host).await?;
        let mut head =
            format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
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
        Ok((status, body))
    }

    fn unchunk(mut body: &[u8]) -> Vec<u8> {
        let mut whole = Vec::new();
        while let Some(end) = body.windows(2).position(|window| window == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&body[..end]).unwrap().trim(), 16)
                .unwrap();
            whole.extend_from_slice(&body[end + 2..][..size]);
            body = &body[end + 2 + size + 2..];
            if size == 0 {
                break;
            }
        }
        whole
    }
}
