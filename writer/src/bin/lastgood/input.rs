//! The payloads that a publish is given.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use lastgood::protocol::name::{DatasetName, Ext};

use crate::exit::Failure;

/// A dataset and where its payload comes from: `NAME=FILE`, `NAME=-` or `NAME`.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    pub(crate) dataset: DatasetName,
    source: Source,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Stdin,
    File(PathBuf),
}

impl Input {
    /// Parses an argument.
    pub(crate) fn parse(argument: OsString) -> Result<Self, String> {
        // A name has no `=`, so the first one ends it; a file may have any.
        let bytes = argument.as_encoded_bytes();
        let (name, file) = match bytes.iter().position(|&byte| byte == b'=') {
            None => (bytes, None),
            Some(at) => (&bytes[..at], Some(PathBuf::from(after(&argument, at + 1)))),
        };
        let dataset = DatasetName::parse(&String::from_utf8_lossy(name)).map_err(|error| match file {
            Some(_) => error.to_string(),
            None => format!("{error}; to publish a file, write NAME=FILE"),
        })?;
        let source = match file {
            None => Source::Stdin,
            Some(file) if file.as_os_str() == "-" => Source::Stdin,
            Some(file) if file.as_os_str().is_empty() => {
                return Err(format!("expected a file after `{dataset}=`, found nothing; `-` is stdin"));
            }
            Some(file) => Source::File(file),
        };
        Ok(Self { dataset, source })
    }

    /// Checks what no argument says by itself: stdin can be read once, and not from a person's keyboard.
    pub(crate) fn check<'a>(inputs: impl Iterator<Item = &'a Self>) -> Result<(), Failure> {
        let from_stdin: Vec<&str> =
            inputs.filter(|input| input.source == Source::Stdin).map(|input| input.dataset.as_str()).collect();
        match from_stdin[..] {
            [] => Ok(()),
            [first, second, ..] => Err(Failure::Usage(format!(
                "{first} and {second} are both to come from stdin, which can be read once; write NAME=FILE for the others"
            ))),
            [only] if io::stdin().is_terminal() => Err(Failure::Usage(format!(
                "the payload of {only} is to come from stdin, which is a terminal; write {only}=FILE, or pipe it in: \
                 producer | lastgood publish {only}"
            ))),
            [_] => Ok(()),
        }
    }

    /// The file; `None` for stdin.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.source {
            Source::Stdin => None,
            Source::File(path) => Some(path),
        }
    }

    /// Opens the payload. Its size in bytes is known for files that are no pipes.
    ///
    /// All inputs are opened before any is read, so that a missing one is told at once. Regular files are then closed until
    /// it is their turn: one call may have more of them than a process may have open.
    pub(crate) fn open(&self) -> Result<(Opened, Option<u64>), Failure> {
        let (opened, name) = match &self.source {
            Source::Stdin => (stdin(), "stdin".into()),
            Source::File(path) => (File::open(path), path.clone()),
        };
        let sized = opened.and_then(|file| {
            let metadata = file.metadata()?;
            Ok(match &self.source {
                Source::File(path) if metadata.is_file() => (Opened::InTurn(path.clone()), Some(metadata.len())),
                _ => (Opened::Now(file), metadata.is_file().then_some(metadata.len())),
            })
        });
        sized.map_err(|source| Failure::Source { dataset: self.dataset.clone(), file: name, source })
    }
}

/// An input that was found to be there.
pub(crate) enum Opened {
    /// It is open: a pipe can be opened once.
    Now(File),
    /// It is opened again when it is read.
    InTurn(PathBuf),
}

impl Opened {
    /// The open file.
    pub(crate) fn file(&mut self) -> io::Result<&mut File> {
        if let Opened::InTurn(path) = self {
            *self = Opened::Now(File::open(path)?);
        }
        match self {
            Opened::Now(file) => Ok(file),
            Opened::InTurn(_) => unreachable!("it was opened just now"),
        }
    }
}

/// A dataset that is no JSON: `NAME=FILE`, with the extension that the file has.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    pub(crate) input: Input,
    pub(crate) ext: Ext,
}

impl Artifact {
    /// Parses an argument.
    pub(crate) fn parse(argument: OsString) -> Result<Self, String> {
        let input = Input::parse(argument)?;
        let Source::File(path) = &input.source else {
            return Err(format!(
                "expected {}=FILE: the extension of the file becomes that of the artifact",
                input.dataset
            ));
        };
        let ext = path.extension().map(|ext| ext.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let ext = Ext::parse(&ext).map_err(|_| {
            format!("expected a file with an extension of 1 to 8 letters or digits, found {}", path.display())
        })?;
        if ext.is_json() {
            let name = &input.dataset;
            return Err(format!(
                "{} is JSON, which is no artifact: write {name}=FILE without --artifact",
                path.display()
            ));
        }
        Ok(Self { input, ext })
    }
}

/// The rest of an argument, which need not be text.
#[cfg(unix)]
pub(crate) fn after(argument: &OsString, at: usize) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    OsString::from_vec(argument.as_bytes()[at..].to_vec())
}

#[cfg(not(unix))]
pub(crate) fn after(argument: &OsString, at: usize) -> OsString {
    argument.to_string_lossy()[at..].into()
}

/// Stdin without a buffer of its own, like any other file.
#[cfg(unix)]
fn stdin() -> io::Result<File> {
    use std::os::fd::AsFd;
    Ok(io::stdin().as_fd().try_clone_to_owned()?.into())
}

#[cfg(windows)]
fn stdin() -> io::Result<File> {
    use std::os::windows::io::AsHandle;
    Ok(io::stdin().as_handle().try_clone_to_owned()?.into())
}
