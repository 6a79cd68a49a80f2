//! Where randomness comes from. The server asks the operating system; tests bring their own.

/// Fills a buffer with random bytes.
pub type Entropy = fn(&mut [u8]);

/// The operating system's randomness.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the server asks for randomness"
)]
pub fn system(buffer: &mut [u8]) {
    getrandom::fill(buffer)
        .expect("an operating system without randomness cannot make keys or events");
}
/// `N` bytes of it.
pub fn take<const N: usize>(entropy: Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy(&mut bytes);
    bytes
}
