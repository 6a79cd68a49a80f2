//! Wires a running server and takes it down again.
