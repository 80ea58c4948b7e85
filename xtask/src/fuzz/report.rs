//! What libFuzzer says in its log.

use std::fmt;

/// What came of fuzzing a target.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) target: String,
    pub(super) executions: u64,
    per_second: u64,
    /// The edges of the program that the corpus goes through.
    coverage: u64,
    /// Inputs that go where none went before.
    new_inputs: u64,
    peak_mb: u64,
    finding: Option<Finding>,
}

/// An input that makes the target fail.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    /// What libFuzzer or the panic says.
    says: String,
    /// Where the input is kept.
    input: String,
}

impl Report {
    pub(super) const HEADER: &str = "target     executions    per s  edges  new inputs  peak MB";

    pub(super) fn read(target: &str, log: &str) -> Self {
        let stat = |name: &str| {
            let value =
                log.lines().rev().find_map(|line| line.strip_prefix("stat::")?.strip_prefix(name)?.strip_prefix(':'));
            value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
        };
        let coverage = log.lines().rev().find_map(|line| line.split_once(" cov: ")?.1.split(' ').next()?.parse().ok());
        Self {
            target: target.to_owned(),
            executions: stat("number_of_executed_units"),
            per_second: stat("average_exec_per_sec"),
            coverage: coverage.unwrap_or(0),
            new_inputs: stat("new_units_added"),
            peak_mb: stat("peak_rss_mb"),
            finding: Finding::read(log),
        }
    }

    /// What went wrong, and how to see it again.
    pub(super) fn failure(&self) -> Option<String> {
        let Finding { says, input } = self.finding.as_ref()?;
        let target = &self.target;
        Some(format!(
            "{target}: {says}\n  the input is {input}; to see it again: cp {input} fuzz/corpus/{target}/ && cargo test --package lastgood-fuzz"
        ))
    }
}

impl Finding {
    fn read(log: &str) -> Option<Self> {
        let input =
            log.lines().find_map(|line| line.split_once("Test unit written to ").map(|(_, path)| path.to_owned()))?;
        // The message of a panic stands below the line that says where it was.
        let mut lines = log.lines();
        let panicked = lines.find(|line| line.contains(" panicked at ")).and_then(|_| lines.next());
        let says =
            panicked.or_else(|| log.lines().find_map(|line| line.strip_prefix("SUMMARY: "))).unwrap_or("it failed");
        Some(Self { says: says.to_owned(), input })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { target, executions, per_second, coverage, new_inputs, peak_mb, finding } = self;
        write!(f, "{target:10} {executions:10} {per_second:8} {coverage:6} {new_inputs:11} {peak_mb:8}")?;
        if finding.is_some() { f.write_str("  FAILED") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Report;

    const DONE: &str = "INFO: Seed: 1\n#2\tINITED cov: 12 ft: 13 corp: 1/1b\n#99\tDONE   cov: 345 ft: 700 corp: 20/1Kb\n\
        stat::number_of_executed_units: 99\nstat::average_exec_per_sec:     33\nstat::new_units_added:          7\n\
        stat::slowest_unit_time_sec:    0\nstat::peak_rss_mb:              41\n";

    #[test]
    fn figures_are_read_from_the_log() {
        let report = Report::read("json", DONE);
        assert_eq!(report.to_string(), "json               99       33    345           7       41");
        assert_eq!(report.failure(), None);
    }

    #[test]
    fn a_finding_is_told_with_its_input() {
        let log = "thread '<unnamed>' (1) panicked at fuzz/src/lib.rs:1:2:\nno good\nnote: run with\n\
            ==1== ERROR: libFuzzer: deadly signal\nSUMMARY: libFuzzer: deadly signal\n\
            artifact_prefix='x'; Test unit written to target/fuzz/json-crash-1f\n";
        let failure = Report::read("json", log).failure().unwrap();
        assert!(
            failure.starts_with("json: no good\n")
                && failure.contains("cp target/fuzz/json-crash-1f fuzz/corpus/json/")
        );
        let slow = log.replace(" panicked at ", " ").replace("deadly signal", "timeout");
        assert!(Report::read("json", &slow).failure().unwrap().starts_with("json: libFuzzer: timeout\n"));
    }
}
