//! Tests of what events say and what becomes of them, beside data made by others.

mod example;
mod fold;
mod models;
mod support;
