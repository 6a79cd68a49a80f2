//! Key files on this machine, and the enrolment file by which a person asks an administrator to register a key.
//!
//! A private key never leaves the machine it was made on: what travels is the enrolment file, which holds the public half and a
//! signature by the private one over exactly what it is to be registered as (`formats.md` section 7, Possession).

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use piperoll_core::{
    authority::{self, Grants, Purpose, Scheme},
    key_file,
    kind::{Custody, KeyRegistered},
    name::{LedgerId, Principal, PrincipalKind},
};
use piperoll_tlog::{encoding, key::SecretKey};
use serde::{Deserialize, Serialize};

use crate::{
    exit::{Problem, Result},
    output,
    rim::{self, Environment},
};

/// A private key and whose it is.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    pub key: SecretKey,
    pub principal: Principal,
}
impl Signer {
    pub(crate) fn keyid(&self) -> String {
        authority::keyid(self.key.public().as_bytes())
    }
    /// A new key for `principal`, from the operating system's randomness.
    pub(crate) fn generate(principal: Principal) -> Self {
        Self {
            key: SecretKey::from_seed(rim::random()),
            principal,
        }
    }
}

/// Reads a signer from `--key`: the text of a key file, whole or without its frame, also in base64 once more; or its path.
pub(crate) fn read(value: &str) -> Result<Signer> {
    const GIVEN: &str = "the key in PIPEROLL_KEY";
    if value.contains(MARK) {
        return parse(&unfold(value), GIVEN);
    }
    let bare: String = value.split_whitespace().collect();
    let held = encoding::from_base64(&bare);
    if held.as_ref().is_some_and(|held| held.starts_with(MAGIC)) {
        return parse(&unfold(&bare), GIVEN);
    }
    let held = held.and_then(|held| String::from_utf8(held).ok());
    if let Some(text) = held.filter(|text| text.contains(MARK)) {
        return parse(&unfold(&text), GIVEN);
    }
    let path = Path::new(value);
    if !path.exists() && !reads_as_path(value) {
        return Err(Problem::usage(
            "what PIPEROLL_KEY or --key holds is neither a whole key nor the path of a key file",
        )
        .hint(
            "give the text of the key file with its first and last line, or the path of the file",
        ));
    }
    read_file(path)
}
/// Whether a value that names no file may be shown: a part of a private key never is. Base64 has no dot and lies in no folder.
fn reads_as_path(value: &str) -> bool {
    let folder = Path::new(value).parent();
    let lies_somewhere = folder.is_some_and(|folder| folder.parent().is_some() && folder.is_dir());
    value.contains('.') || lies_somewhere
}
pub(crate) fn read_file(path: &Path) -> Result<Signer> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Problem::usage(format!("reading the key {}: {error}", path.display()))
            .hint("--key or PIPEROLL_KEY takes the path of a key file, or the text of one")
    })?;
    parse(&text, &path.display().to_string())
}
fn parse(text: &str, whence: &str) -> Result<Signer> {
    let (key, comment) =
        key_file::read(text).map_err(|error| Problem::usage(format!("{whence}: {error}")))?;
    let principal = Principal::parse(&comment).map_err(|_| {
        Problem::usage(format!("{whence}: its comment {comment:?} does not name a principal"))
            .hint("the comment of a key file says who signs with it, such as urn:piperoll:pipeline:checkout-deploy")
            .hint("try: ssh-keygen -c -C urn:piperoll:… -f FILE, or make the key with piperoll key new")
    })?;
    Ok(Signer { key, principal })
}
/// In the first and the last line of every private key.
const MARK: &str = "PRIVATE KEY-----";
/// What an OpenSSH private key begins with, under its base64.
const MAGIC: &[u8] = b"openssh-key-v1\0";
const BEGIN: &str = "-----BEGIN OPENSSH PRIVATE KEY-----";
const END: &str = "-----END OPENSSH PRIVATE KEY-----";
/// A key file that came through a variable may have lost its line breaks, or carry them as `\n`.
fn unfold(text: &str) -> String {
    let text = text.replace("\\n", "\n");
    if text.trim().lines().count() > 1 {
        return format!("{}\n", text.trim());
    }
    let body = text.trim().trim_start_matches(BEGIN).trim_end_matches(END);
    let characters: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
    let lines: Vec<String> = characters
        .chunks(70)
        .map(|line| line.iter().collect())
        .collect();
    format!("{BEGIN}\n{}\n{END}\n", lines.join("\n"))
}

