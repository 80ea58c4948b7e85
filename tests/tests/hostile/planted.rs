//! Links, pipes, devices, sockets and directories in the place of everything that a feed consists of, before every
//! command.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use lastgood_tests::{TestFeed, tree};
use rustix::fs::FileType;

use crate::support::{COMMANDS, copy, each_in_parallel, feed, node, pipe, try_to_end};

/// What stands in the place of a file or a directory of the feed.
#[derive(Clone, Copy, Debug)]
enum Kind {
    LinkToFile,
    LinkToDirectory,
    LinkToNothing,
    /// A further name of a file outside.
    HardLink,
    Pipe,
    Socket,
    /// Endless zeros; only the superuser can make one.
    Device,
    Directory,
    File,
}

const KINDS: [Kind; 9] = [
    Kind::LinkToFile,
    Kind::LinkToDirectory,
    Kind::LinkToNothing,
    Kind::HardLink,
    Kind::Pipe,
    Kind::Socket,
    Kind::Device,
    Kind::Directory,
    Kind::File,
];

/// What is not the feed's: every file in it must stay what it is.
struct Outside<'a>(&'a Path);

impl Outside<'_> {
    fn make(&self, object: &str) {
        fs::create_dir_all(self.0.join("directory/inner")).unwrap();
        // Names that commands look for in a directory that they believe to be theirs.
        for name in ["file", "directory/inner/file", "directory/lock", "directory/operations.jsonl", "directory/1.json"]
        {
            fs::write(self.0.join(name), "nobody's but its owner's\n").unwrap();
        }
        fs::write(self.0.join("directory").join(object), "of another feed").unwrap();
        fs::write(self.0.join("directory/0123456789abcdef0123456789abcdef.lock"), "").unwrap();
    }

    fn plant(&self, kind: Kind, path: &Path) {
        let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let outside = |name: &str| self.0.join(name);
        match kind {
            Kind::LinkToFile => symlink(outside("file"), path).unwrap(),
            Kind::LinkToDirectory => symlink(outside("directory"), path).unwrap(),
            Kind::LinkToNothing => symlink(outside("made"), path).unwrap(),
            Kind::HardLink => fs::hard_link(outside("file"), path).unwrap(),
            Kind::Pipe => pipe(path),
            Kind::Socket => drop(UnixListener::bind(path).unwrap()),
            Kind::Device => {
                // Where this user may not make one, nobody plants one as this user.
                let _ = node(path, FileType::CharacterDevice, rustix::fs::makedev(1, 5));
            }
            Kind::Directory => {
                fs::create_dir(path).unwrap();
                fs::write(path.join("file"), "in the way").unwrap();
            }
            Kind::File => fs::write(path, "in the way").unwrap(),
        }
    }
}

/// The places of a feed: every file and directory that it has, and those that commands make.
fn places(feed: &TestFeed) -> Vec<String> {
    let object = feed.names("objects").into_iter().find(|name| name.ends_with(".json")).unwrap();
    let current = feed.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap().to_owned();
    let token = "0123456789abcdef0123456789abcdef";
    let mut places = vec![
        format!("objects/{object}"),
        format!("objects/{current}.json"),
        format!("objects/{current}.json.gz"),
        format!("objects/{current}.json.br"),
        format!(".lastgood/staging/{token}"),
        format!(".lastgood/staging/{token}.lock"),
    ];
    let fixed = [
        "manifest.json",
        "objects",
        "history",
        "history/1.json",
        "history/4.json",
        "performance.json",
        "performance.json.gz",
        "performance_backup.json",
        "new.json",
        "last_update.txt",
        ".lock",
        ".performance_lock",
        ".lastgood",
        ".lastgood/lock",
        ".lastgood/turn",
        ".lastgood/holder",
        ".lastgood/holder.new",
        ".lastgood/kept",
        ".lastgood/operations.jsonl",
        ".lastgood/operations.jsonl.1",
        ".lastgood/operations.lock",
        ".lastgood/staging",
    ];
    places.extend(fixed.map(str::to_owned));
    places
}

#[test]
fn whatever_stands_in_a_place_of_the_feed_every_command_ends_and_stays_inside() {
    let feed = feed();
    let object = feed.names("objects").into_iter().next().unwrap();
    let places = places(&feed);
    let cases: Vec<(&String, Kind, &[&str])> = places
        .iter()
        .flat_map(|place| KINDS.map(|kind| (place, kind)))
        // Lines are added to the log whatever other names it has. Who can give it one can write as the publisher.
        .filter(|(place, kind)| !matches!((place.as_str(), kind), (".lastgood/operations.jsonl", Kind::HardLink)))
        .flat_map(|(place, kind)| COMMANDS.map(|arguments| (place, kind, arguments)))
        .collect();
    each_in_parallel(&cases, |(place, kind, arguments)| {
        let feed = copy(&feed);
        let elsewhere = tempfile::tempdir_in(feed.root().parent().unwrap()).unwrap();
        let outside = Outside(elsewhere.path());
        outside.make(&object);
        outside.plant(*kind, &feed.path(place));
        feed.input("in.json", "[4]");
        let before = tree(elsewhere.path());
        let what = format!("{kind:?} at {place}");
        if std::env::var_os("SHOW").is_some() {
            eprintln!("CASE {what} {arguments:?}");
        }
        try_to_end(&feed, arguments).map_err(|problem| format!("{what}: {problem}"))?;
        match tree(elsewhere.path()) == before {
            true => Ok(()),
            false => Err(format!("{what}: {arguments:?} has changed what is outside of the feed")),
        }
    });
}
