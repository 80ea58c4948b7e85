//! The Prometheus text format: what the metrics are, and how they are carried from run to run.

use std::collections::BTreeMap;

use prometheus::{CounterVec, GaugeVec, Opts, Registry, TextEncoder};

/// What is measured. The order is that of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Metric {
    LastSuccess,
    LastAttempt,
    Done,
    Failures,
    Duration,
    Generation,
    Problems,
    DatasetLastSuccess,
    DatasetSize,
    DatasetRows,
    DatasetBytes,
    DatasetExpires,
}

/// How a metric behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gauge,
    Counter,
}

struct Definition {
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
}

impl Metric {
    const ALL: [Self; 12] = [
        Self::LastSuccess,
        Self::LastAttempt,
        Self::Done,
        Self::Failures,
        Self::Duration,
        Self::Generation,
        Self::Problems,
        Self::DatasetLastSuccess,
        Self::DatasetSize,
        Self::DatasetRows,
        Self::DatasetBytes,
        Self::DatasetExpires,
    ];

    /// The one table, which `docs/metrics.md` repeats.
    fn definition(self) -> Definition {
        use Kind::{Counter, Gauge};
        const OPERATION: &[&str] = &["dir", "operation"];
        const DATASET: &[&str] = &["dir", "dataset"];
        let (name, kind, labels, help): (_, _, &[&str], _) = match self {
            Self::LastSuccess => {
                ("lastgood_last_success_timestamp_seconds", Gauge, OPERATION, "When the operation last succeeded.")
            }
            Self::LastAttempt => {
                ("lastgood_last_attempt_timestamp_seconds", Gauge, OPERATION, "When the operation last ended, however.")
            }
            Self::Done => ("lastgood_operations_total", Counter, OPERATION, "Operations that succeeded."),
            Self::Failures => (
                "lastgood_failures_total",
                Counter,
                &["dir", "operation", "code"],
                "Operations that failed, by the code of the error.",
            ),
            Self::Duration => {
                ("lastgood_last_duration_seconds", Gauge, OPERATION, "How long the operation took the last time.")
            }
            Self::Generation => ("lastgood_generation", Gauge, &["dir"], "The generation that is published."),
            Self::Problems => (
                "lastgood_verification_problems",
                Gauge,
                &["dir"],
                "Problems that the last verification found, and left.",
            ),
            Self::DatasetLastSuccess => (
                "lastgood_dataset_last_success_timestamp_seconds",
                Gauge,
                DATASET,
                "When the dataset was last published, changed or not.",
            ),
            Self::DatasetSize => ("lastgood_dataset_size_bytes", Gauge, DATASET, "The size of the published payload."),
            Self::DatasetRows => {
                ("lastgood_dataset_rows", Gauge, DATASET, "Elements of the published payload, when it is an array.")
            }
            Self::DatasetBytes => {
                ("lastgood_dataset_published_bytes_total", Counter, DATASET, "Bytes of payloads that were published.")
            }
            Self::DatasetExpires => (
                "lastgood_dataset_expires_timestamp_seconds",
                Gauge,
                DATASET,
                "When readers cease to take the dataset for current, if ever.",
            ),
        };
        Definition { name, kind, labels, help }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.definition().name == name)
    }
}

/// The content of a metrics file: for each metric and each set of label values a number.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Exposition {
    samples: BTreeMap<(Metric, Vec<String>), f64>,
}

impl Exposition {
    /// Sets a gauge. The label values are in the order of the definition.
    pub(super) fn set(&mut self, metric: Metric, labels: &[&str], value: f64) {
        *self.sample(metric, labels) = value;
    }

    /// Adds to a counter, which begins at zero.
    pub(super) fn add(&mut self, metric: Metric, labels: &[&str], value: f64) {
        *self.sample(metric, labels) += value;
    }

    /// Takes a sample out.
    pub(super) fn forget(&mut self, metric: Metric, labels: &[&str]) {
        self.samples.retain(|(of, values), _| *of != metric || values != labels);
    }

    /// Takes out all that is known of a dataset: its directory and its name.
    pub(super) fn forget_dataset(&mut self, labels: &[&str; 2]) {
        let of_datasets = |metric: Metric| metric.definition().labels.contains(&"dataset");
        self.samples.retain(|(metric, values), _| !of_datasets(*metric) || values != labels);
    }

    fn sample(&mut self, metric: Metric, labels: &[&str]) -> &mut f64 {
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        self.samples.entry((metric, labels)).or_default()
    }

