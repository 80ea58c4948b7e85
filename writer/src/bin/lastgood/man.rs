//! `lastgood man`

use std::fmt;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;
use serde::Serialize;

use crate::args::Cli;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;

const EXAMPLES: &str = "\
Examples:
  lastgood man | man -l -
  lastgood man --into ~/.local/share/man/man1   (one page for each command)";

/// Print the manual page, or write the pages of all commands into a directory
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Man {
    /// Write lastgood.1, lastgood-publish.1 and so on into this directory, which must exist
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report {
    pages: Vec<PathBuf>,
}

impl Man {
    pub(crate) fn run(self, output: Output) -> Result<Exit, Failure> {
        let mut command = Cli::command();
        command.build();
        let Some(dir) = self.into else {
            let page = rendered(Page::new(command))?;
            if output.json {
                output.answer_document(&serde_json::json!({"page": String::from_utf8_lossy(&page)}))?;
            } else {
                output.answer_bytes(&page)?;
            }
            return Ok(Exit::Done);
        };
        let subcommands = command.get_subcommands().filter(|sub| sub.get_name() != "help").cloned();
        let named = subcommands.map(|sub| {
            let name = format!("lastgood-{}", sub.get_name());
            (name.clone(), sub.display_name(name))
        });
        let all: Vec<_> = std::iter::once(("lastgood".to_owned(), command.clone())).chain(named).collect();
        let mut report = Report { pages: Vec::with_capacity(all.len()) };
        for (name, command) in all {
            let file = dir.join(format!("{name}.1"));
            let page = rendered(Page::new(command))?;
            files::write(&file, &page).map_err(|source| Failure::Create { file: file.clone(), source })?;
            report.pages.push(file);
        }
        output.report(&report);
        Ok(Exit::Done)
    }
}

fn rendered(page: Page) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    page.render(&mut text).map_err(Failure::Stdout)?;
    Ok(text)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pages.iter().try_for_each(|page| writeln!(f, "wrote {}", page.display()))
    }
}
