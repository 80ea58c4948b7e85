//! `lastgood diff`

use std::collections::BTreeSet;
use std::fmt;

use clap::Args;
use indicatif::HumanBytes;
use lastgood::protocol::failure::Code;
use lastgood::protocol::manifest::{Entry, Generation, Manifest};
use lastgood::protocol::name::DatasetName;
use lastgood::{Error, Feed, Outline};
use serde::Serialize;

use crate::exit::{Exit, Failure};
use crate::{Session, unknown};

const EXAMPLES: &str = "\
Examples:
  lastgood diff 41                       (what has changed since generation 41)
  lastgood diff 41 42
  lastgood diff 41 42 --dataset performance --json

Keys are the names of the members of the rows, or of the object that a payload is. Which generations are retained, and so can
be compared: lastgood history.";

/// How many keys are shown to people.
const SHOWN: usize = 12;

/// Say what differs between two generations: sizes, rows, schemas, keys that have come and gone
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The one generation, which must be retained
    #[arg(value_name = "A")]
    from: Generation,
    /// The other [default: the published one]
    #[arg(value_name = "B")]
    to: Option<Generation>,
    /// Only this dataset; may be repeated [default: all]
    #[arg(long = "dataset", value_name = "NAME")]
    datasets: Vec<DatasetName>,
}

#[derive(Serialize)]
struct Report<'a> {
    dir: String,
    from: u64,
    to: u64,
    datasets: Vec<Dataset<'a>>,
}

#[derive(Serialize)]
struct Dataset<'a> {
    dataset: &'a str,
    change: Change,
    from: Option<Side>,
    to: Option<Side>,
    added_keys: Vec<String>,
    removed_keys: Vec<String>,
    /// Keys whose values are of other kinds, such as a text that was a number.
    changed_keys: Vec<Key>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Change {
    Same,
    Changed,
    Added,
    Removed,
}

/// A payload in one of the two generations.
#[derive(Serialize)]
struct Side {
    sha256: String,
    ext: String,
    size: u64,
    rows: Option<u64>,
    schema_version: Option<u32>,
    schema_sha256: Option<String>,
}

#[derive(Serialize)]
struct Key {
    key: String,
    from: String,
    to: String,
}

impl Diff {
    pub(crate) fn run(self, session: &Session) -> Result<Exit, Failure> {
        let feed = session.feed();
        let published = feed.manifest()?;
        let to = self.to.unwrap_or(published.generation);
        let of = |generation| {
            if generation == published.generation { Ok(published.clone()) } else { feed.manifest_of(generation) }
        };
        let (before, after) = (of(self.from)?, of(to)?);
        for name in &self.datasets {
            if !before.datasets.contains_key(name) {
                unknown::check([name].into_iter(), &after)?;
            }
        }
        let names: BTreeSet<&DatasetName> = before.datasets.keys().chain(after.datasets.keys()).collect();
        let wanted = names.into_iter().filter(|name| self.datasets.is_empty() || self.datasets.contains(name));
        let datasets = wanted.map(|name| compared(&feed, name, &before, &after)).collect::<Result<Vec<_>, Error>>()?;
        let dir = session.dir.path.display().to_string();
        session.output.answer(&Report { dir, from: self.from.get(), to: to.get(), datasets }, Exit::Done)
    }
}

fn compared<'a>(feed: &Feed, name: &'a DatasetName, before: &Manifest, after: &Manifest) -> Result<Dataset<'a>, Error> {
    let entries = [before, after].map(|manifest| manifest.datasets.get(name));
    let same = matches!(entries, [Some(a), Some(b)] if (a.sha256, &a.ext) == (b.sha256, &b.ext));
    let mut from = entries[0].map(|entry| outline(feed, name, entry)).transpose()?;
    let to = match entries[1] {
        // Read once.
        Some(_) if same => from.clone(),
        entry => entry.map(|entry| outline(feed, name, entry)).transpose()?,
    };
    let change = match (&from, &to) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ if same && entries[0].map(|entry| &entry.schema) == entries[1].map(|entry| &entry.schema) => Change::Same,
        _ => Change::Changed,
    };
    let (mut added_keys, mut removed_keys, mut changed_keys) = (Vec::new(), Vec::new(), Vec::new());
    if let (Some(from), Some(to)) = (&mut from, &to) {
        added_keys.extend(to.members.keys().filter(|key| !from.members.contains_key(*key)).cloned());
        for (key, kinds) in &from.members {
            let (was, is) = (kinds.without_null(), to.members.get(key).map(|kinds| kinds.without_null()));
            match is {
                None => removed_keys.push(key.clone()),
                Some(is) if is != was && !is.is_empty() && !was.is_empty() => {
                    changed_keys.push(Key { key: key.clone(), from: was.to_string(), to: is.to_string() });
                }
                Some(_) => {}
            }
        }
    }
    let side = |entry: Option<&Entry>, outline: Option<Outline>| {
        let entry = entry?;
        Some(Side {
            sha256: entry.sha256.to_string(),
            ext: entry.ext.as_str().to_owned(),
            size: entry.size,
            rows: outline.and_then(|outline| outline.rows),
            schema_version: entry.schema.as_ref().map(|schema| schema.version),
            schema_sha256: entry.schema.as_ref().map(|schema| schema.sha256.to_string()),
        })
    };
    let (from, to) = (side(entries[0], from), side(entries[1], to));
    Ok(Dataset { dataset: name.as_str(), change, from, to, added_keys, removed_keys, changed_keys })
}

