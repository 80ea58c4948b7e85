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
    /// Prints what a command has done: text for people, or one JSON document.
    ///
    /// What is done is done: when stdout does not take the report, that is no failure of the command.
    pub(crate) fn report(self, report: &(impl Serialize + Display)) {
        if let Err(error) = self.print(report) {
            warn(&format_args!("the result could not be printed: {error}"));
        }
    }

    /// Prints what a command was asked, and ends it with `exit`. A question whose answer cannot be printed has failed, unless
    /// the exit code says what is worse.
    pub(crate) fn answer(self, answer: &(impl Serialize + Display), exit: Exit) -> Result<Exit, Failure> {
        match self.print(answer) {
            Err(error) if exit == Exit::Done => Err(Failure::Stdout(error)),
            Err(error) => {
                warn(&format_args!("the result could not be printed: {error}"));
                Ok(exit)
            }
            Ok(()) => Ok(exit),
        }
    }

    /// Prints bytes that were asked for, as they are.
    pub(crate) fn answer_bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        print(bytes).map_err(Failure::Stdout)
    }

    fn print(self, report: &(impl Serialize + Display)) -> io::Result<()> {
        let text = if self.json {
            harmless_json(&serde_json::to_string(report).expect("a report has only string keys")).into_owned()
        } else {
            harmless(report.to_string().trim_end()).into_owned()
        };
        print(format!("{text}\n").as_bytes())
    }

    /// Tells of a failure: for people on stderr and, where JSON is asked for, on stdout as well, so that stdout has one
    /// document whatever happens.
    pub(crate) fn failure(self, failure: &Failure) {
        labelled(AnsiColor::Red, "error", failure);
        if self.json {
            // People have been told; nobody is left if this fails.
            let _ = self.answer_document(&failure.to_json());
        }
    }

    /// Prints a JSON document that was asked for.
    pub(crate) fn answer_document(self, document: &Value) -> Result<(), Failure> {
        self.answer_bytes(format!("{}\n", harmless_json(&document.to_string())).as_bytes())
    }
}

/// Prints bytes as they are. Readers that have had enough, such as `head`, are no failure.
fn print(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// Tells of something that is not as it should be but does not stop the command.
pub(crate) fn warn(message: &dyn Display) {
    labelled(AnsiColor::Yellow, "warning", message);
}

/// Prints what the parser of the command line has to say: help, the version, or what is wrong.
pub(crate) fn usage(answer: &clap::Error) -> Exit {
    let printed = answer.print();
    if !answer.use_stderr() {
        return match printed {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                let failure = Failure::Stdout(error);
                Output { json: false }.failure(&failure);
                failure.exit()
            }
            _ => Exit::Done,
        };
    }
    if std::env::args_os().any(|argument| argument == "--json") {
        let message = answer.render().to_string();
        let message = message.trim_start_matches("error: ").trim_end();
        let error = json!({"error": {"code": "usage", "message": message, "exit": Exit::Usage as u8}});
        let _ = Output { json: true }.answer_document(&error);
    }
    Exit::Usage
}

fn labelled(color: AnsiColor, label: &str, message: &dyn Display) {
    let style: Style = color.on_default().bold();
    // Without a stderr there is nobody to be told.
    let _ = writeln!(anstream::stderr().lock(), "{style}{label}:{style:#} {}", harmless(&message.to_string()));
}
