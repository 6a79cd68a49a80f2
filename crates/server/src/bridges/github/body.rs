//! The members of GitHub's bodies that we read; everything else in them is passed over.

use jiff::Timestamp;
use serde::Deserialize;

use crate::bridges::relay::Account;

/// A body without a host of its own comes from here.
const HOST: &str = "github.com";

/// The word that tells bodies of one event apart.
#[derive(Deserialize)]
pub(super) struct Action {
    pub(super) action: Option<String>,
}
/// What every body has.
#[derive(Deserialize)]
pub(super) struct Common {
    pub(super) repository: Repository,
    /// Who did it.
    pub(super) sender: Option<User>,
}
#[derive(Deserialize)]
pub(super) struct Repository {
    pub(super) name: String,
    pub(super) full_name: String,
    html_url: Option<String>,
    /// Only in a push it is the time of the push.
    pub(super) pushed_at: Option<Time>,
}
#[derive(Deserialize)]
pub(super) struct User {
    id: u64,
    pub(super) login: Option<String>,
}
impl Common {
    pub(super) fn host(&self) -> String {
        self.repository
            .html_url
            .as_deref()
            .and_then(|url| url.split_once("://"))
            .and_then(|(_, rest)| rest.split('/').next())
            .filter(|host| !host.is_empty())
            .unwrap_or(HOST)
            .to_ascii_lowercase()
    }
    /// `owner/repository` in lower case, with the host in front where it is not GitHub's own.
    pub(super) fn path(&self) -> String {
        let name = piperoll_core::words::clean_string(&self.repository.full_name).to_lowercase();
        match self.host().as_str() {
            HOST => name,
            host => format!("{host}/{name}"),
        }
    }
    pub(super) fn prefix(&self) -> String {
        format!("github:{}", self.path())
    }
    /// The id of a change, from the number of its pull request.
    pub(super) fn change(&self, number: u64) -> String {
        format!("{}#{number}", self.prefix())
    }
    pub(super) fn actor(&self) -> Option<Account> {
        self.sender.as_ref().map(|sender| Account {
            host: self.host(),
            user_id: sender.id.to_string(),
        })
    }
}

/// A time as GitHub writes it: RFC 3339, or seconds since 1970 in a push.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Time {
    Text(String),
    Seconds(i64),
}
impl Time {
    pub(super) fn instant(&self) -> Option<Timestamp> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Seconds(seconds) => Timestamp::from_second(*seconds).ok(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct PullRequest {
    pub(super) number: u64,
    pub(super) pull_request: Request,
}
#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) created_at: Option<Time>,
    pub(super) updated_at: Option<Time>,
    pub(super) closed_at: Option<Time>,
    pub(super) merged_at: Option<Time>,
    pub(super) merge_commit_sha: Option<String>,
    /// GitHub's schema lets it be null.
    pub(super) merged: Option<bool>,
    pub(super) head: Head,
}
#[derive(Deserialize)]
pub(super) struct Head {
    pub(super) sha: String,
}

#[derive(Deserialize)]
pub(super) struct Review {
    pub(super) review: Given,
    pub(super) pull_request: Reviewed,
}
#[derive(Deserialize)]
pub(super) struct Given {
    pub(super) state: String,
    pub(super) body: Option<String>,
    pub(super) commit_id: Option<String>,
    pub(super) submitted_at: Option<Time>,
    pub(super) updated_at: Option<Time>,
}
#[derive(Deserialize)]
pub(super) struct Reviewed {
    pub(super) number: u64,
    pub(super) updated_at: Option<Time>,
    pub(super) head: Head,
}

#[derive(Deserialize)]
pub(super) struct Push {
    #[serde(rename = "ref")]
    pub(super) reference: String,
    pub(super) before: String,
    pub(super) after: String,
    #[serde(default)]
    pub(super) deleted: bool,
    #[serde(default)]
    pub(super) forced: bool,
    #[serde(default)]
    pub(super) commits: Vec<Listed>,
}
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
}

#[derive(Deserialize)]
pub(super) struct DeploymentStatus {
    pub(super) deployment_status: Status,
    pub(super) deployment: Deployment,
}
#[derive(Deserialize)]
pub(super) struct Status {
    pub(super) state: String,
    pub(super) environment: Option<String>,
    pub(super) created_at: Option<Time>,
}
#[derive(Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
    pub(super) sha: String,
    pub(super) environment: String,
}

#[derive(Deserialize)]
pub(super) struct Release {
    pub(super) release: Tagged,
}
#[derive(Deserialize)]
pub(super) struct Tagged {
    pub(super) tag_name: String,
    pub(super) published_at: Option<Time>,
    #[serde(default)]
    pub(super) assets: Vec<Asset>,
}
#[derive(Deserialize)]
pub(super) struct Asset {
    pub(super) name: String,
    /// `sha256:<hex>`; older releases have none.
    pub(super) digest: Option<String>,
}
