//! The contract: generic over the storage, so that an implementation passes it by being named in `contract_tests!`.

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use lastgood::storage::{Kind, Pending, Rotation, StagedFile, Staging, Storage, Wave};
use lastgood_protocol::digest::Sha256;
use lastgood_protocol::layout::{self, Dir, FeedPath};
use lastgood_protocol::manifest::Generation;
use lastgood_protocol::name::Ext;

/// A feed of its own for one test.
pub(crate) trait Fixture {
    type Storage: Storage;

    /// A feed that does not exist yet.
    fn new() -> Self;

    /// A new handle on it, as another process would have.
    fn storage(&self) -> Self::Storage;
}

/// Makes a test of each function of the contract.
macro_rules! contract_tests {
    ($fixture:ty) => {
        $crate::contract::contract_tests!(
            $fixture:
            a_feed_that_does_not_exist_is_empty,
            create_can_be_repeated,
            a_reader_sees_the_whole_old_or_the_whole_new_file,
            an_open_file_does_not_change,
            what_is_staged_is_invisible_and_goes_with_its_staging,
            a_file_does_not_outlive_its_staging,
            a_placed_file_outlives_its_staging,
            files_come_back_from_a_sync_in_their_order,
            content_is_kept_exactly,
            what_is_staged_can_be_read_again_and_again,
            a_link_is_the_file_as_it_was,
            lists_are_sorted_and_without_private_files,
            info_tells_size_and_kind,
            read_stops_at_its_limit,
            the_lock_has_one_holder,
            a_shared_lock_is_taken_in_turns,
            what_is_preserved_stays_under_names_of_its_own,
            whoever_has_the_lock_is_told_as_its_holder,
            asking_for_the_holder_never_takes_the_lock,
            sweeping_spares_what_lives,
            a_file_is_removed_once,
            the_log_keeps_the_newest_lines_in_files_of_limited_size,
            lines_of_the_log_never_mix,
            the_places_of_the_mark_are_written_over,
            what_is_complete_lacks_nothing,
        );
    };
    ($fixture:ty: $($test:ident,)*) => {
        $(#[test]
        fn $test() {
            $crate::contract::$test(&<$fixture as $crate::contract::Fixture>::new());
        })*
    };
}
pub(crate) use contract_tests;

pub(crate) fn a_feed_that_does_not_exist_is_empty(feed: &impl Fixture) {
    let storage = feed.storage();
    for dir in [Dir::Root, Dir::Objects, Dir::History] {
        assert_eq!(storage.list(dir).unwrap(), [""; 0]);
    }
    for path in [layout::manifest(), object(b"a"), history(1)] {
        assert_eq!(storage.info(&path).unwrap(), None);
        assert!(storage.open(&path).unwrap().is_none());
        assert_eq!(storage.read(&path, 10).unwrap(), None);
        assert!(!storage.remove(&path).unwrap());
    }
    assert_eq!(storage.lock_holder().unwrap(), None);
    assert_eq!(storage.sweep_staging().unwrap(), 0);
    let rotation = Rotation { max_bytes: 100, older: 1 };
    assert_eq!(storage.append_to_log("line", rotation).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(storage.read_log(rotation).unwrap(), [b""; 0]);
    assert_eq!(storage.stage().map(drop).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(storage.try_lock("me").map(drop).unwrap_err().kind(), ErrorKind::NotFound);
}

pub(crate) fn create_can_be_repeated(feed: &impl Fixture) {
    let storage = created(feed);
    assert_eq!(storage.list(Dir::Root).unwrap(), ["history", "objects"]);
    publish(&storage, &layout::manifest(), b"1");
    feed.storage().create().unwrap();
    assert_eq!(storage.read(&layout::manifest(), 1).unwrap().unwrap(), b"1");
}

pub(crate) fn a_reader_sees_the_whole_old_or_the_whole_new_file(feed: &impl Fixture) {
    let storage = created(feed);
    let reader = feed.storage();
    let path = layout::manifest();
    // Neighbours differ in every byte and in length, so that a mixture of two cannot pass for one.
    let content = |n: u8| vec![n; 40_000 + usize::from(n) * 301];
    publish(&storage, &path, &content(0));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut latest = 0;
                while !done.load(Ordering::Acquire) {
                    let seen = reader.read(&path, u64::MAX).unwrap().expect("there is always one");
                    assert!(seen == content(seen[0]), "{} bytes beginning with {}", seen.len(), seen[0]);
                    assert!(seen[0] >= latest, "{} after {latest}", seen[0]);
                    latest = seen[0];
                }
            });
        }
        let _done = OnDrop(|| done.store(true, Ordering::Release));
        for n in 1..=100 {
            publish(&storage, &path, &content(n));
        }
    });
}

