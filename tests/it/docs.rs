//! Every example in the documentation is run: the lines after `$ ` in `console` blocks, page by page, each page in a fresh folder.
//!
//! Lines below a command are what it prints; `…` stands for anything. `# exit 5` at a command's end is the exit code it must have,
//! and a command that ends in ` &` goes on in the background until the page ends.

use std::{
    io::Read,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{http, ledger::PIPEROLL, support::repository};

/// A command of a page, what it must print, and the exit code it must have.
struct Example {
    line: usize,
    command: String,
    prints: Vec<String>,
    exit: i32,
}

fn examples(page: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut inside = false;
    for (number, line) in page.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if inside && let Some(command) = line.strip_prefix("$ ") {
            let (command, exit) = match command.rsplit_once("# exit ") {
                Some((command, exit)) => (command.trim(), exit.trim().parse().unwrap()),
                None => (command.trim(), 0),
            };
            found.push(Example {
                line: number + 1,
                command: command.to_owned(),
                prints: Vec::new(),
                exit,
            });
        } else if inside && let Some(example) = found.last_mut() {
            if let Some(more) = example.command.strip_suffix('\\') {
                example.command = format!("{more}{}", line.trim());
            } else if !line.trim().is_empty() {
                example.prints.push(line.to_owned());
            }
        }
    }
    found
}

/// Whether `printed` fits `expected`, in which `…` stands for anything.
fn fits(expected: &str, printed: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (expected, printed) = (words(expected), words(printed));
    let mut rest = printed.as_str();
    for (n, piece) in expected.split('…').map(str::trim).enumerate() {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        if n == 0 && at != 0 {
            return false;
        }
        rest = &rest[at + piece.len()..];
    }
    expected.ends_with('…') || rest.is_empty()
}

/// A folder in which a page's commands run, with `piperoll` on PATH and a port of its own in place of the default one.
struct Sandbox {
    folder: tempfile::TempDir,
    port: u16,
    background: Vec<Child>,
}

impl Sandbox {
    fn new() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Self {
            folder: tempfile::tempdir().unwrap(),
            port,
            background: Vec::new(),
        }
    }

    fn command(&self, line: &str) -> Command {
        let home = self.folder.path();
        let path = format!(
            "{}:{}",
            Path::new(PIPEROLL).parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", &line.replace("7470", &self.port.to_string())])
            .current_dir(home)
            .env_clear();
        command
            .env("PATH", path)
            .env("HOME", home)
            .env("NO_COLOR", "1")
            .env("XDG_STATE_HOME", home.join("state"));
        command.env("PIPEROLL_SERVER", format!("http://127.0.0.1:{}", self.port));
        command
            .env("PIPEROLL_LISTEN", format!("127.0.0.1:{}", self.port))
            .stdin(Stdio::null());
        command
    }

    fn run(&mut self, example: &Example) -> Result<(), String> {
        if let Some(line) = example.command.strip_suffix(" &") {
            let child = self
                .command(&format!("exec {line}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            self.background.push(child);
            return self.wait_until_ready();
        }
        let mut child = self
            .command(&format!("{{ {}; }} 2>&1", example.command))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut printed = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut printed)
            .unwrap();
        let exit = child.wait().unwrap().code();
        if exit != Some(example.exit) {
            return Err(format!(
                "exit {exit:?} instead of {}:\n{printed}",
                example.exit
            ));
        }
        let printed = printed.replace(&self.port.to_string(), "7470");
        let mut lines = printed.lines();
        for expected in &example.prints {
            if !lines.any(|line| fits(expected, line)) {
                return Err(format!(
                    "does not print {expected:?} (in this order); it prints:\n{printed}"
                ));
            }
        }
        Ok(())
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            for _ in 0..1_000 {
                if http::get(&format!("http://127.0.0.1:{}/healthz", self.port))
                    .await
                    .is_ok_and(|(status, _)| status == 200)
                {
                    return Ok(());
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            Err("it never answered /healthz".to_owned())
        })
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        for child in &mut self.background {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

fn pages() -> Vec<(String, String)> {
    let mut found: Vec<_> = std::fs::read_dir(repository().join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                std::fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_example_in_the_documentation_works() {
    let mut failed = Vec::new();
    let mut run = 0;
    for (name, page) in pages() {
        let mut sandbox = Sandbox::new();
        for example in examples(&page) {
            run += 1;
            if let Err(why) = sandbox.run(&example) {
                failed.push(format!(
                    "docs/{name}:{}: $ {}\n{why}",
                    example.line, example.command
                ));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    assert!(run > 20, "only {run} examples were found");
}

#[test]
fn every_command_is_in_the_documentation() {
    let all: String = pages().into_iter().map(|(_, page)| page).collect();
    let help = Command::new(PIPEROLL).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let commands: Vec<_> = help
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with(|first: char| first.is_ascii_lowercase()))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|word| *word != "help")
        .collect();
    assert!(commands.len() > 10, "the help lists only {commands:?}");
    for command in commands {
        assert!(
            all.contains(&format!("piperoll {command}")),
            "docs/ never shows: piperoll {command}"
        );
    }
}

#[test]
fn links_in_the_documentation_lead_somewhere() {
    for (name, page) in pages() {
        for target in page
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            if !target.starts_with("http") && !target.starts_with('#') {
                let path = repository()
                    .join("docs")
                    .join(target.split('#').next().unwrap());
                assert!(
                    path.exists(),
                    "docs/{name} links to {target}, which is not there"
                );
            }
        }
    }
}

#[test]
fn an_ellipsis_stands_for_anything_and_nothing_else_does() {
    assert!(fits("a … c", "a  b c"));
    assert!(fits("recorded as …", "recorded as 12"));
    assert!(!fits("recorded as", "recorded as 12"));
    assert!(!fits("b …", "a b c"));
}
