//! Checks values against a compiled schema.
//!
//! Branches whose outcome alone counts (`anyOf`, `not`, `if`, …) are checked quietly, up to the first violation. Where an
//! `unevaluated…` keyword has to know what the rules beside it have evaluated, the members and elements that they evaluate
//! are noted; otherwise nothing is.

mod branches;
mod containers;
mod memo;

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::decimal::{Decimal, whole};
use super::equal::{equal, equal_elements, hash};
use super::keyword::{Choice, Compiled, Id, Keyword, Rule};
use super::report::{SHOWN, Violation, Violations, count, counted, excerpt, expected, shown};
use super::sort::sort;
use super::tree::{Tree, Value};
use crate::scalar::Kind;
use memo::{Known, Memo};

/// How deep subschemas may be applied inside each other before it is called endless; what a payload at the deepest nesting
/// takes with eight subschemas on each level.
const MAX_NESTING: u32 = 8 * crate::json::MAX_DEPTH as u32;

/// How often the subschemas of a schema may be applied, for each pair of a value and a subschema, and some beyond that. Each pair
/// once is what there is to do; subschemas that refer to each other can double the ways with every step.
const MAX_WAYS: u64 = 8;
const MAX_CHECKS: u64 = 1 << 16;

/// A list of as many values is gone through before a hash is made of what is looked for.
const FEW: usize = 16;

/// Whether the regular expression with a number is somewhere in a text.
pub(super) type Matches<'s> = &'s dyn Fn(u32, &str) -> bool;

/// Why it is not known whether a payload is valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    TooNested,
    TooComplex,
}

pub(super) struct Checker<'s> {
    schema: &'s Compiled,
    tree: &'s Tree<'s>,
    matches: Matches<'s>,
    limit: usize,
    violations: Violations,
    /// The outcome alone counts.
    quiet: bool,
    nesting: u32,
    stopped: Option<Stopped>,
    /// How many subschemas may still be applied to the values of the tree.
    checks_left: u64,
    /// The element of the payload that the values are in, when it is checked by elements.
    row: Option<u64>,
    /// The nodes of members and elements that have been evaluated, where that is asked for.
    evaluated: Vec<u32>,
    /// Which properties the objects that are being checked have had so far.
    seen: Vec<bool>,
    memo: Memo,
}

impl<'s> Checker<'s> {
    pub(super) fn new(schema: &'s Compiled, tree: &'s Tree<'s>, matches: Matches<'s>, limit: usize) -> Self {
        Self {
            schema,
            tree,
            matches,
            limit,
            violations: Violations::default(),
            quiet: false,
            nesting: 0,
            stopped: None,
            checks_left: 0,
            row: None,
            evaluated: Vec::new(),
            seen: Vec::new(),
            memo: Memo::default(),
        }
    }

    /// Checks the whole payload.
    pub(super) fn root(&mut self, value: Value<'_>) {
        self.begin(value);
        self.check(0, value, false);
    }

    /// Checks an element of the payload that is a tree of its own.
    pub(super) fn row(&mut self, index: u64, id: Id, value: Value<'_>) {
        self.row = Some(index);
        self.begin(value);
        self.check(id, value, false);
    }

    /// Whether a value that is a tree of its own fits.
    pub(super) fn allows(&mut self, id: Id, value: Value<'_>) -> bool {
        // Most subschemas look at the value by itself, or have branches that do, such as that it may be null.
        let assert = |id: Id| self.schema.rules(id).iter().all(|rule| self.assertion(rule, value) == Some(true));
        let holds = |rule: &Rule| match &rule.keyword {
            Keyword::AnyOf(any) => any.iter().any(|&id| assert(id)),
            _ => self.assertion(rule, value) == Some(true),
        };
        if self.schema.rules(id).iter().all(holds) {
            return true;
        }
        self.begin(value);
        self.fits(id, value, false)
    }

    /// Makes ready for a value that is a tree of its own.
    fn begin(&mut self, value: Value<'_>) {
        self.memo.clear();
        let pairs = value.nodes() as u64 * self.schema.subschemas.len() as u64;
        self.checks_left = MAX_CHECKS + pairs.saturating_mul(MAX_WAYS);
    }

