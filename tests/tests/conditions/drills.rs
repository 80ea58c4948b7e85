//! The drills of `docs/operate/` that need root. The others are in `tests/operate.rs`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use lastgood_tests::docs::Drill;
use lastgood_tests::{TestFeed, binary, tree};

/// Users of the pages, by the numbers that they have here.
const USERS: [(&str, &str); 2] = [("shop", "42011"), ("feed", "42010")];

/// The commands, with numbers for users, and without sudo, which is not everywhere.
fn run(root: &Path, text: &str) -> lastgood_tests::Ran {
    let mut text = text.to_owned();
    for (name, number) in USERS {
        text = text
            .replace(&format!("--from={name} "), &format!("--from={number} "))
            .replace(&format!("sudo -u {name} "), &format!("setpriv --reuid={number} --regid={number} --clear-groups "))
            .replace(&format!(" {name} /srv"), &format!(" {number} /srv"));
    }
    Drill { text }.run(root, root)
}

/// A directory that everybody can reach, with a program that everybody can run.
fn host() -> TestFeed {
    let host = TestFeed::new();
    fs::set_permissions(host.root(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::copy(binary(), host.root().join("lastgood")).unwrap();
    fs::create_dir_all(host.root().join("www/data")).unwrap();
    host.input("in.json", "[1]");
    chown(host.root().join("www/data"), Some(42010), Some(42010)).unwrap();
    host
}

const PUBLISH: &str = "lastgood publish performance=in.json --dir /srv/www/data\n";

#[test]
fn the_publishing_user_changes() {
    let host = host();
    run(host.root(), &format!("sudo -u feed {PUBLISH}")).expect(0);
    let ran = run(host.root(), &format!("sudo -u shop {PUBLISH}"));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let Drill { text } = Drill::of("change-user", "change");
    let ran = run(host.root(), &text).expect(0);
    for check in ["ownership", "write-access"] {
        assert!(ran.text().contains(&format!("ok       {check}")), "{}", ran.text());
    }
    run(host.root(), &format!("sudo -u shop {PUBLISH}")).expect(0);
    run(host.root(), "sudo -u shop lastgood verify --dir /srv/www/data\n").expect(0);
}

/// Root makes what is missing, and it belongs to whom the rest does, who goes on publishing.
#[test]
fn what_root_makes_again_is_the_publishers() {
    type Loss = (&'static str, &'static [&'static str]);
    let losses: [Loss; 7] = [
        (".lastgood", &[".lastgood"]),
        ("objects", &["objects"]),
        ("history", &["history"]),
        ("objects and history", &["objects", "history"]),
        ("everything but what is in the directory itself", &["objects", "history", ".lastgood"]),
        ("the mark, as an earlier version has none", &[".lastgood/mark.0", ".lastgood/mark.1"]),
        ("staging and the locks", &[".lastgood/staging", ".lastgood/lock", ".lastgood/turn", ".lastgood/mark.0"]),
    ];
    for mode in [0o755, 0o750, 0o2775] {
        for (what, names) in losses {
            for command in [
                "recover",
                "verify --repair",
                "gc",
                "rollback performance",
                "lock performance -- true",
                "publish performance=in.json",
            ] {
                let host = host();
                let data = host.root().join("www/data");
                fs::set_permissions(&data, fs::Permissions::from_mode(mode)).unwrap();
                run(host.root(), &format!("sudo -u feed {PUBLISH}")).expect(0);
                host.input("in.json", "[2]");
                run(host.root(), &format!("sudo -u feed {PUBLISH}")).expect(0);
                let before = fs::metadata(data.join("history")).unwrap();
                for name in names {
                    let path = data.join(name);
                    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
                }
                let context = format!("{mode:o}, {what} gone, {command}");
                let (first, rest) = command.split_once(' ').unwrap_or((command, ""));
                let ran = run(host.root(), &format!("lastgood {first} --dir /srv/www/data {rest}\n"));
                let nothing_before =
                    command.starts_with("rollback") && (names.contains(&"objects") || names.contains(&"history"));
                assert!(ran.code == Some(0) || nothing_before, "{context}: {}", ran.stderr);
                assert!(!ran.stderr.contains("moved"), "{context}: {}", ran.stderr);
                for name in names.iter().filter(|name| !name.contains('/')) {
                    assert!(
                        ran.stderr.contains(name) && ran.stderr.contains("made again"),
                        "{context}: {}",
                        ran.stderr
                    );
                }
                for dir in ["objects", "history"] {
                    let now = fs::metadata(data.join(dir)).unwrap();
                    let of = |metadata: &fs::Metadata| (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777);
                    assert_eq!(of(&now), of(&before), "{context}: {dir}");
                }
                let private = fs::metadata(data.join(".lastgood")).unwrap().mode() & 0o077;
                assert!(private & 0o007 == 0, "{context}: {private:o}");
                for name in tree(&data).keys().filter(|name| name.starts_with(".lastgood")) {
                    let owner = fs::metadata(data.join(name)).unwrap().uid();
                    assert_eq!(owner, 42010, "{context}: {name}");
                }
                // As its user: nothing is in the way.
                host.input("in.json", "[3]");
                run(host.root(), &format!("sudo -u feed {PUBLISH}")).expect(0);
                run(host.root(), "sudo -u feed lastgood verify --repair --dir /srv/www/data || true\n").expect(0);
                assert_eq!(fs::read(data.join("performance.json")).unwrap(), b"[3]", "{context}");
            }
        }
    }
}
