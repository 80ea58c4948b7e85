//! `lastgood.toml`: where a feed is and how it is published.
//!
//! Every key is listed once, in [`KEYS`]: the parser, the file that `lastgood init` writes and the test of
//! `docs/configuration.md` go by that list.

mod error;
mod found;
mod input;
mod keys;
mod parse;
mod table;
mod template;
pub mod value;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lastgood_protocol::name::DatasetName;
use lastgood_protocol::payload::Rules;

use crate::feed::Settings;
use crate::gc::Retention;
use crate::guards::Guards;
use crate::storage::Modes;

pub use self::error::ConfigError;
use self::found::Found;
pub use self::input::{Input, InputFormat};
pub use self::keys::{KEYS, Key, Section};
pub use self::template::template;

/// The name of the file.
pub const FILE_NAME: &str = "lastgood.toml";

/// What a `lastgood.toml` says, on top of the defaults. Paths are absolute: those in the file are relative to it.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The file; `None` when there is none and everything is a default.
    pub file: Option<PathBuf>,
    /// The keys that the file sets, as paths such as `datasets.performance.min_rows`, sorted.
    pub given: Vec<String>,
    /// The feed directory, if the file names one.
    pub dir: Option<PathBuf>,
    /// Whether only listed datasets may be published.
    pub strict: bool,
    /// How the feed is published.
    pub settings: Settings,
    /// The permissions of what is published.
    pub modes: Modes,
    /// What is kept of the past.
    pub retention: Retention,
    /// Whether a publish collects garbage afterwards.
    pub collect_after_publish: bool,
    defaults: Dataset,
    datasets: BTreeMap<DatasetName, Dataset>,
}

/// How a dataset is published.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// What its input is written in.
    pub input: Input,
    /// The schema that its payload must match.
    pub schema: Option<Schema>,
    /// Whether its texts must have the formats that the schema says.
    pub assert_formats: bool,
    /// What its payload may be.
    pub rules: Rules,
    /// What it is guarded against.
    pub guards: Guards,
    /// Members of its meta.
    pub meta: serde_json::Map<String, serde_json::Value>,
}

/// A schema file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The file.
    pub file: PathBuf,
    /// The publisher's own number for the shape.
    pub version: u32,
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or says what it cannot say; with the place.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::Read { file: file.to_owned(), source };
        let file = std::path::absolute(file).map_err(failed)?;
        let text = std::fs::read_to_string(&file).map_err(failed)?;
        Self::parse(&text, &file)
    }

    /// Reads the nearest file named [`FILE_NAME`] in `directory` or above it; the defaults when there is none.
    ///
    /// # Errors
    /// As for [`at`](Self::at).
    pub fn find(directory: &Path) -> Result<Self, ConfigError> {
        for above in directory.ancestors() {
            if let Some(found) = Self::at(above)? {
                return Ok(found);
            }
        }
        Ok(Self::default())
    }

    /// Reads the file named [`FILE_NAME`] in `directory`, an absolute path; `None` when there is none, or when this user
    /// may not search the directory.
    ///
    /// # Errors
    /// As for [`load`](Self::load); [`ConfigError::Untrusted`] when somebody else can have put it there.
    pub fn at(directory: &Path) -> Result<Option<Self>, ConfigError> {
        let file = directory.join(FILE_NAME);
        match found::read(&file) {
            Err(source) => Err(ConfigError::Read { file, source }),
            Ok(None) => Ok(None),
            Ok(Some(Found::Untrusted(problem))) => Err(ConfigError::Untrusted { file, problem }),
            Ok(Some(Found::Text(text))) => Self::parse(&text, &file).map(Some),
        }
    }

    /// Parses what the file at `file`, an absolute path, has.
    ///
    /// # Errors
    /// When it says what it cannot say; with the place.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let dir = file.parent().unwrap_or(Path::new("/"));
        let mut config = parse::config(text, dir).map_err(|invalid| invalid.in_file(file, text))?;
        config.given.sort_unstable();
        Ok(Self { file: Some(file.to_owned()), ..config })
    }

    /// How a dataset is published: as its own table says, else as the defaults of the file do.
    #[must_use]
    pub fn dataset(&self, name: &DatasetName) -> &Dataset {
        self.datasets.get(name).unwrap_or(&self.defaults)
    }

    /// Refuses a dataset that is not listed when only listed ones may be published.
    ///
    /// # Errors
    /// Says what is listed instead.
    pub fn check_listed(&self, name: &DatasetName) -> Result<(), Unlisted> {
        if !self.strict || self.datasets.contains_key(name) {
            return Ok(());
        }
        let suggestion = closest(name.as_str(), self.datasets.keys().map(DatasetName::as_str));
        Err(Unlisted {
            name: name.clone(),
            file: self.file.clone().unwrap_or_default(),
            suggestion: suggestion.map(str::to_owned),
        })
    }
}

/// A dataset that is not listed in a file that says `strict = true`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name} is not listed in {}, which is strict{}; add [datasets.{name}] to publish it",
    file.display(),
    suggestion.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default()
)]
pub struct Unlisted {
    /// The dataset.
    pub name: DatasetName,
    /// The file.
    pub file: PathBuf,
    /// A listed dataset with a similar name.
    pub suggestion: Option<String>,
}

/// The one of `known` that is similar enough to `word` to have been meant.
fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = known.map(|known| (strsim::jaro_winkler(word, known), known));
    scored.filter(|(score, _)| *score > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}
