//! Prepare: each input is streamed once into staging, hashed and checked as it goes, in constant memory, without any
//! lock. Everything that takes long happens here.

use std::io::{self, Read};
use std::time::Duration;

use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout;
use lastgood_protocol::manifest::{Entry, Generation, Manifest, Meta, SchemaRef};
use lastgood_protocol::name::{DatasetName, Ext};
use lastgood_protocol::payload::{Rules, Scanner, Summary};
use lastgood_protocol::schema::Draft;
use lastgood_protocol::time::Timestamp;

use crate::compress::Sibling;
use crate::convert::csv::{ColumnType, excerpt, of_type};
use crate::convert::{Conversion, Format, Head, Remarks};
use crate::error::Error;
use crate::feed::Feed;
use crate::guards::{Candidate, Guarded, Guards};
use crate::objects::CHUNK_BYTES;
use crate::outline::{Kinds, Outline};
use crate::output::Output;
use crate::rollback::NoRollback;
use crate::schema::{Schema, Validator};
use crate::storage::{Pending, Storage};

/// One dataset to be published.
pub struct Item<'a> {
    pub(crate) dataset: DatasetName,
    pub(crate) input: Box<dyn Read + Send + 'a>,
    pub(crate) ext: Ext,
    pub(crate) format: Format,
    pub(crate) rules: Rules,
    pub(crate) meta: Option<String>,
    pub(crate) schema: Option<Schema>,
    pub(crate) assert_formats: bool,
    pub(crate) guards: Guards,
    pub(crate) force: bool,
}

impl<'a> Item<'a> {
    /// A dataset with its payload, read to the end by the publish.
    #[must_use]
    pub fn new(dataset: DatasetName, input: impl Read + Send + 'a) -> Self {
        Self {
            dataset,
            input: Box::new(input),
            ext: Ext::json(),
            format: Format::default(),
            rules: Rules::default(),
            meta: None,
            schema: None,
            assert_formats: false,
            guards: Guards::default(),
            force: false,
        }
    }

    /// The same as an artifact: published as it is, under this extension. Of the payload rules only the limit of the size
    /// applies, unless the extension is `json`.
    #[must_use]
    pub fn artifact(self, ext: Ext) -> Self {
        Self { ext, ..self }
    }

    /// The same with input in another format, which is published as JSON. An artifact is published as it is all the same.
    #[must_use]
    pub fn format(self, format: Format) -> Self {
        Self { format, ..self }
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

    /// The same with a schema, which the payload must match and which is published beside it. The payload is held in memory
    /// to be validated.
    #[must_use]
    pub fn schema(self, schema: Schema) -> Self {
        Self { schema: Some(schema), ..self }
    }

    /// The same with `format` asserted: a text of the payload that has another format than the schema says is a violation. By
    /// default `format` is an annotation, as it is to readers.
    #[must_use]
    pub fn assert_formats(self) -> Self {
        Self { assert_formats: true, ..self }
    }
}

/// A dataset that waits in staging for its commit.
pub(crate) struct Prepared<F> {
    pub(crate) dataset: DatasetName,
    pub(crate) ext: Ext,
    pub(crate) sha256: Sha256,
    pub(crate) size: u64,
    pub(crate) nan_mapped: u64,
    pub(crate) rows: Option<u64>,
    pub(crate) remarks: Remarks,
    pub(crate) schema: Option<PreparedSchema<F>>,
    pub(crate) meta: Option<Meta>,
    /// From when on readers must not take it for current.
    pub(crate) expiry: Expiry,
    /// What must be true of the feed under the lock, or the commit is refused.
    pub(crate) condition: Condition,
    pub(crate) object: Pending<F>,
    pub(crate) siblings: Vec<Sibling<F>>,
    /// `None` when the feed is to have none.
    pub(crate) plain_copy: Option<Pending<F>>,
}

/// When a payload that is prepared ceases to be current.
#[derive(Clone, Copy)]
pub(crate) enum Expiry {
    /// So long after its commit, or never.
    In(Option<Duration>),
    /// At a certain time, or never.
    At(Option<Timestamp>),
}

impl Expiry {
    /// The end of what is committed now.
    pub(crate) fn end(self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Expiry::In(span) => span.map(|span| now.plus_ms(span.as_millis().try_into().unwrap_or(i64::MAX))),
            Expiry::At(end) => end,
        }
    }
}

impl<F> Prepared<F> {
    /// The digests of the objects that it brings.
    pub(crate) fn objects(&self) -> Vec<Sha256> {
        let schema = self.schema.as_ref().map(|schema| schema.reference.sha256);
        std::iter::once(self.sha256).chain(schema).collect()
    }
}

/// The schema that a prepared payload was validated against.
pub(crate) struct PreparedSchema<F> {
    pub(crate) reference: SchemaRef,
    /// The draft that it was given in, when that was another than it is published in.
    pub(crate) converted_from: Option<Draft>,
    pub(crate) object: Pending<F>,
}

