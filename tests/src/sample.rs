//! How much of a large set is tried: a share in everyday runs, another one each time, and all of it on request.

use std::env;

/// Points out of a larger set.
#[derive(Debug)]
pub struct Sample<T> {
    /// Those to be tried.
    pub points: Vec<T>,
    /// What chose them: with `LASTGOOD_TEST_SEED` they are the same again.
    pub seed: u64,
}

impl<T> Sample<T> {
    /// As many of `points` as `LASTGOOD_TEST_POINTS` says, a number or `all`; without it 10. Failures are found again
    /// with the seed, which is in `seed` and in the output of a test that fails.
    ///
    /// # Panics
    /// When one of the two variables is something else.
    #[must_use]
    pub fn of(mut points: Vec<T>, what: &str) -> Self {
        let (seed, all) = (seed(), points.len());
        let wanted = match env::var("LASTGOOD_TEST_POINTS") {
            Err(_) => 10,
            Ok(every) if every == "all" => all,
            Ok(number) => number.parse().expect("LASTGOOD_TEST_POINTS is a number or \"all\""),
        };
        if wanted < all {
            fastrand::Rng::with_seed(seed).shuffle(&mut points);
            points.truncate(wanted);
        }
        println!("{what}: {} of {all} points, LASTGOOD_TEST_SEED={seed}", points.len());
        Self { points, seed }
    }
}

/// `LASTGOOD_TEST_SEED`, or one drawn anew.
///
/// # Panics
/// When the variable is no number.
#[must_use]
pub fn seed() -> u64 {
    env::var("LASTGOOD_TEST_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().expect("a number"))
}
