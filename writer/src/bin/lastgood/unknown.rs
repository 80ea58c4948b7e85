//! A dataset that the feed does not have: the same mistake, code and message for every command that takes a name.

use lastgood::protocol::manifest::Manifest;
use lastgood::protocol::name::DatasetName;

use lastgood::{Error, Feed, NoRollback};

use crate::exit::Failure;

/// How alike two names must be for one to be taken for the other, mistyped.
const ALIKE: f64 = 0.8;

/// How many of the names that there are a message shows.
const SHOWN: usize = 20;

/// Refuses the first of `names` that is not published.
pub(crate) fn check<'a>(mut names: impl Iterator<Item = &'a DatasetName>, manifest: &Manifest) -> Result<(), Failure> {
    match names.find(|name| !manifest.datasets.contains_key(name)) {
        Some(name) => Err(not_published(name, manifest)),
        None => Ok(()),
    }
}

/// The failure for a name that is not published: it says what is, and which of it may be meant.
pub(crate) fn not_published(name: &DatasetName, manifest: &Manifest) -> Failure {
    let known: Vec<&str> = manifest.datasets.keys().map(DatasetName::as_str).collect();
    let suggestion = closest(name.as_str(), &known).map(str::to_owned);
    let known = match known.get(..SHOWN) {
        Some(first) if known.len() > SHOWN => format!("{} and {} more", first.join(", "), known.len() - SHOWN),
        _ if known.is_empty() => "none".to_owned(),
        _ => known.join(", "),
    };
    let withdrawn = manifest.withdrawn.get(name).map(|at| at.to_string());
    // A name that was there is not mistyped.
    let suggestion = suggestion.filter(|_| withdrawn.is_none());
    Failure::NotPublished { dataset: name.clone(), known, suggestion, withdrawn }
}

/// The failure of an operation, which may be that the feed does not have the dataset. The manifest is read anew for its names; what
/// cannot be read now could be when it was tried.
pub(crate) fn explained(feed: &Feed, error: Error) -> Failure {
    match &error {
        Error::NotPublished { dataset } | Error::NoRollback { reason: NoRollback::NotPublished { .. }, dataset } => {
            let dataset = dataset.clone();
            feed.manifest().map_or_else(Failure::Feed, |manifest| not_published(&dataset, &manifest))
        }
        _ => error.into(),
    }
}

/// The name that may be meant by a mistyped one.
pub(crate) fn closest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let similarity = |known: &str| strsim::jaro_winkler(known, name);
    let closest = known.iter().copied().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
    closest.filter(|known| similarity(known) > ALIKE)
}
