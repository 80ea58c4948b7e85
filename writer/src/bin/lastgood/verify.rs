//! `lastgood verify`

use std::fmt;

use clap::Args;
use indicatif::HumanBytes;
use lastgood::Verification;
use serde::Serialize;

use crate::Session;
use crate::exit::{Exit, Failure};

/// Read everything that is published and compare it with what it should be
///
/// Reads the manifest, the retained manifests, every object that they name and every plain copy. Changes nothing and
/// needs no lock. Exits with 5 and lists each problem when something is damaged.
#[derive(Debug, Args)]
pub(crate) struct Verify {}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    generation: u64,
    files: u64,
    bytes: u64,
    problems: Vec<Problem<'a>>,
}

#[derive(Serialize)]
struct Problem<'a> {
    path: &'a str,
    problem: String,
    generations: Vec<u64>,
}

impl Verify {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let verification = session.feed().verify()?;
        session.output.report(&Report::new(session, &verification));
        Ok(if verification.problems.is_empty() { Exit::Done } else { Exit::Damaged })
    }
}

impl<'a> Report<'a> {
    fn new(session: &'a Session, found: &'a Verification) -> Self {
        let problems = found.problems.iter().map(|problem| Problem {
            path: problem.path.as_str(),
            problem: problem.kind.to_string(),
            generations: problem.generations.iter().map(|generation| generation.get()).collect(),
        });
        Self {
            dir: session.dir.path.display().to_string(),
            generation: found.generation.get(),
            files: found.files,
            bytes: found.bytes,
            problems: problems.collect(),
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { dir, generation, files, bytes, problems } = self;
        let read = format!("read {files} files, {}", HumanBytes(*bytes));
        if problems.is_empty() {
            return writeln!(f, "{dir} is intact: generation {generation}; {read}");
        }
        writeln!(f, "{dir} is damaged: generation {generation}; {read}; {} problem(s):", problems.len())?;
        for Problem { path, problem, generations } in problems {
            write!(f, "  {path} {problem}")?;
            match generations[..] {
                [] => writeln!(f)?,
                [only] => writeln!(f, " (needed by generation {only})")?,
                [first, .., last] => writeln!(f, " (needed by generations {first} to {last})")?,
            }
        }
        Ok(())
    }
}
