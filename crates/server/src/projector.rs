//! The projector: takes a batch, judges it in order, commits it in one transaction, then answers.
