//! A real nats-server with JetStream, on a port that stays the same when it is killed and started again.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Its process ends with it.
pub(crate) struct NatsServer {
    program: PathBuf,
    port: u16,
    folder: tempfile::TempDir,
    process: Child,
}

impl NatsServer {
    pub(crate) fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let config = format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: \"{}\", sync_interval: always, max_file_store: 1GB, \
             max_memory_store: 16MB }}\n",
            folder.path().join("jetstream").display()
        );
        std::fs::write(folder.path().join("nats.conf"), config).unwrap();
        let process = spawn(program, folder.path());
        let server = Self {
            program: program.to_owned(),
            port,
            folder,
            process,
        };
        server.wait();
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    pub(crate) fn restart(&mut self) {
        self.process = spawn(&self.program, self.folder.path());
        self.wait();
    }

    fn wait(&self) {
        for _ in 0..1_000 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
        panic!("nats-server does not listen");
    }
}

fn spawn(program: &Path, folder: &Path) -> Child {
    Command::new(program)
        .arg("-c")
        .arg(folder.join("nats.conf"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if self.process.try_wait().is_ok_and(|ended| ended.is_none()) {
            self.kill();
        }
    }
}
