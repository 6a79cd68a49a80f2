//! Receipts and genesis, as the API serves them.
