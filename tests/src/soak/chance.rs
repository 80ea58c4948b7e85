//! Choices that a seed decides.

/// Marsaglia's xorshift: short, and good enough to vary what a run does.
#[derive(Debug, Clone)]
pub(super) struct Chance(u64);

impl Chance {
    /// The choices of a seed, for one of those who choose.
    #[must_use]
    pub(super) fn new(seed: u64, who: u64) -> Self {
        // Any state but 0, and neighbours far from each other.
        let mut chance = Self((seed ^ who.wrapping_mul(0x9e37_79b9_7f4a_7c15)).max(1));
        for _ in 0..16 {
            chance.next();
        }
        chance
    }

    /// Any number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below this one.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
