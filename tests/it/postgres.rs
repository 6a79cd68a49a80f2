//! PostgreSQL for tests: a database of a test's own on the server that `scripts/test` started, or a whole server of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::support;

/// The role that `piperoll serve` has in tests: the rights that `admin migrate --service-role` gives, and no others.
pub(crate) const SERVICE_ROLE: &str = "piperoll_it_service";

/// A database of a test's own, taken away at its end.
pub(crate) struct Database {
    programs: PathBuf,
    /// The server's address with the database `postgres`, as a superuser.
    server: String,
    pub(crate) name: String,
    /// The only one that its addresses look in; `None` as the server has it.
    schema: Option<String>,
}

impl Database {
    /// `None` (noted as skipped) where there is no PostgreSQL.
    pub(crate) fn fresh(test: &str) -> Option<Self> {
        let programs = support::from_environment(test, "PIPEROLL_TEST_POSTGRES_BIN", "PostgreSQL")?;
        let server = support::from_environment(test, "PIPEROLL_TEST_POSTGRES", "PostgreSQL")?;
        Some(Self::on(&programs, server.to_str().unwrap()))
    }

    pub(crate) fn on(programs: &Path, server: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let database = Self {
            programs: programs.to_owned(),
            server: server.to_owned(),
            name: format!("piperoll_it_{}_{number}", std::process::id()),
            schema: None,
        };
        // Several tests, and several runs, make the one role at the same time: only one of them does.
        let _ = database.on_server(&format!("create role {SERVICE_ROLE} login"));
        let made = database.on_server(&format!("create database {}", database.name));
        assert_printed(&made);
        database
    }

    /// The folder of PostgreSQL's programs.
    pub(crate) fn programs(&self) -> &Path {
        &self.programs
    }

    /// Another database with the same content. Nobody may be connected to this one.
    pub(crate) fn twin(&self) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let twin = Self {
            programs: self.programs.clone(),
            server: self.server.clone(),
            name: format!("{}_twin_{number}", self.name),
            schema: self.schema.clone(),
        };
        let make = format!("create database {} template {}", twin.name, self.name);
        assert_printed(&self.on_server(&make));
        twin
    }

    /// Another database of the same server, made in a way of its own.
    pub(crate) fn other(&self, how: &str) -> Self {
        let other = Self {
            programs: self.programs.clone(),
            server: self.server.clone(),
            name: format!("{}_other", self.name),
            schema: None,
        };
        let make = format!("create database {} {how}", other.name);
        assert_printed(&self.on_server(&make));
        other
    }

    /// The same, whose addresses name a schema.
    pub(crate) fn within(mut self, schema: &str) -> Self {
        self.schema = Some(schema.to_owned());
        self
    }

    /// The address for the owner of the tables, a superuser.
    pub(crate) fn owner(&self) -> String {
        let (scheme, rest) = self.server.split_once("://").unwrap();
        let (host, rest) = rest.split_once('/').unwrap();
        let members = rest.split_once('?').map_or("", |(_, members)| members);
        let path = self.schema.as_ref().map_or_else(String::new, |path| {
            format!("&options=-c%20search_path%3D{path}")
        });
        format!("{scheme}://{host}/{}?{members}{path}", self.name)
    }

    /// The address for whoever serves.
    pub(crate) fn service(&self) -> String {
        format!("{}&user={SERVICE_ROLE}", self.owner())
    }

    /// Runs statements as a superuser would, past the program; gives what they print.
    pub(crate) fn sql(&self, statements: &str) -> String {
        let output = self.psql(&self.owner(), statements);
        assert_printed(&output);
        let mut printed = String::from_utf8(output.stdout).unwrap();
        if printed.ends_with('\n') {
            printed.pop();
        }
        printed
    }

    /// Why statements are refused.
    pub(crate) fn refusal(&self, statements: &str) -> String {
        let output = self.psql(&self.owner(), statements);
        assert!(!output.status.success(), "{statements} was done");
        String::from_utf8(output.stderr).unwrap()
    }

    /// A session of its own that stays open until it is dropped.
    pub(crate) fn session(&self) -> Session {
        Session::open(&self.programs, &self.owner())
    }

    /// The same for another role; `None` when it is not let in.
    pub(crate) fn try_session(&self, address: &str) -> Option<Session> {
        let mut session = Session::open(&self.programs, address);
        session.answers("select 1").then_some(session)
    }

    fn on_server(&self, statement: &str) -> Output {
        self.psql(&self.server, statement)
    }

    fn psql(&self, address: &str, statements: &str) -> Output {
        Command::new(self.programs.join("psql"))
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d"])
            .args([address, "-c", statements])
            .env("PGOPTIONS", "-c client_min_messages=warning")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The server may be gone with everything on it.
        let _ = self.on_server(&format!(
            "drop database if exists {} with (force)",
            self.name
        ));
    }
}

