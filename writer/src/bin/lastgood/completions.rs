//! `lastgood completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde::Serialize;

use crate::args::Cli;
use crate::exit::{Exit, Failure};
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  lastgood completions bash > ~/.local/share/bash-completion/completions/lastgood
  lastgood completions zsh > \"${fpath[1]}/_lastgood\"
  lastgood completions fish > ~/.config/fish/completions/lastgood.fish";

/// Print a script that completes commands and options in a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Serialize)]
struct Document {
    shell: String,
    script: String,
}

impl Completions {
    pub(crate) fn run(self, output: Output) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "lastgood", &mut script);
        if output.json {
            let script = String::from_utf8_lossy(&script).into_owned();
            output.answer_document(&serde_json::json!(Document { shell: self.shell.to_string(), script }))?;
        } else {
            output.answer_bytes(&script)?;
        }
        Ok(Exit::Done)
    }
}
