//! Rows as the elements of a JSON array, each on the line that it has in the input.

use super::ColumnType;
use super::column::Columns;
use super::lexer::Field;
use super::rows::Row;
use super::value::{boolean, not_finite};
use crate::convert::bytes::special;

/// Writes the array.
pub(super) struct Array {
    columns: Vec<Member>,
    /// The line that is being written.
    line: u64,
    rows: bool,
}

/// A member of each object.
struct Member {
    /// What stands before its value: `{"name":` or `,"name":`.
    start: Vec<u8>,
    kind: Option<ColumnType>,
}

impl Array {
    /// Begins an array of objects with these members.
    pub(super) fn begin(columns: &Columns, json: &mut Vec<u8>) -> Self {
        let member = |(index, column): (usize, &super::column::Column)| {
            let mut start = vec![if index == 0 { b'{' } else { b',' }];
            string(column.name.replace('"', "\"\"").as_bytes(), &mut start);
            start.push(b':');
            Member { start, kind: column.kind() }
        };
        json.push(b'[');
        Self { columns: columns.0.iter().enumerate().map(member).collect(), line: 1, rows: false }
    }

    /// Writes a row, which has a field for each column.
    #[inline]
    pub(super) fn row(&mut self, row: &Row<'_>, json: &mut Vec<u8>) {
        if self.rows {
            json.push(b',');
        }
        self.rows = true;
        while self.line < row.line {
            json.push(b'\n');
            self.line += 1;
        }
        for (member, field) in self.columns.iter().zip(row.fields) {
            json.extend_from_slice(&member.start);
            self.line += value(row.content(*field), *field, member.kind, json);
        }
        json.push(b'}');
    }

    pub(super) fn end(self, json: &mut Vec<u8>) {
        json.extend_from_slice(if self.rows { b"\n]" } else { b"]" });
    }
}

/// Writes a value, and says how many lines it goes on for.
#[inline]
fn value(content: &[u8], field: Field, kind: Option<ColumnType>, json: &mut Vec<u8>) -> u64 {
    let kind = match kind {
        Some(ColumnType::Text) if field.quoted => ColumnType::Text,
        Some(kind) if !content.is_empty() => kind,
        _ => {
            json.extend_from_slice(b"null");
            return 0;
        }
    };
    let written = match kind {
        ColumnType::Text => {
            let lines = string(content, json);
            // So what follows is on the same line as in the input.
            (0..lines).for_each(|_| json.push(b'\n'));
            return lines;
        }
        ColumnType::Boolean => boolean(content),
        ColumnType::Integer => None,
        ColumnType::Float if content.last().is_some_and(u8::is_ascii_digit) => None,
        ColumnType::Float => not_finite(content),
    };
    json.extend_from_slice(written.map_or(content, str::as_bytes));
    0
}

/// Writes a text, in which quotes are doubled, and says how many line feeds it has.
fn string(content: &[u8], json: &mut Vec<u8>) -> u64 {
    let mut lines = 0;
    json.push(b'"');
    let mut copied = 0;
    let mut at = special(content, 0, b'\\');
    while let Some(&byte) = content.get(at) {
        json.extend_from_slice(&content[copied..at]);
        at += 1;
        match byte {
            b'"' => {
                json.extend_from_slice(br#"\""#);
                // The other one of the two.
                at += 1;
            }
            b'\\' => json.extend_from_slice(br"\\"),
            b'\n' => {
                json.extend_from_slice(br"\n");
                lines += 1;
            }
            b'\r' => json.extend_from_slice(br"\r"),
            b'\t' => json.extend_from_slice(br"\t"),
            other => json.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
        copied = at;
        at = special(content, at, b'\\');
    }
    json.extend_from_slice(&content[copied..]);
    json.push(b'"');
    lines
}
