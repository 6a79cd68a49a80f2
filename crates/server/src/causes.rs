//! An error with what caused it, on one line.

/// The error and each of its causes, joined by colons, nothing said twice: for logs and for whoever runs the server.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let what = cause.to_string();
        if !line.ends_with(&what) {
            line.push_str(": ");
            line.push_str(&what);
        }
        source = cause.source();
    }
    line
}