    /// Reads what an earlier run has written; `None` when it is anything else.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (_, families) = nom_openmetrics::parser::prometheus(str::from_utf8(bytes).ok()?).ok()?;
        let mut exposition = Self::default();
        for sample in families.iter().flat_map(|family| &family.samples) {
            let metric = Metric::named(sample.name())?;
            let labels = metric.definition().labels.iter().map(|name| {
                let label = sample.labels().iter().find(|label| label.name == *name)?;
                Some(label.value.clone())
            });
            exposition.samples.insert((metric, labels.collect::<Option<_>>()?), sample.number());
        }
        Some(exposition)
    }

    /// The text, with a description of each metric.
    pub(super) fn render(&self) -> String {
        let registry = Registry::new();
        for metric in Metric::ALL {
            let Definition { name, kind, labels, help } = metric.definition();
            let samples = self.samples.iter().filter(|((of, _), _)| *of == metric).map(|((_, values), value)| {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                (values, *value)
            });
            let options = Opts::new(name, help);
            const FIXED: &str = "names and labels are fixed, and the table is tested";
            match kind {
                Kind::Gauge => {
                    let family = GaugeVec::new(options, labels).expect(FIXED);
                    samples.for_each(|(values, value)| family.with_label_values(&values).set(value));
                    registry.register(Box::new(family)).expect(FIXED);
                }
                Kind::Counter => {
                    let family = CounterVec::new(options, labels).expect(FIXED);
                    // A counter takes no negative number, nor need it: a damaged one begins anew.
                    samples.for_each(|(values, value)| family.with_label_values(&values).inc_by(value.max(0.0)));
                    registry.register(Box::new(family)).expect(FIXED);
                }
            }
        }
        TextEncoder::new().encode_to_string(&registry.gather()).expect("a string takes any text")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_table_is_what_prometheus_accepts() {
        let mut all = Exposition::default();
        for metric in Metric::ALL {
            all.set(metric, &vec!["x"; metric.definition().labels.len()], 1.5);
        }
        let text = all.render();
        for metric in Metric::ALL {
            let Definition { name, kind, help, .. } = metric.definition();
            let kind = if kind == Kind::Counter { "counter" } else { "gauge" };
            assert_eq!(name.ends_with("_total"), kind == "counter", "{name}");
            for line in [format!("# HELP {name} {help}\n"), format!("# TYPE {name} {kind}\n")] {
                assert_eq!(text.matches(&line).count(), 1, "{line}");
            }
        }
        assert_eq!(Exposition::parse(text.as_bytes()), Some(all));
    }

    /// The table in the documentation is this one.
    #[test]
    fn every_metric_is_documented() {
        let documentation = include_str!("../../../../../docs/metrics.md");
        for metric in Metric::ALL {
            let Definition { name, labels, kind, .. } = metric.definition();
            let kind = if kind == Kind::Counter { "counter" } else { "gauge" };
            let labels = labels.iter().map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
            let row = format!("| `{name}` | {kind} | {labels} |");
            assert!(documentation.contains(&row), "{row}");
        }
    }

    #[test]
    fn anything_else_is_not_taken_for_metrics() {
        let mut exposition = Exposition::default();
        exposition.set(Metric::Generation, &["/data"], 7.0);
        let text = exposition.render();
        for other in [
            "hello",
            "{\"a\":1}",
            "up 1\n",
            "lastgood_generation 7\n",
            &text[..text.len() - 1],
            &text[1..],
            &text.replace(" 7", " seven"),
        ] {
            assert_eq!(Exposition::parse(other.as_bytes()), None, "{other}");
        }
        assert_eq!(Exposition::parse(b"\xff"), None);
        // Nothing is not damage: a file that was made beforehand.
        assert_eq!(Exposition::parse(b""), Some(Exposition::default()));
    }

    proptest! {
        /// Whatever the directory and the dataset are called, every line is whole and comes back.
        #[test]
        fn labels_are_escaped(dir in any::<String>(), code in "[\\\\\"\n\r\u{2028}a]{0,8}", value in 0.0..1e18) {
            let mut exposition = Exposition::default();
            exposition.set(Metric::Generation, &[&dir], value);
            exposition.add(Metric::Failures, &[&dir, "publish", &code], value);
            let text = exposition.render();
            prop_assert_eq!(text.lines().filter(|line| !line.starts_with('#')).count(), 2);
            prop_assert_eq!(Exposition::parse(text.as_bytes()), Some(exposition));
        }
    }
}
