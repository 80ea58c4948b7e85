//! `lastgood.toml`.

use std::path::Path;

use lastgood::config::{Config, ConfigError};
use lastgood::protocol::name::DatasetName;

use crate::input::{assert_fit_for_a_terminal, assert_inside};

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::parse(text, Path::new("/site/lastgood.toml")) {
        Ok(config) => {
            // What it sets is listed by name, and asking for a dataset always has an answer.
            assert!(config.given.is_sorted());
            for name in ["performance", "a"].map(DatasetName::parse).into_iter().flatten() {
                let dataset = config.dataset(&name);
                assert!(dataset.schema.as_ref().is_none_or(|schema| schema.version > 0 && schema.file.is_absolute()));
                if let Err(unlisted) = config.check_listed(&name) {
                    assert!(config.strict);
                    assert_fit_for_a_terminal(&unlisted.to_string());
                }
            }
            assert!(config.dir.is_none_or(|dir| dir.is_absolute()));
        }
        Err(error) => {
            assert_fit_for_a_terminal(&error.to_string());
            let ConfigError::Invalid { line, column, .. } = error else { panic!("nothing was read: {error}") };
            assert_inside(input, line as u64, column as u64);
        }
    }
}
