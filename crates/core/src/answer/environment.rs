//! In which order environments stand, by their names alone.

/// How production-like an environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// `dev…`, `local…`, `ci…`, `preview…`, `review…`, `sandbox…`
    Development,
    /// `test…`, `qa…`, and whatever is not named like one of the others.
    Test,
    /// `stag…`, `pre…`, `uat…`, `accept…`
    Staging,
    /// `prod…`, `live…`
    Production,
}
const STARTS: [(&str, Rank); 13] = [
    ("dev", Rank::Development),
    ("local", Rank::Development),
    ("ci", Rank::Development),
    ("preview", Rank::Development),
    ("review", Rank::Development),
    ("sandbox", Rank::Development),
    ("stag", Rank::Staging),
    ("pre", Rank::Staging),
    ("uat", Rank::Staging),
    ("accept", Rank::Staging),
    ("prod", Rank::Production),
    ("live", Rank::Production),
    ("test", Rank::Test),
];

pub(super) fn rank(environment: &str) -> Rank {
    let name = environment.to_lowercase();
    STARTS
        .iter()
        .find(|(start, _)| name.starts_with(start))
        .map_or(Rank::Test, |(_, rank)| *rank)
}
pub(super) fn is_production(environment: &str) -> bool {
    rank(environment) == Rank::Production
}
/// Least production-like first, then by name.
pub(super) fn sort(environments: &mut [String]) {
    environments.sort_by(|one, other| (rank(one), one).cmp(&(rank(other), other)));
}

#[cfg(test)]
mod tests {
    #[test]
    fn staging_stands_before_production() {
        let mut names: Vec<String> = [
            "production",
            "staging",
            "dev",
            "prod-eu",
            "eu",
            "preprod",
            "preview-7",
            "Live",
        ]
        .map(str::to_owned)
        .into();
        super::sort(&mut names);
        assert_eq!(
            names,
            [
                "dev",
                "preview-7",
                "eu",
                "preprod",
                "staging",
                "Live",
                "prod-eu",
                "production"
            ]
        );
    }
}
