//! Which directory is used and why, and whether another could be taken for it.
//!
//! Split brain: the backend writes one directory, the site serves another. Both look healthy on their own.

use std::path::{Path, PathBuf};

use lastgood::config::{Config, FILE_NAME};
use lastgood::protocol::time::Timestamp;
use lastgood::storage::NoDirectory;

use crate::dir::{DEFAULT, FeedDir, Origin, VARIABLE};

use super::super::finding::{Check, Finding};
use super::super::place::{Content, Place, Published, plain_copies};
use super::super::words::{quoted, some};

/// The folders of a site in which build tools and web servers expect what is served as it is.
const SITE_FOLDERS: [&str; 9] = ["public", "static", "www", "site", "html", "htdocs", "dist", "build", "out"];

/// Another directory that could be taken for the feed.
struct Candidate {
    place: Place,
    /// Who would take it, to follow its path in brackets.
    why: String,
    config: bool,
}

/// What is in the directory that is used. Without a feed there, that is an error, unless a URL is what is asked about.
pub(super) fn directory(used: &Place, origin: &Origin, with_url: bool, now: Timestamp) -> Finding {
    let found = format!("{} {} ({origin})", used.path.display(), used.describe(now));
    let publish = format!("publish into it: lastgood publish NAME=FILE --dir {}", quoted(&used.path));
    match &used.content {
        Content::Feed(_) | Content::Damaged(_) | Content::Later(_) => Check::Directory.ok(found),
        Content::Missing if with_url => Check::Directory.note(format!("{found}; only the URL is looked at")),
        Content::Missing => {
            Check::Directory.error(found).remedy(format!("correct the path with --dir or {VARIABLE}, or {publish}"))
        }
        Content::Plain(names) if names.is_empty() => Check::Directory.warning(found).remedy(publish),
        Content::Plain(_) => Check::Directory.error(found).remedy(format!(
            "correct the path with --dir or {VARIABLE}; to make a feed beside those files, {publish} --create"
        )),
        Content::Taken { .. } => Check::Directory.error(found).remedy(format!(
            "make the feed in a directory of its own: lastgood publish NAME=FILE --dir {}",
            quoted(used.path.join(DEFAULT))
        )),
        Content::NoDirectory(problem) => Check::Directory.error(found).remedy(way_to(problem)),
        Content::Unreadable(_) => Check::Directory
            .error(found)
            .remedy("run the doctor as the user who publishes: sudo -u USER lastgood doctor"),
    }
}

/// What gets a directory where something else is.
fn way_to(problem: &NoDirectory) -> String {
    let correct = format!("correct the path with --dir or {VARIABLE}");
    match problem {
        NoDirectory::Dangling { link, target } => {
            format!("mkdir -p {}\nor correct the link {}", quoted(target), link.display())
        }
        NoDirectory::Link { link, .. } => format!("correct the link {}, or {correct}", link.display()),
        NoDirectory::Closed { .. } => {
            format!("run the doctor as the user who publishes: sudo -u USER lastgood doctor; or {correct}")
        }
        _ => correct,
    }
}

/// Where the choice depends on where the command is started, another caller chooses differently.
pub(super) fn origin(dir: &FeedDir) -> Finding {
    let path = quoted(&dir.path);
    let found = format!("{} is {}", dir.path.display(), dir.origin);
    match &dir.origin {
        Origin::Default => Check::DirectoryOrigin
            .note(format!("{found}; from another working directory, such as that of cron, it is another one"))
            .remedy(format!(
                "write `dir = \"{}\"` into a {FILE_NAME} above, or set {VARIABLE}={path} for every caller",
                dir.path.display()
            )),
        Origin::Config(file) => Check::DirectoryOrigin
            .ok(format!("{found}; it counts for commands started in {} or below", parent(file).display())),
        Origin::Option | Origin::Environment => Check::DirectoryOrigin.ok(found),
    }
}

/// Every other directory that could be taken for the feed, compared with the one that is used.
pub(super) fn split_brain(used: &Place, origin: &Origin, now: Timestamp) -> Vec<Finding> {
    let others = candidates(used);
    let mut findings: Vec<Finding> = others.iter().filter_map(|other| compare(used, origin, other, now)).collect();
    if findings.is_empty() {
        let same = others.iter().filter(|other| other.place.real.is_some() && same(used, &other.place));
        let same: Vec<String> =
            same.map(|other| format!("{} ({}) is the same directory", other.place.path.display(), other.why)).collect();
        let found =
            if same.is_empty() { "no other directory could be taken for the feed".to_owned() } else { same.join("; ") };
        findings.push(Check::SplitBrain.ok(found));
    }
    findings
}