pub(crate) fn an_open_file_does_not_change(feed: &impl Fixture) {
    let storage = created(feed);
    let path = layout::manifest();
    publish(&storage, &path, b"before");
    let mut open = storage.open(&path).unwrap().unwrap();
    let mut half = [0; 3];
    open.read_exact(&mut half).unwrap();
    publish(&storage, &path, b"AFTER!");
    assert_eq!((&half, all(open).as_slice()), (b"bef", b"ore".as_slice()));
    assert_eq!(storage.read(&path, 10).unwrap().unwrap(), b"AFTER!");
}

pub(crate) fn what_is_staged_is_invisible_and_goes_with_its_staging(feed: &impl Fixture) {
    let storage = created(feed);
    let before = everything(&storage);
    let staging = storage.stage().unwrap();
    let mut unfinished = staging.create(Kind::Published).unwrap();
    unfinished.write_all(b"half").unwrap();
    let finished = staged(&staging, b"pending", Kind::Marker);
    let durable = storage.sync(Wave::of_files(vec![staged(&staging, b"durable", Kind::Published)])).unwrap();
    assert_eq!(everything(&storage), before);
    drop((staging, unfinished, finished, durable));
    assert_eq!(everything(&storage), before);
    assert_eq!(storage.sweep_staging().unwrap(), 0, "nothing is left to be swept");
}

