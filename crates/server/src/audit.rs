//! `verify`: everything that can be recomputed from the entries, recomputed, read-only.
