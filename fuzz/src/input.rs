//! Parts of an input, and what is said of all messages.

/// Stands between the parts of an input: no byte of UTF-8 is `0xff`.
const SEPARATOR: u8 = 0xff;

/// The parts of an input that is made of texts.
pub(crate) fn parts(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    input.split(|&byte| byte == SEPARATOR)
}

/// Decisions, one after the other; zero when there are none left.
pub(crate) struct Decisions<'a>(pub(crate) &'a [u8]);

impl Decisions<'_> {
    pub(crate) fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    pub(crate) fn below(&mut self, limit: u8) -> u8 {
        self.byte() % limit
    }

    pub(crate) fn yes(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    /// A number that is often small and sometimes at the end of what is possible.
    pub(crate) fn number(&mut self) -> u64 {
        let shift = u32::from(self.byte() % 64);
        let number = u64::from(self.byte());
        number.rotate_left(shift)
    }
}

/// Messages go to terminals: whatever is quoted in them must not control one.
pub(crate) fn assert_fit_for_a_terminal(message: &str) {
    let wrong = message.chars().find(|char| char.is_control() && *char != '\n');
    assert_eq!(wrong, None, "a message has a control character: {message:?}");
}

/// Whether a place, counted from 1, is in the text or at its end.
pub(crate) fn assert_inside(text: &[u8], line: u64, column: u64) {
    let mut lines = text.split(|&byte| byte == b'\n');
    let at = usize::try_from(line).ok().and_then(|line| line.checked_sub(1));
    let Some(found) = at.and_then(|at| lines.nth(at)) else { panic!("there is no line {line}") };
    let longest = found.len() as u64 + 1;
    assert!((1..=longest).contains(&column), "line {line} has no column {column}");
}
