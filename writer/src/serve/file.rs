//! Opens a file below a root, once, and says what its handle holds.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::{Duration, SystemTime};

use axum::body::{Body, Bytes};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::accept::Coding;
use super::platform;
use super::resource::{Kind, Resource};
use super::tags::EntityTag;

/// Files up to this many bytes are read when they are opened.
const IN_MEMORY: u64 = 256 * 1024;

/// How much of a larger file is read at a time.
const CHUNK: usize = 64 * 1024;

/// A file, opened: everything here is of one version of it.
pub(super) struct Representation {
    pub(super) content: Content,
    pub(super) etag: EntityTag,
    pub(super) last_modified: Option<SystemTime>,
    /// None: plain bytes.
    pub(super) coding: Option<Coding>,
}

/// The bytes of an open file.
pub(super) enum Content {
    Memory(Bytes),
    File { file: File, length: u64 },
}

/// Why a resource has no representation.
#[derive(Debug)]
pub(super) enum Failure {
    /// There is no such file, or only something that is not served: a symbolic
    /// link, a device.
    NotFound,
    /// It is a directory.
    Directory,
    /// The server may not read it.
    Forbidden,
    /// The file system failed.
    Io(std::io::Error),
}

/// Opens the resource in the first of `codings` that there is, else plain.
///
/// Blocks on the file system.
pub(super) fn open(resource: &Resource, codings: &[Coding]) -> Result<Representation, Failure> {
    // The plain file decides whether the resource exists at all.
    let plain = platform::open_regular(&resource.root, &resource.names)?;
    let sibling = codings.iter().filter(|_| resource.kind.has_siblings()).find_map(|&coding| {
        let mut names = resource.names.clone();
        names.last_mut()?.push_str(coding.suffix());
        Some((platform::open_regular(&resource.root, &names).ok()?, coding))
    });
    let (file, coding) = match sibling {
        Some((file, coding)) => (file, Some(coding)),
        None => (plain, None),
    };
    represent(file, &resource.kind, coding).map_err(Failure::Io)
}

fn represent(mut file: File, kind: &Kind, coding: Option<Coding>) -> std::io::Result<Representation> {
    let metadata = file.metadata()?;
    let length = metadata.len();
    let content = if length <= IN_MEMORY {
        let mut bytes = Vec::new();
        (&mut file).take(length).read_to_end(&mut bytes)?;
        Content::Memory(bytes.into())
    } else {
        Content::File { file, length }
    };
    Ok(Representation {
        etag: entity_tag(&content, &metadata, kind, coding),
        content,
        last_modified: settled(metadata.modified()?, SystemTime::now()),
        coding,
    })
}

/// A strong entity tag: different bytes never share one.
///
/// An object is named by its content. Of other files, small ones are hashed,
/// for two commits can lie within one tick of the file system's clock, with
/// manifests of the same length, and a tag made of times would then confirm the
/// older one for as long as nothing new is published. For large files inode,
/// length and time must do: hashing them would cost more than sending them.
fn entity_tag(content: &Content, metadata: &Metadata, kind: &Kind, coding: Option<Coding>) -> EntityTag {
    let tag = match (kind, content, coding) {
        (Kind::Object { sha256 }, _, None) => sha256.clone(),
        (Kind::Object { sha256 }, _, Some(coding)) => format!("{sha256}-{}", coding.name()),
        (_, Content::Memory(bytes), _) => Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        (_, Content::File { length, .. }, _) => {
            format!("{length:x}-{}", platform::version(metadata))
        }
    };
    EntityTag::new(&tag)
}

/// `modified`, once it can serve as a validator: `Last-Modified` counts in
/// seconds, so while that second lasts another version may share it (RFC 9110,
/// section 8.8.2.2).
fn settled(modified: SystemTime, now: SystemTime) -> Option<SystemTime> {
    (now.duration_since(modified).ok()? >= Duration::from_secs(1)).then_some(modified)
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }

    /// The bytes of `range`, which must lie within the length.
    pub(super) fn into_body(self, range: Range<u64>) -> std::io::Result<Body> {
        match self {
            Self::Memory(bytes) => {
                let index = |offset: u64| usize::try_from(offset).expect("within a slice that is in memory");
                Ok(Body::from(bytes.slice(index(range.start)..index(range.end))))
            }
            Self::File { mut file, .. } => {
                file.seek(SeekFrom::Start(range.start))?;
                let part = tokio::fs::File::from_std(file).take(range.end - range.start);
                Ok(Body::from_stream(ReaderStream::with_capacity(part, CHUNK)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_validator_once_its_second_is_over() {
        let modified = SystemTime::UNIX_EPOCH + Duration::from_millis(1_000_000_900);
        let after = |milliseconds| settled(modified, modified + Duration::from_millis(milliseconds));
        assert_eq!(after(0), None);
        assert_eq!(after(999), None);
        assert_eq!(after(1000), Some(modified));
        assert_eq!(settled(modified, modified - Duration::from_secs(60)), None);
    }
}
