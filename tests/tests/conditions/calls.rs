//! Each system call of a command fails, or is its last.

use std::panic::{self, AssertUnwindSafe};

use lastgood_tests::sample::Sample;

use crate::scenario::{self, Scenario};
use crate::strace::{Call, Fate};

const ERRORS: [&str; 6] = ["EIO", "ENOSPC", "EDQUOT", "EINTR", "EROFS", "EACCES"];

/// Tries `fates` on every call of the command, or on as many as the sample has.
fn suffer(scenario: &Scenario, what: &str, fates: &[Fate]) {
    let before = (scenario.prepare)();
    let calls = scenario.calls(&scenario::copy(&before));
    let every: Vec<(&Call, Fate)> = calls.iter().flat_map(|call| fates.iter().map(move |fate| (call, *fate))).collect();
    let sample = Sample::of(every, &format!("{what}, {} system calls", calls.len()));
    let mut wrong = Vec::new();
    for (call, fate) in &sample.points {
        let feed = scenario::copy(&before);
        let Some(ran) = scenario.run(&feed, call, *fate) else {
            // Which of its threads makes a call is not always the same.
            if !scenario.starts_others {
                wrong.push(format!("{fate:?}: {call}\n  did not come"));
            }
            continue;
        };
        let tidy = matches!(fate, Fate::Fails(_)) && !tidies_up(call);
        let mute = matches!(fate, Fate::FailsFromThenOn(_)) && call.name == "write";
        let checked = panic::catch_unwind(AssertUnwindSafe(|| match fate {
            Fate::Meets(_) => scenario.check_stopped(&before, &feed, &ran),
            _ => scenario.check(&before, &feed, &ran, tidy, mute),
        }));
        if let Err(panic) = checked {
            let why = panic.downcast::<String>().map_or_else(|_| "see above".to_owned(), |why| *why);
            let (code, out, err) = (ran.code, ran.text(), ran.stderr);
            wrong.push(format!("{fate:?}: {call}\n  {why}\n  exit code {code:?}\n  {out}\n  {err}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "LASTGOOD_TEST_SEED={}: {} wrong, what is above and:\n{}",
        sample.seed,
        wrong.len(),
        wrong.join("\n")
    );
}

/// Whether the call removes what the command had made, or looks for it.
fn tidies_up(call: &Call) -> bool {
    call.name.starts_with("unlink")
        || call.line.contains("/staging")
            && (call.line.contains("O_DIRECTORY") || ["getdents64", "newfstatat", "statx"].contains(&&*call.name))
}

macro_rules! suffering {
    ($($name:ident: $scenario:ident;)*) => {
        mod killed {
            use super::*;
            $(#[test] fn $name() {
                suffer(&scenario::$scenario, concat!("kill ", stringify!($name)), &[Fate::IsTheLast]);
            })*
        }
        mod failing_once {
            use super::*;
            $(#[test] fn $name() {
                suffer(&scenario::$scenario, concat!("fail ", stringify!($name)), &ERRORS.map(Fate::Fails));
            })*
        }
        mod failing_from_then_on {
            use super::*;
            $(#[test] fn $name() {
                // A call that is interrupted for ever would be made for ever.
                let lasting = ERRORS.into_iter().filter(|error| *error != "EINTR");
                let fates: Vec<Fate> = lasting.map(Fate::FailsFromThenOn).collect();
                suffer(&scenario::$scenario, concat!("keep failing ", stringify!($name)), &fates);
            })*
        }
    };
}

/// Commands that only change what readers see in the end, and can be stopped before that.
mod interrupted {
    use super::*;

    const SIGNALS: [Fate; 2] = [Fate::Meets("SIGTERM"), Fate::Meets("SIGINT")];

    #[test]
    fn publish() {
        suffer(&scenario::PUBLISH_TWO, "interrupt publish", &SIGNALS);
    }

    #[test]
    fn rollback() {
        suffer(&scenario::ROLLBACK, "interrupt rollback", &SIGNALS);
    }

    #[test]
    fn gc() {
        suffer(&scenario::COLLECT, "interrupt gc", &SIGNALS);
    }
}

suffering! {
    first_publish: FIRST_PUBLISH;
    publish: PUBLISH_TWO;
    rich_publish: PUBLISH_RICH;
    publish_after_a_crash: PUBLISH_AFTER_CRASH;
    rollback: ROLLBACK;
    gc: COLLECT;
    recover: RECOVER;
    new_feed: NEW_FEED;
    remove: REMOVE;
    purge: PURGE;
    repair: REPAIR;
    hold: HOLD;
    adopt: ADOPT;
}
