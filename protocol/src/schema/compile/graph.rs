//! Which subschemas apply which.

use alloc::vec;
use alloc::vec::Vec;

use crate::schema::keyword::Id;

/// The longest chain of subschemas that is followed: longer than any that can be applied.
const MAX_CHAIN: u32 = 4096;

/// For each of so many subschemas whether it leads into a circle of `edges`, which go from the first to the second. `None`: some are
/// too far from where they lead to.
pub(super) fn lead_into_circles(subschemas: usize, edges: &[(Id, Id)]) -> Option<Vec<bool>> {
    // Those that lead nowhere are taken away until none is left that leads nowhere.
    let mut left = vec![true; subschemas];
    for _ in 0..MAX_CHAIN {
        let mut lead = vec![false; subschemas];
        for &(from, to) in edges {
            lead[from as usize] |= left[to as usize];
        }
        if lead == left {
            return Some(left);
        }
        left = lead;
    }
    None
}
