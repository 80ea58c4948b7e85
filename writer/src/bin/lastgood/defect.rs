//! A panic: a defect of lastgood, told as one, with an exit code of its own.

use std::any::Any;
use std::env;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::OnceLock;
use std::thread;

use crate::exit::Failure;
use crate::output;

/// What the first panic said. What follows it, such as that a thread has panicked, says less.
static FIRST: OnceLock<String> = OnceLock::new();

/// Runs a command to its end, also to that of a panic.
pub(crate) fn told<T>(run: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let what = FIRST.get_or_init(|| described(info));
        // It may be one that only ends what the thread was doing, such as a connection.
        if thread::current().name() != Some("main") {
            output::warn(&format_args!("a defect in lastgood: {what}"));
        }
        if env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0") {
            usual(info);
        }
    }));
    let unknown = |_: Box<dyn Any + Send>| {
        let what = FIRST.get().map_or("a panic without a word", String::as_str).to_owned();
        Err(Failure::Defect { what })
    };
    // Nothing of the command is used after it.
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(unknown)
}

fn described(info: &PanicHookInfo<'_>) -> String {
    let what = info.payload_as_str().unwrap_or("a panic without a word");
    // The assertions of the standard library have several lines.
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    match info.location() {
        Some(place) => format!("{what} ({}:{}, version {})", place.file(), place.line(), env!("CARGO_PKG_VERSION")),
        None => what,
    }
}
