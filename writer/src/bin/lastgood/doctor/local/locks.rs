//! The writer's lock, lock markers, and what dead publishes have left.

use lastgood::protocol::marker::Holder;
use lastgood::protocol::time::Timestamp;
use lastgood::storage::PosixStorage;
use lastgood::{Feed, ForeignMarker, LockStatus, Locks};

use super::super::finding::{Check, Finding};
use super::super::place::Place;
use super::super::words::{age, quoted, some};

/// Who holds the lock, and which markers are there.
pub(super) fn locks(used: &Place, storage: &PosixStorage, now: Timestamp) -> Vec<Finding> {
    let Locks { lock, foreign_markers } = match Feed::on(storage.clone()).locks() {
        Ok(locks) => locks,
        Err(error) => {
            let owner = "run the doctor as the user who publishes: sudo -u USER lastgood doctor";
            return vec![Check::Lock.note(format!("cannot be looked at: {error}")).remedy(owner)];
        }
    };
    let mut findings = vec![match &lock {
        Some(held) if held.held => {
            let pid = held.holder.as_ref().map_or(0, |holder| holder.pid);
            let who = who(held.holder.as_ref());
            Check::Lock.note(format!("{who} is publishing now{}", since(held, now))).remedy(format!(
                "wait; should {who} hang, look there with ps -fp {pid} and end it: the kernel releases the lock"
            ))
        }
        _ => Check::Lock.ok("nobody holds the writer's lock"),
    }];
    findings.push(match &lock {
        Some(left) if !left.held => {
            let who = who(left.holder.as_ref());
            Check::StaleMarker
                .warning(format!(
                    "a lock marker was left behind by {who}{}; readers believe it until its lease ends",
                    since(left, now)
                ))
                .remedy(format!("lastgood recover --dir {}\nthe next publish does it, too", quoted(&used.path)))
        }
        _ => Check::StaleMarker.ok("no lock marker was left behind"),
    });
    findings.extend(foreign_markers.iter().map(|marker| foreign(used, marker)));
    if foreign_markers.is_empty() {
        findings.push(Check::ForeignMarker.ok("every lock marker is one of lastgood's"));
    }
    findings
}

fn foreign(used: &Place, ForeignMarker { path, age_ms }: &ForeignMarker) -> Finding {
    let found = format!(
        "{path}, which lastgood did not write, has been there for {}; publishing waits for it and then fails",
        age(*age_ms)
    );
    let file = quoted(used.path.join(path.as_str()));
    Check::ForeignMarker.warning(found).remedy(format!(
        "fuser -v {file}\nshows who has it open; if nobody has: rm -r {file}, or publish with --stale-marker-after 1h"
    ))
}

fn who(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "an unknown process".to_owned(), ToString::to_string)
}

fn since(lock: &LockStatus, now: Timestamp) -> String {
    let Some(marker) = &lock.marker else { return String::new() };
    let datasets: Vec<&str> = marker.datasets.iter().map(|dataset| dataset.as_str()).collect();
    let (at, for_long) = (marker.acquired_at, age(now.ms_since(marker.acquired_at)));
    format!(", {for_long} ago ({at}), for {}", some(&datasets))
}

/// Directories of dead publishes.
pub(super) fn staging(used: &Place, storage: &PosixStorage) -> Finding {
    match storage.leftovers() {
        Ok(left) if left.is_empty() => Check::Staging.ok("nothing was left in staging"),
        Ok(left) => {
            let found = format!("{} publish(es) that died have left files in staging; nobody serves them", left.len());
            Check::Staging
                .note(found)
                .remedy(format!("lastgood recover --dir {}\nthe next publish does it, too", quoted(&used.path)))
        }
        Err(error) => Check::Staging.note(format!("cannot be looked at: {error}")),
    }
}
