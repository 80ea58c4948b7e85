//! Whether two values are equal as JSON Schema wants it: numbers by what they stand for, strings by their characters,
//! members whatever their order.

use alloc::vec::Vec;
use core::cmp::Ordering;

use super::decimal::Decimal;
use super::sort::{places, sort};
use super::tree::Value;

use crate::scalar::Kind;

/// The name of a member and its value.
type Member<'a> = (Value<'a>, Value<'a>);

pub(super) fn equal(a: Value<'_>, b: Value<'_>) -> bool {
    if a.kind() != b.kind() {
        return false;
    }
    match a.kind() {
        Kind::Null | Kind::False | Kind::True => true,
        Kind::Number => a.raw() == b.raw() || Decimal::new(a.raw()).compare(Decimal::new(b.raw())) == Ordering::Equal,
        Kind::String => a.characters() == b.characters(),
        Kind::Array => {
            a.elements().count() == b.elements().count() && a.elements().zip(b.elements()).all(|(a, b)| equal(a, b))
        }
        Kind::Object => {
            if a.members().count() != b.members().count() {
                return false;
            }
            // Not each with each other: there may be many, and where names occur twice the ways to pair them multiply with the depth.
            let (a, b) = (sorted(a), sorted(b));
            let pairs = || a.iter().zip(&b);
            pairs().all(|((name, _), (other, _))| name.characters() == other.characters())
                && pairs().all(|((_, a), (_, b))| equal(*a, *b))
        }
    }
}

/// The members of an object by their names; those of one name in their order.
fn sorted(object: Value<'_>) -> Vec<Member<'_>> {
    let members: Vec<Member<'_>> = object.members().collect();
    let mut order = places(members.len());
    let name = |place: u32| members[place as usize].0.characters();
    sort(&mut order, &|a, b| name(a).cmp(&name(b)).then(a.cmp(&b)) == Ordering::Less);
    order.into_iter().map(|place| members[place as usize]).collect()
}

/// Equal values have the same hash.
pub(super) fn hash(value: Value<'_>) -> u64 {
    let kind = mix(0, value.kind() as u64);
    match value.kind() {
        Kind::Null | Kind::False | Kind::True => kind,
        Kind::Number => {
            let (negative, order, digits) = Decimal::new(value.raw()).normal();
            let start = mix(mix(kind, u64::from(negative)), order as u64);
            digits.fold(start, |hash, digit| mix(hash, u64::from(digit)))
        }
        Kind::String => hash_bytes(kind, &value.characters()),
        Kind::Array => value.elements().fold(kind, |sum, element| mix(sum, hash(element))),
        // A sum, because their order does not count.
        Kind::Object => value
            .members()
            .fold(kind, |sum, (name, value)| sum.wrapping_add(mix(hash_bytes(kind, &name.characters()), hash(value)))),
    }
}

fn hash_bytes(start: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks();
    let start = words.iter().fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    // No byte of UTF-8 is 0xff, so this tells where the text ends.
    mix(rest.iter().fold(start, |hash, byte| mix(hash, u64::from(*byte))), 0xff)
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Two elements that are equal, if there are any: the first one that has been there before, and that one before it.
pub(super) fn equal_elements<'a>(array: Value<'a>) -> Option<(Value<'a>, Value<'a>)> {
    let elements: Vec<Value<'a>> = array.elements().collect();
    let hashes: Vec<u64> = elements.iter().map(|&element| hash(element)).collect();
    let mut order = places(elements.len());
    sort(&mut order, &|a, b| (hashes[a as usize], a) < (hashes[b as usize], b));
    let mut found = None;
    for (place, &again) in order.iter().enumerate() {
        // Those of the same hash are in their order.
        if found.is_some_and(|(other, _)| other < again) {
            continue;
        }
        let same =
            order.iter().take(place).rev().take_while(|&&first| hashes[first as usize] == hashes[again as usize]);
        for &first in same {
            if equal(elements[first as usize], elements[again as usize]) {
                found = Some((again, first));
            }
        }
    }
    found.map(|(again, first)| (elements[first as usize], elements[again as usize]))
}
