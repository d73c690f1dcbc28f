//! Typed access to a JSON object whose every failure names the field, what was expected and what came.

use crate::{Error, Result};
use serde_json::{Map, Value};
use std::fmt::Display;

/// One JSON object of `config.json` and its path there.
pub(super) struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub fn root(value: &'a Value) -> Result<Self> {
        let map = value
            .as_object()
            .ok_or_else(|| Error::Config(format!("config.json: expected an object, got {}", short(value))))?;
        Ok(Self { path: String::new(), map })
    }

    pub fn optional_child(&self, key: &str) -> Result<Option<Fields<'a>>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields { path: format!("{}{key}.", self.path), map })),
            Some(other) => Err(self.wrong(key, "an object", short(other))),
        }
    }

    pub fn child(&self, key: &str) -> Result<Fields<'a>> {
        self.optional_child(key)?.ok_or_else(|| self.missing(key))
    }

    /// The nested layout's part, or this object itself for the flat layout.
    pub fn child_or_self(&self, key: &str) -> Result<Fields<'a>> {
        Ok(self.optional_child(key)?.unwrap_or_else(|| Fields { path: self.path.clone(), map: self.map }))
    }

    /// The value of `key`; JSON null counts as absent, as published files write it for "not set".
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key).filter(|v| !v.is_null())
    }

    pub fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Whether the file says null, where that means more than a missing field.
    pub fn is_null(&self, key: &str) -> bool {
        self.map.get(key).is_some_and(Value::is_null)
    }

    pub fn missing(&self, key: &str) -> Error {
        Error::Config(format!("config.json: {}{key} is missing", self.path))
    }

    pub fn wrong(&self, key: &str, expected: &str, got: impl Display) -> Error {
        Error::Config(format!("config.json: {}{key}: expected {expected}, got {got}", self.path))
    }

    /// A required whole number from 1 to `max`.
    pub fn dim(&self, key: &str, max: usize) -> Result<usize> {
        let value = self.get(key).ok_or_else(|| self.missing(key))?;
        match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
            Some(n) if (1..=max).contains(&n) => Ok(n),
            _ => Err(self.wrong(key, &format!("a whole number from 1 to {max}"), short(value))),
        }
    }

    pub fn positive(&self, key: &str) -> Result<f64> {
        let value = self.get(key).ok_or_else(|| self.missing(key))?;
        match value.as_f64() {
            Some(x) if x.is_finite() && x > 0.0 => Ok(x),
            _ => Err(self.wrong(key, "a positive number", short(value))),
        }
    }

    pub fn positive_or(&self, key: &str, default: f64) -> Result<f64> {
        if self.has(key) { self.positive(key) } else { Ok(default) }
    }

    pub fn flag(&self, key: &str) -> Result<bool> {
        match self.get(key) {
            None => Ok(false),
            Some(Value::Bool(b)) => Ok(*b),
            Some(other) => Err(self.wrong(key, "true or false", short(other))),
        }
    }

    pub fn token(&self, key: &str) -> Result<Option<u32>> {
        self.get(key).map(|v| self.as_token(key, v)).transpose()
    }

    /// One id or a list of ids.
    pub fn tokens(&self, key: &str) -> Result<Vec<u32>> {
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(list)) => list.iter().map(|v| self.as_token(key, v)).collect(),
            Some(one) => Ok(vec![self.as_token(key, one)?]),
        }
    }

    fn as_token(&self, key: &str, value: &Value) -> Result<u32> {
        let id = value.as_u64().and_then(|n| u32::try_from(n).ok());
        id.ok_or_else(|| self.wrong(key, "a token id", short(value)))
    }

    pub fn indexes(&self, key: &str) -> Result<Vec<usize>> {
        let value = self.get(key).ok_or_else(|| self.missing(key))?;
        let list: Option<Vec<usize>> = value.as_array().and_then(|list| {
            list.iter().map(|v| v.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|&n| n <= 1 << 27)).collect()
        });
        list.ok_or_else(|| self.wrong(key, "a list of whole numbers", short(value)))
    }

    pub fn one_of(&self, key: &str, allowed: &[&str]) -> Result<()> {
        if !self.has(key) {
            return Err(self.missing(key));
        }
        self.one_of_or_absent(key, allowed)
    }

    pub fn one_of_or_absent(&self, key: &str, allowed: &[&str]) -> Result<()> {
        match self.get(key) {
            Some(value) if !value.as_str().is_some_and(|s| allowed.contains(&s)) => {
                Err(self.wrong(key, &format!("{:?}", allowed.join(" or ")), short(value)))
            }
            _ => Ok(()),
        }
    }

    /// A list of `len` entries that must all be `allowed`, if there is one.
    pub fn all_or_absent(&self, key: &str, allowed: &str, len: usize) -> Result<()> {
        let Some(value) = self.get(key) else { return Ok(()) };
        let entries = value.as_array().ok_or_else(|| self.wrong(key, "a list", short(value)))?;
        if let Some(other) = entries.iter().find(|entry| entry.as_str() != Some(allowed)) {
            return Err(self.wrong(key, &format!("{allowed:?} for every layer"), short(other)));
        }
        if entries.len() == len {
            return Ok(());
        }
        Err(self.wrong(key, &format!("an entry for each of {len} layers"), entries.len()))
    }

    /// A number that follows from others, where the file states it too.
    pub fn equal_or_absent(&self, key: &str, meaning: &str, value: usize) -> Result<()> {
        match self.get(key) {
            Some(stated) if stated.as_u64() != Some(value as u64) => {
                Err(self.wrong(key, &format!("{meaning} = {value}"), short(stated)))
            }
            _ => Ok(()),
        }
    }

    pub fn must_be_false(&self, key: &str) -> Result<()> {
        if self.flag(key)? { Err(self.wrong(key, "false", true)) } else { Ok(()) }
    }

    pub fn must_be_zero(&self, key: &str) -> Result<()> {
        match self.get(key) {
            Some(value) if value.as_f64() != Some(0.0) => Err(self.wrong(key, "0", short(value))),
            _ => Ok(()),
        }
    }

    pub fn absent(&self, key: &str) -> Result<()> {
        match self.get(key) {
            Some(value) => Err(self.wrong(key, "no such field", short(value))),
            None => Ok(()),
        }
    }

    pub fn divides(&self, small: &str, divisor: usize, big: &str, value: usize) -> Result<()> {
        if value.is_multiple_of(divisor) {
            return Ok(());
        }
        Err(self.wrong(big, &format!("a multiple of {small} {divisor}"), value))
    }
}

/// A value as it appears in a message: enough to recognise it, never a page.
fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 60 {
        return text;
    }
    let head: String = text.chars().take(57).collect();
    format!("{head}...")
}
