//! Which rectangles of a lane are taken.

use super::letters::{self, LINE_HEIGHT};

/// Space between two things, pixels.
const GAP: i64 = 6;

/// A rectangle; `top` and `bottom` count from the top of the lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Box {
    pub left: i64,
    pub top: i64,
    pub right: i64,
    pub bottom: i64,
}
impl Box {
    /// One line of text whose top left corner is (x, top).
    pub(super) fn of_line(x: i64, top: i64, text: &str) -> Self {
        Self {
            left: x,
            top,
            right: x + letters::width(text),
            bottom: top + LINE_HEIGHT,
        }
    }
    fn meets(&self, other: &Self) -> bool {
        self.left < other.right + GAP
            && other.left < self.right + GAP
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// A lane's surface between two vertical edges.
pub(super) struct Area {
    left: i64,
    right: i64,
    taken: Vec<Box>,
}
impl Area {
    pub(super) fn new(left: i64, right: i64) -> Self {
        Self {
            left,
            right,
            taken: Vec::new(),
        }
    }
    /// Whether `place` is free and inside.
    pub(super) fn takes(&self, place: &Box) -> bool {
        place.left >= self.left
            && place.right <= self.right
            && !self.taken.iter().any(|taken| taken.meets(place))
    }
    pub(super) fn occupy(&mut self, place: Box) {
        self.taken.push(place);
    }
    /// The lowest edge of what is taken.
    pub(super) fn height(&self) -> i64 {
        self.taken
            .iter()
            .map(|taken| taken.bottom)
            .max()
            .unwrap_or(0)
    }
}