/// The other directories that the rules for finding the feed, or the habits of site builders, could lead to.
fn candidates(used: &Place) -> Vec<Candidate> {
    let Ok(here) = std::env::current_dir() else { return Vec::new() };
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |path: PathBuf, why: String, config: bool| {
        let path = std::path::absolute(&path).unwrap_or(path);
        if path != used.path && !found.iter().any(|candidate| candidate.place.path == path) {
            found.push(Candidate { place: Place::look(&path), why, config });
        }
    };
    if let Some(path) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        add(here.join(path), format!("from {VARIABLE}"), true);
    }
    for above in here.ancestors() {
        // One that may not be believed says nothing here either.
        if let Some(dir) = Config::at(above).ok().flatten().and_then(|config| config.dir) {
            add(dir, format!("from {}", above.join(FILE_NAME).display()), true);
        }
    }
    add(here.join(DEFAULT), "the default here".to_owned(), false);
    let name = used.path.file_name().unwrap_or(DEFAULT.as_ref()).to_owned();
    let bases = [Some(here.as_path()), used.path.parent(), used.path.parent().and_then(Path::parent)];
    for base in bases.into_iter().flatten() {
        add(base.join(&name), format!("beside it, in {}", base.display()), false);
        for folder in SITE_FOLDERS {
            add(base.join(folder).join(&name), format!("in the folder {folder}/ of a site"), false);
        }
    }
    found.retain(|candidate| candidate.config || candidate.place.real.is_some());
    found
}

fn compare(used: &Place, origin: &Origin, other: &Candidate, now: Timestamp) -> Option<Finding> {
    let Candidate { place, why, config } = other;
    if same(used, place) {
        return None;
    }
    let differ = difference(used, place);
    let Some(differ) = differ else {
        // Named by somebody, and no feed that could be confused with this one.
        return config.then(|| {
            let found = format!(
                "{} ({why}) {}; {} ({origin}) is used",
                place.path.display(),
                place.describe(now),
                used.path.display()
            );
            Check::SplitBrain.note(found)
        });
    };
    let found = format!(
        "two directories could be taken for the feed, and they differ: {differ}.\nused:  {} ({}) {}\nother: {} \
            ({why}) {}",
        used.path.display(),
        briefly(origin),
        used.describe(now),
        place.path.display(),
        place.describe(now),
    );
    Some(Check::SplitBrain.warning(found).remedy(remedy(used, place)))
}

/// In what way a reader of the one sees something else than a reader of the other; `None` when it does not.
fn difference(used: &Place, other: &Place) -> Option<String> {
    match (&used.content, &other.content) {
        (Content::Feed(used), Content::Feed(other)) => difference_of_feeds(used, other),
        (Content::Feed(feed), Content::Plain(names)) => plain_files_of(feed, names),
        (Content::Plain(names), Content::Feed(feed)) => {
            plain_files_of(feed, names).or_else(|| Some("the feed is in the other one".to_owned()))
        }
        (Content::Missing | Content::NoDirectory(_), Content::Feed(_)) => {
            Some("the feed is in the other one".to_owned())
        }
        (_, Content::Damaged(_) | Content::Later(_)) | (Content::Damaged(_) | Content::Later(_), Content::Feed(_)) => {
            Some("both are feeds, and one of them cannot be read".to_owned())
        }
        _ => None,
    }
}

/// The files of a directory that have the names of the feed's plain copies: a page cannot tell the two apart.
fn plain_files_of(feed: &Published, names: &[String]) -> Option<String> {
    let files = plain_copies(&feed.manifest).map(|(_, _, path)| path.to_string());
    let shared: Vec<String> = files.filter(|file| names.contains(file)).collect();
    let differ = || format!("one is a feed, the other has plain files of the same names ({})", some(&shared));
    (!shared.is_empty()).then(differ)
}

fn difference_of_feeds(used: &Published, other: &Published) -> Option<String> {
    let (used, other) = (&used.manifest, &other.manifest);
    if used.feed != other.feed {
        return Some("they are two feeds of their own, so each has its own publisher".to_owned());
    }
    if used.commit == other.commit {
        return Some("the other is a copy of the same generation, and will fall behind at the next publish".to_owned());
    }
    Some(match used.generation.cmp(&other.generation) {
        std::cmp::Ordering::Greater => "the other is an old copy of the same feed".to_owned(),
        std::cmp::Ordering::Less => "the one that is used is an old copy of the same feed".to_owned(),
        std::cmp::Ordering::Equal => "they come from the same feed, and both were published to since".to_owned(),
    })
}

fn briefly(origin: &Origin) -> String {
    match origin {
        Origin::Default => "the default".to_owned(),
        named => named.to_string(),
    }
}

fn remedy(used: &Place, other: &Place) -> String {
    let (used, other) = (quoted(&used.path), quoted(&other.path));
    format!(
        "find out which one the site serves: lastgood doctor --dir {used} --url URL-OF-THE-FEED\n\
         then keep one. If {used} is right, serve it from the other place too: mv {other} {other}.old && ln -s {used} {other}\n\
         if {other} is right, publish there: set {VARIABLE}={other}, or `dir` in {FILE_NAME}"
    )
}

/// Whether both paths lead to one directory: by links, or because it is mounted twice.
fn same(a: &Place, b: &Place) -> bool {
    if a.real.is_some() && a.real == b.real {
        return true;
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let id = |place: &Place| std::fs::metadata(&place.path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
        id(a).is_some() && id(a) == id(b)
    }
    #[cfg(not(unix))]
    false
}

fn parent(file: &Path) -> &Path {
    file.parent().unwrap_or(file)
}
