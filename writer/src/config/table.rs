//! Tables of the file: reads known keys, and refuses others.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::closest;
use super::error::Invalid;
use super::keys::{KEYS, Key, Section};

/// A table whose keys are read one by one.
pub(super) struct Table<'a> {
    section: Section,
    /// Its heading, such as `datasets.performance`; empty for the file itself.
    heading: String,
    entries: &'a DeTable<'a>,
    text: &'a str,
}

impl<'a> Table<'a> {
    pub(super) fn file(entries: &'a DeTable<'a>, text: &'a str) -> Self {
        Self { section: Section::Top, heading: String::new(), entries, text }
    }

    /// The value of a key, if it is there. `read` says `None` to what the key cannot be.
    pub(super) fn read<T>(
        &self,
        name: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> Result<Option<T>, Invalid> {
        let known = KEYS.iter().find(|key| key.section == self.section && key.name == name);
        let Key { expected, .. } = known.expect("every key that is read is listed");
        let Some(value) = self.entries.get(name) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.unfit(name, expected, value))
    }

    /// The table under a name, if it is there.
    pub(super) fn table(&self, name: &str, section: Section) -> Result<Option<Table<'a>>, Invalid> {
        let Some(value) = self.entries.get(name) else { return Ok(None) };
        let DeValue::Table(entries) = value.get_ref() else { return Err(self.unfit(name, "a table", value)) };
        Ok(Some(Table { section, heading: self.path(name), entries, text: self.text }))
    }

    /// The names in it, each with its place.
    pub(super) fn names(&self) -> impl Iterator<Item = (&'a str, Range<usize>)> + use<'a> {
        self.entries.keys().map(|name| (name.get_ref().as_ref(), name.span()))
    }

    /// Refuses names that are neither keys of this table nor in `tables`, and returns the paths of the keys.
    pub(super) fn only_known(&self, tables: &[&str]) -> Result<Vec<String>, Invalid> {
        let keys = || KEYS.iter().filter(|key| key.section == self.section).map(|key| key.name);
        let mut given = Vec::new();
        for (name, span) in self.names() {
            if keys().any(|key| key == name) {
                given.push(self.path(name));
            } else if !tables.contains(&name) {
                let elsewhere = KEYS.iter().find(|key| key.name == name);
                let way_out = match (elsewhere, closest(name, keys().chain(tables.iter().copied()))) {
                    (Some(key), _) => format!("; it belongs into {}", key.section.headings()),
                    (None, Some(known)) => format!("; did you mean `{known}`?"),
                    (None, None) => {
                        let known: Vec<&str> = keys().chain(tables.iter().copied()).collect();
                        format!("; expected one of: {}", known.join(", "))
                    }
                };
                return Err(Invalid { span, problem: format!("unknown key `{name}`{way_out}") });
            }
        }
        Ok(given)
    }

    /// The place of a key, for what is found to be wrong with it later.
    pub(super) fn span(&self, name: &str) -> Range<usize> {
        self.entries.get(name).map(Spanned::span).unwrap_or_default()
    }

    fn path(&self, name: &str) -> String {
        if self.heading.is_empty() { name.to_owned() } else { format!("{}.{name}", self.heading) }
    }

    fn unfit(&self, name: &str, expected: &str, value: &Spanned<DeValue<'_>>) -> Invalid {
        let kind = match value.get_ref() {
            DeValue::Table(_) => "a table",
            DeValue::Array(_) => "a list",
            _ => "",
        };
        let written = self.text.get(value.span()).unwrap_or_default();
        let found = if kind.is_empty() { written.chars().take(60).collect() } else { kind.to_owned() };
        Invalid { span: value.span(), problem: format!("`{name}`: expected {expected}, found {found}") }
    }
}
