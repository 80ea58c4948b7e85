//! Which calls of the system fail, and how.

use std::io::ErrorKind;
use std::path::PathBuf;

/// What a call asks of a file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It changes nothing: looking, reading, locking.
    Looks,
    /// It may need room.
    Takes,
    /// It removes something.
    Frees,
}

/// A call that was made.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) effect: Effect,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It does nothing and says so. EIO is [`ErrorKind::Other`].
    Fails(ErrorKind),
    /// It says that it failed, and took place all the same.
    FailsAfterwards(ErrorKind),
    /// A write takes half of the bytes.
    TakesHalf,
    /// A write takes half of the bytes; what comes after it fails.
    TakesHalfThenFails(ErrorKind),
}

/// Which of the calls after the first that fails do so as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    Once,
    /// So many calls in all.
    Calls(usize),
    /// Those that need room: the medium is full.
    Room,
    /// Those that change something: the medium can only be read.
    Changes,
    /// All of them: the medium is gone.
    Everything,
}

/// What is to fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The number of the first call that fails, from 0.
    pub(crate) first: usize,
    pub(crate) fault: Fault,
    pub(crate) lasts: Lasts,
}

/// The calls of an operation, and those of them that a plan made fail.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) plan: Option<Plan>,
    pub(crate) calls: Vec<Call>,
    /// The numbers of those that did not simply work.
    pub(crate) struck: Vec<usize>,
}

impl Faults {
    /// What becomes of the next call; `None` when it works.
    pub(crate) fn next(&mut self, call: Call) -> Option<Fault> {
        let number = self.calls.len();
        let fault = self.plan.as_ref().and_then(|plan| plan.fault_of(number, &call));
        self.calls.push(call);
        if fault.is_some() {
            self.struck.push(number);
        }
        fault
    }

    /// The calls that did not simply work.
    pub(crate) fn struck(&self) -> impl Iterator<Item = &Call> {
        self.struck.iter().map(|number| &self.calls[*number])
    }
}

impl Plan {
    fn fault_of(&self, number: usize, call: &Call) -> Option<Fault> {
        if number <= self.first {
            return (number == self.first).then_some(self.fault);
        }
        let struck = match self.lasts {
            // Half a write is followed by what fails.
            Lasts::Once => matches!(self.fault, Fault::TakesHalfThenFails(_)) && number == self.first + 1,
            Lasts::Calls(calls) => number < self.first + calls,
            Lasts::Room => call.effect == Effect::Takes,
            Lasts::Changes => call.effect != Effect::Looks,
            Lasts::Everything => true,
        };
        let then = match self.fault {
            Fault::TakesHalfThenFails(cause) => Fault::Fails(cause),
            fault => fault,
        };
        struck.then_some(then)
    }
}
