//! How findings are shown.

use std::fmt;

use serde::Serialize;

use super::finding::{Check, Finding, Severity};

/// The width of the columns before the text.
const INDENT: usize = 31;

/// Everything that was found.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) dir: String,
    pub(super) dir_origin: String,
    pub(super) url: Option<String>,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    /// The worst of it.
    pub(super) fn worst(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok)
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding { check, severity, found, remedy } in &self.findings {
            let mut lines = found.lines();
            writeln!(f, "{severity:7}  {:20}  {}", check.id(), lines.next().unwrap_or_default())?;
            for line in lines {
                writeln!(f, "{:INDENT$}{line}", "")?;
            }
            for line in remedy.iter().flat_map(|remedy| remedy.lines()) {
                writeln!(f, "{:INDENT$}> {line}", "")?;
            }
        }
        let counts = Severity::ALL.map(|severity| self.count(severity));
        let [ok, notes, warnings, errors] = counts;
        writeln!(f, "\n{errors} error(s), {warnings} warning(s), {notes} note(s), {ok} in order")
    }
}

/// What can be looked at.
#[derive(Debug, Serialize)]
pub(super) struct List {
    checks: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Listed {
    check: Check,
    about: &'static str,
}

impl List {
    pub(super) fn all() -> Self {
        Self { checks: Check::ALL.iter().map(|&check| Listed { check, about: check.about() }).collect() }
    }
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checks.iter().try_for_each(|listed| writeln!(f, "{:20}  {}", listed.check.id(), listed.about))
    }
}
