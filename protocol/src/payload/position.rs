//! Places in the input, as a person looks for them in an editor.

/// A line and a column, both from 1; the column counts Unicode code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) line: u64,
    pub(super) column: u64,
}

impl Position {
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// The place right behind `bytes`, which start here and are UTF-8 (the last
    /// character may be cut).
    ///
    /// Only whole pieces are counted, never single tokens: this runs at memory
    /// speed and keeps the scanner free of bookkeeping.
    pub(super) fn after(self, bytes: &[u8]) -> Self {
        let newlines = count(bytes, |byte| byte == b'\n');
        if newlines == 0 {
            return Self {
                line: self.line,
                column: self.column + characters(bytes),
            };
        }
        let last_line = bytes
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |newline| newline + 1);
        Self {
            line: self.line + newlines,
            column: 1 + characters(&bytes[last_line..]),
        }
    }
}

fn characters(bytes: &[u8]) -> u64 {
    let continuation = |byte: u8| byte & 0b1100_0000 == 0b1000_0000;
    count(bytes, |byte| !continuation(byte))
}

/// Sums over blocks short enough for a byte-wide sum, which vectorises.
fn count(bytes: &[u8], matches: impl Fn(u8) -> bool) -> u64 {
    bytes
        .chunks(usize::from(u8::MAX))
        .map(|block| {
            let sum: u8 = block.iter().map(|&byte| u8::from(matches(byte))).sum();
            u64::from(sum)
        })
        .sum()
}
