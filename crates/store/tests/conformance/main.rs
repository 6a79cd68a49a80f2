//! Everything that `Store` promises, tried on both databases.
//!
//! Each rule is one function over a [`place::Place`], a fresh empty ledger; `suite!` makes a test of it for each database.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod commit;
mod make;
mod place;
mod questions;

/// A test for each rule on each database.
macro_rules! suite {
    ($($module:ident::$rule:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                crate::$module::$rule(crate::place::Place::sqlite().await).await;
            })*
        }
    };
}

suite![
    commit::what_was_committed_is_read_back,
    commit::a_batch_that_leaves_a_hole_is_refused,
    commit::the_head_moves_only_from_where_it_was_expected,
    questions::find_answers_in_the_order_asked,
];
