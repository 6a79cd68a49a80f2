//! Where the command meets the world: the time, randomness and the environment. Everything else takes them as arguments.

use piperoll_server::clock::{Clock, System};

/// The system's time.
pub(crate) fn now() -> jiff::Timestamp {
    System.now()
}

/// Fills `buffer` from the operating system.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the command asks for randomness"
)]
pub(crate) fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer)
        .expect("an operating system without randomness cannot make keys or events");
}
/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// Looks up an environment variable; an empty one counts as unset, because CI systems set variables they have no value for.
pub(crate) type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's own environment.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
