//! Options whose value is for every dataset of a call, or for one: `VALUE` or `NAME=VALUE`.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use clap::ValueEnum;
use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use lastgood::protocol::name::DatasetName;

use crate::exit::Failure;
use crate::unknown::closest;

/// A value that can be told from `NAME=VALUE` by itself, such as a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scoped<T> {
    dataset: Option<DatasetName>,
    value: T,
}

impl<T> Scoped<T> {
    /// The dataset that it is for; `None` for all.
    pub(crate) fn dataset(&self) -> Option<&DatasetName> {
        self.dataset.as_ref()
    }
}

/// Parses an argument that is one of several words, or the name of a dataset and one of them.
#[derive(Clone)]
pub(crate) struct ScopedChoice<T: ValueEnum + Clone + Send + Sync + 'static>(EnumValueParser<T>);

impl<T: ValueEnum + Clone + Send + Sync + 'static> ScopedChoice<T> {
    pub(crate) fn new() -> Self {
        Self(EnumValueParser::new())
    }
}

impl<T: ValueEnum + Clone + Send + Sync + 'static> TypedValueParser for ScopedChoice<T> {
    type Value = Scoped<T>;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        text: &OsStr,
    ) -> Result<Scoped<T>, clap::Error> {
        let named = text.to_str().and_then(|text| text.split_once('='));
        let named = named.and_then(|(name, word)| Some((DatasetName::parse(name).ok()?, OsStr::new(word))));
        let (dataset, word) = named.map_or((None, text), |(name, word)| (Some(name), word));
        Ok(Scoped { dataset, value: self.0.parse_ref(command, argument, word)? })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        self.0.possible_values()
    }
}

/// Parses an argument that is a value, or the name of a dataset and a value.
pub(crate) fn scoped<T, E: ToString>(
    parse: impl Fn(&str) -> Result<T, E> + Clone,
) -> impl Fn(&str) -> Result<Scoped<T>, String> + Clone {
    move |text| {
        let whole = parse(text).map(|value| Scoped { dataset: None, value });
        whole.or_else(|problem| {
            let named = text.split_once('=').and_then(|(name, value)| Some((DatasetName::parse(name).ok()?, value)));
            let (dataset, value) = named.ok_or_else(|| problem.to_string())?;
            Ok(Scoped { dataset: Some(dataset), value: parse(value).map_err(|problem| problem.to_string())? })
        })
    }
}

/// The datasets of a call.
#[derive(Clone, Copy)]
pub(crate) struct Datasets<'a>(pub(crate) &'a [&'a DatasetName]);

impl<'a> Datasets<'a> {
    /// Splits `NAME=VALUE`, where NAME is a dataset of this call; anything else is a value that is for all of them. So
    /// that a value may begin like that, NAME may stand before it.
    pub(crate) fn split<'t>(
        self,
        text: &'t str,
        is_value: impl Fn(&str) -> bool,
    ) -> (Option<&'a DatasetName>, &'t str) {
        let named = text.split_once('=').and_then(|(name, value)| {
            let dataset = self.0.iter().find(|dataset| dataset.as_str() == name)?;
            is_value(value).then_some((Some(*dataset), value))
        });
        named.unwrap_or((None, text))
    }

    /// The value of each dataset for an option that is given once for all, or once for each.
    pub(crate) fn single<T: Clone>(self, option: &str, given: &[Scoped<T>]) -> Result<PerDataset<T>, Failure> {
        let mut all = None;
        let mut own = BTreeMap::new();
        for Scoped { dataset, value } in given {
            let before = match dataset {
                None => all.replace(value.clone()),
                Some(dataset) if self.0.contains(&dataset) => own.insert(dataset.clone(), value.clone()),
                Some(dataset) => return Err(self.not_published(option, dataset)),
            };
            if before.is_some() {
                let of = dataset.as_ref().map(|dataset| format!(" for {dataset}")).unwrap_or_default();
                return Err(Failure::Usage(format!("{option}{of} is given more than once")));
            }
        }
        Ok(PerDataset { all, own })
    }

    /// The same for an option whose value is any text.
    pub(crate) fn single_text(self, option: &str, given: &[String]) -> Result<PerDataset<String>, Failure> {
        let scoped = given.iter().map(|text| {
            let (dataset, value) = self.split(text, |value| !value.is_empty());
            Scoped { dataset: dataset.cloned(), value: value.to_owned() }
        });
        self.single(option, &scoped.collect::<Vec<_>>())
    }

    fn not_published(self, option: &str, dataset: &DatasetName) -> Failure {
        let known: Vec<&str> = self.0.iter().map(|dataset| dataset.as_str()).collect();
        let meant = closest(dataset.as_str(), &known).map(|name| format!("; did you mean {name}=…?"));
        let meant = meant.unwrap_or_else(|| format!("; it has {}", known.join(", ")));
        Failure::Usage(format!("{option} {dataset}=…: {dataset} is not a dataset of this publish{meant}"))
    }
}

/// The values of an option by dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PerDataset<T> {
    all: Option<T>,
    own: BTreeMap<DatasetName, T>,
}

impl<T> PerDataset<T> {
    /// The value of a dataset: its own, else that of all.
    pub(crate) fn of(&self, dataset: &DatasetName) -> Option<&T> {
        self.own.get(dataset).or(self.all.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> DatasetName {
        DatasetName::parse(text).unwrap()
    }

    #[test]
    fn what_is_a_value_by_itself_is_for_all() {
        let parse = scoped(|text: &str| text.parse::<u64>().map_err(|error| error.to_string()));
        assert_eq!(parse("7"), Ok(Scoped { dataset: None, value: 7 }));
        assert_eq!(parse("a=7"), Ok(Scoped { dataset: Some(name("a")), value: 7 }));
        assert!(parse("a=").is_err() && parse("A=7").is_err() && parse("x").is_err());
    }

    #[test]
    fn only_a_dataset_of_the_call_is_a_name() {
        let (a, b) = (name("a"), name("b"));
        let all = [&a, &b];
        let datasets = Datasets(&all);
        let pair = |value: &str| value.contains('=');
        assert_eq!(datasets.split("a=b=c", pair), (Some(&a), "b=c"));
        assert_eq!(datasets.split("c=b=a", pair), (None, "c=b=a"));
        assert_eq!(datasets.split("a=b", pair), (None, "a=b"), "a pair by itself");
        let own = datasets.single_text("--x", &["day".to_owned(), "b=hour".to_owned()]).unwrap();
        assert_eq!((own.of(&a).unwrap().as_str(), own.of(&b).unwrap().as_str()), ("day", "hour"));
        assert!(datasets.single_text("--x", &["a=1".to_owned(), "a=2".to_owned()]).is_err());
    }
}
