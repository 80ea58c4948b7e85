//! Text that comes from elsewhere, on its way to a terminal.

use std::borrow::Cow;

/// The text with what a terminal would obey instead of showing written as an escape, such as `\u{1b}`; line breaks and
/// tabs stay. Whatever comes from files, servers and names in directories goes through here.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_obeyed(c) && c != '\n' && c != '\t', |c| c.escape_unicode().to_string())
}

/// The same for JSON, where these can stand only inside strings.
pub(crate) fn harmless_json(json: &str) -> Cow<'_, str> {
    escaped(json, is_obeyed, |c| format!("\\u{:04x}", u32::from(c)))
}

/// The text on one line: it cannot pass for a line of the report.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed, |c| c.escape_default().to_string())
}

/// Control characters, and those that turn the direction of what follows.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn escaped(text: &str, which: impl Fn(char) -> bool, escape: impl Fn(char) -> String) -> Cow<'_, str> {
    if !text.contains(&which) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if which(c) { escape(c) } else { c.to_string() }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_shown_instead() {
        assert_eq!(harmless("\u{1b}[31m red\u{9b}0m\r\n\tü €"), "\\u{1b}[31m red\\u{9b}0m\\u{d}\n\tü €");
        assert_eq!(harmless("a\u{202e}b\u{7f}"), "a\\u{202e}b\\u{7f}");
        assert_eq!(one_line("a\nb\tc"), "a\\nb\\tc");
        assert_eq!(harmless_json("{\"a\":\"\u{9b}\u{2028}\u{7f}\"}"), r#"{"a":"\u009b\u2028\u007f"}"#);
        assert!(matches!(harmless("as it is"), Cow::Borrowed(_)));
    }
}
