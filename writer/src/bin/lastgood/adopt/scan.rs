//! What is in a directory: which files are datasets, which are backups, and what else was left there.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use lastgood::protocol::layout;
use lastgood::protocol::name::DatasetName;
use lastgood::storage::names_in;

/// A file that is to become a dataset.
pub(super) struct Found {
    pub(super) dataset: DatasetName,
    pub(super) file: PathBuf,
    /// Its `NAME_backup.json`, if there is one.
    pub(super) backup: Option<PathBuf>,
}

/// What is in a directory.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) found: Vec<Found>,
    /// JSON files that cannot become datasets: name and reason.
    pub(super) misfits: Vec<(String, String)>,
    /// Other files that deserve a word: name and what they are.
    pub(super) leftovers: Vec<(String, String)>,
}

impl Scan {
    /// Looks through a directory. `wanted` are the only files to be adopted; all when it is empty.
    pub(super) fn of(dir: &Path, wanted: &[String]) -> io::Result<Self> {
        let names = names_in(dir)?;
        let mut names: Vec<String> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        let mut scan = Self::default();
        for name in &names {
            if let Some(stem) = name.strip_suffix(".json") {
                scan.json(dir, &names, wanted, name, stem);
            } else if let Some(what) = leftover(name) {
                scan.leftovers.push((name.clone(), format!("{what}{}", aged(&dir.join(name)))));
            }
        }
        Ok(scan)
    }

    fn json(&mut self, dir: &Path, names: &[String], wanted: &[String], name: &str, stem: &str) {
        if name == layout::manifest().as_str() {
            return;
        }
        if let Some(base) = stem.strip_suffix("_backup") {
            if !names.iter().any(|name| name.strip_suffix(".json") == Some(base)) {
                self.leftovers.push((name.to_owned(), format!("the backup of {base}.json, which is not there")));
            }
            return;
        }
        if !wanted.is_empty() && !wanted.iter().any(|wanted| wanted == name) {
            return;
        }
        match DatasetName::parse(stem) {
            Ok(dataset) => {
                let backup = format!("{stem}_backup.json");
                let backup = names.contains(&backup).then(|| dir.join(backup));
                self.found.push(Found { dataset, file: dir.join(name), backup });
            }
            Err(error) => {
                let way_out = suggested(stem).map(|name| {
                    format!("; rename it to {name}.json, and in whatever reads it, or publish it as {name}")
                });
                self.misfits.push((name.to_owned(), format!("{error}{}", way_out.unwrap_or_default())));
            }
        }
    }
}

/// What a file that is no JSON may have been left by.
fn leftover(name: &str) -> Option<&'static str> {
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
    if layout::parse_marker(name).is_some() || ends(&[".lock", "_lock", ".lck", ".pid"]) {
        Some("a lock file; if the script that made it is dead, remove it")
    } else if ends(&[".tmp", ".temp", ".part", ".partial", ".new", "~"]) || name.starts_with("tmp") {
        Some("a temporary file; if nothing writes it any more, remove it")
    } else {
        None
    }
}

fn aged(path: &Path) -> String {
    let modified = fs::symlink_metadata(path).and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
    age.map(|age| format!(" ({} old)", humantime::format_duration(Duration::from_secs(age.as_secs()))))
        .unwrap_or_default()
}

/// The nearest name that is allowed: lower case, and a dash for everything else.
fn suggested(stem: &str) -> Option<DatasetName> {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' };
    let name: String = stem.chars().map(allowed).collect();
    let name: String = name.trim_matches(['-', '_']).chars().take(DatasetName::MAX_LEN).collect();
    DatasetName::parse(&name).ok()
}
