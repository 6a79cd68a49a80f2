//! `piperoll add bridge`: everything a webhook needs, on the server's machine. The server reads the bridge's files at each request,
//! so there is nothing else to do than to paste.

use std::path::Path;

use clap::ValueEnum;
use piperoll_core::{
    authority::{Grants, Purpose},
    key_file,
    kind::Custody,
    name::PrincipalKind,
};
use piperoll_server::bridges::config::{Alertmanager, Config, Github, Labels, Names};
use piperoll_tlog::encoding;

use super::{AdminArgs, Administrator, enrol, named};
use crate::{
    exit::{Problem, Result},
    keys::{self, Enrolment, Signer},
    output, rim,
};

/// Let a system that cannot sign speak through a bridge: prints the address and the secret to paste there
#[derive(Debug, clap::Args)]
#[command(
    after_help = "example: piperoll add bridge github --data ./ledger --public-url https://piperoll.acme.example"
)]
pub(crate) struct Args {
    /// What is on the other side
    #[arg(value_enum)]
    system: System,
    /// The bridge's name [default: the system's]
    name: Option<String>,
    /// What it calls a service, and what we call it: THEIRS=OURS; may be repeated
    #[arg(long = "map-service", value_name = "THEIRS=OURS", value_parser = pair)]
    services: Vec<(String, String)>,
    /// What it calls an environment, and what we call it: THEIRS=OURS; may be repeated
    #[arg(long = "map-environment", value_name = "THEIRS=OURS", value_parser = pair)]
    environments: Vec<(String, String)>,
    /// The alert's label that names the service (Alertmanager only)
    #[arg(long, value_name = "LABEL", default_value = "service")]
    service_label: String,
    /// The alert's label that names the environment (Alertmanager only)
    #[arg(long, value_name = "LABEL", default_value = "environment")]
    environment_label: String,
    #[command(flatten)]
    admin: AdminArgs,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    Github,
    Alertmanager,
}
impl System {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Github => "github",
            Self::Alertmanager => "alertmanager",
        }
    }
    /// What a bridge to it may say.
    fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::Github => &[
                "change.*",
                "branch.pushed",
                "deployment.*",
                "artifact.published",
            ],
            Self::Alertmanager => &["alert.*"],
        }
    }
}
fn pair(text: &str) -> std::result::Result<(String, String), String> {
    let (theirs, ours) = text.split_once('=').ok_or("it is THEIRS=OURS")?;
    Ok((theirs.to_owned(), ours.to_owned()))
}

pub(crate) async fn run(args: Args) -> Result {
    let Some(data) = &args.admin.data else {
        return Err(
            Problem::usage("a bridge lives in the server's folder, which is not named")
                .hint("on the server's machine: --data FOLDER"),
        );
    };
    let name = args.name.as_deref().unwrap_or(args.system.name());
    let config = args.config();
    let mut administrator = args.admin.administrator().await?;
    let server = args.admin.public_address()?;
    let index = add(&mut administrator, data, name, args.system, &config).await?;
    output::say(&format!(
        "piperoll: bridge {name} is registered by record {index}"
    ));
    output::data(&snippet(&server, name, &config))
}
impl Args {
    fn config(&self) -> Config {
        let secret = new_secret();
        let names = |pairs: &[(String, String)]| pairs.iter().cloned().collect::<Names>();
        let (services, environments) = (names(&self.services), names(&self.environments));
        match self.system {
            System::Github => Config::Github(Github {
                secret,
                services,
                environments,
            }),
            System::Alertmanager => Config::Alertmanager(Alertmanager {
                token: secret,
                labels: Labels {
                    service: self.service_label.clone(),
                    environment: self.environment_label.clone(),
                },
                services,
                environments,
            }),
        }
    }
}
/// 32 random bytes as text without characters that need quoting.
pub(crate) fn new_secret() -> String {
    encoding::base64url(&rim::random::<32>())
}

/// Makes the bridge's key and files in the server's folder, and registers the key; gives the record.
pub(crate) async fn add(
    administrator: &mut Administrator,
    data: &Path,
    name: &str,
    system: System,
    config: &Config,
) -> Result<u64> {
    let principal = named(PrincipalKind::Bridge, name)?;
    let folder = data.join("bridges");
    let (settings, key_path) = (
        folder.join(format!("{name}.toml")),
        folder.join(format!("{name}.key")),
    );
    if settings.exists() {
        return Err(Problem::failed(format!(
            "there is a bridge {name} already, in {}",
            settings.display()
        ))
        .hint("give the new one another name: piperoll add bridge SYSTEM NAME"));
    }
    // A key without settings is left by a run that did not get to its end: it is used again.
    let signer = if key_path.exists() {
        keys::read_file(&key_path)?
    } else {
        let signer = Signer::generate(principal);
        let text = key_file::write(&signer.key, signer.principal.as_str());
        std::fs::create_dir_all(&folder)?;
        keys::write_new_file(&key_path, text.as_bytes(), 0o600)?;
        signer
    };
    let grants = Grants {
        kinds: enrol::owned(system.kinds()),
        services: enrol::owned(&["*"]),
        environments: enrol::owned(&["*"]),
    };
    let enrolment = Enrolment::new(
        &signer,
        Purpose::EventBridge,
        Custody::Server,
        &administrator.ledger(),
    );
    let registered = administrator.register(&enrolment, grants, None).await?;
    let index = registered.recorded()?;
    // The settings come last: with them the bridge opens.
    keys::write_new_file(&settings, config.to_text().as_bytes(), 0o600)?;
    Ok(index)
}
/// What to paste, and where.
fn snippet(server: &str, name: &str, config: &Config) -> String {
    let address = format!("{server}/bridges/{name}");
    match config {
        Config::Github(github) => format!(
            "At GitHub, in the repository or the organisation, under Settings, Webhooks, Add webhook:\n\n\
             Payload URL   {address}\n\
             Content type  application/json\n\
             Secret        {}\n\
             Events        Pull requests, Pull request reviews, Pushes, Deployment statuses, Releases (or everything)\n",
            github.secret
        ),
        Config::Alertmanager(alertmanager) => format!(
            "In alertmanager.yml, a receiver; name it in a route:\n\n\
             receivers:\n  \
             - name: piperoll\n    \
             webhook_configs:\n      \
             - url: '{address}'\n        \
             send_resolved: true\n        \
             http_config:\n          \
             authorization:\n            \
             type: Bearer\n            \
             credentials: '{}'\n",
            alertmanager.token
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alertmanager_snippet_is_indented_as_yaml_wants_it() {
        let config = Config::Alertmanager(Alertmanager {
            token: "t".into(),
            labels: Labels::default(),
            services: Names::new(),
            environments: Names::new(),
        });
        let text = snippet("http://127.0.0.1:7470", "alertmanager", &config);
        let (_, yaml) = text.split_once("\n\n").unwrap();
        let indents: Vec<usize> = yaml
            .lines()
            .map(|line| line.len() - line.trim_start().len())
            .collect();
        assert_eq!(indents, [0, 2, 4, 6, 8, 8, 10, 12, 12]);
        assert!(
            yaml.contains("url: 'http://127.0.0.1:7470/bridges/alertmanager'"),
            "{yaml}"
        );
    }

    #[test]
    fn secrets_are_long_and_need_no_quoting() {
        let secret = new_secret();
        assert_eq!(secret.len(), 43);
        assert!(
            secret
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
        assert_ne!(secret, new_secret());
    }
}
