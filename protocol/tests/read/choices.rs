//! Paths through a tree of choices: every one of them, or many drawn at random.

/// Answers "which of n?" again and again; between two runs it moves on to another path.
#[derive(Debug)]
pub(crate) enum Choices {
    /// The path taken so far, as (choice, of how many), and how far the present run has come on it.
    Every { path: Vec<(usize, usize)>, at: usize },
    /// The state of a xorshift generator, and how many runs are left.
    Drawn { state: u64, left: usize },
}

impl Choices {
    pub(crate) fn every() -> Self {
        Self::Every { path: Vec::new(), at: 0 }
    }

    pub(crate) fn drawn(seed: u64, runs: usize) -> Self {
        Self::Drawn { state: seed | 1, left: runs }
    }

    /// One of `0..n`.
    pub(crate) fn choose(&mut self, n: usize) -> usize {
        match self {
            Self::Every { path, at } => {
                if *at == path.len() {
                    path.push((0, n));
                }
                let (choice, of) = path[*at];
                assert_eq!(of, n, "the same choices lead to the same question");
                *at += 1;
                choice
            }
            Self::Drawn { state, .. } => {
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                usize::try_from((*state >> 11) % n as u64).unwrap()
            }
        }
    }

    /// Moves on to a path that has not been taken; false when there is none.
    pub(crate) fn advance(&mut self) -> bool {
        match self {
            Self::Every { path, at } => {
                path.truncate(*at);
                *at = 0;
                while let Some((choice, of)) = path.pop() {
                    if choice + 1 < of {
                        path.push((choice + 1, of));
                        return true;
                    }
                }
                false
            }
            Self::Drawn { left, .. } => {
                *left -= 1;
                *left > 0
            }
        }
    }
}

#[test]
fn every_path_is_taken_once() {
    let mut choices = Choices::every();
    let mut taken = Vec::new();
    loop {
        let first = choices.choose(3);
        let second = if first == 1 { choices.choose(2) } else { 9 };
        taken.push((first, second));
        if !choices.advance() {
            break;
        }
    }
    assert_eq!(taken, [(0, 9), (1, 0), (1, 1), (2, 9)]);
}
