//! Short names for what the module and its glue know each other by.
//!
//! wasm-bindgen's names end in hashes, which do not compress: twice a hundred of them would be a twentieth of the
//! package. wasm-opt shortens them in the module and says how; the glue follows here.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// What wasm-opt has renamed.
#[derive(Debug, Deserialize)]
pub(super) struct Renamed {
    /// Module, name, short name.
    imports: Vec<(String, String, String)>,
    /// Name, short name.
    exports: Vec<(String, String)>,
}

/// What wasm-opt calls the only module that is imported.
const SHORT_MODULE: &str = "a";

impl Renamed {
    /// Reads what wasm-opt prints.
    pub(super) fn parse(json: &str) -> Result<Self> {
        serde_json::from_str(json).context("expected the list of names from wasm-opt")
    }

    /// The glue for the renamed module.
    pub(super) fn rename_in(&self, glue: &str) -> Result<String> {
        let mut renamed = self.rename_exports_in(glue);
        for (module, name, short) in &self.imports {
            renamed = renamed.replace(&format!("\"{module}\": "), &format!("\"{SHORT_MODULE}\": "));
            let (long, short) = (format!(" {name}: function"), format!(" {short}: function"));
            ensure!(renamed.matches(&long).count() == 1, "expected the import {name} once in the glue");
            renamed = renamed.replace(&long, &short);
        }
        Ok(renamed)
    }

    /// Exports are used as `wasm.name`.
    fn rename_exports_in(&self, glue: &str) -> String {
        let short: HashMap<_, _> = self.exports.iter().map(|(name, short)| (name.as_str(), short.as_str())).collect();
        let mut pieces = glue.split("wasm.");
        let mut renamed = pieces.next().unwrap_or_default().to_owned();
        for piece in pieces {
            let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(piece.len());
            let (name, rest) = piece.split_at(end);
            renamed.extend(["wasm.", short.get(name).copied().unwrap_or(name), rest]);
        }
        renamed
    }
}

#[cfg(test)]
mod tests {
    use super::Renamed;

    const NAMES: &str =
        r#"{ "imports": [["./x.js", "__wbg_get_12", "A"]], "exports": [["memory", "b"], ["mem", "c"]] }"#;

    #[test]
    fn the_glue_follows_the_module() {
        let glue = "x = { __wbg_get_12: function(a) { wasm.memory.buffer; wasm.mem(a) } };\n\"./x.js\": x, memory";
        assert_eq!(
            Renamed::parse(NAMES).unwrap().rename_in(glue).unwrap(),
            "x = { A: function(a) { wasm.b.buffer; wasm.c(a) } };\n\"a\": x, memory"
        );
    }

    #[test]
    fn an_import_without_its_function_is_refused() {
        for glue in ["", " __wbg_get_12: function() {} __wbg_get_12: function() {}"] {
            assert!(Renamed::parse(NAMES).unwrap().rename_in(glue).is_err());
        }
    }
}