/// What was assumed about the feed while a dataset was prepared without the lock.
pub(crate) enum Condition {
    /// Nothing.
    None,
    /// That the dataset still has this payload, or is not published still, and that what it is to have again has not been
    /// purged: it is that of this generation.
    GoesBack(Option<Sha256>, Generation),
    /// That its guards hold beside what is published, as they did.
    Guards(Box<Guarded>),
}

impl Condition {
    /// Holds the assumption against what is published, under the lock: another publisher in between must not defeat it.
    /// Returns the names of the guards that are overridden, if any.
    pub(crate) fn check<S: Storage>(
        &self,
        storage: &S,
        dataset: &DatasetName,
        published: Option<&Entry>,
    ) -> Result<Option<String>, Error> {
        match self {
            Condition::None => Ok(None),
            Condition::GoesBack(replaces, _) if published.map(|entry| entry.sha256) == *replaces => Ok(None),
            Condition::GoesBack(..) => Err(Error::Conflict { dataset: dataset.clone() }),
            Condition::Guards(guarded) => guarded.verdict(storage, dataset, published),
        }
    }

    /// Refuses to bring back what was purged while it was prepared.
    pub(crate) fn check_purged(
        &self,
        dataset: &DatasetName,
        objects: &[Sha256],
        published: &Manifest,
    ) -> Result<(), Error> {
        let Condition::GoesBack(_, generation) = *self else { return Ok(()) };
        match objects.iter().find_map(|sha256| published.purged.get(sha256)) {
            Some(at) => Err(Error::NoRollback {
                dataset: dataset.clone(),
                reason: NoRollback::Purged { dataset: dataset.clone(), generation, at },
            }),
            None => Ok(()),
        }
    }
}

pub(crate) fn prepare<S: Storage>(
    feed: &Feed<S>,
    staging: &S::Staging,
    item: Item<'_>,
) -> Result<Prepared<S::File>, Error> {
    let Item { dataset, input, ext, format, rules, meta, schema, assert_formats, guards, force } = item;
    let meta = meta
        .map(|json| Meta::parse(&json))
        .transpose()
        .map_err(|source| Error::Meta { dataset: dataset.clone(), source })?;
    let validator = schema.map(|schema| Validator::new(&dataset, &ext, schema, assert_formats)).transpose()?;
    let mut output = Output::open(feed, staging).map_err(|source| cannot_stage(&dataset, source))?;
    if validator.is_some() {
        output.keep();
    }
    let (summary, mut remarks) = match ext.is_json() {
        true => scan(feed, staging, &dataset, input, &format, rules, &mut output)?,
        false => (take_as_it_is(feed, &dataset, input, rules.max_bytes, &mut output)?, Remarks::default()),
    };
    if let Some(validator) = &validator {
        validator.validate(&dataset, output.take_kept())?;
    }
    remarks.notes.extend(changed_types(feed, &dataset, &remarks.inferred)?);
    let (nan_mapped, rows) = (summary.nan_mapped, summary.rows);
    let staged = output.finish(feed, staging, &dataset)?;
    let candidate = Candidate { ext: &ext, size: staged.size, rows, meta: meta.as_ref() };
    let condition = guarded(feed, &dataset, guards, force, &candidate, &staged.object)?;
    let schema = validator.map(|validator| validator.stage(staging)).transpose();
    let schema = schema.map_err(Error::io(format!("write the schema of {dataset} to staging")))?;
    Ok(Prepared {
        dataset,
        ext,
        sha256: staged.sha256,
        size: staged.size,
        nan_mapped,
        rows,
        remarks,
        schema,
        meta,
        expiry: Expiry::In(feed.settings.expires_in),
        condition,
        object: staged.object,
        siblings: staged.siblings,
        plain_copy: staged.plain_copy,
    })
}

/// Holds a payload against its guards, before anyone waits for the lock.
fn guarded<S: Storage>(
    feed: &Feed<S>,
    dataset: &DatasetName,
    guards: Guards,
    force: bool,
    candidate: &Candidate<'_>,
    object: &Pending<S::File>,
) -> Result<Condition, Error> {
    if guards == Guards::default() {
        return Ok(Condition::None);
    }
    let failed = || Error::io(format!("hold {dataset} against its guards"));
    let mut guarded = Guarded::new(guards, force, candidate, || object.reader()).map_err(failed())?;
    let current = if guarded.compares() { feed.current()? } else { None };
    let published = current.as_ref().and_then(|current| current.manifest.datasets.get(dataset));
    guarded.compare(&feed.storage, published).map_err(failed())?;
    guarded.verdict(&feed.storage, dataset, published)?;
    Ok(Condition::Guards(Box::new(guarded)))
}

