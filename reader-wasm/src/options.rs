//! Options into types. What is misspelt or of a wrong kind is refused: an option that has no effect is found late.

use std::fmt;

use js_sys::{Function, Object};
use lastgood_protocol::MAX_SAFE_INTEGER;
use lastgood_protocol::read::LockPolicy;
use serde::Deserialize;
use serde::de::{Deserializer, Unexpected, Visitor};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use crate::js;

/// The longest time that a browser's timer takes, 2^31 − 1 ms: with a longer one it goes off at once.
const MAX_TIMER_MS: u64 = i32::MAX as u64;

/// How patiently to read.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    pub(crate) lock: LockPolicy,
    pub(crate) lock_wait_ms: u32,
    pub(crate) timeout_ms: u32,
}

/// The options of `open`.
#[derive(Debug)]
pub(crate) struct OpenOptions {
    pub(crate) patience: Patience,
    pub(crate) cached: bool,
    pub(crate) max_bytes: u64,
    pub(crate) on_event: Option<Function>,
}

/// The options of `read` and `snapshot`.
#[derive(Debug)]
pub(crate) struct ReadOptions {
    pub(crate) patience: Patience,
    pub(crate) signal: Option<AbortSignal>,
}

/// An option that cannot be used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidOption {
    #[error("expected an object with options, found {0}")]
    NotAnObject(String),
    #[error("there is no option \"{name}\" here; there are: {known}")]
    Unknown { name: String, known: String },
    #[error("option \"{name}\": {problem}")]
    Invalid { name: &'static str, problem: String },
}

impl OpenOptions {
    pub(crate) fn parse(options: &JsValue) -> Result<Self, InvalidOption> {
        // `lastgood.js` has taken `wasm` already.
        const KNOWN: [&str; 7] = ["wasm", "cache", "maxBytes", "onEvent", "lock", "lockWaitMs", "timeoutMs"];
        let options = Options::parse(options, &KNOWN)?;
        let defaults = Patience { lock: LockPolicy::Cache, lock_wait_ms: 10_000, timeout_ms: 10_000 };
        Ok(Self {
            patience: options.patience(&defaults)?,
            cached: options.get("cache")?.unwrap_or(Cache::LocalStorage) == Cache::LocalStorage,
            max_bytes: options.get("maxBytes")?.map_or(64 << 20, |Number::<1, MAX_SAFE_INTEGER>(bytes)| bytes),
            on_event: options.object("onEvent", "a function", JsValue::is_function)?,
        })
    }
}

impl ReadOptions {
    /// The options of a call; `defaults` are those of `open`.
    pub(crate) fn parse(options: &JsValue, defaults: &Patience) -> Result<Self, InvalidOption> {
        const KNOWN: [&str; 4] = ["signal", "lock", "lockWaitMs", "timeoutMs"];
        let options = Options::parse(options, &KNOWN)?;
        // By its members, not by its class: the signal of another frame is of another class.
        let is_signal = |value: &JsValue| js::member(value, "aborted").is_ok_and(|aborted| aborted.as_bool().is_some());
        Ok(Self {
            patience: options.patience(defaults)?,
            signal: options.object("signal", "an AbortSignal", |value| value.is_object() && is_signal(value))?,
        })
    }
}

/// An object with known options only, or none at all.
struct Options<'a>(Option<&'a JsValue>);

impl<'a> Options<'a> {
    fn parse(options: &'a JsValue, known: &[&str]) -> Result<Self, InvalidOption> {
        if options.is_null() || options.is_undefined() {
            return Ok(Self(None));
        }
        let Some(object) = options.dyn_ref::<Object>() else {
            return Err(InvalidOption::NotAnObject(js::describe(options)));
        };
        for name in Object::keys(object).iter().map(|name| js::describe(&name)) {
            if !known.contains(&name.as_str()) {
                return Err(InvalidOption::Unknown { name, known: known.join(", ") });
            }
        }
        Ok(Self(Some(options)))
    }

    fn patience(&self, defaults: &Patience) -> Result<Patience, InvalidOption> {
        Ok(Patience {
            lock: self.get("lock")?.map_or(defaults.lock, |Lock(policy)| policy),
            lock_wait_ms: self.get("lockWaitMs")?.map_or(defaults.lock_wait_ms, Number::<0, MAX_TIMER_MS>::ms),
            timeout_ms: self.get("timeoutMs")?.map_or(defaults.timeout_ms, Number::<1, MAX_TIMER_MS>::ms),
        })
    }

