//! Payloads that were published with a schema.

use lastgood::protocol::manifest::{Generation, Manifest};
use lastgood::protocol::read::Source;
use lastgood::{Compression, Error, Feed, Item, Schema, Settings};

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use lastgood::protocol::failure::Code;
use lastgood::protocol::layout;
use lastgood::protocol::name::Ext;

use crate::{World, name, reason};

const NUMBERS: &str = r#"{"items":{"type":"number"}}"#;
const TEXTS: &str = r#"{"items":{"type":"string","pattern":"^a"}}"#;

impl World {
    fn publish_with(&self, dataset: &str, payload: &str, version: u32, schema: &str) {
        let settings = Settings { compression: Compression::OFF, operation_log: false, ..Settings::default() };
        let item = Item::new(name(dataset), io::Cursor::new(payload.to_owned()));
        let schema = Schema { version, json: schema.as_bytes().to_vec() };
        Feed::on(self.storage.clone()).with_settings(settings).publish(vec![item.schema(schema)]).unwrap();
    }

    /// Commits, past the writer, that the dataset has the schema that another one has.
    fn forge(&self, dataset: &str, of: &str) {
        let mut manifest = Manifest::verify(&self.manifest_bytes()).unwrap();
        manifest.generation = Generation::new(manifest.generation.get() + 1).unwrap();
        let schema = manifest.datasets[&name(of)].schema.clone();
        manifest.datasets.get_mut(&name(dataset)).unwrap().schema = schema;
        self.put_manifest(&manifest.encode());
    }
}

#[test]
fn a_payload_is_validated_when_it_is_read_and_not_again() {
    let world = World::new();
    world.publish_with("a", "[\"abc\"]", 3, TEXTS);
    let reading = world.read("a").unwrap();
    assert_eq!((reading.head.schema.as_ref().unwrap().version, reading.head.validated), (3, true));
    let schema = layout::object(&reading.head.schema.unwrap().sha256, &Ext::json()).to_string();
    assert_eq!(world.opened().last(), Some(&schema));
    let again = world.read("a").unwrap();
    assert!(Arc::ptr_eq(&again.value, &reading.value) && again.head.validated);
    assert_eq!(world.opened(), ["manifest.json"]);
}

#[test]
fn what_does_not_satisfy_its_schema_is_not_handed_out() {
    let world = World::new();
    world.publish_with("a", "[1]", 1, NUMBERS);
    world.publish_with("b", "[\"abc\"]", 1, TEXTS);
    assert!(world.read("a").unwrap().fresh());
    world.forge("a", "b");
    // The bytes are the ones that are cached; the schema is another.
    let reading = world.read("a").unwrap();
    assert_eq!((reading.source, reason(&reading)), (Source::Fallback, Some(Code::SchemaInvalid)));
    assert!(reading.reason.unwrap().detail.contains("at /0: expected"));
    // The manifest that was read for another dataset does not make the copy valid.
    assert!(world.read("b").unwrap().fresh());
    assert_eq!(reason(&world.read("a").unwrap()), Some(Code::SchemaInvalid));
    world.down.store(true, Ordering::Relaxed);
    assert_eq!(reason(&world.read("a").unwrap()), Some(Code::Offline), "what was valid once is still to be had");

    let feed = Feed::on(world.storage.clone());
    let code = |result: Result<_, Error>| match result {
        Err(Error::Read(failure)) => failure.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(code(feed.read(&name("a")).map(|reading| reading.value)), Code::SchemaInvalid);
    assert_eq!(feed.read_generation(&name("a"), Generation::new(2).unwrap()).unwrap(), b"[1]");
}

#[test]
fn the_same_payload_with_another_schema_is_validated_anew() {
    let world = World::new();
    world.publish_with("a", "[]", 1, NUMBERS);
    let _ = world.read("a").unwrap();
    world.publish_with("a", "[]", 2, TEXTS);
    world.opened();
    let reading = world.read("a").unwrap();
    assert_eq!((reading.source, reading.head.schema.as_ref().unwrap().version), (Source::Cache, 2));
    assert!(reading.head.validated);
    assert_eq!(world.opened().len(), 2, "the manifest and the schema");
}

#[test]
fn a_schema_that_readers_would_not_read_is_not_published() {
    let world = World::new();
    let item = Item::new(name("a"), io::Cursor::new("[]"));
    let json = [b"{}", &vec![b' '; 4 << 20][..]].concat();
    let result = Feed::on(world.storage.clone()).publish(vec![item.schema(Schema { version: 1, json })]);
    let Err(Error::SchemaRefused { problem, .. }) = result else { panic!("{result:?}") };
    assert!(problem.to_string().contains("4194306 bytes, more than the 4194304"), "{problem}");
}