pub(crate) fn a_file_does_not_outlive_its_staging(feed: &impl Fixture) {
    let storage = created(feed);
    publish(&storage, &layout::manifest(), b"old");
    let staging = storage.stage().unwrap();
    let mut durable = storage.sync(Wave::of_files(vec![staged(&staging, b"new", Kind::Published)])).unwrap();
    let finished = staged(&staging, b"new", Kind::Published);
    drop(staging);
    assert_eq!(finished.reader().map(drop).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(storage.place(finished, &object(b"new")).map(drop).unwrap_err().kind(), ErrorKind::NotFound);
    let replaced = storage.replace(durable.remove(0), &layout::manifest());
    assert_eq!(replaced.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(storage.read(&layout::manifest(), 10).unwrap().unwrap(), b"old");
    assert_eq!(storage.list(Dir::Objects).unwrap(), [""; 0]);
}

pub(crate) fn a_placed_file_outlives_its_staging(feed: &impl Fixture) {
    let storage = created(feed);
    let path = object(b"payload");
    publish(&storage, &path, b"torn");
    let staging = storage.stage().unwrap();
    let placed = storage.place(staged(&staging, b"payload", Kind::Published), &path).unwrap();
    drop(staging);
    assert_eq!(feed.storage().read(&path, 10).unwrap().unwrap(), b"payload", "over what was there");
    let wave = Wave { pending: Vec::new(), placed: vec![placed], dirs: vec![Dir::Objects] };
    assert!(storage.sync(wave).unwrap().is_empty());
    assert_eq!(storage.read(&path, 10).unwrap().unwrap(), b"payload");
}

pub(crate) fn files_come_back_from_a_sync_in_their_order(feed: &impl Fixture) {
    many_files(&created(feed));
}

/// Two hundred files staged at once, half of them placed before one sync and half moved after it.
pub(crate) fn many_files(storage: &impl Storage) {
    let staging = storage.stage().unwrap();
    let content = |n: u64| n.to_string().into_bytes();
    let first = (1..=100).map(|n| staged(&staging, &content(n), Kind::Published)).collect();
    let placed = (101..=200)
        .map(|n| storage.place(staged(&staging, &content(n), Kind::Published), &object(&content(n))).unwrap())
        .collect();
    let dirs = vec![Dir::Root, Dir::Objects, Dir::History];
    let durable = storage.sync(Wave { pending: first, placed, dirs }).unwrap();
    assert_eq!(durable.len(), 100);
    for (n, file) in (1..).zip(durable) {
        storage.replace(file, &history(n)).unwrap();
    }
    for n in 1..=200 {
        let path = if n <= 100 { history(n) } else { object(&content(n)) };
        assert_eq!(storage.read(&path, 10).unwrap().unwrap(), content(n));
    }
}

pub(crate) fn content_is_kept_exactly(feed: &impl Fixture) {
    let storage = created(feed);
    let long: Vec<u8> = (0..3_000_000_u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    for bytes in [b"".as_slice(), b"\0\r\n\xff", &long] {
        let staging = storage.stage().unwrap();
        let mut file = staging.create(Kind::Published).unwrap();
        for chunk in bytes.chunks(70_001) {
            file.write_all(chunk).unwrap();
        }
        let pending = file.finish().unwrap();
        assert!(all(pending.reader().unwrap()) == bytes);
        storage.place(pending, &object(bytes)).unwrap();
        assert!(storage.read(&object(bytes), u64::MAX).unwrap().unwrap() == bytes);
    }
}

pub(crate) fn what_is_staged_can_be_read_again_and_again(feed: &impl Fixture) {
    let storage = created(feed);
    let staging = storage.stage().unwrap();
    for kind in [Kind::Published, Kind::Marker] {
        let mut file = staging.create(kind).unwrap();
        file.write_all(b"one ").unwrap();
        assert_eq!(all(file.reader().unwrap()), b"one ");
        file.write_all(b"two").unwrap();
        assert_eq!(all(file.reader().unwrap()), b"one two");
        let pending = file.finish().unwrap();
        assert_eq!(all(pending.reader().unwrap()), b"one two");
        assert_eq!(all(pending.reader().unwrap()), b"one two");
    }
}

pub(crate) fn a_link_is_the_file_as_it_was(feed: &impl Fixture) {
    let storage = created(feed);
    let (old, new) = (object(b"old"), object(b"new"));
    publish(&storage, &old, b"first");
    let staging = storage.stage().unwrap();
    assert!(staging.link(&new).unwrap().is_none(), "there is no such file");
    let (link, dropped) = (staging.link(&old).unwrap().unwrap(), staging.link(&old).unwrap().unwrap());
    drop(dropped);
    // Replacing and removing the name leave what was linked alone.
    publish(&storage, &old, b"second");
    assert_eq!(all(link.reader().unwrap()), b"first");
    assert!(storage.remove(&old).unwrap());
    let durable = storage.sync(Wave::of_files(vec![link])).unwrap().pop().unwrap();
    storage.replace(durable, &new).unwrap();
    drop(staging);
    assert_eq!(storage.read(&new, 100).unwrap().unwrap(), b"first");
    assert_eq!(storage.read(&old, 100).unwrap(), None);
}

pub(crate) fn lists_are_sorted_and_without_private_files(feed: &impl Fixture) {
    let storage = created(feed);
    let _lock = storage.try_lock("me").unwrap().unwrap();
    let _staging = storage.stage().unwrap();
    for path in [layout::manifest(), layout::lock(), layout::last_update(), history(10), history(9)] {
        publish(&storage, &path, b"x");
    }
    let root = [".lock", "history", "last_update.txt", "manifest.json", "objects"];
    assert_eq!(feed.storage().list(Dir::Root).unwrap(), root);
    assert_eq!(feed.storage().list(Dir::History).unwrap(), ["10.json", "9.json"]);
    assert_eq!(feed.storage().list(Dir::Objects).unwrap(), [""; 0]);
}

pub(crate) fn info_tells_size_and_kind(feed: &impl Fixture) {
    let storage = created(feed);
    let staging = storage.stage().unwrap();
    storage.place(staged(&staging, b"", Kind::Marker), &layout::lock()).unwrap();
    storage.place(staged(&staging, b"12345", Kind::Published), &layout::manifest()).unwrap();
    let told = |path| feed.storage().info(&path).unwrap().map(|info| (info.size, info.kind));
    assert_eq!(told(layout::lock()), Some((0, Kind::Marker)));
    assert_eq!(told(layout::manifest()), Some((5, Kind::Published)));
    assert_eq!(told(layout::last_update()), None);
}

pub(crate) fn read_stops_at_its_limit(feed: &impl Fixture) {
    let storage = created(feed);
    let path = layout::manifest();
    publish(&storage, &path, b"12345");
    assert_eq!(storage.read(&path, 5).unwrap().unwrap(), b"12345");
    assert_eq!(storage.read(&path, u64::MAX).unwrap().unwrap(), b"12345");
    for limit in [0, 4] {
        assert_eq!(storage.read(&path, limit).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }
    publish(&storage, &path, b"");
    assert_eq!(storage.read(&path, 0).unwrap().unwrap(), b"");
}

pub(crate) fn the_lock_has_one_holder(feed: &impl Fixture) {
    let storage = created(feed);
    let other = feed.storage();
    assert_eq!(other.lock_holder().unwrap(), None);
    for holder in ["first", "second, with a longer text", "3rd"] {
        let lock = storage.try_lock(holder).unwrap().expect("it is free");
        assert!(other.try_lock("other").unwrap().is_none());
        assert!(storage.try_lock("again").unwrap().is_none(), "not even for the same handle");
        assert!(thread::scope(|scope| scope.spawn(|| other.try_lock("thread").unwrap().is_none()).join().unwrap()));
        assert_eq!(other.lock_holder().unwrap().as_deref(), Some(holder));
        drop(lock);
        assert_eq!(other.lock_holder().unwrap(), None);
        drop(other.try_lock("other").unwrap().expect("it is free again"));
    }
}

pub(crate) fn a_shared_lock_is_taken_in_turns(feed: &impl Fixture) {
    let (storage, other) = (feed.storage(), feed.storage());
    storage.create().unwrap();
    let mut lock = storage.try_lock("me").unwrap().expect("it is free");
    assert!(other.try_join().unwrap().is_none(), "it is not shared");
    storage.share(&mut lock).unwrap();
    for _ in 0..2 {
        let turn = other.try_join().unwrap().expect("it is shared");
        assert!(storage.try_join().unwrap().is_none(), "one at a time");
        assert!(other.try_lock("other").unwrap().is_none());
        assert_eq!(other.lock_holder().unwrap().as_deref(), Some("me"), "a turn tells of no other holder");
        drop(turn);
    }
    assert!(other.try_lock("other").unwrap().is_none(), "between turns it stays held");
    // Whoever shares it dies: the turn is over before the next one has the lock.
    let turn = other.try_join().unwrap().expect("it is shared");
    drop(lock);
    assert_eq!(other.lock_holder().unwrap(), None);
    assert!(storage.try_lock("next").unwrap().is_none());
    drop(turn);
    drop(storage.try_lock("next").unwrap().expect("it is free"));
}

pub(crate) fn what_is_preserved_stays_under_names_of_its_own(feed: &impl Fixture) {
    let storage = created(feed);
    let path = layout::last_update();
    assert_eq!(storage.preserve(&path).unwrap(), None);
    publish(&storage, &path, b"one");
    let (first, second) = (storage.preserve(&path).unwrap().unwrap(), storage.preserve(&path).unwrap().unwrap());
    assert_ne!(first, second);
    assert!([&first, &second].iter().all(|place| place.contains("last_update.txt")));
    assert_eq!(storage.read(&path, 9).unwrap().as_deref(), Some(&b"one"[..]));
}

pub(crate) fn whoever_has_the_lock_is_told_as_its_holder(feed: &impl Fixture) {
    created(feed);
    thread::scope(|scope| {
        for me in ["first", "second"] {
            let storage = feed.storage();
            scope.spawn(move || {
                for _ in 0..1000 {
                    if let Some(_lock) = storage.try_lock(me).unwrap() {
                        assert_eq!(storage.lock_holder().unwrap().as_deref(), Some(me));
                    }
                }
            });
        }
    });
}

pub(crate) fn asking_for_the_holder_never_takes_the_lock(feed: &impl Fixture) {
    let storage = created(feed);
    let other = feed.storage();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let told = other.lock_holder().unwrap();
                assert!(matches!(told.as_deref(), None | Some("me")), "{told:?}");
            }
        });
        let _done = OnDrop(|| done.store(true, Ordering::Release));
        for _ in 0..1000 {
            drop(storage.try_lock("me").unwrap().expect("no one else takes it"));
        }
    });
}