fn assert_printed(output: &Output) {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A `psql` that statements are written to one after another.
pub(crate) struct Session {
    process: std::process::Child,
    answers: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Session {
    fn open(programs: &Path, address: &str) -> Self {
        use std::io::BufRead as _;
        let mut process = Command::new(programs.join("psql"))
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                address,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let answers = std::io::BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, answers }
    }

    /// Runs a statement to its end.
    pub(crate) fn run(&mut self, statement: &str) {
        assert!(self.answers(statement), "psql ended at: {statement}");
    }

    fn answers(&mut self, statement: &str) -> bool {
        use std::io::Write as _;
        let input = self.process.stdin.as_mut().unwrap();
        // Whether it was let in shows when it answers.
        let _ = writeln!(input, "{statement};\n\\echo done");
        self.answers.by_ref().any(|line| line.unwrap() == "done")
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A whole server of a test's own, on a socket: to be killed, and started with other settings.
pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    pub(crate) programs: PathBuf,
}

/// How long a server that was killed may take to be gone, in polls of 10 ms.
const GONE_POLLS_MAX: u32 = 1_000;

impl Cluster {
    /// `None` (noted as skipped) where the programs are not there.
    pub(crate) fn make(test: &str) -> Option<Self> {
        let programs = support::from_environment(test, "PIPEROLL_TEST_POSTGRES_BIN", "PostgreSQL")?;
        let cluster = Self::empty(programs);
        let log = "--no-sync --no-instructions -U postgres -E UTF8 --locale=C";
        let mut arguments: Vec<&str> = log.split(' ').collect();
        arguments.extend(["-A", "trust", "-D", "data"]);
        cluster.run("initdb", &arguments);
        Some(cluster)
    }

    /// A folder for a server, which nothing was put into.
    pub(crate) fn empty(programs: PathBuf) -> Self {
        // Short: a socket's path has at most 107 bytes.
        let folder = tempfile::Builder::new()
            .prefix("piperoll-pg.")
            .tempdir_in("/tmp")
            .unwrap();
        give(folder.path());
        Self { folder, programs }
    }

    /// Starts it and waits until it answers. `settings` are more of its own, as `-c name=value`.
    pub(crate) fn start(&self, settings: &str) {
        let socket = self.folder.path().display();
        let options =
            format!("-k {socket} -c listen_addresses='' -c max_connections=60 {settings}");
        let wait = ["-D", "data", "-s", "-w", "-t", "60", "-l", "log"];
        self.run("pg_ctl", &[&wait[..], &["-o", &options, "start"]].concat());
    }

    pub(crate) fn stop(&self) {
        self.run("pg_ctl", &["-D", "data", "-s", "-w", "-m", "fast", "stop"]);
    }

    /// Stops the postmaster and every process it has, so that connections stand and nothing answers; gives them all.
    pub(crate) fn freeze(&self) -> Vec<String> {
        let file = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let postmaster = file.lines().next().unwrap().to_owned();
        // The first one, so that it starts no more of them.
        signal("-STOP", std::slice::from_ref(&postmaster));
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = std::fs::read_to_string(children).unwrap();
        let mut all: Vec<String> = children.split_whitespace().map(str::to_owned).collect();
        all.push(postmaster);
        signal("-STOP", &all);
        all
    }

    /// SIGKILL for the postmaster and every process it has; returns when all are gone.
    pub(crate) fn kill(&self) {
        let all = self.freeze();
        signal("-KILL", &all);
        for _ in 0..GONE_POLLS_MAX {
            if all.iter().all(|process| is_gone(process)) {
                // Until somebody asks how it ended, its number looks alive to the next start.
                self.remove_locks();
                return;
            }
            std::thread::park_timeout(std::time::Duration::from_millis(10));
        }
        panic!("a killed PostgreSQL is still there");
    }

    fn remove_locks(&self) {
        std::fs::remove_file(self.path("data/postmaster.pid")).unwrap();
        for file in self.folder.path().read_dir().unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "lock") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// As a superuser, on the database `postgres`.
    pub(crate) fn address(&self) -> String {
        let socket = self.folder.path().display();
        format!("postgres:///postgres?host={socket}&user=postgres")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Puts a file into the folder that only the server may read.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        give(&path);
    }

    /// Runs one of PostgreSQL's programs in the folder; as root it would refuse.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = if is_root() {
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
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{command:?}\n{}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.path("data/postmaster.pid").exists() {
            self.kill();
        }
    }
}

/// As root, gives a file to the user that PostgreSQL runs as.
fn give(path: &Path) {
    if is_root() {
        let given = Command::new("chown")
            .arg("postgres:postgres")
            .arg(path)
            .status();
        assert!(given.unwrap().success());
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Whether a process has ended, be it that nobody has asked how.
fn is_gone(process: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_none_or(|(_, rest)| rest.starts_with('Z'))
}

/// Sends a signal to processes that the test started; one that has ended meanwhile is no matter.
pub(crate) fn signal(signal: &str, processes: &[String]) {
    let _ = Command::new("kill")
        .arg(signal)
        .args(processes)
        .stderr(Stdio::null())
        .status()
        .unwrap();
}
