//! The medium does not confirm a commit: nobody knows whether it survives, the command says so, and nothing is removed.

use crate::scenario::{self, PUBLISH_TWO, visible};
use crate::strace::Fate;

#[test]
fn a_commit_that_the_medium_does_not_confirm() {
    let before = (PUBLISH_TWO.prepare)();
    let calls = PUBLISH_TWO.calls(&scenario::copy(&before));
    let commit = calls.iter().position(|call| call.name == "rename" && call.line.contains("manifest.json\")"));
    let syncs: Vec<_> = calls[commit.unwrap()..].iter().filter(|call| call.name == "fsync").collect();
    assert_eq!(syncs.len(), 3, "the feed directory, and again with the history: {syncs:?}");
    for sync in syncs {
        let feed = scenario::copy(&before);
        let ran = PUBLISH_TWO.run(&feed, sync, Fate::Fails("EIO")).unwrap().expect(6);
        let commit = feed.manifest()["commit"].as_str().unwrap().to_owned();
        let ran =
            ran.says(&["it is not known whether generation 4", &commit, "Input/output error", "lastgood recover"]);
        let error = &ran.json()["error"];
        assert_eq!((&error["code"], &error["exit"]), (&"outcome-unknown".into(), &6.into()));
        assert_eq!((&error["generation"], &error["commit"]), (&4.into(), &commit.as_str().into()));

        // As the message says: the commit is looked up, and nothing that either outcome needs is gone.
        assert_eq!(feed.run(&["status", "--json"]).expect(0).json()["commit"], commit.as_str());
        let now = visible(&feed);
        let old = visible(&before);
        let immutable = old.iter().filter(|(path, _)| path.starts_with("objects/") || path.starts_with("history/"));
        immutable.for_each(|(path, content)| assert_eq!(now.get(path), Some(content), "{path}"));
        for marker in [".lock", ".a_lock", ".b_lock"] {
            assert!(feed.path(marker).exists(), "{marker} does not tell the next writer to look");
        }
        feed.run(&["recover"]).expect(0);
        feed.expect_clean();
        assert_eq!(feed.manifest()["commit"], commit.as_str());
        feed.run(PUBLISH_TWO.then).expect(0);
        feed.expect_clean();
    }
}
