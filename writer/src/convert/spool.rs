//! An input kept for a second reading: a small one in memory, a large one in staging.

use std::io::{self, Cursor, Read, Write};

use crate::storage::{Kind, Pending, StagedFile, Staging};

/// What is not larger stays in memory: writing a file and reading it again would take longer than everything else.
const IN_MEMORY: usize = 1024 * 1024;

/// An input that is being written down.
pub(super) struct Spool<'a, G: Staging> {
    staging: &'a G,
    memory: Vec<u8>,
    file: Option<G::File>,
}

impl<'a, G: Staging> Spool<'a, G> {
    pub(super) fn new(staging: &'a G) -> Self {
        Self { staging, memory: Vec::new(), file: None }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None if self.memory.len() + bytes.len() <= IN_MEMORY => {
                self.memory.extend_from_slice(bytes);
                Ok(())
            }
            None => {
                // Never published: it goes when it is dropped, or with its staging.
                let file = self.file.insert(self.staging.create(Kind::Published)?);
                file.write_all(&std::mem::take(&mut self.memory))?;
                file.write_all(bytes)
            }
        }
    }

    /// Ends writing.
    pub(super) fn finish(self) -> io::Result<Spooled<G::File>> {
        Ok(match self.file {
            Some(file) => Spooled::File(file.finish()?),
            None => Spooled::Memory(self.memory),
        })
    }
}

/// An input that has been written down. Dropping it removes it.
pub(super) enum Spooled<F> {
    Memory(Vec<u8>),
    File(Pending<F>),
}

impl<F: StagedFile> Spooled<F> {
    /// Reads it from the start.
    pub(super) fn reader(&self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(match self {
            Spooled::Memory(bytes) => Box::new(Cursor::new(bytes)),
            Spooled::File(file) => file.reader()?,
        })
    }
}
