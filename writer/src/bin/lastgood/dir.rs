//! Which configuration holds, which directory is the feed, and why.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use lastgood::config::{Config, ConfigError, FILE_NAME};
use lastgood::storage::is_directory;

use crate::exit::Failure;

pub(crate) const VARIABLE: &str = "LASTGOOD_DIR";
const CONFIG_VARIABLE: &str = "LASTGOOD_CONFIG";
pub(crate) const DEFAULT: &str = "data";

/// Reads the configuration: the file that the option or the variable names, else the nearest.
pub(crate) fn config(option: Option<&Path>) -> Result<Config, Failure> {
    if let Some(file) = option {
        return Ok(Config::load(file).map_err(|error| named(error, "--config"))?);
    }
    if let Some(file) = variable(CONFIG_VARIABLE)? {
        let file = PathBuf::from(file);
        return Ok(Config::load(&file).map_err(|error| named(error, CONFIG_VARIABLE))?);
    }
    match std::env::current_dir() {
        Ok(here) => Ok(Config::find(&here)?),
        // None can be found there. Whether the directory is needed, the search for the feed decides.
        Err(error) => {
            tracing::info!(%error, "no {FILE_NAME} is looked for: the working directory cannot be found");
            Ok(Config::default())
        }
    }
}

/// Says who named a file that is not there.
fn named(error: ConfigError, by: &str) -> ConfigError {
    match error {
        ConfigError::Read { file, source } => {
            let source = std::io::Error::new(source.kind(), format!("{source} (named by {by})"));
            ConfigError::Read { file, source }
        }
        other => other,
    }
}

/// The feed directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeedDir {
    /// Absolute, so that messages show which of two directories of the same name it is.
    pub(crate) path: PathBuf,
    pub(crate) origin: Origin,
}

/// Who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    Option,
    Environment,
    Config(PathBuf),
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Option => f.write_str("from --dir"),
            Origin::Environment => write!(f, "from {VARIABLE}"),
            Origin::Config(path) => write!(f, "from {}", path.display()),
            Origin::Default => {
                write!(f, "the default, as there is no --dir, no {VARIABLE} and no `dir` in a {FILE_NAME}")
            }
        }
    }
}

impl FeedDir {
    /// Finds it: the first that says so wins.
    pub(crate) fn find(option: Option<PathBuf>, config: &Config) -> Result<Self, Failure> {
        let (path, origin) = if let Some(path) = option {
            (path, Origin::Option)
        } else if let Some(path) = variable(VARIABLE)? {
            (path.into(), Origin::Environment)
        } else if let (Some(path), Some(file)) = (&config.dir, &config.file) {
            (path.clone(), Origin::Config(file.clone()))
        } else {
            (DEFAULT.into(), Origin::Default)
        };
        // Where it is absolute, the working directory is not asked for.
        let path = std::path::absolute(path).map_err(|source| Failure::WorkingDirectory { source })?;
        Ok(Self { path, origin })
    }

    /// Refuses a path that leads to something else than a directory, before anything looks for a feed there.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match is_directory(&self.path) {
            Ok(_) => Ok(()),
            Err(problem) => Err(Failure::NoDirectory { problem: Box::new(problem), origin: self.origin.clone() }),
        }
    }
}

/// The value of an environment variable. An empty one is a mistake, as it is in the file: whoever set it meant something,
/// and to publish elsewhere would be a guess.
pub(crate) fn variable(name: &str) -> Result<Option<OsString>, Failure> {
    match std::env::var_os(name) {
        Some(value) if value.is_empty() => {
            Err(Failure::Usage(format!("{name} is set and empty: give it a value, or remove it with `unset {name}`")))
        }
        value => Ok(value),
    }
}
