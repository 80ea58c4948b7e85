//! Times and random bits for feeds under test.

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

thread_local! {
    /// What [`at`] says: the next time, and the next random number.
    static MOMENT: Cell<Option<(i64, u128)>> = const { Cell::new(None) };
}

/// Whatever `action` does in this thread is done from `time` on, with ids that follow from it: so twice in the same way.
pub(crate) fn at<T>(time: i64, action: impl FnOnce() -> T) -> T {
    struct Restore(Option<(i64, u128)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            MOMENT.set(self.0);
        }
    }
    let _restore = Restore(MOMENT.replace(Some((time, (time as u128) << 64))));
    action()
}

static TICKS: AtomicI64 = AtomicI64::new(1_800_000_000_000);

/// A time from which on a hundred seconds are for [`at`] alone.
pub(crate) fn later() -> i64 {
    TICKS.fetch_add(100_000, Ordering::Relaxed)
}

/// A clock that is later at every look: two publishes at the same instant would make fewer calls than two at different
/// ones, and a suite that counts calls would miss some.
pub(crate) fn now() -> i64 {
    match MOMENT.get() {
        Some((time, random)) => {
            MOMENT.set(Some((time + 1, random)));
            time
        }
        None => TICKS.fetch_add(1, Ordering::Relaxed),
    }
}

/// Something that was never drawn before.
pub(crate) fn random() -> [u8; 16] {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let number = match MOMENT.get() {
        Some((time, random)) => {
            MOMENT.set(Some((time, random + 1)));
            random
        }
        None => u128::from(DRAWN.fetch_add(1, Ordering::Relaxed)),
    };
    number.to_be_bytes()
}
