//! What a bridge is told: the file `bridges/<name>.toml` in the server's folder, which `add bridge` writes.
//!
//! ```toml
//! kind = "github"
//! secret = "…"                              # the webhook's secret, as pasted at GitHub
//! [services]                                # repository to service; one that is not listed is called by its own name
//! "acme/checkout-web" = "checkout"
//! [environments]                            # GitHub's environment to ours; one that is not listed keeps its name
//! "Production (EU)" = "production"
//! ```
//! ```toml
//! kind = "alertmanager"
//! token = "…"                               # the bearer token of Alertmanager's http_config
//! [labels]                                  # which labels name service and environment; these are the defaults
//! service = "service"
//! environment = "environment"
//! [services]                                # the label's value to ours, as above
//! [environments]
//! ```
//! Beside it lies the key that signs, `bridges/<name>.key`, an OpenSSH private key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Names that a system uses, and ours for them. One that is not listed is ours as it stands.
pub type Names = BTreeMap<String, String>;

/// A bridge's file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Config {
    Github(Github),
    Alertmanager(Alertmanager),
}
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Github {
    pub secret: String,
    /// By `owner/name`, or by name alone; in lower case once read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: Names,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: Names,
}
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    pub token: String,
    #[serde(default)]
    pub labels: Labels,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub services: Names,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: Names,
}
/// The labels of an alert that name its service and environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Labels {
    pub service: String,
    pub environment: String,
}
impl Default for Labels {
    fn default() -> Self {
        Self {
            service: "service".to_owned(),
            environment: "environment".to_owned(),
        }
    }
}

/// Why a bridge's file cannot be used. Never quotes the file, which holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("it is not a bridge's file: {0}")]
    Format(String),
    #[error("its secret or token is shorter than {SECRET_BYTES_MIN} characters")]
    Short,
}
/// What an attacker who tries secrets has to get past.
pub const SECRET_BYTES_MIN: usize = 16;

impl Config {
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut config: Self =
            toml::from_str(text).map_err(|error| Error::Format(error.message().to_owned()))?;
        if let Self::Github(github) = &mut config {
            // GitHub tells repositories apart without regard to case.
            let services = std::mem::take(&mut github.services).into_iter();
            github.services = services
                .map(|(repository, service)| (repository.to_lowercase(), service))
                .collect();
        }
        if config.secret().len() < SECRET_BYTES_MIN {
            return Err(Error::Short);
        }
        Ok(config)
    }
    /// As it is written to the file.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("a bridge's file holds only strings and tables of strings")
    }
    pub fn secret(&self) -> &str {
        match self {
            Self::Github(github) => &github.secret,
            Self::Alertmanager(alertmanager) => &alertmanager.token,
        }
    }
}
/// Without the secret.
impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Github(_) => "Config::Github { .. }",
            Self::Alertmanager(_) => "Config::Alertmanager { .. }",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Alertmanager, Config, Error, Github, Labels, Names};

    #[test]
    fn a_file_reads_back_as_it_was_written() {
        let github = Config::Github(Github {
            secret: "It's a Secret to Everybody".to_owned(),
            services: Names::from([("acme/web".to_owned(), "checkout".to_owned())]),
            environments: Names::new(),
        });
        let alertmanager = Config::Alertmanager(Alertmanager {
            token: "0123456789abcdef".to_owned(),
            labels: Labels {
                service: "job".to_owned(),
                ..Labels::default()
            },
            services: Names::new(),
            environments: Names::new(),
        });
        for config in [github, alertmanager] {
            assert_eq!(Config::parse(&config.to_text()), Ok(config));
        }
    }
    #[test]
    fn a_table_nobody_knows_is_refused_and_the_secret_not_repeated() {
        let text = "kind = \"github\"\nsecret = \"0123456789abcdef\"\n[servces]\na = \"b\"\n";
        let Err(Error::Format(message)) = Config::parse(text) else {
            panic!("a misspelt table must not be ignored");
        };
        assert!(message.contains("servces"), "{message}");
        assert!(!message.contains("0123456789abcdef"), "{message}");
    }
    #[test]
    fn a_repository_is_found_however_it_is_written() {
        let text = "kind = \"github\"\nsecret = \"0123456789abcdef\"\n[services]\n\"Acme/Web\" = \"Shop\"\n";
        let Ok(Config::Github(github)) = Config::parse(text) else {
            panic!("it is a bridge's file");
        };
        let web = ("acme/web".to_owned(), "Shop".to_owned());
        assert_eq!(github.services, Names::from([web]));
    }
    #[test]
    fn a_short_secret_is_refused() {
        let text = "kind = \"alertmanager\"\ntoken = \"secret\"\n";
        assert_eq!(Config::parse(text), Err(Error::Short));
    }
}
