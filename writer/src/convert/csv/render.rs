//! Rows as the elements of a JSON array, each on the line that it has in the input.

use super::ColumnType;
use super::column::{Column, Columns};
use super::lexer::Field;
use super::rows::Row;
use super::value::{boolean, not_finite};
use crate::convert::bytes::{newlines, special};

/// Writes the array.
pub(super) struct Array<'a> {
    columns: &'a Columns,
    /// One for each column; `None` for one that is left out.
    members: Vec<Option<Member>>,
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

impl<'a> Array<'a> {
    /// Begins an array of objects with these members.
    pub(super) fn begin(columns: &'a Columns, json: &mut Vec<u8>) -> Self {
        let mut opening = b'{';
        let member = |column: &Column| {
            column.is_published().then(|| {
                let mut start = vec![std::mem::replace(&mut opening, b',')];
                string(column.name.replace('"', "\"\"").as_bytes(), &mut start);
                start.push(b':');
                Member { start, kind: column.kind() }
            })
        };
        json.push(b'[');
        Self { columns, members: columns.iter().map(member).collect(), line: 1, rows: false }
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
        for (member, field) in self.members.iter().zip(row.fields) {
            let content = row.content(*field);
            self.line += match member {
                Some(member) => {
                    json.extend_from_slice(&member.start);
                    let null = self.columns.is_null(content);
                    value(content, null, *field, member.kind, json)
                }
                // So what follows is on the same line as in the input.
                None => fill(newlines(content), json),
            };
        }
        json.push(b'}');
    }

    pub(super) fn end(self, json: &mut Vec<u8>) {
        json.extend_from_slice(if self.rows { b"\n]" } else { b"]" });
    }
}

/// Writes a value, and says how many lines it goes on for.
#[inline]
fn value(content: &[u8], null: bool, field: Field, kind: Option<ColumnType>, json: &mut Vec<u8>) -> u64 {
    let kind = match kind {
        Some(ColumnType::Text) if field.quoted => ColumnType::Text,
        Some(kind) if !null => kind,
        _ => {
            json.extend_from_slice(b"null");
            return 0;
        }
    };
    let written = match kind {
        ColumnType::Text => {
            let lines = string(content, json);
            return fill(lines, json);
        }
        ColumnType::Boolean => boolean(content),
        ColumnType::Integer => None,
        ColumnType::Float if content.last().is_some_and(u8::is_ascii_digit) => None,
        ColumnType::Float => not_finite(content),
    };
    json.extend_from_slice(written.map_or(content, str::as_bytes));
    0
}

/// Ends as many lines as the field went over.
fn fill(lines: u64, json: &mut Vec<u8>) -> u64 {
    (0..lines).for_each(|_| json.push(b'\n'));
    lines
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
