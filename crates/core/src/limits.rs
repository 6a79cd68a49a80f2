//! Every limit of the formats, with its source (`formats.md` sections 1, 3, 4, 5). Bytes unless the name says otherwise.

pub const PAYLOAD_BYTES_MAX: usize = 64 * 1024;
pub const ENVELOPE_BYTES_MAX: usize = 160 * 1024;
pub const JSON_LEVELS_MAX: usize = 16;
pub const TEXT_BYTES_MAX: usize = 16 * 1024;
pub const TEXTS_BYTES_MAX: usize = 48 * 1024;
pub const TEXTS_COUNT_MAX: usize = 16;
pub const BINDS_COUNT_MAX: usize = 200;
pub const COMMITS_COUNT_MAX: usize = 1000;
pub const ID_BYTES_MAX: usize = 200;
pub const INTEGER_MAX: i64 = (1 << 53) - 1;
/// The commits a deployment may contain before its contents count as unknown (`formats.md` section 9).
pub const CONTENTS_COMMITS_MAX: usize = 500;
