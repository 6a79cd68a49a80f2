//! One command line a kind, for help.

use crate::kind::Kind;

impl Kind {
    /// A command that records an event of this kind.
    pub fn example(self) -> &'static str {
        match self {
            Self::LedgerCreated => {
                "piperoll init --data ledger --origin piperoll.acme.example/log/main"
            }
            Self::KeyRegistered => {
                "piperoll add pipeline checkout-deploy -s checkout -e production"
            }
            Self::PersonDescribed | Self::AccountLinked | Self::RoleGranted => {
                "piperoll add person 'Ines Okafor' --enrol ines.enrol --role business-approver"
            }
            Self::ChangeCreated
            | Self::ChangeUpdated
            | Self::ChangeReviewed
            | Self::ChangeMerged
            | Self::ChangeAbandoned
            | Self::BranchPushed
            | Self::ArtifactPublished => "piperoll add bridge github",
            Self::ApprovalCreated => {
                "piperoll request -e production --artifact sha256:9f2c… --summary 'Ask for the postcode first'"
            }
            Self::ApprovalUpdated => {
                "piperoll approve 'github:acme/checkout#418' --role business-approver"
            }
            Self::BundleDefined => {
                "piperoll emit bundle.defined --name shop --version 4.12.0 --element pkg:oci/checkout@sha256:9f2c…"
            }
            Self::DeploymentStarted => {
                "piperoll deploy start -s checkout -e production --artifact sha256:9f2c…"
            }
            Self::DeploymentFinished => {
                "piperoll deploy finish -s checkout -e production --outcome success"
            }
            Self::RollbackStarted => {
                "piperoll deploy start --rollback -s checkout -e production --artifact sha256:51aa…"
            }
            Self::RollbackFinished => {
                "piperoll deploy finish --rollback -s checkout -e production --outcome success"
            }
            Self::ServiceDeployed | Self::ServiceUpgraded | Self::ServiceRolledback => {
                "piperoll emit service.upgraded -s checkout -e production --artifact pkg:oci/checkout@sha256:9f2c…"
            }
            Self::OverrideDeclared => {
                "piperoll emit override.declared -s payments -e production --text reason='the bank changed its certificate'"
            }
            Self::AlertFired | Self::AlertResolved => "piperoll add bridge alertmanager",
            Self::IncidentDetected | Self::IncidentResolved => {
                "piperoll emit incident.detected --subject inc-7 -s checkout -e production"
            }
            Self::StreamAdopted | Self::StreamGapAccepted | Self::TimeCorrected => {
                "piperoll serve --data ledger --nats nats://127.0.0.1:4222"
            }
        }
    }
}
