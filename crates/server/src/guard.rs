//! The guard: the last size and root this ledger signed, kept outside the server's folder and outside backups.
