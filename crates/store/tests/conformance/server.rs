//! A PostgreSQL of a test's own, with a password, to be killed and started with other settings.

use std::{
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use piperoll_store::Address;

pub(crate) struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    root: bool,
}
impl Server {
    /// `None`, noted as skipped, where the programs are not named.
    pub(crate) fn make(rule: &str) -> Option<Self> {
        let Some(programs) = std::env::var_os("PIPEROLL_TEST_POSTGRES_BIN") else {
            crate::place::skip(rule, "PIPEROLL_TEST_POSTGRES_BIN");
            return None;
        };
        // Short: a socket's path has at most 107 bytes.
        let folder = tempfile::Builder::new()
            .prefix("piperoll-pg.")
            .tempdir_in("/tmp")
            .unwrap();
        let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        if root {
            let data = std::fs::read_to_string("/etc/passwd").unwrap();
            let line = data
                .lines()
                .find(|line| line.starts_with("postgres:"))
                .unwrap();
            let ids: Vec<u32> = line
                .split(':')
                .skip(2)
                .take(2)
                .map(|id| id.parse().unwrap())
                .collect();
            chown(folder.path(), Some(ids[0]), Some(ids[1])).unwrap();
        }
        std::fs::write(folder.path().join("password"), "secret\n").unwrap();
        let server = Self {
            folder,
            programs: programs.into(),
            root,
        };
        let arguments =
            "-U postgres -A scram-sha-256 -E UTF8 --locale=C --no-sync --no-instructions";
        let files = ["--pwfile=password", "-D", "data"];
        server.run("initdb", arguments.split(' ').chain(files));
        Some(server)
    }
    pub(crate) fn start(&self, settings: &str) {
        let options = format!(
            "-k '{}' -c listen_addresses='' {settings}",
            self.folder.path().display()
        );
        self.run(
            "pg_ctl",
            [
                "-D", "data", "-s", "-w", "-t", "30", "-l", "log", "-o", &options, "start",
            ],
        );
    }
    /// As a crash would.
    pub(crate) fn kill(&self) {
        self.run(
            "pg_ctl",
            ["-D", "data", "-s", "-w", "-m", "immediate", "stop"],
        );
    }
    pub(crate) fn address(&self, password: &str) -> Address {
        let host = self.folder.path().display();
        Address::parse(&format!(
            "postgres://postgres:{password}@localhost/postgres?host={host}"
        ))
        .unwrap()
    }
    /// PostgreSQL refuses to run as root.
    fn run<'a>(&self, program: &str, arguments: impl IntoIterator<Item = &'a str>) {
        let program: &Path = &self.programs.join(program);
        let mut command = if self.root {
            let mut command = Command::new("setpriv");
            command
                .args([
                    "--reuid=postgres",
                    "--regid=postgres",
                    "--init-groups",
                    "--",
                ])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        // Not its output: the server would keep that open and the test would wait for it.
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{command:?}");
    }
}
impl Drop for Server {
    fn drop(&mut self) {
        // It may be stopped already.
        let running = self
            .folder
            .path()
            .join("data")
            .join("postmaster.pid")
            .exists();
        if running && !std::thread::panicking() {
            self.kill();
        } else if running {
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.kill()));
        }
    }
}
