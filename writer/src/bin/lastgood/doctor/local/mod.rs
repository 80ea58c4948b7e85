//! The directory, the file system below it, and the feed in it.

#[cfg(unix)]
mod access;
#[cfg(unix)]
mod acl;
mod candidates;
mod locks;
mod medium;
#[cfg(target_os = "linux")]
mod mounts;
#[cfg(unix)]
mod owners;
#[cfg(unix)]
mod space;
mod state;

use lastgood::protocol::time::Timestamp;

use crate::dir::FeedDir;

use super::finding::Finding;
use super::place::Place;

#[cfg(unix)]
pub(super) use access::Visitor;
#[cfg(unix)]
pub(crate) use owners::advice;

/// On other systems permissions are not looked at.
#[cfg(not(unix))]
pub(super) struct Visitor;

/// Looks at everything that this machine can tell.
pub(super) fn examine(dir: &FeedDir, used: &Place, visitor: &Visitor, with_url: bool, now: Timestamp) -> Vec<Finding> {
    let mut findings = vec![candidates::directory(used, &dir.origin, with_url, now), candidates::origin(dir)];
    findings.extend(candidates::split_brain(used, &dir.origin, now));
    findings.extend(access(used, visitor));
    findings.extend(file_system(used));
    if let Some(storage) = used.storage() {
        findings.extend(medium::durability(used, &storage));
        findings.extend(locks::locks(used, &storage, now));
        findings.push(locks::staging(used, &storage));
        findings.extend(state::links(used));
        findings.extend(state::manifest(used, now));
        if let Some(published) = used.published() {
            findings.extend(state::old_copy(used, published));
            findings.push(state::expiry(published, now));
            findings.push(state::objects(used, &storage, published));
            findings.push(state::derived(used, &storage, published));
        }
        findings.push(state::clock(used, now));
    }
    findings
}

#[cfg(unix)]
fn access(used: &Place, visitor: &Visitor) -> Vec<Finding> {
    let mut findings = Vec::from_iter(access::path(used, visitor));
    findings.extend(access::files(used, visitor));
    findings.extend(owners::ownership(used));
    findings.extend(owners::write(used));
    findings
}

#[cfg(not(unix))]
fn access(_used: &Place, _visitor: &Visitor) -> Vec<Finding> {
    Vec::new()
}

#[cfg_attr(not(unix), expect(unused_mut, unused_variables, reason = "elsewhere nothing is looked at"))]
fn file_system(used: &Place) -> Vec<Finding> {
    let mut findings = Vec::new();
    #[cfg(unix)]
    if let Some(real) = used.real.as_deref() {
        findings.extend(space::space(used, real));
        findings.extend(space::same_filesystem(used));
    }
    #[cfg(target_os = "linux")]
    if let Some(real) = used.real.as_deref() {
        let mounts = mounts::mounts();
        findings.extend(mounts::read_only(&mounts, real));
        findings.extend(mounts::filesystem(&mounts, real));
        findings.extend(mounts::inside(&mounts, used));
    }
    findings
}
