//! Types of TypeScript, and how they are written.

use std::fmt::Write;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Anything, with the reason why nothing better can be said.
    Unknown(Option<String>),
    Never,
    /// A keyword or a literal, as it is written.
    Word(String),
    Named(String),
    Array(Box<Type>),
    Tuple {
        fixed: Vec<Element>,
        rest: Option<Box<Type>>,
    },
    Object {
        members: Vec<Member>,
        /// The type of every further member.
        index: Option<Box<Type>>,
    },
    Union(Vec<Type>),
    Intersection(Vec<Type>),
}

/// An element of a tuple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) ty: Type,
    pub(super) required: bool,
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) ty: Type,
    pub(super) required: bool,
    /// The lines of its comment.
    pub(super) doc: Vec<String>,
}

impl Type {
    pub(super) fn word(word: &str) -> Self {
        Type::Word(word.to_owned())
    }

    pub(super) fn unknown(reason: impl Into<String>) -> Self {
        Type::Unknown(Some(reason.into()))
    }

    /// What is of one of these types.
    pub(super) fn union(types: impl IntoIterator<Item = Type>) -> Self {
        let mut all: Vec<Type> = Vec::new();
        for ty in types {
            let parts = if let Type::Union(parts) = ty { parts } else { vec![ty] };
            for part in parts {
                match part {
                    Type::Unknown(_) => return part,
                    Type::Never => {}
                    part if all.contains(&part) => {}
                    part => all.push(part),
                }
            }
        }
        match all.len() {
            0 => Type::Never,
            1 => all.swap_remove(0),
            _ => Type::Union(all),
        }
    }

    /// What is of all of these types.
    pub(super) fn intersection(types: impl IntoIterator<Item = Type>) -> Self {
        let mut all: Vec<Type> = Vec::new();
        for ty in types {
            let parts = if let Type::Intersection(parts) = ty { parts } else { vec![ty] };
            for part in parts {
                match part {
                    Type::Never => return Type::Never,
                    Type::Unknown(None) => {}
                    part if all.contains(&part) => {}
                    part => all.push(part),
                }
            }
        }
        match all.len() {
            0 => Type::Unknown(None),
            1 => all.swap_remove(0),
            _ => Type::Intersection(all),
        }
    }

    /// Whether it takes a word or two to write it.
    pub(super) fn is_short(&self) -> bool {
        match self {
            Type::Unknown(_) | Type::Never | Type::Word(_) | Type::Named(_) => true,
            Type::Array(element) => element.is_short(),
            Type::Union(parts) => parts.iter().all(Type::is_short),
            Type::Tuple { .. } | Type::Object { .. } | Type::Intersection(_) => false,
        }
    }

    /// Writes it behind what is on the line; further lines are indented by so many steps.
    pub(super) fn write(&self, out: &mut String, indent: usize) {
        match self {
            Type::Unknown(None) => out.push_str("unknown"),
            Type::Unknown(Some(reason)) => _ = write!(out, "unknown /* {} */", in_comment(reason)),
            Type::Never => out.push_str("never"),
            Type::Word(word) | Type::Named(word) => out.push_str(word),
            Type::Array(element) => {
                element.write_within(out, indent, matches!(**element, Type::Union(_) | Type::Intersection(_)));
                out.push_str("[]");
            }
            Type::Tuple { fixed, rest } => write_tuple(out, indent, fixed, rest.as_deref()),
            Type::Object { members, index } => write_object(out, indent, members, index.as_deref()),
            Type::Union(parts) => write_joined(out, indent, parts, " | "),
            Type::Intersection(parts) => write_joined(out, indent, parts, " & "),
        }
    }

    fn write_within(&self, out: &mut String, indent: usize, parentheses: bool) {
        if parentheses {
            out.push('(');
        }
        self.write(out, indent);
        if parentheses {
            out.push(')');
        }
    }
}

fn write_joined(out: &mut String, indent: usize, parts: &[Type], between: &str) {
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            out.push_str(between);
        }
        part.write_within(out, indent, matches!(part, Type::Union(_) | Type::Intersection(_)));
    }
}

fn write_tuple(out: &mut String, indent: usize, fixed: &[Element], rest: Option<&Type>) {
    out.push('[');
    for (number, Element { ty, required }) in fixed.iter().enumerate() {
        if number > 0 {
            out.push_str(", ");
        }
        ty.write_within(out, indent, !required && matches!(ty, Type::Union(_) | Type::Intersection(_)));
        out.push_str(if *required { "" } else { "?" });
    }
    if let Some(rest) = rest {
        out.push_str(if fixed.is_empty() { "..." } else { ", ..." });
        Type::Array(Box::new(rest.clone())).write(out, indent);
    }
    out.push(']');
}

fn write_object(out: &mut String, indent: usize, members: &[Member], index: Option<&Type>) {
    out.push_str("{\n");
    let inner = "  ".repeat(indent + 1);
    for Member { name, ty, required, doc } in members {
        write_doc(out, indent + 1, doc);
        _ = write!(out, "{inner}{}{}: ", member_name(name), if *required { "" } else { "?" });
        ty.write(out, indent + 1);
        out.push_str(";\n");
    }
    if let Some(index) = index {
        _ = write!(out, "{inner}[name: string]: ");
        index.write(out, indent + 1);
        out.push_str(";\n");
    }
    _ = write!(out, "{}}}", "  ".repeat(indent));
}

/// Writes a comment for what follows on the next line.
pub(super) fn write_doc(out: &mut String, indent: usize, lines: &[String]) {
    let indent = "  ".repeat(indent);
    match lines {
        [] => {}
        [line] => _ = writeln!(out, "{indent}/** {} */", in_comment(line)),
        lines => {
            _ = writeln!(out, "{indent}/**");
            for line in lines {
                let line = in_comment(line);
                _ = writeln!(out, "{}", format!("{indent} * {line}").trim_end());
            }
            _ = writeln!(out, "{indent} */");
        }
    }
}

/// A text that neither ends its comment nor its line.
fn in_comment(text: &str) -> String {
    let visible = |char: char| if char.is_control() || "\u{2028}\u{2029}".contains(char) { ' ' } else { char };
    text.chars().map(visible).collect::<String>().replace("*/", "*\\/")
}

/// The name of a member: as it is, or in quotes.
pub(super) fn member_name(name: &str) -> String {
    let mut chars = name.chars();
    let begins = chars.next().is_some_and(|char| char.is_ascii_alphabetic() || "_$".contains(char));
    let is_identifier = begins && chars.all(|char| char.is_ascii_alphanumeric() || "_$".contains(char));
    if is_identifier { name.to_owned() } else { quoted(name) }
}

/// A text as a literal.
pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be written as JSON")
}

/// A name for a type: words that begin with capitals.
pub(super) fn type_name(text: &str) -> String {
    let words = text.split(|char: char| !char.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
}
