//! A server that cannot start says why and what to do, in one line, and leaves everything as it was.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    os::unix::{
        fs::{MetadataExt, PermissionsExt, chown},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc,
    time::Duration,
};

use piperoll_tlog::{Hash, hash::sha256};

use crate::{
    cli::{Said, run},
    ledger::{Ledger, PIPEROLL},
};

/// How long a command that must end by itself may take.
const ENDS_WITHIN: Duration = Duration::from_secs(20);
/// A user without any rights, where the tests run as root, whom permissions do not bind.
const NOBODY: u32 = 65_534;

/// Runs a command that must not go on running.
fn ended(mut command: Command) -> Said {
    let mut process = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = process.stderr.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut said = Vec::new();
        let read = stderr.read_to_end(&mut said);
        sender.send(read.map(|_| said)).unwrap();
    });
    let Ok(stderr) = receiver.recv_timeout(ENDS_WITHIN) else {
        process.kill().unwrap();
        process.wait().unwrap();
        panic!("it went on");
    };
    let output = process.wait_with_output().unwrap();
    let stderr = stderr.unwrap();
    Output { stderr, ..output }.into()
}
fn serve(ledger: &Ledger, data: &str, listen: &str) -> Command {
    let mut command = ledger.command();
    command.args(["serve", "--data", data, "--listen", listen]);
    command
}
/// Every file below a folder, with the hash of what is in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Hash> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, sha256(&bytes));
        }
    }
    found
}

#[test]
fn a_port_in_use_is_named_and_the_folder_is_not_touched() {
    let (ledger, other) = (Ledger::found(), Ledger::found());
    let server = ledger.serve();
    let address = server.url.strip_prefix("http://").unwrap();
    let before = files(&other.path(""));
    ended(serve(&other, "data", address)).complains(1, &[address, "in use", "--listen"]);
    assert_eq!(files(&other.path("")), before);
    drop(other.serve());
}

#[test]
fn a_guard_inside_the_servers_folder_is_refused() {
    let ledger = Ledger::found();
    let before = files(&ledger.path(""));
    std::os::unix::fs::symlink("data", ledger.path("link")).unwrap();
    for state in ["data", "data/state", "link/deeper/state"] {
        let mut command = serve(&ledger, "data", "127.0.0.1:0");
        command.args(["--state", state]);
        ended(command).complains(2, &["state", "in the server's folder", "--state /var"]);
    }
    std::fs::remove_file(ledger.path("link")).unwrap();
    assert_eq!(files(&ledger.path("")), before);
}

#[test]
fn a_folder_that_is_missing_or_holds_no_ledger_is_named_and_init_with_it() {
    let ledger = Ledger::empty();
    fs::create_dir(ledger.path("foreign")).unwrap();
    fs::write(ledger.path("foreign/notes.txt"), "mine").unwrap();
    fs::write(ledger.path("file"), "mine").unwrap();
    let before = files(&ledger.path(""));
    for words in [["serve", "--data"], ["verify", "--data"], ["log", "--data"]] {
        for (folder, remedy) in [
            ("nowhere", "`piperoll init --data nowhere`"),
            ("foreign", "`piperoll init`"),
            ("file", "`piperoll init --data file`"),
        ] {
            let mut command = ledger.command();
            command.args(words).arg(folder);
            ended(command).complains(1, &[folder, remedy]);
        }
    }
    // And `init` founds nothing among what somebody keeps there.
    let init = [
        "init",
        "--data",
        "foreign",
        "--origin",
        "piperoll.example/log/main",
        "--recovery-key",
        "recovery",
    ];
    run(&ledger, &init, &[]).complains(1, &["foreign", "nothing was changed"]);
    assert_eq!(
        files(&ledger.path("")),
        before,
        "nothing was made or changed"
    );
}

