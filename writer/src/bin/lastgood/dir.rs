//! Which directory is the feed, and why.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::exit::Failure;

pub(crate) const VARIABLE: &str = "LASTGOOD_DIR";
pub(crate) const CONFIG: &str = "lastgood.toml";
pub(crate) const DEFAULT: &str = "data";

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
            Origin::Default => write!(f, "the default, as there is no --dir, no {VARIABLE} and no `dir` in a {CONFIG}"),
        }
    }
}

/// The content of `lastgood.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    dir: Option<PathBuf>,
}

impl FeedDir {
    /// Finds it: the first that says so wins.
    pub(crate) fn find(option: Option<PathBuf>) -> Result<Self, Failure> {
        let here = std::env::current_dir().map_err(|source| Failure::WorkingDirectory { source })?;
        let variable = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        let (path, origin) = if let Some(path) = option {
            (path, Origin::Option)
        } else if let Some(path) = variable {
            (path.into(), Origin::Environment)
        } else if let Some((file, path)) = configured(&here)? {
            (path, Origin::Config(file))
        } else {
            (DEFAULT.into(), Origin::Default)
        };
        let path = std::path::absolute(here.join(path)).map_err(|source| Failure::WorkingDirectory { source })?;
        Ok(Self { path, origin })
    }
}

/// The directory that the nearest `lastgood.toml` names, with the path of that file.
fn configured(here: &Path) -> Result<Option<(PathBuf, PathBuf)>, Failure> {
    for above in here.ancestors() {
        let file = above.join(CONFIG);
        let text = match std::fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Failure::Config { file, problem: error.to_string() }),
            Ok(text) => text,
        };
        let config: Config = toml::from_str(&text).map_err(|error| Failure::Config {
            file: file.clone(),
            problem: error.to_string().trim_end().to_owned(),
        })?;
        return Ok(config.dir.map(|dir| (file, above.join(dir))));
    }
    Ok(None)
}
