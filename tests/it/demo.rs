//! The demo, run by the real command once for all tests that look at it.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use crate::{ledger::PIPEROLL, support::repository};

/// From the start of the demo to its end, with `--exit`; measured on the debug build, which is slower than what the README runs.
const DEMO_MAX: Duration = Duration::from_secs(10);

/// A demo that serves until the test process ends.
pub(crate) struct Demo {
    process: Child,
    printed: String,
    _folder: tempfile::TempDir,
}

impl Demo {
    /// Starts `piperoll demo` on a free port and reads what it prints, up to the address of the story's page.
    pub(crate) fn served() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = demo_command(&folder)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap());
        let mut printed = String::new();
        while !printed.contains("The story as a page: ") {
            assert_ne!(
                lines.read_line(&mut printed).unwrap(),
                0,
                "the demo ended: {printed}"
            );
        }
        std::thread::spawn(move || lines.lines().map_while(Result::ok).for_each(drop));
        Self {
            process,
            printed,
            _folder: folder,
        }
    }

    pub(crate) fn story_url(&self) -> String {
        let (_, rest) = self.printed.split_once("The story as a page: ").unwrap();
        rest.split_whitespace().next().unwrap().to_owned()
    }

    pub(crate) fn url(&self) -> String {
        self.story_url()
            .split("/changes/")
            .next()
            .unwrap()
            .to_owned()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn demo_command(folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(PIPEROLL);
    command
        .arg("demo")
        .current_dir(folder.path())
        .env_clear()
        .env("NO_COLOR", "1");
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", folder.path().join("home"))
        .stdin(Stdio::null());
    command
}

/// What `demo --exit` printed and how long it took, with the folder it was run in.
struct Finished {
    printed: String,
    took: Duration,
    folder: tempfile::TempDir,
}

/// The database of a demo that ended; only to be read.
pub(crate) fn finished_database() -> std::path::PathBuf {
    finished().folder.path().join("piperoll-demo/ledger.db")
}

fn finished() -> &'static Finished {
    static ONCE: OnceLock<Finished> = OnceLock::new();
    ONCE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let output = demo_command(&folder).arg("--exit").output().unwrap();
        let took = began.elapsed();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        Finished {
            printed: String::from_utf8(output.stdout).unwrap(),
            took,
            folder,
        }
    })
}

#[test]
fn the_demo_ends_within_ten_seconds() {
    assert!(finished().took < DEMO_MAX, "it took {:?}", finished().took);
}

#[test]
fn the_demo_touches_nothing_outside_its_folder() {
    let mut names: Vec<_> = std::fs::read_dir(finished().folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["piperoll-demo"]);
}

#[test]
fn the_demo_verifies_and_its_attack_is_found() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        demo_command(&folder)
            .arg("--exit")
            .output()
            .unwrap()
            .status
            .success()
    );
    let verify = || {
        let output = Command::new(PIPEROLL)
            .args(["verify", "--data", "piperoll-demo"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8([output.stdout, output.stderr].concat()).unwrap(),
        )
    };
    let (code, said) = verify();
    assert_eq!(code, Some(0), "{said}");
    for counted in ["leaves", "signatures", "payloads", "texts", "checkpoint"] {
        assert!(
            said.contains(counted),
            "verify does not say how many {counted} it checked: {said}"
        );
    }
    // The line that the demo prints, run as it stands.
    let printed = &finished().printed;
    let attack = printed
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("sqlite3 "))
        .expect("the demo shows an attack");
    let output = Command::new("sh")
        .args(["-c", attack])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{attack}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let (code, said) = verify();
    assert_eq!(code, Some(6), "{said}");
    let announced = printed
        .lines()
        .find(|line| line.contains("→ entry "))
        .expect("the demo says what verify will find");
    let place = announced
        .split_once('→')
        .unwrap()
        .1
        .split(':')
        .next()
        .unwrap()
        .trim()
        .to_owned();
    assert!(said.contains(&place), "verify should name {place}: {said}");
    let (said, url) = served_again(&folder);
    assert!(
        said.contains(&place),
        "the demo should name {place}: {said}"
    );
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
}

/// What the demo says before it serves a folder that was attacked, and where it serves it.
fn served_again(folder: &tempfile::TempDir) -> (String, String) {
    let mut process = demo_command(folder)
        .args(["--listen", "127.0.0.1:0"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap());
    let mut said = String::new();
    let url = loop {
        if let Some((_, rest)) = said.split_once("It is served as it is, on ") {
            break rest.split(';').next().unwrap().to_owned();
        }
        let more = lines.read_line(&mut said).unwrap();
        assert_ne!(more, 0, "the demo ended: {said}");
    };
    process.kill().unwrap();
    process.wait().unwrap();
    (said, url)
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    let (_, rest) = readme
        .split_once("<!-- demo answer -->\n\n```\n")
        .expect("the README marks the demo's answer");
    let (shown, _) = rest.split_once("\n```").unwrap();
    let (shown, printed) = (without_dates(shown), without_dates(&finished().printed));
    assert!(
        printed.contains(&shown),
        "the README shows:\n{shown}\nand the demo prints:\n{printed}"
    );
}

/// The words of a text without its dates, which also move the places where lines break.
fn without_dates(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !is_a_date(word));
    words.collect::<Vec<_>>().join(" ")
}

/// Days and months move with the calendar: the demo tells the week to last Saturday.
fn is_a_date(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let month = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
    .contains(&word);
    month || word.parse::<u8>().is_ok_and(|day| (1..=31).contains(&day)) && word.len() <= 2
}

#[test]
fn a_second_run_on_the_same_folder_says_so_and_serves_it() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        demo_command(&folder)
            .arg("--exit")
            .output()
            .unwrap()
            .status
            .success()
    );
    let second = demo_command(&folder).arg("--exit").output().unwrap();
    let said = String::from_utf8([second.stdout, second.stderr].concat()).unwrap();
    assert!(second.status.success(), "{said}");
    assert!(said.contains("already"), "{said}");
}