#[test]
fn a_folder_in_use_is_served_once_and_read_by_anybody() {
    let ledger = Ledger::found();
    let server = ledger.serve();
    ended(serve(&ledger, "data", "127.0.0.1:0")).complains(
        1,
        &[
            "data is in use by a running server",
            "stop that one",
            "--server",
        ],
    );
    let init = [
        "init",
        "--data",
        "data",
        "--origin",
        "piperoll.example/log/main",
        "--recovery-key",
        "again",
    ];
    run(&ledger, &init, &[]).complains(1, &["already holds a ledger", "nothing was changed"]);
    assert!(!ledger.path("again").exists());
    run(&ledger, &["verify", "--data", "data"], &[]).succeeds();
    run(&ledger, &["log", "--data", "data"], &[]).succeeds();
    // Nor from another folder with the same keys, by the name of the file.
    fs::create_dir(ledger.path("other")).unwrap();
    for key in ["admin", "checkpoint", "event"] {
        let to = ledger.path("other/keys").join(key);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(ledger.path("data/keys").join(key), to).unwrap();
    }
    let mut other = serve(&ledger, "other", "127.0.0.1:0");
    other.args(["--database", "data/ledger.db"]);
    ended(other).complains(1, &["data is in use by a running server"]);
    // SIGKILL leaves no lock behind.
    server.kill();
    drop(ledger.serve());
}

/// As root, permissions bind nobody: the folder is then given to somebody without rights, and the command run as them.
struct Unprivileged {
    uid: Option<u32>,
    program: PathBuf,
}
impl Unprivileged {
    fn of(ledger: &Ledger) -> Self {
        let top = ledger.path("");
        let is_root = fs::metadata(&top).unwrap().uid() == 0;
        let program = ledger.path("piperoll");
        if !is_root {
            return Self {
                uid: None,
                program: PIPEROLL.into(),
            };
        }
        // The test's own folders may be closed to others.
        if fs::hard_link(PIPEROLL, &program).is_err() {
            fs::copy(PIPEROLL, &program).unwrap();
        }
        for path in below(&top) {
            if path != program {
                chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        Self {
            uid: Some(NOBODY),
            program,
        }
    }
    fn run(&self, ledger: &Ledger, words: &[&str]) -> Said {
        let mut command = Command::new(&self.program);
        command
            .args(words)
            .current_dir(ledger.path(""))
            .env_clear()
            .env("HOME", ledger.path("home"))
            .env("XDG_STATE_HOME", ledger.path("state"))
            .stdin(Stdio::null());
        if let Some(uid) = self.uid {
            command.uid(uid).gid(uid);
        }
        ended(command)
    }
}
/// A folder and everything in it.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
fn permit(path: &Path, writing: bool) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    let mode = permissions.mode();
    permissions.set_mode(if writing { mode | 0o200 } else { mode & !0o222 });
    fs::set_permissions(path, permissions).unwrap();
}

#[test]
fn a_folder_that_may_not_be_written_is_not_served_and_can_still_be_read() {
    let ledger = Ledger::found();
    let somebody = Unprivileged::of(&ledger);
    let data = ledger.path("data");
    let all = below(&data);
    for (sealed, complaint) in [
        (all, ["data is read-only", "change its permissions"]),
        (
            vec![data.clone()],
            ["data is read-only", "change its permissions"],
        ),
        (
            vec![data.join("ledger.db")],
            ["data/ledger.db", "may not be written"],
        ),
    ] {
        for path in &sealed {
            permit(path, false);
        }
        let before = files(&data);
        let serve = ["serve", "--data", "data", "--listen", "127.0.0.1:0"];
        somebody.run(&ledger, &serve).complains(1, &complaint);
        somebody
            .run(&ledger, &["verify", "--data", "data"])
            .succeeds();
        somebody.run(&ledger, &["log", "--data", "data"]).succeeds();
        let mut after = files(&data);
        after.retain(|path, _| before.contains_key(path)); // beside them there may be the lock, where the folder lets it be
        assert_eq!(after, before, "{sealed:?}");
        for path in &sealed {
            permit(path, true);
        }
    }
}

#[test]
fn a_key_file_that_is_gone_or_another_is_named() {
    let (ledger, other) = (Ledger::found(), Ledger::found());
    let key = ledger.path("data/keys/checkpoint");
    let good = fs::read(&key).unwrap();
    fs::write(&key, "no key").unwrap();
    ended(serve(&ledger, "data", "127.0.0.1:0")).complains(
        1,
        &["data/keys/checkpoint is not a usable key file", "backup"],
    );
    fs::copy(other.path("data/keys/checkpoint"), &key).unwrap();
    ended(serve(&ledger, "data", "127.0.0.1:0"))
        .complains(1, &["data/keys/checkpoint", "entry 0", "restore its keys"]);
    fs::remove_file(&key).unwrap();
    ended(serve(&ledger, "data", "127.0.0.1:0")).complains(1, &["keys/checkpoint"]);
    fs::write(&key, good).unwrap();
    drop(ledger.serve());
}