pub(crate) fn sweeping_spares_what_lives(feed: &impl Fixture) {
    let storage = created(feed);
    let other = feed.storage();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                assert_eq!(other.sweep_staging().unwrap(), 0);
            }
        });
        let _done = OnDrop(|| done.store(true, Ordering::Release));
        for n in 0..300_u32 {
            let staging = storage.stage().unwrap();
            let file = staged(&staging, &n.to_be_bytes(), Kind::Published);
            storage.place(file, &layout::last_update()).unwrap();
        }
    });
}

pub(crate) fn a_file_is_removed_once(feed: &impl Fixture) {
    let storage = created(feed);
    for (path, kind) in [(object(b"1"), Kind::Published), (layout::lock(), Kind::Marker)] {
        let staging = storage.stage().unwrap();
        storage.place(staged(&staging, b"1", kind), &path).unwrap();
        assert!(storage.remove(&path).unwrap());
        assert!(!storage.remove(&path).unwrap());
        assert_eq!(storage.info(&path).unwrap(), None);
    }
}

pub(crate) fn the_log_keeps_the_newest_lines_in_files_of_limited_size(feed: &impl Fixture) {
    let storage = created(feed);
    let before = everything(&storage);
    let rotation = Rotation { max_bytes: 64, older: 2 };
    // From empty ones to one that is longer than a whole file may be.
    let lines: Vec<String> = (0..60).map(|n: usize| n.to_string().repeat(n * 7 % 40)).collect();
    for (n, line) in lines.iter().enumerate() {
        storage.append_to_log(line, rotation).unwrap();
        let files = feed.storage().read_log(rotation).unwrap();
        assert!(files.len() <= 3);
        let mut kept = Vec::new();
        for file in files.iter().rev() {
            let text = str::from_utf8(file).unwrap().strip_suffix('\n').expect("every line has its end");
            let of_file: Vec<&str> = text.split('\n').collect();
            assert!(file.len() <= 64 || of_file.len() == 1, "{of_file:?}");
            kept.extend(of_file);
        }
        assert_eq!(kept, lines[n + 1 - kept.len()..=n], "the newest lines, in order");
        assert!(kept.len() == n + 1 || files.len() == 3, "nothing goes before it must");
    }
    assert_eq!(everything(&storage), before, "the log is private");
}

