//! Loads what `core::answer` needs and gives its answers: the rim around the pure questions.
