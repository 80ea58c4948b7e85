//! Prepare: each input is streamed once into staging, hashed and checked as it goes, in constant memory, without any
//! lock. Everything that takes long happens here.

use std::io::{self, Read};

use lastgood_protocol::digest::{Hasher, Sha256};
use lastgood_protocol::layout::Encoding;
use lastgood_protocol::manifest::Meta;
use lastgood_protocol::name::DatasetName;
use lastgood_protocol::payload::{Rules, Scanner};

use crate::compress;
use crate::error::Error;
use crate::feed::Feed;
use crate::objects::CHUNK_BYTES;
use crate::storage::{Kind, Pending, StagedFile, Staging, Storage};

/// One dataset to be published.
pub struct Item<'a> {
    pub(crate) dataset: DatasetName,
    pub(crate) input: Box<dyn Read + Send + 'a>,
    pub(crate) rules: Rules,
    pub(crate) meta: Option<String>,
}

impl<'a> Item<'a> {
    /// A dataset with its payload, read to the end by the publish.
    #[must_use]
    pub fn new(dataset: DatasetName, input: impl Read + Send + 'a) -> Self {
        Self { dataset, input: Box::new(input), rules: Rules::default(), meta: None }
    }

    /// The same with other payload rules.
    #[must_use]
    pub fn rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// The same with the publisher's own JSON about it, at most 4 KiB.
    #[must_use]
    pub fn meta(self, json: impl Into<String>) -> Self {
        Self { meta: Some(json.into()), ..self }
    }
}

/// A dataset that waits in staging for its commit.
pub(crate) struct Prepared<F> {
    pub(crate) dataset: DatasetName,
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    pub(crate) nan_mapped: u64,
    pub(crate) rows: Option<u64>,
    pub(crate) meta: Option<Meta>,
    pub(crate) object: Pending<F>,
    pub(crate) siblings: Vec<(Encoding, Pending<F>)>,
    pub(crate) plain_copy: Pending<F>,
}

pub(crate) fn prepare<S: Storage>(
    feed: &Feed<S>,
    staging: &S::Staging,
    item: Item<'_>,
) -> Result<Prepared<S::File>, Error> {
    let Item { dataset, input, rules, meta } = item;
    let meta = meta
        .map(|json| Meta::parse(&json))
        .transpose()
        .map_err(|source| Error::Meta { dataset: dataset.clone(), source })?;
    let staged = |source| cannot_stage(&dataset, source);
    let mut output = Output {
        object: staging.create(Kind::Published).map_err(staged)?,
        plain_copy: staging.create(Kind::Published).map_err(staged)?,
        hasher: Hasher::new(),
        failed: None,
    };
    let summary = scan(feed, &dataset, input, rules, &mut output)?;
    let Output { object, plain_copy, hasher, .. } = output;
    let object = object.finish().map_err(staged)?;
    let plain_copy = plain_copy.finish().map_err(staged)?;
    let siblings = compress::siblings(staging, &object, summary.size, &feed.settings.compression)
        .map_err(Error::io(format!("compress the payload of {dataset}")))?;
    Ok(Prepared {
        sha256: hasher.finish(),
        size: summary.size,
        nan_mapped: summary.nan_mapped,
        rows: summary.rows,
        dataset,
        meta,
        object,
        siblings,
        plain_copy,
    })
}

fn scan<S: Storage>(
    feed: &Feed<S>,
    dataset: &DatasetName,
    mut input: impl Read,
    rules: Rules,
    output: &mut Output<S::File>,
) -> Result<lastgood_protocol::payload::Summary, Error> {
    let refused = |refusal| Error::Refused { dataset: dataset.clone(), refusal: Box::new(refusal) };
    let staged = |source| cannot_stage(dataset, source);
    let mut scanner = Scanner::new(rules);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        feed.check_cancelled()?;
        let size = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(size) => size,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(Error::Input { dataset: dataset.clone(), source }),
        };
        scanner.push(&chunk[..size], &mut |bytes| output.write(bytes)).map_err(refused)?;
        output.check().map_err(staged)?;
    }
    let summary = scanner.finish(&mut |bytes| output.write(bytes)).map_err(refused)?;
    output.check().map_err(staged)?;
    Ok(summary)
}

fn cannot_stage(dataset: &DatasetName, source: io::Error) -> Error {
    Error::Io { doing: format!("write the payload of {dataset} to staging"), source }
}

/// Where the bytes to be published go, each once.
struct Output<F> {
    object: F,
    plain_copy: F,
    hasher: Hasher,
    /// The scanner's sink cannot fail, so the first error waits here.
    failed: Option<io::Error>,
}

impl<F: StagedFile> Output<F> {
    fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.hasher.update(bytes);
        self.failed = self.object.write_all(bytes).and_then(|()| self.plain_copy.write_all(bytes)).err();
    }

    fn check(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }
}
