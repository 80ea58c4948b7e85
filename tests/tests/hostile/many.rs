//! More than anybody needs.

use std::fs;

use crate::support::{COMMANDS, copy, each_in_parallel, feed, try_to_end};

/// How many stray files there are in each directory; `LASTGOOD_TEST_STRAYS` says another number.
fn strays() -> usize {
    std::env::var("LASTGOOD_TEST_STRAYS").map_or(5_000, |number| number.parse().unwrap())
}

#[test]
fn stray_files_are_left_alone_and_stop_nothing() {
    let template = feed();
    let count = strays();
    let names: [fn(usize) -> String; 4] = [
        |number| format!("stray-{number}.json"),
        |number| format!("{number:064x}.json"),
        |number| format!("{}.json", number + 1_000_000),
        |number| format!(".{number}_lock"),
    ];
    for (dir, name) in [
        ("", names[0]),
        ("objects", names[0]),
        ("objects", names[1]),
        ("history", names[0]),
        ("history", names[2]),
        ("", names[3]),
        (".lastgood/kept", names[0]),
    ] {
        let feed = copy(&template);
        fs::create_dir_all(feed.path(dir)).unwrap();
        (0..count).for_each(|number| fs::write(feed.path(dir).join(name(number)), "stray").unwrap());
        each_in_parallel(&COMMANDS, |arguments| {
            // One after another on one feed: what they leave must do for the next.
            let _one_at_a_time = ORDER.lock().unwrap();
            feed.input("in.json", "[4]");
            try_to_end(&feed, arguments).map(drop).map_err(|problem| format!("{dir}/{}: {problem:.2000}", name(1)))
        });
    }
}

static ORDER: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// What dead publishes have left, a great many times over.
#[test]
fn a_full_staging_is_swept() {
    let feed = feed();
    for number in 0..2_000_u32 {
        let token = feed.path(".lastgood/staging").join(format!("{number:032x}"));
        fs::create_dir(&token).unwrap();
        fs::write(token.join("0"), "left").unwrap();
        fs::write(token.with_extension("lock"), "").unwrap();
    }
    feed.publish("performance", "[5]");
    feed.expect_clean();
}

#[test]
fn thousands_of_datasets_are_one_generation() {
    const COUNT: usize = 2_000;
    let feed = lastgood_tests::TestFeed::in_memory();
    let mut arguments = vec!["publish".to_owned(), "--quiet".to_owned()];
    feed.input("in.json", "[1]");
    arguments.extend((0..COUNT).map(|number| format!("d{number}=in.json")));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--quiet").collect();
    feed.run(&arguments).expect(0);
    assert_eq!(feed.manifest()["datasets"].as_object().unwrap().len(), COUNT);
    for command in [&["status"][..], &["history"], &["verify"], &["doctor"], &["gc"], &["recover"]] {
        let ran = try_to_end(&feed, command).unwrap();
        assert!(matches!(ran.code, Some(0 | 1)), "{command:?}: {:.500}", ran.stderr);
    }
    assert_eq!(feed.run(&["cat", "d1999"]).expect(0).text(), "[1]");
}
