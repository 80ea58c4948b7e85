//! Validating takes what `lastgood_protocol::schema` says it takes.

use lastgood_protocol::schema::{Engine, Pattern, Schema};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

struct NoPatterns;

impl Engine for NoPatterns {
    type Pattern = NoPatterns;

    fn compile(&self, _: &str) -> Result<Self, String> {
        Err("none".to_owned())
    }
}

impl Pattern for NoPatterns {
    fn is_in(&self, _: &str) -> bool {
        false
    }
}

/// How many bytes are allocated at most while the payload is validated, as multiple of its size.
fn multiple(schema: &str, payload: &str) -> f64 {
    let schema = Schema::compile(schema, &NoPatterns).expect("a good schema");
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    schema.validate(payload, 10).expect("a good payload");
    (ALLOCATOR.peak_usage() - before) as f64 / payload.len() as f64
}

// One test: the allocator counts for the whole process.
#[test]
fn memory_is_a_small_multiple_of_the_payload_or_of_its_largest_row() {
    let row = r#"{"symbol":"MSFT","date":"2000-01-01","price":39.81,"traded":true}"#;
    let rows = format!("[{}]", vec![row; 50_000].join(","));
    let digits = format!("[{}]", vec!["1"; 1_000_000].join(","));
    let items = r#"{"type":"array","items":{"type":"object","required":["date"]}}"#;
    // Twice the nodes, since the list grows by doubling.
    let (by_rows, whole) = (multiple(items, &rows), multiple(r#"{"minProperties":0}"#, &rows));
    assert!(by_rows < 0.001, "{by_rows} by rows");
    assert!(whole < 2.0 * 2.5, "{whole} as a whole");
    let streamed = multiple(r#"{"properties":{"a":{"items":{"required":["date"]}}}}"#, &format!("{{\"a\":{rows}}}"));
    assert!(streamed < 0.001, "{streamed} without a tree");
    // However many branches have evaluated an element, it is noted a few times at most.
    let branches = format!(r#"{{"anyOf":[{}],"unevaluatedItems":false}}"#, vec![r#"{"items":true}"#; 500].join(","));
    let noted = multiple(&branches, &format!("[{}]", vec!["1"; 2_000].join(",")));
    assert!(noted < 64.0, "{noted} with what is evaluated");
    let worst = multiple(r#"{"minProperties":0}"#, &digits);
    assert!(worst < 2.0 * 8.5, "{worst} at worst");
}
