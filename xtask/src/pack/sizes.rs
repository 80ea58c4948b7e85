//! How much a page downloads for the package.

use std::{fmt::Write as _, fs, io::Write as _, path::Path};

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};

use super::script::VALIDATOR_SCRIPT;
use super::wasm::{MODULES, Module, READER, VALIDATOR};
use crate::{npm, process};

/// The most that a page may download for each entry of the package, brotli-compressed, in bytes: for `lastgood` the module and
/// the script together, for `lastgood/inline` the script that contains the module, for the others what they add.
const BUDGETS: [(&str, u64); 6] = [
    ("`lastgood`", 98_600),
    ("`lastgood`, feeds with schemas", 129_200),
    ("`lastgood/inline`", 119_900),
    ("`lastgood/react`", 2_600),
    ("`lastgood/react/status`", 1_500),
    ("`lastgood/tanstack`", 750),
];
const BEGIN: &str = "<!-- sizes -->\n";
const END: &str = "<!-- /sizes -->";
/// The parts of `lastgood`.
const PARTS: [&str; 4] = [
    "`lastgood_reader_bg.wasm`",
    "its JavaScript, bundled and minified",
    "`lastgood_validator_bg.wasm`, when a manifest names a schema",
    "its JavaScript",
];

/// Why the sizes are not in order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SizesError {
    /// A page would download too much.
    #[error("{entry} takes {found} bytes of brotli; its budget is {budget}: find what has grown")]
    OverBudget {
        /// Which entry.
        entry: &'static str,
        /// Its size.
        found: u64,
        /// What it may be.
        budget: u64,
    },
    /// There is no place for the table.
    #[error("expected the size table between the lines \"<!-- sizes -->\" and \"<!-- /sizes -->\"")]
    NoMarkers,
    /// The table is out of date.
    #[error(
        "the size table says {said} for {row} ({column}), the build has {found}: run cargo xtask pack and commit the README"
    )]
    OutOfDate {
        /// Which file.
        row: &'static str,
        /// Which compression.
        column: &'static str,
        /// What the table says.
        said: String,
        /// What was measured.
        found: u64,
    },
}

/// The sizes of one file in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    raw: u64,
    gzip: u64,
    brotli: u64,
}

impl Size {
    fn columns(self) -> [(&'static str, u64); 3] {
        [("raw", self.raw), ("gzip", self.gzip), ("brotli", self.brotli)]
    }
}

/// What a page loads.
#[derive(Debug)]
pub(super) struct Sizes {
    /// As in [`PARTS`].
    parts: [Size; 4],
    /// The other entries, as in [`BUDGETS`].
    others: [Size; 4],
}

/// Measures the files of the package in `directory`.
pub(super) fn measure(directory: &Path) -> Result<Sizes> {
    // As a site's bundler would deliver them: one file each, minified.
    let bundled = |entry: &str| -> Result<Size> {
        let mut esbuild = npm::tool("esbuild");
        esbuild
            .current_dir(directory)
            .args([&format!("{entry}.js"), "--bundle", "--minify", "--external:react"])
            .args(["--format=esm", "--target=es2022", "--log-level=warning"])
            // The order in which chunks are loaded means nothing.
            .arg("--log-override:ignored-bare-import=silent")
            // Downloaded when it is needed.
            .args((entry != VALIDATOR_SCRIPT).then_some(format!("--external:./{VALIDATOR_SCRIPT}.js")));
        // Downloaded in the place of a module, where that is missing.
        esbuild.args(MODULES.map(|module| format!("--external:./{}.js", module.script)));
        size(process::capture(&mut esbuild)?.as_bytes())
    };
    let module = |module: &Module| size(&fs::read(directory.join(module.file))?);
    Ok(Sizes {
        parts: [module(&READER)?, bundled("lastgood")?, module(&VALIDATOR)?, bundled(VALIDATOR_SCRIPT)?],
        others: [bundled("inline")?, bundled("react")?, bundled("react-status")?, bundled("tanstack")?],
    })
}

impl Sizes {
    /// The sizes as a Markdown table.
    pub(super) fn table(&self) -> String {
        let mut table = String::from("| bytes | raw | gzip 9 | brotli 11 |\n| --- | ---: | ---: | ---: |\n");
        for (name, size) in self.rows() {
            let Size { raw, gzip, brotli } = size;
            writeln!(table, "| {name} | {raw} | {gzip} | {brotli} |").expect("writing to a String does not fail");
        }
        table
    }

    /// Refuses what is too much for a page.
    pub(super) fn check_budget(&self) -> Result<(), SizesError> {
        for ((entry, size), (_, budget)) in self.entries().into_iter().zip(BUDGETS) {
            if size.brotli > budget {
                return Err(SizesError::OverBudget { entry, found: size.brotli, budget });
            }
        }
        Ok(())
    }

    /// `readme` with these sizes in its table.
    pub(super) fn write_into(&self, readme: &str) -> Result<String, SizesError> {
        let (before, _, after) = split(readme)?;
        Ok([before, BEGIN, &self.table(), END, after].concat())
    }

    /// Refuses a table in `readme` in which a number is more than 2 % off: compilers on different machines may differ
    /// by some bytes, but what users read must be true.
    pub(super) fn check_against(&self, readme: &str) -> Result<(), SizesError> {
        let (_, table, _) = split(readme)?;
        let lines: Vec<&str> = table.lines().skip(2).collect();
        for (index, (row, size)) in self.rows().into_iter().enumerate() {
            let line = lines.get(index).copied().unwrap_or_default();
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            for (position, (column, found)) in size.columns().into_iter().enumerate() {
                // A line is "", the name, the three sizes, "".
                let said = cells.get(position + 2).copied().unwrap_or_default();
                let close = |said: u64| said.abs_diff(found) * 50 <= found;
                if cells.get(1) != Some(&row) || !said.parse().is_ok_and(close) {
                    let said = if said.is_empty() { "nothing" } else { said }.to_owned();
                    return Err(SizesError::OutOfDate { row, column, said, found });
                }
            }
        }
        Ok(())
    }