    fn get<T: for<'de> Deserialize<'de>>(&self, name: &'static str) -> Result<Option<T>, InvalidOption> {
        let Some(value) = self.member(name)? else { return Ok(None) };
        let invalid = |error: serde_wasm_bindgen::Error| InvalidOption::Invalid { name, problem: error.to_string() };
        serde_wasm_bindgen::from_value(value).map(Some).map_err(invalid)
    }

    fn object<T: JsCast>(
        &self,
        name: &'static str,
        expected: &str,
        fits: impl Fn(&JsValue) -> bool,
    ) -> Result<Option<T>, InvalidOption> {
        match self.member(name)? {
            Some(value) if !fits(&value) => {
                let problem = format!("expected {expected}, found {}", js::describe(&value));
                Err(InvalidOption::Invalid { name, problem })
            }
            value => Ok(value.map(JsValue::unchecked_into)),
        }
    }

    fn member(&self, name: &'static str) -> Result<Option<JsValue>, InvalidOption> {
        let Some(options) = self.0 else { return Ok(None) };
        let thrown = |thrown: JsValue| InvalidOption::Invalid { name, problem: js::describe(&thrown) };
        let value = js::member(options, name).map_err(thrown)?;
        Ok((!value.is_undefined()).then_some(value))
    }
}

/// Where verified payloads are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Cache {
    #[serde(rename = "localStorage")]
    LocalStorage,
    #[serde(rename = "none")]
    None,
}

/// A lock policy by its name.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
struct Lock(#[serde(with = "LockNames")] LockPolicy);

#[derive(Deserialize)]
#[serde(remote = "LockPolicy", rename_all = "kebab-case")]
enum LockNames {
    Cache,
    Wait,
    Ignore,
}

/// A number within bounds; a fraction is cut off.
#[derive(Debug, PartialEq, Eq)]
struct Number<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Number<MIN, MAX> {
    fn ms(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Number<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_f64(Bounds::<MIN, MAX>).map(Self)
    }
}

struct Bounds<const MIN: u64, const MAX: u64>;

impl<const MIN: u64, const MAX: u64> Visitor<'_> for Bounds<MIN, MAX> {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a number from {MIN} to {MAX}")
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<u64, E> {
        // Not a number is in no range.
        if (MIN as f64..=MAX as f64).contains(&number) {
            return Ok(number as u64);
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use lastgood_protocol::read::LockPolicy;
    use serde::Deserialize;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, F64Deserializer, StrDeserializer};

    use super::{Cache, Lock, MAX_TIMER_MS, Number};

    fn number(number: f64) -> Result<u64, String> {
        let deserializer: F64Deserializer<Error> = number.into_deserializer();
        Number::<1, MAX_TIMER_MS>::deserialize(deserializer)
            .map(|Number(number)| number)
            .map_err(|error| error.to_string())
    }

    fn text<'a>(text: &'a str) -> StrDeserializer<'a, Error> {
        text.into_deserializer()
    }

    #[test]
    fn numbers_within_bounds_are_taken() {
        for (given, taken) in [(1.0, 1), (2500.75, 2500), (2_147_483_647.0, MAX_TIMER_MS)] {
            assert_eq!(number(given), Ok(taken));
        }
    }

    #[test]
    fn other_numbers_are_refused_with_the_bounds() {
        for given in [0.0, 0.99, -1.0, 2_147_483_648.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let error = number(given).unwrap_err();
            assert!(error.ends_with("expected a number from 1 to 2147483647"), "{error}");
        }
    }

    #[test]
    fn lock_policies_have_names() {
        let policies = [("cache", LockPolicy::Cache), ("wait", LockPolicy::Wait), ("ignore", LockPolicy::Ignore)];
        for (name, policy) in policies {
            assert_eq!(Lock::deserialize(text(name)), Ok(Lock(policy)));
        }
        let error = Lock::deserialize(text("never")).unwrap_err().to_string();
        assert_eq!(error, "unknown variant `never`, expected one of `cache`, `wait`, `ignore`");
    }

    #[test]
    fn caches_have_names() {
        assert_eq!(Cache::deserialize(text("localStorage")), Ok(Cache::LocalStorage));
        assert_eq!(Cache::deserialize(text("none")), Ok(Cache::None));
        let error = Cache::deserialize(text("indexedDB")).unwrap_err().to_string();
        assert_eq!(error, "unknown variant `indexedDB`, expected `localStorage` or `none`");
    }
}
