//! Reading the plain fields of a body: each with its bounds, all faults in one answer.

use serde_json::Value;

use super::length;
use super::mentions::snowflake;
use crate::refusal::{Faults, Refusal};

/// A body that is being read. `null` counts as left out, the whole body as well as a field.
pub(crate) struct Fields<'a> {
    body: &'a Value,
    pub(crate) faults: Faults,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(body: &'a Value) -> Self {
        let mut faults = Faults::default();
        if !body.is_object() && !body.is_null() {
            faults.add("", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        }
        Self { body, faults }
    }

    fn given(&self, key: &str) -> Option<&'a Value> {
        self.body.get(key).filter(|value| !value.is_null())
    }

    /// Whether a key is there at all, be it with `null`.
    pub(crate) fn names(&self, key: &str) -> bool {
        self.body.get(key).is_some()
    }

    /// A text, trimmed, of so many characters.
    pub(crate) fn text(&mut self, key: &str, least: usize, most: usize) -> Option<String> {
        let given = self.given(key)?;
        let Some(text) = given.as_str() else {
            self.faults.add(key, "STRING_TYPE_CONVERT", "Could not interpret value as string.");
            return None;
        };
        if !(least..=most).contains(&length(text)) {
            self.faults.bad_length(key, least, most);
        }
        Some(text.trim().to_owned())
    }

    /// The same for a text that must be there.
    pub(crate) fn required_text(&mut self, key: &str, least: usize, most: usize) -> String {
        if self.given(key).is_none() {
            self.faults.required(key);
        }
        self.text(key, least, most).unwrap_or_default()
    }

    pub(crate) fn number(&mut self, key: &str, least: u64, most: u64) -> Option<u64> {
        let given = self.given(key)?;
        let number = given.as_u64();
        if number.is_none_or(|number| !(least..=most).contains(&number)) {
            self.faults.add(key, "NUMBER_TYPE_MAX", format!("int value should be between {least} and {most}."));
        }
        number
    }

    /// One of a few numbers.
    pub(crate) fn one_of(&mut self, key: &str, known: &[u64]) -> Option<u64> {
        let number = self.given(key)?.as_u64();
        if number.is_none_or(|number| !known.contains(&number)) {
            self.faults.add(key, "BASE_TYPE_CHOICES", format!("Value must be one of {known:?}."));
        }
        number
    }

    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        let given = self.given(key)?;
        if !given.is_boolean() {
            self.faults.add(key, "BOOLEAN_TYPE_CONVERT", "Must be either true or false.");
        }
        given.as_bool()
    }

    pub(crate) fn id(&mut self, key: &str) -> Option<u64> {
        let given = self.given(key)?;
        if snowflake(given).is_none() {
            self.faults.add(key, "NUMBER_TYPE_COERCE", format!("Value {given} is not snowflake."));
        }
        snowflake(given)
    }

    /// A list of at most so many.
    pub(crate) fn list(&mut self, key: &str, most: usize) -> Option<&'a [Value]> {
        let Some(list) = self.given(key)?.as_array() else {
            self.faults.add(key, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType");
            return None;
        };
        if list.len() > most {
            self.faults.too_long(key, most);
        }
        Some(list)
    }

    /// A list of ids, at most so many.
    pub(crate) fn ids(&mut self, key: &str, most: usize) -> Option<Vec<u64>> {
        let list = self.list(key, most)?;
        let ids: Vec<u64> = list.iter().filter_map(snowflake).collect();
        if ids.len() < list.len() {
            self.faults.add(key, "NUMBER_TYPE_COERCE", "Value is not snowflake.");
        }
        Some(ids)
    }

    /// A permission bitset, which is a decimal string.
    pub(crate) fn bits(&mut self, key: &str) -> Option<u64> {
        let given = self.given(key)?;
        let bits = given.as_str().and_then(|text| text.parse().ok());
        if bits.is_none() {
            self.faults.add(key, "NUMBER_TYPE_COERCE", format!("Value {given} is not int."));
        }
        bits
    }

    pub(crate) fn done(self) -> Result<(), Refusal> {
        self.faults.into_result()
    }
}