/// Writes a new key file, readable by its owner alone, and the `.pub` line beside it. Never overwrites.
pub(crate) fn write_new(path: &Path, signer: &Signer) -> Result {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| writing(folder, &error))?;
    }
    let text = key_file::write(&signer.key, signer.principal.as_str());
    write_new_file(path, text.as_bytes(), 0o600)?;
    let public = key_file::public_line(signer.key.public().as_bytes(), signer.principal.as_str());
    write_new_file(
        &public_path(path),
        format!("{}\n", public.trim_end()).as_bytes(),
        0o644,
    )
}
/// Removes what [`write_new`] has just written, for a key that nobody was told of.
pub(crate) fn take_back(path: &Path) {
    for path in [path.to_owned(), public_path(path)] {
        if let Err(error) = std::fs::remove_file(&path) {
            output::warn(
                &format!(
                    "{} stays, of a key that is not registered: {error}",
                    path.display()
                ),
                &["remove it".to_owned()],
            );
        }
    }
}
pub(crate) fn public_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    PathBuf::from(name)
}
pub(crate) fn write_new_file(path: &Path, bytes: &[u8], mode: u32) -> Result {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file: File| {
            file.write_all(bytes)?;
            file.sync_all()
        });
    written.map_err(|error| writing(path, &error))
}
fn writing(path: &Path, error: &std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::AlreadyExists {
        return Problem::failed(format!(
            "{} exists already, and nothing here overwrites a key",
            path.display()
        ))
        .hint("name another, or move that one away");
    }
    Problem::failed(format!("writing {}: {error}", path.display()))
}

/// Where a person's keys live: `$XDG_CONFIG_HOME/piperoll/keys`, by default under `~/.config`.
pub(crate) fn folder(environment: Environment<'_>) -> Result<PathBuf> {
    let base = match (environment("XDG_CONFIG_HOME"), environment("HOME")) {
        (Some(base), _) => PathBuf::from(base),
        (None, Some(home)) => Path::new(&home).join(".config"),
        (None, None) => {
            return Err(Problem::usage("there is no home folder to keep keys in")
                .hint("try: --dir FOLDER, or set HOME"));
        }
    };
    Ok(base.join("piperoll").join("keys"))
}
/// A key in a folder, or why a file there is none.
pub(crate) struct Listed {
    pub path: PathBuf,
    pub signer: Result<Signer>,
}
/// What lies in a folder of keys, by name; the public halves apart.
pub(crate) fn list(folder: &Path) -> Result<Vec<Listed>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(Problem::failed(format!(
                "reading {}: {error}",
                folder.display()
            )));
        }
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && path.extension().is_none_or(|extension| extension != "pub") {
            paths.push(path);
        }
    }
    paths.sort();
    let read = |path: PathBuf| Listed {
        signer: read_file(&path),
        path,
    };
    Ok(paths.into_iter().map(read).collect())
}

/// What an administrator needs to register somebody's key. A file of JSON, one for each key and ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolment {
    /// Always [`ENROLMENT_FORMAT`].
    pub format: String,
    /// Id of the ledger the key is for; the signature holds for no other.
    pub ledger: String,
    pub principal: Principal,
    pub purpose: Purpose,
    pub scheme: Scheme,
    pub custody: Custody,
    /// Standard base64 of the 32 bytes.
    pub key: String,
    /// Standard base64 of the signature by the key.
    pub possession: String,
}
pub(crate) const ENROLMENT_FORMAT: &str = "piperoll-enrolment/v1";

