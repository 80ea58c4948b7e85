//! Regular expressions of schemas, and how long one is waited for.
//!
//! They are those of ECMAScript, which go back and try again: some take for ever on the wrong text, in every browser too. The engine
//! cannot be interrupted, so what has regular expressions is validated by a thread of its own, which is given up when one of them
//! takes too long for one text. What the publisher gives up no page has to try.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use lastgood_protocol::schema::{Engine, Invalid, Pattern, Schema, SchemaError};

use crate::formats;
use crate::schema::{LISTED_VIOLATIONS, SchemaProblem};

/// How long a regular expression may take for one text. Those that end take microseconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether there is progress.
const LOOK: Duration = Duration::from_millis(500);

/// How many alternatives a regular expression may have: the engine follows them by recursion.
const MAX_ALTERNATIVES: usize = 1000;

/// How long all regular expressions of a schema may be together, in bytes: compiled, each byte can take kilobytes.
const MAX_BYTES: usize = 256 * 1024;

/// Enough for subschemas at the deepest nesting, also in a debug build.
const STACK_BYTES: usize = 16 << 20;

/// A schema with its regular expressions.
pub(crate) struct Compiled {
    schema: Arc<Schema<Regex>>,
    /// The texts of the regular expressions, by their numbers.
    sources: Vec<String>,
    progress: Arc<Progress>,
}

impl Compiled {
    /// With `formats`, a `format` is asserted; one that is not known is refused.
    pub(crate) fn compile(text: &str, formats: bool) -> Result<Self, SchemaError> {
        let engine = Ecmascript { formats, ..Ecmascript::default() };
        let schema = Arc::new(Schema::compile(text, &engine)?);
        Ok(Self { schema, sources: engine.sources.into_inner(), progress: engine.progress })
    }

    /// Validates a payload, which a thread of its own may have to keep.
    ///
    /// # Errors
    /// [`SchemaProblem::SlowPattern`] when that is not to be waited for.
    pub(crate) fn validate(&self, payload: Cow<'_, str>) -> Result<Result<(), Invalid>, SchemaProblem> {
        match self.sources.is_empty() {
            true => Ok(self.schema.validate(&payload, LISTED_VIOLATIONS)),
            false => self.watch(payload.into_owned()),
        }
    }

    fn watch(&self, payload: String) -> Result<Result<(), Invalid>, SchemaProblem> {
        let (schema, progress) = (Arc::clone(&self.schema), &self.progress);
        let (tell, told) = mpsc::channel();
        let validate = move || tell.send(schema.validate(&payload, LISTED_VIOLATIONS));
        let started = thread::Builder::new().stack_size(STACK_BYTES).spawn(validate).map_err(SchemaProblem::thread)?;
        let mut seen = (progress.calls.load(Ordering::Relaxed), Instant::now());
        loop {
            match told.recv_timeout(LOOK) {
                Ok(result) => return Ok(result),
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let panicked = started.join().expect_err("it ends without an answer only when it panics");
                    std::panic::resume_unwind(panicked);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            let calls = progress.calls.load(Ordering::Relaxed);
            if calls != seen.0 || !Progress::is_under_way(calls) {
                seen = (calls, Instant::now());
            } else if seen.1.elapsed() > PATIENCE {
                let pattern = self.sources.get(progress.latest.load(Ordering::Relaxed)).cloned().unwrap_or_default();
                return Err(SchemaProblem::SlowPattern { pattern });
            }
        }
    }
}

/// What the thread that validates is doing.
#[derive(Default)]
struct Progress {
    /// How often the engine has been called, and has returned: odd as long as it has not.
    calls: AtomicU64,
    /// The number of the regular expression that it was called for.
    latest: AtomicUsize,
}

impl Progress {
    fn is_under_way(calls: u64) -> bool {
        calls % 2 == 1
    }
}

/// Regular expressions with the meaning that they have in a browser.
#[derive(Default)]
struct Ecmascript {
    /// Whether formats are asserted.
    formats: bool,
    sources: RefCell<Vec<String>>,
    progress: Arc<Progress>,
}

/// A regular expression of a schema, or a format.
pub(crate) struct Regex {
    test: Test,
    number: usize,
    progress: Arc<Progress>,
}

enum Test {
    Regex(regress::Regex),
    Format(formats::Test),
}

impl Engine for Ecmascript {
    type Pattern = Regex;

    fn compile(&self, source: &str) -> Result<Regex, String> {
        let mut sources = self.sources.borrow_mut();
        let alternatives = source.matches('|').count() + 1;
        let bytes = source.len() + sources.iter().map(String::len).sum::<usize>();
        if alternatives > MAX_ALTERNATIVES {
            return Err(format!("it has {alternatives} alternatives, more than {MAX_ALTERNATIVES}; write an enum"));
        }
        if bytes > MAX_BYTES {
            return Err(format!("with it the regular expressions of the schema have more than {MAX_BYTES} bytes"));
        }
        let regex = regress::Regex::with_flags(source, "u").map_err(|error| error.to_string())?;
        let number = sources.len();
        sources.push(source.to_owned());
        Ok(Regex { test: Test::Regex(regex), number, progress: Arc::clone(&self.progress) })
    }

    fn format(&self, name: &str) -> Result<Option<Regex>, String> {
        if !self.formats {
            return Ok(None);
        }
        let test = Test::Format(formats::named(name)?);
        let mut sources = self.sources.borrow_mut();
        let number = sources.len();
        // It has no text that could take long, or count among those that are limited.
        sources.push(String::new());
        Ok(Some(Regex { test, number, progress: Arc::clone(&self.progress) }))
    }
}

impl Pattern for Regex {
    fn is_in(&self, text: &str) -> bool {
        self.progress.latest.store(self.number, Ordering::Relaxed);
        self.progress.calls.fetch_add(1, Ordering::Relaxed);
        let found = match &self.test {
            Test::Regex(regex) => regex.find(text).is_some(),
            Test::Format(has_format) => has_format(text),
        };
        self.progress.calls.fetch_add(1, Ordering::Relaxed);
        found
    }
}
