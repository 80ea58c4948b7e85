//! Artifacts, plain copies on demand, and an end of validity.

use lastgood_tests::TestFeed;

/// Bytes that are neither text nor JSON.
const CHART: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

#[test]
fn an_artifact_is_published_as_it_is_in_one_generation_with_the_data() {
    let feed = TestFeed::new();
    let (data, chart) = (feed.input("f.json", "[1]"), feed.input("Chart.PNG", CHART));
    let artifact = format!("chart={chart}");
    feed.run(&["publish", &format!("forecast={data}"), "--artifact", &artifact]).expect(0);
    let manifest = feed.manifest();
    assert_eq!((&manifest["generation"], &manifest["datasets"]["chart"]["ext"]), (&1.into(), &"png".into()));
    assert!(manifest["datasets"]["forecast"].get("ext").is_none(), "JSON is what is left out");
    let sha256 = manifest["datasets"]["chart"]["sha256"].as_str().unwrap();
    assert_eq!(feed.read(&format!("objects/{sha256}.png")), CHART);
    assert_eq!(feed.read("chart.png"), CHART);
    assert_eq!(feed.run(&["cat", "chart"]).expect(0).stdout, CHART);
    feed.expect_clean();
}

#[test]
fn a_csv_artifact_is_not_looked_into() {
    let feed = TestFeed::new();
    let csv = feed.input("report.csv", "a,b\n1\n\"");
    feed.run(&["publish", "--artifact", &format!("report={csv}")]).expect(0);
    assert_eq!(feed.read("report.csv"), b"a,b\n1\n\"");
}

#[test]
fn a_dataset_that_becomes_an_artifact_leaves_no_old_names() {
    let feed = TestFeed::new();
    let csv = feed.input("r.csv", "a\n1\n");
    feed.publish("report", "[1]");
    feed.publish("report", "[2]");
    feed.run(&["publish", "--artifact", &format!("report={csv}")]).expect(0);
    assert!(!feed.path("report.json").exists(), "the plain copy of the JSON is stale");
    assert_eq!((feed.read("report.csv"), feed.read("report_backup.json")), (b"a\n1\n".into(), b"[2]".into()));
    feed.expect_clean();
}

#[test]
fn an_artifact_without_an_extension_or_too_large_or_json_is_refused() {
    let feed = TestFeed::new();
    feed.input("chart", CHART);
    feed.input("chart.png", CHART);
    feed.input("data.json", "[");
    for (arguments, code, expected) in [
        (&["publish", "--artifact", "chart=chart"][..], 2, "an extension of 1 to 8 letters or digits"),
        (&["publish", "--artifact", "chart=-"], 2, "expected chart=FILE"),
        (&["publish", "--artifact", "data=data.json"], 2, "write data=FILE without --artifact"),
        (&["publish", "--artifact", "chart=chart.png", "--max-bytes", "15"], 3, "way out: --max-bytes"),
        (&["publish", "chart=chart.png", "--artifact", "chart=chart.png"], 2, "chart is given more than once"),
    ] {
        let ran = feed.run(arguments).expect(code);
        assert!(ran.stderr.contains(expected), "{arguments:?}: expected {expected:?} in {}", ran.stderr);
    }
    assert!(feed.names("objects").is_empty());
    feed.run(&["publish", "--artifact", "chart=chart.png", "--max-bytes", "16"]).expect(0);
}

#[test]
fn without_plain_copies_the_manifest_and_the_objects_are_all() {
    let feed = TestFeed::new();
    feed.publish("a", "1");
    feed.publish("a", "2");
    feed.publish("b", "1");
    feed.run_with(&["publish", "a", "--no-plain-copies"], "3").expect(0);
    let copies = || feed.names("").into_iter().filter(|name| name.ends_with(".json")).collect::<Vec<_>>();
    assert_eq!(copies(), ["b.json", "manifest.json"], "those of other datasets stay");
    feed.expect_clean();
    feed.publish("a", "3");
    assert_eq!((feed.read("a.json"), feed.read("a_backup.json")), (b"3".into(), b"2".into()));
    feed.expect_clean();
}
