//! Options into types. What is misspelt or of a wrong kind is refused: an option that has no effect is found late.
//!
//! By hand: serde-wasm-bindgen's deserializer would be a tenth of the module, and its errors do not name the option.

use std::ops::RangeInclusive;

use js_sys::{Function, Object};
use lastgood_protocol::MAX_SAFE_INTEGER;
use lastgood_protocol::read::LockPolicy;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use crate::js;

/// The longest time that a browser's timer takes, 2^31 − 1 ms: with a longer one it goes off at once.
const MAX_TIMER_MS: u32 = i32::MAX as u32;

const LOCK_POLICIES: [(&str, LockPolicy); 3] =
    [("cache", LockPolicy::Cache), ("wait", LockPolicy::Wait), ("ignore", LockPolicy::Ignore)];
const CACHES: [(&str, bool); 2] = [("localStorage", true), ("none", false)];

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
    #[error("option \"{name}\": expected {expected}, found {found}")]
    Invalid { name: &'static str, expected: String, found: String },
}

impl OpenOptions {
    pub(crate) fn parse(options: &JsValue) -> Result<Self, InvalidOption> {
        // `lastgood.js` has taken `wasm` already.
        const KNOWN: [&str; 7] = ["wasm", "cache", "maxBytes", "onEvent", "lock", "lockWaitMs", "timeoutMs"];
        let options = Options::parse(options, &KNOWN)?;
        let defaults = Patience { lock: LockPolicy::Cache, lock_wait_ms: 10_000, timeout_ms: 10_000 };
        Ok(Self {
            patience: options.patience(&defaults)?,
            cached: options.choice("cache", &CACHES)?.unwrap_or(true),
            max_bytes: options.number("maxBytes", 1..=MAX_SAFE_INTEGER)?.unwrap_or(64 << 20),
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
        for name in Object::keys(object).iter().filter_map(|name| name.as_string()) {
            if !known.contains(&name.as_str()) {
                return Err(InvalidOption::Unknown { name, known: known.join(", ") });
            }
        }
        Ok(Self(Some(options)))
    }

    fn patience(&self, defaults: &Patience) -> Result<Patience, InvalidOption> {
        Ok(Patience {
            lock: self.choice("lock", &LOCK_POLICIES)?.unwrap_or(defaults.lock),
            lock_wait_ms: self.milliseconds("lockWaitMs", 0)?.unwrap_or(defaults.lock_wait_ms),
            timeout_ms: self.milliseconds("timeoutMs", 1)?.unwrap_or(defaults.timeout_ms),
        })
    }

    fn choice<T: Copy>(&self, name: &'static str, choices: &[(&str, T)]) -> Result<Option<T>, InvalidOption> {
        let expected = || {
            let names: Vec<String> = choices.iter().map(|(name, _)| ["\"", name, "\""].concat()).collect();
            names.join(" or ")
        };
        self.take(name, expected, |value| chosen(&value.as_string()?, choices))
    }

    fn milliseconds(&self, name: &'static str, least: u32) -> Result<Option<u32>, InvalidOption> {
        let ms = self.number(name, least.into()..=MAX_TIMER_MS.into())?;
        Ok(ms.map(|ms| u32::try_from(ms).unwrap_or(MAX_TIMER_MS)))
    }

    fn number(&self, name: &'static str, bounds: RangeInclusive<u64>) -> Result<Option<u64>, InvalidOption> {
        let expected = || format!("a number from {} to {}", bounds.start(), bounds.end());
        self.take(name, expected, |value| within(value.as_f64()?, &bounds))
    }

    fn object<T: JsCast>(
        &self,
        name: &'static str,
        expected: &str,
        fits: impl Fn(&JsValue) -> bool,
    ) -> Result<Option<T>, InvalidOption> {
        self.take(name, || expected.to_owned(), |value| fits(value).then(|| value.clone().unchecked_into()))
    }

    /// What `parse` makes of the option; `None` when it is left out.
    fn take<T>(
        &self,
        name: &'static str,
        expected: impl Fn() -> String,
        parse: impl Fn(&JsValue) -> Option<T>,
    ) -> Result<Option<T>, InvalidOption> {
        let Some(options) = self.0 else { return Ok(None) };
        let invalid =
            |found: &JsValue| InvalidOption::Invalid { name, expected: expected(), found: js::describe(found) };
        let value = js::member(options, name).map_err(|thrown| invalid(&thrown))?;
        if value.is_undefined() {
            return Ok(None);
        }
        parse(&value).map(Some).ok_or_else(|| invalid(&value))
    }
}

fn chosen<T: Copy>(given: &str, choices: &[(&str, T)]) -> Option<T> {
    choices.iter().find(|(name, _)| *name == given).map(|&(_, choice)| choice)
}

/// The number without its fraction, if it is within the bounds. Not a number is in no range.
fn within(number: f64, bounds: &RangeInclusive<u64>) -> Option<u64> {
    (*bounds.start() as f64..=*bounds.end() as f64).contains(&number).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use lastgood_protocol::MAX_SAFE_INTEGER;
    use lastgood_protocol::read::LockPolicy;

    use super::{CACHES, LOCK_POLICIES, chosen, within};

    #[test]
    fn numbers_within_bounds_are_taken_without_their_fraction() {
        for (given, taken) in [(1.0, 1), (2500.75, 2500), (2_147_483_647.0, 2_147_483_647)] {
            assert_eq!(within(given, &(1..=2_147_483_647)), Some(taken));
        }
        assert_eq!(within(9_007_199_254_740_991.0, &(1..=MAX_SAFE_INTEGER)), Some(MAX_SAFE_INTEGER));
    }

    #[test]
    fn other_numbers_are_not() {
        for given in [0.0, 0.99, -1.0, 2_147_483_648.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            assert_eq!(within(given, &(1..=2_147_483_647)), None, "{given}");
        }
        assert_eq!(within(9_007_199_254_740_992.0, &(1..=MAX_SAFE_INTEGER)), None);
    }

    #[test]
    fn choices_have_exact_names() {
        for (name, policy) in LOCK_POLICIES {
            assert_eq!(chosen(name, &LOCK_POLICIES), Some(policy));
        }
        assert_eq!(chosen("ignore", &LOCK_POLICIES), Some(LockPolicy::Ignore));
        assert_eq!(chosen("localStorage", &CACHES), Some(true));
        assert_eq!(chosen("none", &CACHES), Some(false));
        for name in ["", "Cache", "localstorage", "null"] {
            assert_eq!(chosen(name, &LOCK_POLICIES), None);
            assert_eq!(chosen(name, &CACHES), None);
        }
    }
}
