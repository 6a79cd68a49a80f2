//! A ledger made and served by the real command in a folder of its own, and emitters that sign without it.

use std::{
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use piperoll_core::{
    key_file,
    kind::Content,
    name::{LedgerId, Principal},
};
use piperoll_tlog::{Hash, hash::sha256};

use crate::{
    postgres::{Database, SERVICE_ROLE},
    server::{Bridge, Server},
    signer::Signer,
};

/// The command under test.
pub(crate) const PIPEROLL: &str = env!("CARGO_BIN_EXE_piperoll");

/// A folder with a ledger in it: the server's folder `data`, the guard's `state`, and a home for everything of a user.
pub(crate) struct Ledger {
    folder: tempfile::TempDir,
    /// In place of `ledger.db` in the folder.
    pub(crate) database: Option<Database>,
    pub(crate) id: LedgerId,
}

impl Ledger {
    /// `piperoll init` in a fresh folder.
    pub(crate) fn found() -> Self {
        let ledger = Self::empty();
        ledger.init(ledger.command());
        ledger.with_id_of_the_genesis()
    }

    /// The same with its database on PostgreSQL: founded by the owner of the tables, and used as the role that serves.
    pub(crate) fn found_in(database: Database) -> Self {
        let mut ledger = Self::empty();
        ledger.database = Some(database);
        ledger.init(ledger.as_owner());
        let mut migrate = ledger.as_owner();
        migrate.args(["admin", "migrate", "--service-role", SERVICE_ROLE]);
        succeed(migrate);
        ledger.with_id_of_the_genesis()
    }

    fn init(&self, mut command: Command) {
        let origin = "piperoll.example/log/main";
        let recovery = self.path("recovery.key");
        command
            .args(["init", "--data", "data", "--origin", origin])
            .arg("--recovery-key")
            .arg(recovery);
        succeed(command);
    }

    /// A folder in which nothing was founded.
    pub(crate) fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            database: None,
            id: LedgerId(Hash::empty_root()),
        }
    }

    fn with_id_of_the_genesis(mut self) -> Self {
        let leaf = self.sql(match self.database {
            None => "select cast(leaf as text) from entry where idx = 0",
            Some(_) => "select convert_from(leaf, 'UTF8') from entry where idx = 0",
        });
        self.id = LedgerId(sha256(leaf.as_bytes()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command in the folder, with nothing of the tester's own environment that could reach it.
    pub(crate) fn command(&self) -> Command {
        self.command_of(PIPEROLL)
    }
    /// Another program, in the same folder with the same variables.
    pub(crate) fn command_of(&self, program: &str) -> Command {
        let mut command = Command::new(program);
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
        if let Some(database) = &self.database {
            command.env("PIPEROLL_DATABASE", database.service());
        }
        command
    }

    /// A command for the owner of the database's tables.
    pub(crate) fn as_owner(&self) -> Command {
        let mut command = self.command();
        if let Some(database) = &self.database {
            command.env("PIPEROLL_DATABASE", database.owner());
        }
        command
    }

    pub(crate) fn run(&self, first: &[&str], then: &[&str]) -> Output {
        self.command().args(first).args(then).output().unwrap()
    }

    /// Runs a statement past the program, as an attacker with the database would; gives what it prints.
    pub(crate) fn sql(&self, statement: &str) -> String {
        if let Some(database) = &self.database {
            return database.sql(statement);
        }
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

    /// What the database itself says is recorded, one line an entry: index, payload hash, source and id.
    pub(crate) fn recorded(&self) -> String {
        self.sql(match self.database {
            None => "select idx || ' ' || lower(hex(payload_hash)) || ' ' || source || ' ' || event_id from entry order by idx",
            Some(_) => "select idx || ' ' || encode(payload_hash, 'hex') || ' ' || source || ' ' || event_id from entry order by idx",
        })
    }

    /// `piperoll verify`: its exit code and all it said.
    pub(crate) fn verify(&self) -> (Option<i32>, String) {
        let output = self.run(&["verify", "--data", "data"], &[]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
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
        let mut draft = Signer::draft(Some(person), content, administrator.profile());
        draft
            .texts
            .insert("name".to_owned(), "Ines Okafor".to_owned());
        let (status, body) = server.post(&administrator.sign(&draft).to_json()).await;
        assert_eq!(status, 201, "{body}");
    }

    /// A pipeline that may say everything about everything, registered at `server`.
    pub(crate) async fn pipeline(&self, server: &Server, slug: &str) -> Signer {
        let signer = Signer::named(self, slug);
        let registration = self.administrator().sign(&signer.registration());
        let answer = server.post(&registration.to_json()).await;
        assert_eq!(answer.0, 201, "{}", answer.1);
        signer
    }
}

/// Runs a command that must do what it is asked to.
fn succeed(mut command: Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
