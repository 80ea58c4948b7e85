//! Says what takes long and how long it took. Progress goes to stderr; results go to stdout.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Announces `name`, does `work` and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}");
    let start = Instant::now();
    let value = work().with_context(|| format!("step \"{name}\" failed"))?;
    eprintln!("    {name}: done in {}", seconds(start.elapsed()));
    Ok(value)
}

/// Steps of one task, whose durations are shown together at the end.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration, &'static str)>,
}

impl Steps {
    /// Runs one step; its duration is kept whether it succeeds or not.
    pub(crate) fn step<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let start = Instant::now();
        let result = step(name, work);
        let outcome = if result.is_ok() { "ok" } else { "FAILED" };
        self.done.push((name, start.elapsed(), outcome));
        result
    }

    /// The table of all steps so far.
    pub(crate) fn summary(&self) -> String {
        let total: Duration = self.done.iter().map(|(_, duration, _)| *duration).sum();
        let width = self.done.iter().map(|(name, ..)| name.len()).max();
        let width = width.unwrap_or_default().max("total".len());
        let line =
            |name: &str, duration, outcome: &str| format!("{name:width$}  {:>9}  {outcome}\n", seconds(duration));
        let mut table: String =
            self.done.iter().map(|(name, duration, outcome)| line(name, *duration, outcome)).collect();
        table.push_str(line("total", total, "").trim_end());
        table
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use anyhow::bail;

    use super::Steps;

    #[test]
    fn the_summary_shows_each_step_and_how_it_ended() {
        let mut steps = Steps::default();
        assert_eq!(steps.step("first", || Ok(1)).unwrap(), 1);
        let error = steps.step::<()>("second", || bail!("too bad")).unwrap_err();
        assert_eq!(format!("{error:#}"), "step \"second\" failed: too bad");
        let summary = steps.summary();
        let outcomes: Vec<Vec<&str>> = summary.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(outcomes[0][0], "first");
        assert_eq!(outcomes[0][3], "ok");
        assert_eq!(outcomes[1][0], "second");
        assert_eq!(outcomes[1][3], "FAILED");
        assert_eq!(outcomes[2][0], "total");
    }
}
