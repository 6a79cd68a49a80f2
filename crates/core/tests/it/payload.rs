//! Changing a good payload into a bad one, and looking at the refusal.

use piperoll_core::judge::{Refusal, Verdict};
use serde_json::Value;

use crate::world::World;

pub(crate) const CONTENT: &str = "/subject/content";
pub(crate) const PROFILE: &str = "/customData/piperoll";

/// The refusal, and whether the event is kept.
pub(crate) fn refusal(verdict: Verdict) -> (Refusal, bool) {
    match verdict {
        Verdict::Refused { refusal, kept, .. } => (refusal, kept),
        Verdict::Recorded(recorded) => panic!("it was recorded: {:?}", recorded.event),
        Verdict::Duplicate { first, .. } => panic!("it was a duplicate of {first}"),
    }
}
pub(crate) fn refused(message: &[u8], world: &mut World) -> (Refusal, bool) {
    refusal(world.give(message))
}

pub(crate) fn at<'a>(payload: &'a mut Value, pointer: &str) -> &'a mut Value {
    payload
        .pointer_mut(pointer)
        .unwrap_or_else(|| panic!("nothing at {pointer}"))
}
pub(crate) fn set(payload: &mut Value, parent: &str, name: &str, value: Value) {
    at(payload, parent)[name] = value;
}
pub(crate) fn remove(payload: &mut Value, parent: &str, name: &str) {
    let removed = at(payload, parent).as_object_mut().unwrap().remove(name);
    assert!(removed.is_some(), "{parent}/{name} was not there");
}
