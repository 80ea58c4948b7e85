//! Results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::text::{harmless, harmless_json};

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    pub(crate) json: bool,
}

impl Output {
    /// Prints the result of a command: text for people, or one JSON document.
    ///
    /// What is done is done: when stdout does not take the report, that is no failure of the command.
    pub(crate) fn report(self, report: &(impl Serialize + Display)) {
        let text = if self.json {
            harmless_json(&serde_json::to_string(report).expect("a report has only string keys")).into_owned()
        } else {
            harmless(report.to_string().trim_end()).into_owned()
        };
        match print(text.as_bytes()).and_then(|()| print(b"\n")) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                warn(&format_args!("the result could not be printed: {error}"));
            }
            _ => {}
        }
    }

    /// Tells of a failure: for people on stderr and, where JSON is asked for, on stdout as well, so that stdout has one
    /// document whatever happens.
    pub(crate) fn failure(self, failure: &Failure) {
        labelled(AnsiColor::Red, "error", failure);
        if self.json {
            self.document(&failure.to_json());
        }
    }

    /// Prints a JSON document.
    pub(crate) fn document(self, document: &Value) {
        // Nobody is left to be told if this fails.
        let _ = print(format!("{}\n", harmless_json(&document.to_string())).as_bytes());
    }
}

/// Prints bytes as they are.
pub(crate) fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Tells of something that is not as it should be but does not stop the command.
pub(crate) fn warn(message: &dyn Display) {
    labelled(AnsiColor::Yellow, "warning", message);
}

/// Prints what the parser of the command line has to say: help, the version, or what is wrong.
pub(crate) fn usage(answer: &clap::Error) -> Exit {
    // Nobody is left to be told if this fails.
    let _ = answer.print();
    if !answer.use_stderr() {
        return Exit::Done;
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let message = answer.render().to_string();
        let message = message.trim_start_matches("error: ").trim_end();
        let error = json!({"error": {"code": "usage", "message": message, "exit": Exit::Usage as u8}});
        Output { json: true }.document(&error);
    }
    Exit::Usage
}

fn labelled(color: AnsiColor, label: &str, message: &dyn Display) {
    let style: Style = color.on_default().bold();
    // Without a stderr there is nobody to be told.
    let _ = writeln!(anstream::stderr().lock(), "{style}{label}:{style:#} {}", harmless(&message.to_string()));
}
