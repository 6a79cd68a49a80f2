//! What a CI system says about the run that a command is part of: commit, run and who started it. Read from the variables of
//! GitHub, GitLab and Jenkins; nothing is asked of git, so that a clone of depth 1 is enough.

use piperoll_core::{limits::ID_BYTES_MAX, words};

use crate::rim::Environment;

/// The run a command is part of. Every member is what the CI system claims, none of it is checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// Full commit hash, lower case.
    pub commit: Option<String>,
    /// `run:<url without scheme>`.
    pub alias: Option<String>,
    /// The login of who started the run.
    pub actor: Option<String>,
}

/// Reads the variables; off a CI system everything is absent. What could not stand in an event is left out or made to fit: a
/// pipeline is not to fail over its system's variables.
pub(crate) fn detect(environment: Environment<'_>) -> Run {
    let claimed = claimed(environment);
    Run {
        commit: claimed.commit,
        alias: claimed.alias.filter(|alias| is_name(alias)),
        actor: claimed.actor,
    }
}
fn is_name(text: &str) -> bool {
    text.len() <= ID_BYTES_MAX && words::forbidden_in_payload(text).is_none()
}
fn claimed(environment: Environment<'_>) -> Run {
    if environment("GITHUB_ACTIONS").is_some() {
        return github(environment);
    }
    if environment("GITLAB_CI").is_some() {
        return gitlab(environment);
    }
    if environment("JENKINS_URL").is_some() {
        return jenkins(environment);
    }
    Run::default()
}

/// <https://docs.github.com/actions/reference/workflows-and-actions/variables>. A later attempt of a run has an address of its
/// own, because it deploys anew.
fn github(environment: Environment<'_>) -> Run {
    let run = || {
        let server =
            environment("GITHUB_SERVER_URL").unwrap_or_else(|| "https://github.com".into());
        let repository = environment("GITHUB_REPOSITORY")?;
        let id = environment("GITHUB_RUN_ID")?;
        let attempt = environment("GITHUB_RUN_ATTEMPT").filter(|attempt| attempt != "1");
        let attempt = attempt
            .map(|attempt| format!("/attempts/{attempt}"))
            .unwrap_or_default();
        Some(format!("{server}/{repository}/actions/runs/{id}{attempt}"))
    };
    Run {
        commit: environment("GITHUB_SHA").and_then(|hash| full_commit(&hash)),
        alias: run().and_then(|url| alias(&url)),
        actor: environment("GITHUB_TRIGGERING_ACTOR").or_else(|| environment("GITHUB_ACTOR")),
    }
}
/// <https://docs.gitlab.com/ci/variables/predefined_variables/>. The pipeline is the run: start and finish may be two jobs of it.
fn gitlab(environment: Environment<'_>) -> Run {
    Run {
        commit: environment("CI_COMMIT_SHA").and_then(|hash| full_commit(&hash)),
        alias: environment("CI_PIPELINE_URL").and_then(|url| alias(&url)),
        actor: environment("GITLAB_USER_LOGIN"),
    }
}
/// <https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables>; `BUILD_USER_ID` comes from a plug-in.
fn jenkins(environment: Environment<'_>) -> Run {
    Run {
        commit: environment("GIT_COMMIT").and_then(|hash| full_commit(&hash)),
        alias: environment("BUILD_URL").and_then(|url| alias(&url)),
        actor: environment("BUILD_USER_ID"),
    }
}
/// `run:` and the address without scheme and without a slash at its end.
fn alias(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    Some(format!("run:{}", rest.trim_end_matches('/')))
}
/// A commit hash of SHA-1 or SHA-256; anything else is not one.
pub(crate) fn full_commit(text: &str) -> Option<String> {
    let hash = text.to_ascii_lowercase();
    (matches!(hash.len(), 40 | 64) && hash.bytes().all(|b| b.is_ascii_hexdigit())).then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "3facdc47b231584945b35e2da9c325c7fe448603";

    fn with(variables: &[(&str, &str)]) -> Run {
        detect(&|name| {
            variables
                .iter()
                .find(|(k, _)| *k == name)
                .map(|(_, v)| (*v).to_owned())
        })
    }

    #[test]
    fn github_actions_names_commit_run_and_actor() {
        let mut variables = vec![
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_SHA", COMMIT),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "acme/checkout"),
            ("GITHUB_RUN_ID", "7002"),
            ("GITHUB_RUN_ATTEMPT", "1"),
            ("GITHUB_ACTOR", "tomas-l"),
        ];
        let run = with(&variables);
        assert_eq!(run.commit.as_deref(), Some(COMMIT));
        assert_eq!(
            run.alias.as_deref(),
            Some("run:github.com/acme/checkout/actions/runs/7002")
        );
        assert_eq!(run.actor.as_deref(), Some("tomas-l"));
        variables[5].1 = "2";
        variables.push(("GITHUB_TRIGGERING_ACTOR", "ravi-m"));
        let again = with(&variables);
        assert_eq!(
            again.alias.as_deref(),
            Some("run:github.com/acme/checkout/actions/runs/7002/attempts/2")
        );
        assert_eq!(again.actor.as_deref(), Some("ravi-m"));
    }

    #[test]
    fn gitlab_names_commit_pipeline_and_actor() {
        let run = with(&[
            ("GITLAB_CI", "true"),
            ("CI_COMMIT_SHA", COMMIT),
            (
                "CI_PIPELINE_URL",
                "https://gitlab.example/acme/checkout/-/pipelines/9",
            ),
            ("GITLAB_USER_LOGIN", "tomas-l"),
        ]);
        assert_eq!(
            run.alias.as_deref(),
            Some("run:gitlab.example/acme/checkout/-/pipelines/9")
        );
        assert_eq!(
            (run.commit.as_deref(), run.actor.as_deref()),
            (Some(COMMIT), Some("tomas-l"))
        );
    }

    #[test]
    fn jenkins_names_commit_and_build() {
        let run = with(&[
            ("JENKINS_URL", "https://ci.example/"),
            ("GIT_COMMIT", COMMIT),
            ("BUILD_URL", "https://ci.example/job/checkout/12/"),
        ]);
        assert_eq!(run.alias.as_deref(), Some("run:ci.example/job/checkout/12"));
        assert_eq!((run.commit.as_deref(), run.actor), (Some(COMMIT), None));
    }

    #[test]
    fn an_address_that_cannot_be_a_name_is_left_out_and_the_commit_stays() {
        let long = format!("https://ci.example/job/{}/12/", "x".repeat(ID_BYTES_MAX));
        for url in [long.as_str(), "https://ci.example/job/a\u{202e}b/12/"] {
            let run = with(&[
                ("JENKINS_URL", "https://ci.example/"),
                ("GIT_COMMIT", COMMIT),
                ("BUILD_URL", url),
            ]);
            assert_eq!((run.commit.as_deref(), run.alias), (Some(COMMIT), None));
        }
    }

    #[test]
    fn off_a_ci_system_and_for_half_a_commit_nothing_is_guessed() {
        assert_eq!(with(&[("GITHUB_SHA", COMMIT)]), Run::default());
        assert_eq!(
            with(&[("GITLAB_CI", "1"), ("CI_COMMIT_SHA", "3facdc4")]).commit,
            None
        );
    }
}
