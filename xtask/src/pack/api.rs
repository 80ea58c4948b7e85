//! The API reference, `docs/reader/api.md`, out of the declarations that the package has and the comments in them.

use std::{fmt::Write as _, fs, path::Path};

use anyhow::{Context, Result, ensure};

use super::script;
use crate::workspace;

/// What a page imports, and the files that declare it.
const SECTIONS: [(&str, &[&str]); 7] = [
    ("`lastgood` and `lastgood/inline`", &["lastgood", "errors"]),
    ("`lastgood/react`", &["react"]),
    ("`lastgood/react/status`", &["react-status"]),
    ("`lastgood/tanstack`", &["tanstack"]),
    ("`lastgood/testing`", &["testing"]),
    ("`lastgood/vite`", &["vite"]),
    ("Types", &["types"]),
];

const HEAD: &str = "# API reference

<!-- Written by `cargo xtask pack` from the declarations in reader-wasm/npm/src/: change the comments there. -->

Every export of the package, with its declaration. The types are exported by `lastgood` and `lastgood/inline`; what is declared without `export` is part
of another declaration. How things belong together is explained on the [pages](README.md).
";

/// Writes the reference, or refuses one that is out of date.
pub(super) fn write(declarations: &Path, check: bool) -> Result<()> {
    let page = workspace::path("docs/reader/api.md");
    let text = reference(declarations)?;
    let before = fs::read_to_string(&page).unwrap_or_default();
    if before == text {
        return Ok(());
    }
    ensure!(!check, "{} is out of date: run cargo xtask pack and commit it", workspace::shown(&page));
    fs::write(&page, text).with_context(|| format!("cannot write {}", workspace::shown(&page)))?;
    eprintln!("    updated {}", workspace::shown(&page));
    Ok(())
}

fn reference(declarations: &Path) -> Result<String> {
    let mut text = HEAD.to_owned();
    for (title, files) in SECTIONS {
        write!(text, "\n## {title}\n")?;
        let mut exports: Vec<Export> = Vec::new();
        for name in files {
            // The types as they are written: nothing in them is compiled, and the compiler would take their lines apart.
            let source = match *name {
                "types" => script::sources().join("src/types.ts"),
                name => declarations.join(name).with_extension("d.ts"),
            };
            let source = fs::read_to_string(&source).with_context(|| workspace::shown(&source))?;
            for export in parse(&source) {
                match exports.iter_mut().find(|known| known.name == export.name) {
                    Some(known) => known.code += &export.code, // an overload
                    None => exports.push(export),
                }
            }
        }
        ensure!(!exports.is_empty(), "{title} declares nothing: are its declarations written otherwise than before?");
        for Export { name, comment, code } in exports {
            write!(text, "\n### {name}\n\n{}```ts\n{code}```\n", prose(&comment))?;
        }
    }
    Ok(text)
}

/// A declaration on the outermost level.
#[derive(Debug, Default, PartialEq, Eq)]
struct Export {
    name: String,
    /// The lines of its comment, without the signs of one.
    comment: Vec<String>,
    code: String,
}

/// The declarations of a file, in its order.
fn parse(source: &str) -> Vec<Export> {
    let mut exports = Vec::new();
    let mut comment = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("/**") {
            comment = comment_lines(line, &mut lines);
        } else if let Some(name) = declared(line) {
            let mut export = Export { name, comment: std::mem::take(&mut comment), code: String::new() };
            let mut depth = 0;
            let mut line = Some(line);
            while let Some(current) = line {
                export.code += current;
                export.code.push('\n');
                depth += depth_of(current);
                let ends = current == "}" || (current.ends_with(';') && !is_comment(current));
                line = if depth == 0 && ends { None } else { lines.next() };
            }
            exports.push(export);
        } else if !line.starts_with("//") {
            // A comment belongs to what follows it at once: that of the file belongs to nothing.
            comment.clear();
        }
    }
    exports
}

/// The name that a line declares.
fn declared(line: &str) -> Option<String> {
    let kinds = ["interface ", "type ", "function ", "class ", "const "];
    let rest = line.strip_prefix("export ").unwrap_or(line);
    let rest = ["declare ", "default "].iter().find_map(|word| rest.strip_prefix(word)).unwrap_or(rest);
    let rest = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn comment_lines<'a>(first: &'a str, rest: &mut impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all = vec![first];
    while !all.last().is_some_and(|line| line.ends_with("*/")) {
        match rest.next() {
            Some(line) => all.push(line),
            None => break,
        }
    }
    let text = |line: &str| {
        let line = line.trim().trim_start_matches("/**").trim_end_matches("*/").trim();
        line.strip_prefix('*').unwrap_or(line).trim().to_owned()
    };
    all.into_iter().map(text).collect()
}

fn is_comment(line: &str) -> bool {
    ["/**", "*", "//"].iter().any(|sign| line.trim_start().starts_with(sign))
}

/// How many brackets a line leaves open.
fn depth_of(line: &str) -> i32 {
    if is_comment(line) {
        return 0;
    }
    let change = |c| match c {
        '{' | '(' | '[' => 1,
        '}' | ')' | ']' => -1,
        _ => 0,
    };
    line.chars().map(change).sum()
}

/// A comment as Markdown.
fn prose(comment: &[String]) -> String {
    let mut text = String::new();
    for line in comment {
        let line = linked(line);
        match line.strip_prefix("@param ").and_then(|rest| rest.split_once(' ')) {
            Some((name, rest)) => text += &format!("- `{name}`: {rest}"),
            None => text += &line.replace("@throws {LastgoodError}", "- throws `LastgoodError`:"),
        }
        text.push('\n');
    }
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!("{text}\n\n") }
}

/// A line with code in the place of links.
fn linked(line: &str) -> String {
    let mut parts = line.split("{@link ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once('}') {
        Some((name, rest)) => format!("{text}`{name}`{rest}"),
        None => text + part,
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, prose};

    const SOURCE: &str = "/**
 * The entry.
 *
 * @module
 */
import type { B } from './b.js';
export { C } from './c.js';
/**
 * Does it, see {@link B}, as `f({ a })`.
 *
 * @param a what
 * it is
 * @throws {LastgoodError} `x`
 */
export declare function f(a: { b: string }): void;
export declare function f(): Promise<
  void
>;
/** Either. */
export type T =
  /** One; */
  | 'one'
  | { two: string };
interface Hidden {
  /** Not the end }. */
  a: number;
}
export default function main(): void;
export {};
";

    #[test]
    fn declarations_are_found_whole_and_with_their_comments() {
        let exports = parse(SOURCE);
        let names: Vec<&str> = exports.iter().map(|export| export.name.as_str()).collect();
        assert_eq!(names, ["f", "f", "T", "Hidden", "main"]);
        assert_eq!(exports[0].code, "export declare function f(a: { b: string }): void;\n");
        assert_eq!(exports[1].code, "export declare function f(): Promise<\n  void\n>;\n");
        assert!(exports[2].code.ends_with("  | 'one'\n  | { two: string };\n"), "{:?}", exports[2]);
        assert!(exports[3].code.ends_with("  a: number;\n}\n"), "{:?}", exports[3]);
    }

    #[test]
    fn comments_become_prose() {
        let exports = parse(SOURCE);
        let expected = "Does it, see `B`, as `f({ a })`.\n\n- `a`: what\nit is\n- throws `LastgoodError`: `x`\n\n";
        assert_eq!(prose(&exports[0].comment), expected);
        assert_eq!(prose(&exports[1].comment), "", "no declaration has the comment of another one");
        assert_eq!(prose(&exports[2].comment), "Either.\n\n");
    }
}