impl Enrolment {
    /// What was signed when a key was registered before.
    pub(crate) fn of(registered: &KeyRegistered, ledger: &LedgerId) -> Self {
        Self {
            format: ENROLMENT_FORMAT.to_owned(),
            ledger: ledger.0.to_hex(),
            principal: registered.principal.clone(),
            purpose: registered.purpose,
            scheme: registered.scheme,
            custody: registered.custody,
            key: registered.key.clone(),
            possession: registered.possession.clone(),
        }
    }
    /// Signs, with the new key, what it is to be registered as.
    pub(crate) fn new(
        signer: &Signer,
        purpose: Purpose,
        custody: Custody,
        ledger: &LedgerId,
    ) -> Self {
        let scheme = Scheme::Ed25519;
        let public = signer.key.public();
        let message = authority::possession_message(
            ledger,
            &signer.principal,
            purpose,
            scheme,
            public.as_bytes(),
        );
        Self {
            format: ENROLMENT_FORMAT.to_owned(),
            ledger: ledger.0.to_hex(),
            principal: signer.principal.clone(),
            purpose,
            scheme,
            custody,
            key: encoding::base64(public.as_bytes()),
            possession: encoding::base64(&signer.key.sign(&message)),
        }
    }
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problem::usage(format!(
                "reading the enrolment file {}: {error}",
                path.display()
            ))
        })?;
        let wrong = |what: String| {
            Problem::usage(format!(
                "{} is not an enrolment file: {what}",
                path.display()
            ))
            .hint("whoever owns the key makes one with: piperoll key new NAME")
        };
        let enrolment: Self =
            serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        if enrolment.format != ENROLMENT_FORMAT {
            return Err(wrong(format!(
                "its format is {:?}, not {ENROLMENT_FORMAT}",
                enrolment.format
            )));
        }
        Ok(enrolment)
    }
    /// The file comes from whoever wants to be enrolled, who may have put anything into it: an administrator's purpose, say.
    pub(crate) fn must_be_of_a_person(&self) -> Result {
        if self.purpose != Purpose::EventPerson {
            return Err(Problem::usage(format!(
                "the enrolment file's purpose is {}; a person's is {}",
                self.purpose.as_str(),
                Purpose::EventPerson.as_str()
            ))
            .hint(
                "nothing was signed; ask whoever sent it for one made with: piperoll key new NAME",
            ));
        }
        if self.principal.kind() != PrincipalKind::Person {
            return Err(Problem::usage(format!(
                "the enrolment file's principal is {}, which is no person",
                self.principal
            ))
            .hint(
                "nothing was signed; ask whoever sent it for one made with: piperoll key new NAME",
            ));
        }
        Ok(())
    }
    /// The fingerprint of the key, by which the two people compare what they have.
    pub(crate) fn keyid(&self) -> Result<String> {
        let bytes =
            encoding::from_base64(&self.key).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let bytes = bytes
            .ok_or_else(|| Problem::usage("the enrolment file's key is not 32 bytes in base64"))?;
        Ok(authority::keyid(&bytes))
    }
    /// The content of the event that registers it.
    pub(crate) fn registration(&self, grants: Option<Grants>) -> KeyRegistered {
        KeyRegistered {
            key: self.key.clone(),
            scheme: self.scheme,
            principal: self.principal.clone(),
            purpose: self.purpose,
            custody: self.custody,
            possession: self.possession.clone(),
            grants,
            until: None,
            established: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_every_shape_that_ci_gives_it_and_a_part_is_never_shown() {
        let principal = Principal::named(PrincipalKind::Pipeline, "deploy").unwrap();
        let signer = Signer::generate(principal);
        let text = key_file::write(&signer.key, signer.principal.as_str()).to_string();
        let frameless = text.lines().filter(|line| !line.contains(MARK));
        let body: String = frameless.collect();
        for whole in [
            text.clone(),
            text.replace('\n', " "),
            text.replace('\n', "\\n"),
            body.clone(),
            encoding::base64(text.as_bytes()),
        ] {
            assert_eq!(read(&whole).unwrap().keyid(), signer.keyid(), "{whole}");
        }
        let quoted = format!("'{body}'");
        let encoded = body.replace('/', "%2F");
        let parts = [
            &body[..body.len() / 2],
            &body[10..],
            &body[..60],
            &body[..30],
        ];
        let lines = text.lines().filter(|line| !line.contains(MARK));
        for part in parts.into_iter().chain(lines).chain([&*quoted, &*encoded]) {
            let problem = read(part).unwrap_err();
            let said = format!("{problem:?}");
            assert!(!said.contains(&part[1..12]), "{said}");
        }
        let problem = read("/no/such/pipeline-deploy.key").unwrap_err();
        assert!(format!("{problem:?}").contains("/no/such/pipeline-deploy.key"));
    }
}
