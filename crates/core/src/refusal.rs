//! Why a message is not recorded, and what follows from it for the sender and for what is kept.

/// The rows of the table in `formats.md` section 8 that are not "recorded".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    Shape,
    TooLarge,
    BadSignature,
    PrincipalNotKeys,
    TextMismatch,
    UnknownKey,
    Equivocation,
    /// Grant or role missing: it may come again.
    Grant,
    Content,
}
impl Reason {
    /// As in the table: `shape`, `too large`, `bad signature`, `principal not the key's`, `text does not match`, `unknown key`,
    /// `equivocation`, `grant or role missing`, `content or profile wrong`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::TooLarge => "too large",
            Self::BadSignature => "bad signature",
            Self::PrincipalNotKeys => "principal not the key's",
            Self::TextMismatch => "text does not match",
            Self::UnknownKey => "unknown key",
            Self::Equivocation => "equivocation",
            Self::Grant => "grant or role missing",
            Self::Content => "content or profile wrong",
        }
    }
    /// The HTTP status of the table.
    pub fn status(self) -> u16 {
        match self {
            Self::Shape => 400,
            Self::TooLarge => 413,
            Self::BadSignature | Self::PrincipalNotKeys => 403,
            Self::TextMismatch | Self::Content => 422,
            Self::UnknownKey | Self::Grant => 425,
            Self::Equivocation => 409,
        }
    }
    /// Whether the sender keeps the event and sends it again.
    pub fn retry(self) -> bool {
        matches!(self, Self::UnknownKey | Self::Grant)
    }
    /// Whether nothing but a count is kept.
    pub fn junk(self) -> bool {
        !matches!(self, Self::Equivocation | Self::Grant | Self::Content)
    }
}

/// Why the ledger does not take a message, for the sender to read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    pub reason: Reason,
    /// One sentence, lower case, no full stop. May quote the message (escaped by whoever shows it).
    pub detail: String,
    /// The member it is about, such as `customData.piperoll.binds`.
    pub field: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
}
impl Refusal {
    /// No entry so far registers the key that signed.
    pub fn unknown_key(keyid: &str) -> Self {
        Self::new(
            Reason::UnknownKey,
            format!("no entry registers the key {keyid}"),
        )
        .at("signatures[0].keyid")
        .remedy("let an administrator register the key, then send the event again")
    }
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
            field: None,
            remedy: None,
        }
    }
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }
}
