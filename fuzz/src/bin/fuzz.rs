//! The program that `cargo xtask fuzz` runs: libFuzzer around the target that `LASTGOOD_FUZZ_TARGET` names.

#![no_main]

use std::sync::OnceLock;

use lastgood_fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("LASTGOOD_FUZZ_TARGET").unwrap_or_default();
        let target = Target::named(&name).expect("LASTGOOD_FUZZ_TARGET names a target, see fuzz/src/lib.rs");
        TARGET.set(target).expect("this runs once");
    },
    |input: &[u8]| TARGET.get().expect("it has been set before the first input").run(input)
);