    pub(super) fn schema(&self) -> &'s Compiled {
        self.schema
    }

    /// Checks how many elements a payload has that is an array, whose text is `array`.
    pub(super) fn count(&mut self, rule: &Rule, elements: u64, array: &str) {
        let Keyword::Count(wanted) = rule.keyword else { return };
        if !wanted.allows(elements) && !self.is_full() {
            self.violations.list.push(Violation {
                pointer: String::new(),
                keyword: rule.name,
                schema_pointer: self.tree.value(rule.at).pointer(),
                expected: counted(wanted, elements),
                found: excerpt(array, SHOWN),
            });
        }
    }

    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    pub(super) fn finish(self) -> Violations {
        self.violations
    }

    /// Whether the value fits. `track`: note what is evaluated, for a rule further out.
    fn check(&mut self, id: Id, value: Value<'_>, track: bool) -> bool {
        let schema = self.schema;
        let subschema = &schema.subschemas[id as usize];
        if subschema.rules.is_empty() {
            return true;
        }
        if self.nesting == MAX_NESTING || self.checks_left == 0 {
            let too_nested = self.nesting == MAX_NESTING;
            self.stopped = Some(if too_nested { Stopped::TooNested } else { Stopped::TooComplex });
            return false;
        }
        self.checks_left -= 1;
        self.nesting += 1;
        let before = self.evaluated.len();
        let mut valid = true;
        for rule in &subschema.rules {
            // Most rules decide by the value alone, and hold.
            valid &=
                self.assertion(rule, value) == Some(true) || self.rule(rule, value, before, track || subschema.tracks);
            if !valid && (self.quiet || self.stopped.is_some()) {
                break;
            }
        }
        if !track {
            self.evaluated.truncate(before);
        }
        self.nesting -= 1;
        valid
    }

    /// Branches that evaluate the same note it again; however many there are, no more is kept than the value has parts.
    #[inline(never)]
    fn forget_repetitions(&mut self, before: usize, value: Value<'_>) {
        if self.evaluated.len() - before <= 4 * value.nodes() {
            return;
        }
        sort(&mut self.evaluated[before..], &|a, b| a < b);
        let mut kept = before;
        for at in before..self.evaluated.len() {
            let part = self.evaluated[at];
            if at == before || self.evaluated[kept - 1] != part {
                self.evaluated[kept] = part;
                kept += 1;
            }
        }
        self.evaluated.truncate(kept);
    }

    /// The same for its outcome alone. What a value that does not fit has evaluated does not count.
    fn fits(&mut self, id: Id, value: Value<'_>, track: bool) -> bool {
        let before = self.evaluated.len();
        let quiet = core::mem::replace(&mut self.quiet, true);
        let valid = self.check(id, value, track);
        self.quiet = quiet;
        if !valid {
            self.evaluated.truncate(before);
        }
        valid
    }

    /// `before`: where the notes begin that the subschema of this rule has made.
    fn rule(&mut self, rule: &Rule, value: Value<'_>, before: usize, track: bool) -> bool {
        let holds = match &rule.keyword {
            Keyword::Properties(properties) => return self.properties(properties, value, track),
            Keyword::Items { prefix, rest } => return self.items(prefix, *rest, value, track),
            Keyword::Contains(contains) => return self.contains(rule.at, contains, value, track),
            Keyword::PropertyNames(names) => return self.property_names(*names, value),
            Keyword::DependentRequired => return self.dependent_required(rule.at, value),
            Keyword::DependentSchemas(dependent) => return self.dependent_schemas(dependent, value, track),
            Keyword::UnevaluatedItems(id) | Keyword::UnevaluatedProperties(id) => {
                let of_items = matches!(rule.keyword, Keyword::UnevaluatedItems(_));
                let kind = if of_items { Kind::Array } else { Kind::Object };
                return value.kind() != kind || self.unevaluated(*id, value, before, track);
            }
            Keyword::UniqueItems => return self.unique(rule.at, value),
            Keyword::Ref(target) => return self.reference(*target, value, track),
            Keyword::AllOf(all) => return self.all_of(all, value, track),
            Keyword::If { condition, then, otherwise } => {
                let branch = if self.fits(*condition, value, track) { then } else { otherwise };
                return branch.is_none_or(|id| self.check(id, value, track));
            }
            Keyword::AnyOf(any) => match self.any_of(any, value, track) {
                Some(holds) => holds,
                None => return false,
            },
            Keyword::OneOf(one) => match self.one_of(one, value, track) {
                Some(holds) => holds,
                None => return false,
            },
            // What fits it is no value that this schema evaluates.
            Keyword::Not(not) => !self.fits(*not, value, false),
            _ => self.assertion(rule, value) != Some(false),
        };
        if !holds && !self.quiet {
            let (keyword, expected) = expected(self.schema, self.tree, rule, value);
            self.report(value, keyword, self.tree.value(rule.at).pointer(), expected);
        }
        holds
    }

    /// What the value by itself decides; `None` for rules that apply subschemas or tell more than whether they hold.
    #[inline]
    fn assertion(&self, rule: &Rule, value: Value<'_>) -> Option<bool> {
        let kind = value.kind();
        Some(match &rule.keyword {
            Keyword::Never => false,
            Keyword::Type(types) => types.allow(value),
            Keyword::Const => equal(self.tree.value(rule.at), value),
            Keyword::Enum(choices) => self.is_choice(choices, value),
            Keyword::Limit(limit, bound) => kind != Kind::Number || limit.allows(self.compare(value, rule.at, *bound)),
            Keyword::MultipleOf(divisor) => kind != Kind::Number || divisor.divides(Decimal::new(value.raw())),
            Keyword::Count(bound) => kind != bound.of || bound.allows(count(value)),
            Keyword::Pattern(pattern) => kind != Kind::String || (self.matches)(*pattern, &value.text()),
            _ => return None,
        })
    }

    /// `bound`: the whole part of the number of the schema that stands at `at`.
    fn compare(&self, value: Value<'_>, at: u32, bound: Option<i64>) -> Ordering {
        match (whole(value.raw()), bound) {
            (Some(whole), Some(bound)) if whole != bound => whole.cmp(&bound),
            _ => Decimal::new(value.raw()).compare(Decimal::new(self.tree.value(at).raw())),
        }
    }

    fn is_choice(&self, choices: &[Choice], value: Value<'_>) -> bool {
        let is_written_alike = |choice: &Choice| self.tree.value(choice.at).token() == value.token();
        if choices.len() <= FEW && choices.iter().any(is_written_alike) {
            return true;
        }
        let hash = hash(value);
        let first = choices.partition_point(|choice| choice.hash < hash);
        let same = choices.iter().skip(first).take_while(|choice| choice.hash == hash);
        same.into_iter().any(|choice| equal(self.tree.value(choice.at), value))
    }

    fn unique(&mut self, at: u32, value: Value<'_>) -> bool {
        if value.kind() != Kind::Array {
            return true;
        }
        let Some((first, again)) = equal_elements(value) else { return true };
        if !self.quiet {
            let expected = ["elements that are all different, not equal to ", &self.pointer(first)].concat();
            self.report(again, "uniqueItems", self.tree.value(at).pointer(), expected);
        }
        false
    }

    fn reference(&mut self, target: Id, value: Value<'_>, track: bool) -> bool {
        // Branches that go the same way into the data would double the work on each level.
        if track || !self.schema.subschemas[target as usize].recursive {
            return self.check(target, value, track);
        }
        match self.memo.get(target, value.at) {
            Some(Known::Valid) => return true,
            Some(Known::Reported) => return false,
            Some(Known::Invalid) if self.quiet => return false,
            _ => {}
        }
        let valid = self.check(target, value, track);
        let known = match (valid, self.quiet) {
            (true, _) => Known::Valid,
            (false, true) => Known::Invalid,
            (false, false) => Known::Reported,
        };
        self.memo.put(target, value.at, known);
        valid
    }

    #[cold]
    fn report(&mut self, value: Value<'_>, keyword: &'static str, schema_pointer: String, expected: String) {
        if self.is_full() {
            return;
        }
        let pointer = self.pointer(value);
        self.violations.list.push(Violation { pointer, keyword, schema_pointer, expected, found: shown(value) });
    }

    /// The pointer to a value, in the payload.
    fn pointer(&self, value: Value<'_>) -> String {
        match self.row {
            Some(row) => ["/", &row.to_string(), &value.pointer()].concat(),
            None => value.pointer(),
        }
    }

    /// Counts a violation that is not listed any more.
    fn is_full(&mut self) -> bool {
        let full = self.violations.list.len() >= self.limit;
        self.violations.more += u64::from(full);
        full
    }
}