/// The outline of a payload, of which every byte is verified.
fn outline(feed: &Feed, name: &DatasetName, entry: &Entry) -> Result<Outline, Error> {
    let payload = feed.payload_of(name, entry)?;
    if !entry.ext.is_json() {
        return Ok(Outline::default());
    }
    let outline = Outline::of(&payload[..]).map_err(|error| error.to_string()).and_then(|outline| outline);
    let not_json = |problem| lastgood::protocol::failure::Failure::new(Code::NotJson, problem).of(name);
    Ok(outline.map_err(not_json)?)
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "generation {} -> {} in {}", self.from, self.to, self.dir)?;
        let width = self.datasets.iter().map(|dataset| dataset.dataset.len()).max().unwrap_or(0);
        for dataset in &self.datasets {
            let change = match dataset.change {
                Change::Same => "unchanged",
                Change::Changed => "changed",
                Change::Added => "added",
                Change::Removed => "removed",
            };
            write!(f, "  {:width$}  {change}", dataset.dataset)?;
            if dataset.change != Change::Same {
                both(f, "", &dataset.from, &dataset.to, |side| Some(HumanBytes(side.size).to_string()))?;
                both(f, "rows ", &dataset.from, &dataset.to, |side| side.rows.map(|rows| rows.to_string()))?;
                schemas(f, &dataset.from, &dataset.to)?;
            }
            writeln!(f)?;
            for (sign, keys) in [('+', &dataset.added_keys), ('-', &dataset.removed_keys)] {
                if !keys.is_empty() {
                    writeln!(f, "  {:width$}  {sign} {}", "", shown(keys))?;
                }
            }
            let changed = dataset.changed_keys.iter();
            let changed: Vec<String> =
                changed.map(|Key { key, from, to }| format!("{}: {from} -> {to}", key.escape_debug())).collect();
            if !changed.is_empty() {
                writeln!(f, "  {:width$}  ~ {}", "", shown(&changed))?;
            }
        }
        Ok(())
    }
}

/// A value on both sides; once where it is the same.
fn both(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    from: &Option<Side>,
    to: &Option<Side>,
    of: impl Fn(&Side) -> Option<String>,
) -> fmt::Result {
    match (from.as_ref().and_then(&of), to.as_ref().and_then(&of)) {
        (Some(from), Some(to)) if from != to => write!(f, ", {what}{from} -> {to}"),
        (Some(value), _) | (None, Some(value)) => write!(f, ", {what}{value}"),
        (None, None) => Ok(()),
    }
}

fn schemas(f: &mut fmt::Formatter<'_>, from: &Option<Side>, to: &Option<Side>) -> fmt::Result {
    let schema = |side: &Option<Side>| {
        let side = side.as_ref()?;
        Some((side.schema_version?, side.schema_sha256.clone()))
    };
    match (schema(from), schema(to)) {
        (None, None) => Ok(()),
        (before, after) if before == after => Ok(()),
        (Some((before, _)), Some((after, _))) if before == after => write!(f, ", another schema (version {after})"),
        (Some((before, _)), Some((after, _))) => write!(f, ", schema version {before} -> {after}"),
        (None, Some((after, _))) => write!(f, ", with a schema (version {after})"),
        (Some(_), None) => write!(f, ", without a schema"),
    }
}

fn shown(keys: &[String]) -> String {
    let first = keys.iter().take(SHOWN).map(|key| key.escape_debug().to_string()).collect::<Vec<_>>().join(", ");
    if keys.len() > SHOWN { format!("{first} and {} more", keys.len() - SHOWN) } else { first }
}