/// Says which columns have another type than in what is published, although nobody said that they should: the values alone
/// decide, and pages may rely on the type. What cannot be read of the published payload is not compared.
fn changed_types<S: Storage>(
    feed: &Feed<S>,
    dataset: &DatasetName,
    inferred: &[(String, ColumnType)],
) -> Result<Vec<String>, Error> {
    if inferred.is_empty() {
        return Ok(Vec::new());
    }
    let current = feed.current()?;
    let entry = current.as_ref().and_then(|current| current.manifest.datasets.get(dataset));
    let Some(entry) = entry.filter(|entry| entry.ext.is_json()) else { return Ok(Vec::new()) };
    let object = feed.storage.open(&layout::object(&entry.sha256, &entry.ext));
    let Ok(Some(object)) = object else { return Ok(Vec::new()) };
    // The first value that is not null tells the type of a column that was published from CSV.
    let before = |outline: &Outline, name: &str| outline.members.get(name).copied().unwrap_or_default().without_null();
    let known = |outline: &Outline| inferred.iter().all(|(name, _)| !before(outline, name).is_empty());
    let Ok(Ok(published)) = Outline::until(object, known) else { return Ok(Vec::new()) };
    let changed = inferred.iter().filter_map(|(name, kind)| {
        let was = match before(&published, name) {
            Kinds::NUMBER => "float",
            Kinds::BOOLEAN => "boolean",
            Kinds::TEXT => "text",
            _ => return None,
        };
        let is = match kind {
            ColumnType::Integer | ColumnType::Float => "float",
            ColumnType::Boolean => "boolean",
            ColumnType::Text => "text",
        };
        let (keep, meant) = (of_type(dataset, name, was), of_type(dataset, name, kind.as_str()));
        let numbers = |kind| if kind == "float" { "numbers" } else { kind };
        (was != is && !name.contains(char::is_control)).then(|| {
            format!(
                "column {}: {} in what is published, {} now, as its values suggest; pages may rely on that: {keep} insists on it, \
                 {meant} says that the change is meant",
                excerpt(name).escape_debug(),
                numbers(was),
                numbers(is)
            )
        })
    });
    Ok(changed.collect())
}

fn scan<S: Storage>(
    feed: &Feed<S>,
    staging: &S::Staging,
    dataset: &DatasetName,
    mut input: impl Read + Send,
    format: &Format,
    rules: Rules,
    output: &mut Output<S::File>,
) -> Result<(Summary, Remarks), Error> {
    let conversion = Conversion { dataset, staging, max_bytes: rules.max_bytes };
    let refused = |refusal| conversion.refused(format, refusal);
    let staged = |source| cannot_stage(dataset, source);
    let mut head = Head::default();
    let source = |buffer: &mut [u8]| {
        let size = read(feed, dataset, &mut input, buffer)?;
        head.take(&buffer[..size]);
        Ok(size)
    };
    let mut scanner = Scanner::new(rules);
    let converted = conversion.run(format, source, &mut |json: &[u8]| {
        feed.check_cancelled()?;
        scanner.push(json, &mut |bytes| output.write(bytes)).map_err(refused)?;
        output.check().map_err(staged)
    });
    let scanned = converted.and_then(|remarks| {
        let summary = scanner.finish(&mut |bytes| output.write(bytes)).map_err(refused)?;
        Ok((summary, remarks))
    });
    let scanned = scanned.map_err(|error| {
        let rest = |buffer: &mut [u8]| read(feed, dataset, &mut input, buffer);
        conversion.explained(format, error, head, rest)
    })?;
    output.check().map_err(staged)?;
    Ok(scanned)
}

/// An artifact: no rule but the limit of the size.
fn take_as_it_is<S: Storage>(
    feed: &Feed<S>,
    dataset: &DatasetName,
    mut input: impl Read,
    max_bytes: u64,
    output: &mut Output<S::File>,
) -> Result<Summary, Error> {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let size = read(feed, dataset, &mut input, &mut chunk)?;
        if size == 0 {
            return Ok(Summary { size: output.size(), nan_mapped: 0, rows: None });
        }
        output.write(&chunk[..size]);
        if output.size() > max_bytes {
            return Err(Error::TooLarge { dataset: dataset.clone(), max_bytes });
        }
        output.check().map_err(|source| cannot_stage(dataset, source))?;
    }
}

/// Reads the next bytes of an input, unless the publish is cancelled.
pub(crate) fn read<S: Storage>(
    feed: &Feed<S>,
    dataset: &DatasetName,
    input: &mut impl Read,
    buffer: &mut [u8],
) -> Result<usize, Error> {
    loop {
        feed.check_cancelled()?;
        match input.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read.map_err(|source| Error::Input { dataset: dataset.clone(), source }),
        }
    }
}

pub(crate) fn cannot_stage(dataset: &DatasetName, source: io::Error) -> Error {
    Error::Io { doing: format!("write the payload of {dataset} to staging"), source }
}