    fn rows(&self) -> Vec<(&'static str, Size)> {
        PARTS.into_iter().zip(self.parts).chain(self.entries()).collect()
    }

    fn entries(&self) -> [(&'static str, Size); 6] {
        let [inline, react, status, tanstack] = self.others;
        let sizes = [self.total(2), self.total(4), inline, react, status, tanstack];
        std::array::from_fn(|index| (BUDGETS[index].0, sizes[index]))
    }

    /// The sum of the first `count` parts.
    fn total(&self, count: usize) -> Size {
        let sum = |of: fn(&Size) -> u64| self.parts.iter().take(count).map(of).sum();
        Size { raw: sum(|size| size.raw), gzip: sum(|size| size.gzip), brotli: sum(|size| size.brotli) }
    }
}

/// What is before the table, the table, and what is after it.
fn split(readme: &str) -> Result<(&str, &str, &str), SizesError> {
    let (before, rest) = readme.split_once(BEGIN).ok_or(SizesError::NoMarkers)?;
    let (table, after) = rest.split_once(END).ok_or(SizesError::NoMarkers)?;
    Ok((before, table, after))
}

fn size(bytes: &[u8]) -> Result<Size> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes)?;
    let params = brotli::enc::BrotliEncoderParams { quality: 11, size_hint: bytes.len(), ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut compressed, &params)?;
    Ok(Size { raw: bytes.len() as u64, gzip: gzip.finish()?.len() as u64, brotli: compressed.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::{BUDGETS, Size, Sizes, SizesError, size};

    const README: &str = "# t\n<!-- sizes -->\nold\n<!-- /sizes -->\nrest\n";

    fn of(raw: u64) -> Size {
        Size { raw, gzip: raw / 2, brotli: raw / 4 }
    }

    fn sizes(module: u64, script: u64) -> Sizes {
        Sizes { parts: [of(module), of(script), of(800), of(80)], others: [of(80), of(60), of(50), of(40)] }
    }

    #[test]
    fn the_table_is_replaced_and_nothing_else() {
        let written = sizes(8000, 4000).write_into(README).unwrap();
        assert!(written.starts_with("# t\n<!-- sizes -->\n| bytes |"));
        let rows = "| `lastgood` | 12000 | 6000 | 3000 |\n| `lastgood`, feeds with schemas | 12880 | 6440 | 3220 |\n| `lastgood/inline` | 80 | 40 | 20 |\n";
        assert!(written.contains(rows), "{written}");
        assert!(written.ends_with("| `lastgood/tanstack` | 40 | 20 | 10 |\n<!-- /sizes -->\nrest\n"));
        assert_eq!(sizes(8000, 4000).write_into(&written).unwrap(), written);
    }

    #[test]
    fn a_table_needs_its_markers() {
        for readme in ["", "<!-- sizes -->\n", "<!-- /sizes -->\n<!-- sizes -->\n"] {
            assert_eq!(sizes(1, 1).write_into(readme), Err(SizesError::NoMarkers));
            assert_eq!(sizes(1, 1).check_against(readme), Err(SizesError::NoMarkers));
        }
    }

    #[test]
    fn two_percent_pass_and_more_does_not() {
        let readme = sizes(100_000, 4000).write_into(README).unwrap();
        for near in [98_200, 100_000, 102_000] {
            assert_eq!(sizes(near, 4000).check_against(&readme), Ok(()));
        }
        for off in [98_000, 102_100] {
            assert_eq!(
                sizes(off, 4000).check_against(&readme),
                Err(SizesError::OutOfDate {
                    row: "`lastgood_reader_bg.wasm`",
                    column: "raw",
                    said: "100000".into(),
                    found: off,
                })
            );
        }
    }

    #[test]
    fn a_table_that_is_none_is_out_of_date() {
        assert!(matches!(
            sizes(100, 100).check_against(README),
            Err(SizesError::OutOfDate { said, .. }) if said == "nothing"
        ));
        let renamed = sizes(100, 100).write_into(README).unwrap().replace("`lastgood/react`", "sum");
        assert!(sizes(100, 100).check_against(&renamed).is_err());
    }

    #[test]
    fn each_entry_has_its_budget_and_that_of_lastgood_counts_module_and_script_together() {
        // `of` makes the compressed size a quarter of the raw one.
        let raw = |index: usize| BUDGETS[index].1 * 4;
        let validator = raw(1) - raw(0);
        let parts = [raw(0) / 2, raw(0) / 2, validator / 2, validator / 2].map(of);
        let within = || Sizes { parts, others: [2, 3, 4, 5].map(|i| of(raw(i))) };
        assert_eq!(within().check_budget(), Ok(()));
        for (index, (entry, budget)) in BUDGETS.into_iter().enumerate() {
            let mut sizes = within();
            let grown = match index {
                0 => &mut sizes.parts[1],
                1 => &mut sizes.parts[3],
                other => &mut sizes.others[other - 2],
            };
            grown.brotli += 1;
            assert_eq!(sizes.check_budget(), Err(SizesError::OverBudget { entry, found: budget + 1, budget }));
        }
    }

    #[test]
    fn compression_is_measured() {
        let size = size(&b"lastgood ".repeat(1000)).unwrap();
        assert_eq!(size.raw, 9000);
        assert!(size.brotli < size.gzip && size.gzip < 200, "{size:?}");
    }
}
