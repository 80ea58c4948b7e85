//! What the doctor finds.

use std::fmt::{self, Display};

use serde::{Serialize, Serializer};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// As it should be.
    Ok,
    /// Good to know; nothing needs to be done.
    Note,
    /// It works now, or for some; it will not always.
    Warning,
    /// Publishing or reading does not work, or readers get what was not published.
    Error,
}

impl Severity {
    pub(crate) const ALL: [Severity; 4] = [Severity::Ok, Severity::Note, Severity::Warning, Severity::Error];
}

impl Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Severity::Ok => "ok",
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) check: Check,
    pub(crate) severity: Severity,
    /// What was found, in a sentence.
    pub(crate) found: String,
    /// Exactly what to do; may have several lines.
    pub(crate) remedy: Option<String>,
}

impl Check {
    /// It is as it should be.
    pub(crate) fn ok(self, found: impl Into<String>) -> Finding {
        Finding { check: self, severity: Severity::Ok, found: found.into(), remedy: None }
    }

    /// Good to know.
    pub(crate) fn note(self, found: impl Into<String>) -> Finding {
        Finding { severity: Severity::Note, ..self.ok(found) }
    }

    /// It will not always work.
    pub(crate) fn warning(self, found: impl Into<String>) -> Finding {
        Finding { severity: Severity::Warning, ..self.ok(found) }
    }

    /// It does not work.
    pub(crate) fn error(self, found: impl Into<String>) -> Finding {
        Finding { severity: Severity::Error, ..self.ok(found) }
    }
}

impl Finding {
    /// The same with what to do about it.
    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(remedy.into()), ..self }
    }
}

macro_rules! checks {
    ($($name:ident $id:literal $about:literal)*) => {
        /// What can be looked at. The ids are part of the interface; `docs/doctor.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Check { $($name),* }

        impl Check {
            pub(crate) const ALL: &[Check] = &[$(Check::$name),*];

            pub(crate) fn id(self) -> &'static str {
                match self { $(Check::$name => $id),* }
            }

            /// The question that it answers.
            pub(crate) fn about(self) -> &'static str {
                match self { $(Check::$name => $about),* }
            }
        }
    };
}

checks! {
    Directory "directory" "Is there a feed in the directory that is used?"
    DirectoryOrigin "directory-origin" "Why this directory, and will every caller use the same?"
    SplitBrain "split-brain" "Is there another directory that could be taken for the feed, with other data?"
    PathAccess "path-access" "Can the web server's user reach the directory?"
    FileAccess "file-access" "Can the web server's user read the files?"
    Ownership "ownership" "Does everything belong to the user who publishes?"
    WriteAccess "write-access" "Could this user publish here?"
    Links "links" "Are there symbolic links inside the feed?"
    FreeSpace "free-space" "Is there room for the next publishes?"
    FreeInodes "free-inodes" "Can the file system take more files?"
    ReadOnly "read-only" "Is the file system mounted for writing?"
    Filesystem "filesystem" "Which file system is it, and what does it promise?"
    SameFilesystem "same-filesystem" "Is the whole feed on one file system?"
    MountPoint "mount-point" "Is something mounted on a file or directory of the feed?"
    Durability "durability" "Do sync and rename work here, and how long do they take?"
    Lock "lock" "Who holds the writer's lock?"
    StaleMarker "stale-marker" "Has a dead publisher left a lock marker?"
    ForeignMarker "foreign-marker" "Is there a lock marker that lastgood did not write?"
    Staging "staging" "Have dead publishers left files in staging?"
    Manifest "manifest" "Is the manifest intact?"
    OldCopy "old-copy" "Is what is published the last that was?"
    Expired "expired" "Do readers still take everything for current?"
    Objects "objects" "Is there an object of the right size for everything that is published?"
    Derived "derived" "Do plain copies, last_update.txt and history agree with the manifest?"
    Clock "clock" "Is this machine's clock consistent with the files?"
    UrlReachable "url-reachable" "Does the server answer?"
    UrlRedirect "url-redirect" "Is the feed served at this address without detours?"
    UrlTls "url-tls" "Is it served over https?"
    UrlManifest "url-manifest" "Is the served manifest intact?"
    UrlFeed "url-feed" "Is it the same feed as in the directory?"
    UrlGeneration "url-generation" "Is it the same generation as in the directory?"
    UrlManifestCaching "url-manifest-caching" "Do caches ask before they hand out the manifest?"
    UrlRevalidation "url-revalidation" "Is an unchanged manifest answered without sending it again?"
    UrlObjects "url-objects" "Are the served objects what was published?"
    UrlObjectCaching "url-object-caching" "May browsers keep objects?"
    UrlContentType "url-content-type" "Is JSON served as JSON?"
    UrlCompression "url-compression" "Is JSON sent compressed, and rightly so?"
    UrlPlainCopy "url-plain-copy" "Are the served plain copies what was published?"
    UrlMissing "url-missing" "Is a missing file answered with 404?"
    UrlLock "url-lock" "Is a missing lock marker answered quietly, and never from a cache?"
    UrlPrivate "url-private" "Is .lastgood/ kept private?"
    UrlListing "url-listing" "Are directories kept unlisted?"
    UrlCors "url-cors" "May pages of other origins read the feed?"
    UrlClock "url-clock" "Does the server tell the time, and the same as this machine?"
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}

/// Expects that one of the findings is of this check and this bad. `tests/tests/cli/doctor` looks for these calls: what
/// cannot be made for real without special rights is triggered here.
#[cfg(test)]
#[track_caller]
pub(crate) fn triggers(findings: &[Finding], id: &str, severity: Severity) {
    let found = findings.iter().any(|finding| finding.check.id() == id && finding.severity == severity);
    assert!(found && severity >= Severity::Note, "expected {id} to be a {severity} in {findings:#?}");
}
