//! Panics without their messages.
//!
//! What a panic says reaches nobody in a browser, but its messages, and the code that puts them together, are a part of what every page
//! downloads. A panic becomes a trap; wasm-opt then removes what nothing else uses.

use walrus::{FunctionBuilder, FunctionId, FunctionKind, Module};

/// Parts of the mangled names of the functions of Rust's libraries that begin a panic and never return: `core::panicking::…` and so on.
const BEGINNINGS: [&str; 8] = [
    "4core9panicking",
    "3std9panicking",
    "13expect_failed",
    "13unwrap_failed",
    "16slice_index_fail",
    "16slice_error_fail",
    "22panic_already_borrowed",
    "30panic_already_mutably_borrowed",
];

/// Makes a trap of each function of the module that begins a panic, and says how many these are.
pub(super) fn silence(module: &mut Module) -> usize {
    let begins = |name: &str| BEGINNINGS.iter().any(|beginning| name.contains(beginning));
    let beginnings: Vec<FunctionId> = module
        .funcs
        .iter_local()
        .filter(|(id, _)| module.funcs.get(*id).name.as_deref().is_some_and(begins))
        .map(|(id, _)| id)
        .collect();
    for &id in &beginnings {
        let signature = module.types.get(module.funcs.get(id).ty());
        let (parameters, results) = (signature.params().to_vec(), signature.results().to_vec());
        let arguments = parameters.iter().map(|&parameter| module.locals.add(parameter)).collect();
        let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
        builder.func_body().unreachable();
        module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
    }
    beginnings.len()
}
