//! The index that pandas and R write: a first column without a name that counts the rows.

/// A column that counts 0, 1, 2 … or 1, 2, 3 …, so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counter {
    /// What comes next, once there was a row.
    next: Option<u64>,
}

impl Counter {
    /// Whether this is what comes next.
    #[inline]
    pub(super) fn count(&mut self, content: &[u8]) -> bool {
        let Some(found) = number(content) else { return false };
        let counts = self.next.map_or(found <= 1, |next| next == found);
        self.next = Some(found + 1);
        counts
    }
}

/// Digits without a leading zero, and no more of them than any input has rows.
fn number(content: &[u8]) -> Option<u64> {
    let canonical = matches!(content, [b'0'] | [b'1'..=b'9', ..]) && content.len() <= 18;
    if !canonical {
        return None;
    }
    content.iter().try_fold(0, |number: u64, byte| match byte {
        b'0'..=b'9' => Some(10 * number + u64::from(byte - b'0')),
        _ => None,
    })
}
