//! Files that are no text are named as what they are, with what makes text of them.

use std::process::Command;

use lastgood_tests::TestFeed;

#[test]
fn files_of_other_kinds_are_named() {
    let feed = TestFeed::new();
    let zip = |name: &str| [b"PK\x03\x04\x14\0\0\0\x08\0", name.as_bytes(), b"\xff\xfe\0"].concat();
    for (name, content, what, remedy) in [
        ("s.parquet", b"PAR1\x15\x04\x15\xff\0PAR1".to_vec(), "a Parquet file", "read_parquet"),
        ("s.csv", b"PAR1\x15\x04\x15\xff\0PAR1".to_vec(), "a Parquet file", "read_parquet"),
        (
            "s.json.gz",
            b"\x1f\x8b\x08\0\0\0\0\0".to_vec(),
            "compressed by gzip",
            "gzip -dc < FILE | lastgood publish sales",
        ),
        ("s.jsonl", b"\x1f\x8b\x08\0\0\0\0\0".to_vec(), "compressed by gzip", "gzip -dc"),
        ("s.xlsx", zip("[Content_Types].xml"), "an Excel workbook (.xlsx)", "save the sheet as CSV UTF-8"),
        ("x.csv", zip("xl/worksheets/sheet1.xml"), "an Excel workbook (.xlsx)", "read_excel"),
        ("s.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0".to_vec(), "an Excel workbook (.xls)", "read_excel"),
        ("s.ods", zip("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"), "an OpenDocument", "read_excel"),
        ("s.zip", zip("other.txt"), "a ZIP archive", "unzip -p FILE NAME"),
        ("s.zst", b"\x28\xb5\x2f\xfd\0".to_vec(), "compressed by Zstandard", "zstd -dc"),
        ("s.bz2", b"BZh91AY\0".to_vec(), "compressed by bzip2", "bzip2 -dc"),
        ("s.xz", b"\xfd7zXZ\0".to_vec(), "compressed by xz", "xz -dc"),
        ("s.feather", b"ARROW1\0\0\xff".to_vec(), "an Arrow file", "read_feather"),
        ("s.avro", b"Obj\x01\x04\xff".to_vec(), "an Avro file", "--format jsonl"),
        ("s.db", b"SQLite format 3\0\x10".to_vec(), "an SQLite database", "sqlite3 -json FILE"),
        ("s.h5", b"\x89HDF\r\n\x1a\n\0".to_vec(), "an HDF5 file", "read_hdf"),
        ("s.pkl", b"\x80\x04\x95\0".to_vec(), "a Python pickle", "read_pickle"),
    ] {
        feed.input(name, content);
        let ran = feed.run(&["publish", &format!("sales={name}"), "--json"]).expect(3);
        let ran = ran.says(&[&format!("sales: the input is {what}"), remedy, "nothing was published"]);
        let error = ran.json()["error"].clone();
        assert_eq!((&error["code"], &error["dataset"]), (&"not-text".into(), &"sales".into()), "{name}");
    }
    // As they are they can be published as artifacts.
    feed.run(&["publish", "--artifact", "sales=s.xlsx"]).expect(0);
}

/// Carries out what the message says, with the file in the place of FILE.
fn carry_out(feed: &TestFeed, dataset: &str, file: &str) {
    let said = feed.run(&["publish", &format!("{dataset}={file}")]).expect(3).stderr;
    let command = said.split_once(": the input is ").unwrap().1.split_once(": ").unwrap().1;
    let command = command.split("; nothing was published").next().unwrap().replace("FILE", file);
    let command = command.replace("NAME |", "inner.json |").replace("FROM NAME", "FROM sales");
    let path = format!("{}:{}", lastgood_tests::binary().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let done = Command::new("sh").args(["-c", &command]).env("PATH", path).current_dir(feed.root()).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

#[test]
fn what_is_told_to_unpack_them_publishes_what_is_in_them() {
    let feed = TestFeed::new();
    for (program, name) in [("gzip", "in.gz"), ("bzip2", "in.bz2"), ("xz", "in.xz")] {
        feed.input("inner.json", format!("[\"{program}\"]"));
        let packed = Command::new(program).arg("-c").arg("inner.json").current_dir(feed.root()).output().unwrap();
        feed.input(name, packed.stdout);
        carry_out(&feed, "sales", name);
        assert_eq!(feed.run(&["cat", "sales"]).text(), format!("[\"{program}\"]"));
    }
}
