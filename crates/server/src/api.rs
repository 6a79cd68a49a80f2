//! The JSON API: `/v1/…`, `/healthz`, `/readyz`. A handler extracts, calls one thing, answers.
