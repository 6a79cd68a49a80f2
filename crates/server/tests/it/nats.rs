//! A real nats-server of a test's own, which can be killed and started again.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use async_nats::jetstream;

/// The server's program, or `None` where a laptop has none; in CI that is a failure.
pub(crate) fn program(test: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PIPEROLL_TEST_NATS_SERVER").map(PathBuf::from);
    if found.is_none() {
        let why =
            "nats-server is not there (PIPEROLL_TEST_NATS_SERVER is unset; scripts/test sets it)";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{test}: {why}");
        if let Some(list) = std::env::var_os("PIPEROLL_TEST_SKIPPED") {
            let mut list = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(list)
                .unwrap();
            writeln!(list, "{test}: {why}").unwrap();
        }
    }
    found
}

pub(crate) struct Nats {
    program: PathBuf,
    folder: tempfile::TempDir,
    process: Child,
    port: u16,
}
impl Nats {
    pub(crate) fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = spawn(program, folder.path(), None);
        let port = port(folder.path(), &process);
        Self {
            program: program.to_owned(),
            folder,
            process,
            port,
        }
    }
    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        self.process = spawn(&self.program, self.folder.path(), Some(self.port));
        let started = port(self.folder.path(), &self.process);
        assert_eq!(started, self.port);
    }
    /// Cuts off the end of what a stream has on disk, as a power cut may; the server must be dead.
    pub(crate) fn truncate(&self, stream: &str) {
        let folder = self
            .folder
            .path()
            .join("js/jetstream/$G/streams")
            .join(stream);
        let messages = folder.join("msgs");
        let index = messages.join("index.db");
        if index.exists() {
            std::fs::remove_file(index).unwrap();
        }
        let block = messages.join("1.blk");
        let file = std::fs::OpenOptions::new().write(true).open(block).unwrap();
        let bytes = file.metadata().unwrap().len();
        file.set_len(bytes * 6 / 10).unwrap();
    }
    /// A client of its own, beside the server under test.
    pub(crate) async fn client(&self) -> jetstream::Context {
        jetstream::new(async_nats::connect(self.url()).await.unwrap())
    }
}
impl Drop for Nats {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
fn spawn(program: &Path, folder: &Path, port: Option<u16>) -> Child {
    let port = port.map_or("-1".to_owned(), |port| port.to_string());
    let store = folder.join("js");
    let settings = format!(
        "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", sync_interval: always, max_file_store: 1GB, max_memory_store: 16MB }}\n",
        store.display()
    );
    let file = folder.join("nats.conf");
    std::fs::write(&file, settings).unwrap();
    Command::new(program)
        .arg("-c")
        .arg(&file)
        .arg("--ports_file_dir")
        .arg(folder)
        .arg("-l")
        .arg(folder.join("nats.log"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}
/// The port it listens on, once it does.
fn port(folder: &Path, process: &Child) -> u16 {
    let file = folder.join(format!("nats-server_{}.ports", process.id()));
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if let Ok(ports) = serde_json::from_str::<serde_json::Value>(&text) {
            let url = ports["nats"][0].as_str().unwrap();
            return url.rsplit(':').next().unwrap().parse().unwrap();
        }
        assert!(Instant::now() < deadline, "nats-server does not come up");
        std::thread::yield_now();
    }
}
