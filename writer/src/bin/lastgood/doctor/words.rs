//! Numbers as people read them.

use std::time::Duration;

use indicatif::{HumanBytes, HumanDuration};

/// An age or a difference in milliseconds: "3 minutes".
pub(super) fn age(ms: u64) -> String {
    HumanDuration(Duration::from_millis(ms)).to_string()
}

/// A number of bytes: "1.20 GiB".
pub(super) fn bytes(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
}

/// A few names of many.
pub(super) fn some<T: AsRef<str>>(names: &[T]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(AsRef::as_ref).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A path or another word as a POSIX shell takes it.
pub(super) fn quoted(word: impl AsRef<std::path::Path>) -> String {
    let word = word.as_ref().display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+=:@,~".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_split_or_expand_is_quoted() {
        assert_eq!(quoted("/srv/www/data"), "/srv/www/data");
        assert_eq!(quoted("/srv/my data"), "'/srv/my data'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted("$HOME"), "'$HOME'");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some(&["a", "b"]), "a, b");
        assert_eq!(some(&["a", "b", "c", "d", "e", "f", "g"]), "a, b, c, d, e and 2 more");
    }
}
