//! The publisher: guard first, then a signed checkpoint, once a second when the ledger grew.
