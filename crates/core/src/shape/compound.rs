//! Checks of values that hold other values.

use serde_json::{Map, Value};

use super::{Fault, Field, Shape, any_of, is_hex};
use crate::limits::TEXTS_COUNT_MAX;

pub(super) fn check_members(
    object: &Map<String, Value>,
    fields: &'static [Field],
) -> Result<(), Fault> {
    let known = |name: &str| fields.iter().any(|field| field.name == name);
    if let Some(name) = object.keys().find(|name| !known(name)) {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let remedy = if names.is_empty() {
            "leave it out: there are no members here".to_owned()
        } else {
            format!("leave it out; the members here are {}", names.join(", "))
        };
        return Err(Fault::new("is not a member that exists here", remedy).within(name));
    }
    for field in fields {
        match object.get(field.name) {
            Some(value) => field
                .shape
                .check(value)
                .map_err(|fault| fault.within(field.name))?,
            None if field.required => return Err(Fault::missing(field.name)),
            None => {}
        }
    }
    Ok(())
}
pub(super) fn check_elements(value: &Value, shape: Shape, max: usize) -> Result<(), Fault> {
    let Value::Array(elements) = value else {
        return Err(Fault::new(
            format!("{} is not a list", shown(value)),
            "write a list",
        ));
    };
    if elements.len() > max {
        return Err(Fault::new(
            format!("has {} elements, which is more than {max}", elements.len()),
            format!("give at most {max}"),
        ));
    }
    elements.iter().enumerate().try_for_each(|(at, element)| {
        shape
            .check(element)
            .map_err(|fault| fault.within(&format!("[{at}]")))
    })
}
pub(super) fn check_digest(value: &Value, algorithms: &[&'static str]) -> Result<(), Fault> {
    let object = as_object(value)?;
    let mut members = object.iter();
    let (Some((algorithm, digest)), None) = (members.next(), members.next()) else {
        return Err(Fault::new(
            "holds one algorithm only",
            format!("write one member, {}", any_of(algorithms)),
        ));
    };
    if !algorithms.contains(&algorithm.as_str()) {
        return Err(Fault::new(
            "is not an algorithm that is known here",
            format!("use {}", any_of(algorithms)),
        )
        .within(algorithm));
    }
    let (lengths, wanted): (&[usize], _) = if algorithm == "sha256" {
        (&[64], "64 lower-case hexadecimal digits")
    } else {
        (&[40, 64], "40 or 64 lower-case hexadecimal digits")
    };
    if digest.as_str().is_some_and(|text| is_hex(text, lengths)) {
        return Ok(());
    }
    Err(Fault::new(
        format!("{} is not {wanted}", shown(digest)),
        format!("write {wanted}"),
    )
    .within(algorithm))
}
pub(super) fn check_text_hashes(hashes: &Map<String, Value>) -> Result<(), Fault> {
    if hashes.len() > TEXTS_COUNT_MAX {
        return Err(Fault::new(
            format!(
                "names {} texts, which is more than {TEXTS_COUNT_MAX}",
                hashes.len()
            ),
            format!("give at most {TEXTS_COUNT_MAX} texts"),
        ));
    }
    hashes.iter().try_for_each(|(name, hash)| {
        if !is_text_name(name) {
            return Err(Fault::new(
                "is not a name for a text",
                "use 1 to 32 lower-case letters, digits and _, a letter first",
            )
            .within(name));
        }
        Shape::Sha256
            .check(hash)
            .map_err(|fault| fault.within(name))
    })
}
fn is_text_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.as_bytes()[0].is_ascii_lowercase()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}
pub(super) fn as_object(value: &Value) -> Result<&Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| {
        Fault::new(
            format!("{} is not an object", shown(value)),
            "write an object",
        )
    })
}
/// The value as JSON, cut short: enough to recognise it.
pub(super) fn shown(value: &Value) -> String {
    const SHOWN_CHARS_MAX: usize = 48;
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let text = value.to_string();
            if text.chars().count() <= SHOWN_CHARS_MAX {
                text
            } else {
                let start: String = text.chars().take(SHOWN_CHARS_MAX).collect();
                format!("{start}… ({} bytes)", text.len())
            }
        }
    }
}
