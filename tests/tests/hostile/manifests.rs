//! Manifests with a right checksum whose content is hostile: whoever can write to the feed can write these.

use std::fs;

use lastgood::protocol::digest::Sha256;
use lastgood_tests::{TestFeed, tree};
use serde_json::{Value, json};

use crate::support::{COMMANDS, copy, each_in_parallel, ends, feed, try_to_end};

/// Puts a manifest in place of the published one, and of its copy in the history.
fn put(feed: &TestFeed, signed: &str) {
    let sha256 = Sha256::of(signed.as_bytes());
    let manifest = format!("{{\"signed\":{signed},\"sha256\":\"{sha256}\",\"signatures\":[]}}\n");
    let generation = feed.manifest()["generation"].to_string();
    fs::write(feed.path("manifest.json"), &manifest).unwrap();
    fs::write(feed.path("history").join(format!("{generation}.json")), &manifest).unwrap();
}

/// Every command, on a feed with this manifest: all end, and nothing around the feed is read or written.
fn survives(template: &TestFeed, what: &str, signed: &str) -> Result<(), String> {
    for arguments in COMMANDS {
        let feed = copy(template);
        put(&feed, signed);
        feed.input("in.json", "[4]");
        feed.input("secret.json", "\"nobody may read this\"");
        let around = |feed: &TestFeed| {
            let mut around = tree(feed.root());
            around.retain(|name, _| !name.is_empty() && !name.starts_with("data"));
            around
        };
        let before = around(&feed);
        let ran = try_to_end(&feed, arguments).map_err(|problem| format!("{what}: {problem}"))?;
        if around(&feed) != before {
            return Err(format!("{what}: {arguments:?} has changed what is outside of the feed"));
        }
        if ran.text().contains("nobody may read this") || ran.stderr.contains("nobody may read this") {
            return Err(format!("{what}: {arguments:?} has read what is outside of the feed: {ran:?}"));
        }
    }
    Ok(())
}

#[test]
fn what_would_lead_out_of_the_feed_is_not_a_manifest() {
    let template = feed();
    let mut hostile = Vec::new();
    let mut with = |what: String, change: &dyn Fn(&mut Value)| {
        let mut signed = template.manifest();
        change(&mut signed);
        hostile.push((what, signed.to_string()));
    };
    let long = "a".repeat(100_000);
    for name in [
        "../secret",
        "..",
        ".",
        "",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "a\0b",
        "a.json",
        "A",
        "PERFORMANCE",
        "perförmance",
        "p\u{435}rformance",
        "performance\u{202e}",
        "-a",
        "_a",
        ".lock",
        ".lastgood",
        "manifest",
        "last_update",
        "performance_backup",
        "con:",
        "a\nb",
        " a",
        &long,
    ] {
        with(format!("the name {:.40?}", name), &|signed| {
            let entry = signed["datasets"]["performance"].clone();
            signed["datasets"][name] = entry;
        });
    }
    for ext in ["../../secret.json", "", ".", "..", "/", "json/../../x", "JSON", "a b", "x\0", "jsonjsonj", "gz\n", "ä"]
    {
        with(format!("the extension {ext:?}"), &|signed| signed["datasets"]["performance"]["ext"] = json!(ext));
    }
    let sha256 = template.manifest()["datasets"]["performance"]["sha256"].as_str().unwrap().to_owned();
    let parts =
        ["../../secret", "", "0", &sha256.to_uppercase(), &format!("{sha256}0"), &format!("../objects/{sha256}")];
    let dots = format!("{}/..", &sha256[..61]);
    for part in parts.into_iter().chain([&*dots]) {
        with(format!("the digest {part:?}"), &|signed| signed["datasets"]["performance"]["sha256"] = json!(part));
        with(format!("the digest {part:?} of a schema"), &|signed| {
            signed["datasets"]["performance"]["schema"] = json!({"version": 1, "sha256": part, "size": 2});
        });
    }
    let mut refused = 0;
    for (what, signed) in &hostile {
        let feed = copy(&template);
        put(&feed, signed);
        let ran = ends(&feed, &["cat", "performance"]);
        assert_eq!((ran.code, &*ran.text()), (Some(5), ""), "{what}: {ran:?}");
        refused += 1;
    }
    assert_eq!(refused, hostile.len());
    // A few of each kind before every command.
    let few: Vec<&(String, String)> = hostile.iter().step_by(4).collect();
    each_in_parallel(&few, |(what, signed)| survives(&template, what, signed));
}

/// Limited to a fraction of what they claim: nothing is reserved before it is there.
#[test]
fn a_size_that_is_claimed_is_not_believed() {
    let template = feed();
    let largest = (1_u64 << 53) - 1;
    let sizes =
        [json!(0), json!(1), json!(largest), json!(largest + 1), json!(u64::MAX), json!(-1), json!(1e300), json!("9")];
    each_in_parallel(&sizes, |size| {
        for member in ["payload", "schema"] {
            let mut signed = template.manifest();
            let entry = &mut signed["datasets"]["performance"];
            match member {
                "payload" => entry["size"] = size.clone(),
                _ => entry["schema"] = json!({"version": 1, "sha256": entry["sha256"], "size": size}),
            }
            survives(&template, &format!("a {member} of {size} bytes"), &signed.to_string())?;
            let feed = copy(&template);
            put(&feed, &signed.to_string());
            let ran = ends(&feed, &["verify"]);
            if ran.code != Some(5) {
                return Err(format!("a {member} of {size} bytes passes for whole: {ran:?}"));
            }
        }
        Ok(())
    });
    // Together they are more than a number holds.
    let feed = copy(&template);
    let mut signed = feed.manifest();
    let mut entry = signed["datasets"]["performance"].clone();
    entry["size"] = json!(largest);
    for number in 0..3000 {
        entry["sha256"] = json!(Sha256::of(format!("{number}").as_bytes()).to_string());
        signed["datasets"][format!("d{number}")] = entry.clone();
    }
    survives(&template, "3000 payloads of 2^53 - 1 bytes", &signed.to_string()).unwrap();
}

#[test]
fn the_largest_manifest_is_read_and_a_larger_one_refused() {
    let feed = feed();
    let limit = usize::try_from(lastgood::protocol::manifest::MAX_MANIFEST_BYTES).unwrap();
    let bytes = feed.read("manifest.json");
    let padded = |size: usize| [&*bytes, &b" ".repeat(size - bytes.len())].concat();
    for command in [&["status"][..], &["history"], &["verify"], &["cat", "performance"]] {
        fs::write(feed.path("manifest.json"), padded(limit)).unwrap();
        let code = ends(&feed, command).code;
        // The copy in the history is not the same bytes any more.
        assert_eq!(code, Some(if command == ["verify"] { 5 } else { 0 }), "{command:?}");
        for size in [limit + 1, limit * 4] {
            fs::write(feed.path("manifest.json"), padded(size)).unwrap();
            ends(&feed, command).expect(5).says(&["8388608"]);
        }
        // What is not there takes no time to be read.
        fs::File::create(feed.path("manifest.json")).unwrap().set_len(1 << 40).unwrap();
        ends(&feed, command).expect(5);
    }
    ends(&feed, &["recover"]).expect(0);
    ends(&feed, &["verify"]).expect(0);
}
