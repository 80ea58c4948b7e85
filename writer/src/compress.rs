//! The compressed siblings of an object and of its plain copy, for servers that send them as they are.

use std::io::{self, Read, Write};

use lastgood_protocol::layout::Encoding;

use crate::parallel;
use crate::storage::{Kind, Pending, StagedFile, Staging};

/// Which siblings are made, and how hard to try.
#[derive(Debug, Clone)]
pub struct Compression {
    /// The gzip level, 1 to 9; `None` for no `.gz`. Default: 6.
    pub gzip: Option<u32>,
    /// The Brotli quality, 0 to 11; `None` for no `.br`. Default: 5.
    pub brotli: Option<u32>,
    /// Payloads below this size, in bytes, get none: a response header weighs more. Default: 1024.
    pub min_size: u64,
}

impl Default for Compression {
    fn default() -> Self {
        Self { gzip: Some(6), brotli: Some(5), min_size: 1024 }
    }
}

impl Compression {
    /// No siblings at all.
    pub const OFF: Self = Self { gzip: None, brotli: None, min_size: 0 };

    /// The same settings for one of them alone.
    pub(crate) fn only(&self, encoding: Encoding) -> Self {
        match encoding {
            Encoding::Gzip => Self { brotli: None, ..self.clone() },
            Encoding::Brotli => Self { gzip: None, ..self.clone() },
        }
    }

    fn level(&self, encoding: Encoding) -> Option<u32> {
        match encoding {
            Encoding::Gzip => self.gzip.map(|level| level.clamp(1, 9)),
            Encoding::Brotli => self.brotli.map(|quality| quality.min(11)),
        }
    }
}

/// A compressed form of a payload in staging, once for each file that it is to stand beside: as with the payload itself, neither
/// is a link to the other.
pub(crate) struct Sibling<F> {
    pub(crate) encoding: Encoding,
    pub(crate) of_object: Pending<F>,
    /// `None` where there is to be no plain copy.
    pub(crate) of_plain_copy: Option<Pending<F>>,
}

/// Writes the siblings of a payload into staging, in parallel. A sibling that saves less than a twentieth is left out.
pub(crate) fn siblings<G: Staging>(
    staging: &G,
    payload: &Pending<G::File>,
    size: u64,
    compression: &Compression,
    plain_copy: bool,
) -> io::Result<Vec<Sibling<G::File>>> {
    if size < compression.min_size {
        return Ok(Vec::new());
    }
    let wanted: Vec<_> =
        Encoding::ALL.into_iter().filter_map(|encoding| Some((encoding, compression.level(encoding)?))).collect();
    let made = parallel::map(parallel::cores(), &wanted, |&(encoding, level)| {
        sibling(staging, payload, size, (encoding, level), plain_copy)
    });
    Ok(made.into_iter().collect::<io::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn sibling<G: Staging>(
    staging: &G,
    payload: &Pending<G::File>,
    size: u64,
    (encoding, level): (Encoding, u32),
    plain_copy: bool,
) -> io::Result<Option<Sibling<G::File>>> {
    let mut input = payload.reader()?;
    let create = || staging.create(Kind::Published);
    let mut output = Output { of_object: create()?, of_plain_copy: plain_copy.then(create).transpose()?, bytes: 0 };
    match encoding {
        Encoding::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(&mut output, flate2::Compression::new(level));
            io::copy(&mut input, &mut encoder)?;
            encoder.finish()?;
        }
        Encoding::Brotli => {
            let quality = i32::try_from(level).unwrap_or(11);
            // Window of 4 MiB (22 bits): what every browser takes. Not CompressorWriter: its into_inner drops the error
            // of the last write, so a full disk would leave a short sibling.
            let params = brotli::enc::BrotliEncoderParams { quality, lgwin: 22, ..Default::default() };
            brotli::BrotliCompress(&mut input, &mut output, &params)?;
        }
    }
    let Output { of_object, of_plain_copy, bytes } = output;
    let of_object = of_object.finish()?;
    let of_plain_copy = of_plain_copy.map(StagedFile::finish).transpose()?;
    let helps = bytes < size - size / 20;
    Ok(helps.then_some(Sibling { encoding, of_object, of_plain_copy }))
}

/// What comes out of a sibling.
pub(crate) fn decoder(encoding: Encoding, file: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
    match encoding {
        Encoding::Gzip => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Encoding::Brotli => Box::new(brotli::Decompressor::new(file, 64 * 1024)),
    }
}

/// Whether an error of a [`decoder`] says that the bytes are not compressed in its way, and not that they could not be read.
pub(crate) fn is_corrupt(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof)
}

/// Writes what is compressed once into each file.
struct Output<F> {
    of_object: F,
    of_plain_copy: Option<F>,
    bytes: u64,
}

impl<F: Write> Write for Output<F> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.of_object.write(buffer)?;
        if let Some(copy) = &mut self.of_plain_copy {
            copy.write_all(&buffer[..written])?;
        }
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.of_object.flush()?;
        self.of_plain_copy.as_mut().map_or(Ok(()), Write::flush)
    }
}
