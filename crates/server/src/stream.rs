//! Where messages come from: the embedded queue, or JetStream.
