//! How much a page downloads for the package.

use std::{fmt::Write as _, fs, io::Write as _, path::Path};

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};

use super::wasm::MODULE;
use crate::{npm, process};

/// The most that the module and the glue may take together, brotli-compressed, in bytes.
const BUDGET: u64 = 71_000;
const BEGIN: &str = "<!-- sizes -->\n";
const END: &str = "<!-- /sizes -->";
const ROWS: [&str; 3] = ["`lastgood_reader_bg.wasm`", "JavaScript, bundled and minified", "total"];

/// Why the sizes are not in order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SizesError {
    /// A page would download too much.
    #[error("wasm and glue take {found} bytes of brotli; the budget is {BUDGET}: find what has grown")]
    OverBudget {
        /// Their size together.
        found: u64,
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
    module: Size,
    glue: Size,
}

/// Measures the files of the package in `directory`.
pub(super) fn measure(directory: &Path) -> Result<Sizes> {
    // As a site's bundler would deliver it: one file, minified.
    let glue = process::capture(
        npm::tool("esbuild").current_dir(directory).args(["lastgood.js", "--bundle", "--minify"]).args([
            "--format=esm",
            "--target=es2022",
            "--log-level=warning",
        ]),
    )?;
    Ok(Sizes { module: size(&fs::read(directory.join(MODULE))?)?, glue: size(glue.as_bytes())? })
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
        let found = self.total().brotli;
        if found > BUDGET {
            return Err(SizesError::OverBudget { found });
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

    fn rows(&self) -> [(&'static str, Size); 3] {
        let [module, glue, total] = ROWS;
        [(module, self.module), (glue, self.glue), (total, self.total())]
    }

    fn total(&self) -> Size {
        Size {
            raw: self.module.raw + self.glue.raw,
            gzip: self.module.gzip + self.glue.gzip,
            brotli: self.module.brotli + self.glue.brotli,
        }
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
    use super::{BUDGET, Size, Sizes, SizesError, size};

    const README: &str = "# t\n<!-- sizes -->\nold\n<!-- /sizes -->\nrest\n";

    fn sizes(module: u64, glue: u64) -> Sizes {
        let size = |raw| Size { raw, gzip: raw / 2, brotli: raw / 4 };
        Sizes { module: size(module), glue: size(glue) }
    }

    #[test]
    fn the_table_is_replaced_and_nothing_else() {
        let written = sizes(8000, 4000).write_into(README).unwrap();
        assert!(written.starts_with("# t\n<!-- sizes -->\n| bytes |"));
        assert!(written.ends_with("| total | 12000 | 6000 | 3000 |\n<!-- /sizes -->\nrest\n"));
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
        let renamed = sizes(100, 100).write_into(README).unwrap().replace("total", "sum");
        assert!(sizes(100, 100).check_against(&renamed).is_err());
    }

    #[test]
    fn the_budget_counts_module_and_glue_together() {
        // `sizes` makes the compressed size a quarter of the raw one.
        let half = BUDGET * 4 / 2;
        assert_eq!(sizes(half, half).check_budget(), Ok(()));
        assert_eq!(sizes(half, half + 4).check_budget(), Err(SizesError::OverBudget { found: BUDGET + 1 }));
    }

    #[test]
    fn compression_is_measured() {
        let size = size(&b"lastgood ".repeat(1000)).unwrap();
        assert_eq!(size.raw, 9000);
        assert!(size.brotli < size.gzip && size.gzip < 200, "{size:?}");
    }
}