pub(crate) fn lines_of_the_log_never_mix(feed: &impl Fixture) {
    const WRITERS: usize = 4;
    const LINES: usize = 100;
    created(feed);
    // It is put aside all the time, but nothing is thrown away.
    let rotation = Rotation { max_bytes: 1000, older: 200 };
    let line = |writer: usize, n: usize| format!("{writer} {n} {}", "x".repeat(n * 3));
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let storage = feed.storage();
            scope.spawn(move || (0..LINES).for_each(|n| storage.append_to_log(&line(writer, n), rotation).unwrap()));
        }
    });
    let files = feed.storage().read_log(rotation).unwrap();
    assert!(files.len() > 1);
    let text: String = files.iter().rev().map(|file| str::from_utf8(file).unwrap()).collect();
    for writer in 0..WRITERS {
        let mine: Vec<&str> = text.lines().filter(|line| line.starts_with(&format!("{writer} "))).collect();
        assert_eq!(mine, (0..LINES).map(|n| line(writer, n)).collect::<Vec<_>>());
    }
    assert_eq!(text.lines().count(), WRITERS * LINES);
}

/// The feed's storage, after [`Storage::create`].
pub(crate) fn created<F: Fixture>(feed: &F) -> F::Storage {
    let storage = feed.storage();
    storage.create().unwrap();
    storage
}

/// A finished file in staging.
pub(crate) fn staged<S: Staging>(staging: &S, bytes: &[u8], kind: Kind) -> Pending<S::File> {
    let mut file = staging.create(kind).unwrap();
    file.write_all(bytes).unwrap();
    file.finish().unwrap()
}

/// Publishes one file the way of the manifest: durable first, then its name.
pub(crate) fn publish<S: Storage>(storage: &S, path: &FeedPath, bytes: &[u8]) {
    let staging = storage.stage().unwrap();
    let durable = storage.sync(Wave::of_files(vec![staged(&staging, bytes, Kind::Published)])).unwrap();
    for file in durable {
        storage.replace(file, path).unwrap();
    }
}

pub(crate) fn object(bytes: &[u8]) -> FeedPath {
    layout::object(&Sha256::of(bytes), &Ext::json())
}

pub(crate) fn history(generation: u64) -> FeedPath {
    layout::history(Generation::new(generation).unwrap())
}

fn everything(storage: &impl Storage) -> Vec<Vec<String>> {
    [Dir::Root, Dir::Objects, Dir::History].map(|dir| storage.list(dir).unwrap()).to_vec()
}

fn all(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Ends the other threads of a test when it fails, so that it fails instead of hanging.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

pub(crate) fn the_places_of_the_mark_are_written_over(feed: &impl Fixture) {
    let storage = feed.storage();
    assert_eq!(storage.read_mark().unwrap(), [b"", b""]);
    assert_eq!(storage.write_mark(0, b"mark").map(drop).unwrap_err().kind(), ErrorKind::NotFound);
    storage.create().unwrap();
    assert_eq!(storage.read_mark().unwrap(), [b"", b""]);
    for (place, bytes) in [(0, b"first"), (1, b"other"), (0, b"third")] {
        let placed = storage.write_mark(place, bytes).unwrap();
        let wave = Wave { pending: Vec::new(), placed: vec![placed], dirs: Vec::new() };
        storage.sync(wave).unwrap();
        assert_eq!(storage.read_mark().unwrap()[place], bytes);
    }
    assert_eq!(feed.storage().read_mark().unwrap(), [b"third", b"other"]);
    // It is nothing that a reader could find.
    assert!(storage.list(Dir::Root).unwrap().iter().all(|name| !name.contains("mark")));
}

pub(crate) fn what_is_complete_lacks_nothing(feed: &impl Fixture) {
    let storage = feed.storage();
    storage.create().unwrap();
    assert_eq!(storage.complete().unwrap(), [""; 0]);
}
