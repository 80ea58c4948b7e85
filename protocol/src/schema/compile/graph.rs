//! Which subschemas apply which.

use alloc::vec;
use alloc::vec::Vec;

use crate::schema::keyword::Id;

/// For each of so many subschemas whether it leads into a circle of `edges`, which go from the first to the second.
pub(super) fn lead_into_circles(subschemas: usize, edges: &[(Id, Id)]) -> Vec<bool> {
    // Those that lead nowhere are taken away until none is left that leads nowhere.
    let mut left = vec![true; subschemas];
    loop {
        let mut lead = vec![false; subschemas];
        for &(from, to) in edges {
            lead[from as usize] |= left[to as usize];
        }
        if lead == left {
            return left;
        }
        left = lead;
    }
}
