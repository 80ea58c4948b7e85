//! What an adoption reports.

use std::fmt;

use serde::Serialize;

/// What was found, and what was made of it.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) dir: String,
    pub(super) dry_run: bool,
    /// Whether the files are datasets now, or would be.
    pub(super) adopted: bool,
    pub(super) files: Vec<FileReport>,
    /// The generations that were published.
    pub(super) generations: Vec<u64>,
    /// Where files are kept whose bytes are in no generation.
    pub(super) kept: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct FileReport {
    pub(super) file: String,
    pub(super) dataset: Option<String>,
    pub(super) role: Role,
    pub(super) rows: Option<u64>,
    /// Whether what is published of it has other bytes than the file.
    pub(super) changed: bool,
    pub(super) notes: Vec<String>,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Role {
    /// The current payload of a dataset.
    Current,
    /// The payload before it.
    Backup,
    /// It has been adopted before.
    Published,
    /// It cannot be adopted.
    Bad,
    /// It is none of lastgood's business.
    Left,
}

impl Report {
    pub(super) fn bad(&self) -> usize {
        self.files.iter().filter(|file| file.role == Role::Bad).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.files.iter().map(|file| file.file.len()).max().unwrap_or(0);
        for file in &self.files {
            let role = match file.role {
                Role::Current => "current",
                Role::Backup => "backup",
                Role::Published => "published already",
                Role::Bad => "refused",
                Role::Left => "left alone",
            };
            write!(f, "{:width$}  {role}", file.file)?;
            if let Some(rows) = file.rows {
                write!(f, ", {rows} {}", if rows == 1 { "row" } else { "rows" })?;
            }
            if !file.notes.is_empty() {
                write!(f, ": {}", file.notes.join("; "))?;
            }
            writeln!(f)?;
        }
        for place in &self.kept {
            writeln!(f, "kept as it was: {place}")?;
        }
        let datasets = self.files.iter().filter(|file| file.role == Role::Current).count();
        match (&self.generations[..], self.bad()) {
            _ if self.adopted && datasets == 0 => writeln!(f, "nothing is to be adopted in {}", self.dir),
            _ if self.adopted && self.dry_run => writeln!(f, "would adopt {datasets} dataset(s) in {}", self.dir),
            ([.., last], _) => writeln!(f, "adopted {datasets} dataset(s) in {}, generation {last}", self.dir),
            (_, bad) => writeln!(
                f,
                "nothing was adopted in {}: {bad} file(s) cannot be; mend them, or leave them out with --skip-bad",
                self.dir
            ),
        }
    }
}
