//! `lastgood init`

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use lastgood::config::{FILE_NAME, template};
use serde::Serialize;

use crate::args::Global;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  lastgood init                     (./lastgood.toml)
  lastgood init --dir public/data   (the same, with `dir` in it)
  lastgood init --config etc/lastgood.toml";

/// Write a commented lastgood.toml with every key and its default
///
/// A file that is there already is left as it is. The feed directory is not made: the first publish makes it, and says
/// so, when there is something to be served.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Init {}

#[derive(Serialize)]
struct Report {
    config: PathBuf,
    dir: Option<PathBuf>,
}

impl Init {
    /// Needs no configuration: it makes one.
    pub(crate) fn run(self, global: &Global, output: Output) -> Result<Exit, Failure> {
        let file = global.config.clone().unwrap_or_else(|| FILE_NAME.into());
        let absolute = |path: &Path| std::path::absolute(path).map_err(|source| Failure::WorkingDirectory { source });
        let file = absolute(&file)?;
        // `dir` is relative to the file, the option to the working directory.
        let dir = global.dir.as_deref().map(absolute).transpose()?;
        let written = dir.as_deref().map(|dir| file.parent().and_then(|at| dir.strip_prefix(at).ok()).unwrap_or(dir));
        let written = written.map(|dir| if dir.as_os_str().is_empty() { Path::new(".") } else { dir });
        let text = template(written.map(Path::to_string_lossy).as_deref());
        files::create(&file, text.as_bytes()).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => Failure::Exists { file: file.clone() },
            _ => Failure::Create { file: file.clone(), source },
        })?;
        output.report(&Report { config: file, dir });
        Ok(Exit::Done)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "wrote {}", self.config.display())?;
        writeln!(f, "Next:")?;
        if self.dir.is_none() {
            writeln!(f, "  set `dir` in it to the directory that your web server serves")?;
        }
        writeln!(f, "  lastgood publish NAME=FILE    (the first publish makes the feed)")?;
        writeln!(f, "  lastgood adopt                (if that directory has JSON files already)")
    }
}
