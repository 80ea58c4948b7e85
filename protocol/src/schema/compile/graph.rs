//! Which subschemas apply which.

use alloc::vec;
use alloc::vec::Vec;

use crate::schema::keyword::Id;

/// For each of so many subschemas whether it leads into a circle of `edges`, which go from the first to the second.
pub(super) fn lead_into_circles(subschemas: usize, edges: &[(Id, Id)]) -> Vec<bool> {
    // How many edges lead from each, and from where they lead to each: a list for each, of which `newest` is the first.
    let mut leading = vec![0_u32; subschemas];
    let mut newest = vec![None; subschemas];
    let mut older = Vec::with_capacity(edges.len());
    for (edge, &(from, to)) in edges.iter().enumerate() {
        leading[from as usize] += 1;
        older.push(newest[to as usize].replace(edge));
    }
    // Those that lead nowhere are taken away until none is left that leads nowhere.
    let mut nowhere: Vec<usize> = (0..subschemas).filter(|&id| leading[id] == 0).collect();
    while let Some(id) = nowhere.pop() {
        let mut edge = newest[id];
        while let Some(at) = edge {
            let from = edges[at].0 as usize;
            leading[from] -= 1;
            if leading[from] == 0 {
                nowhere.push(from);
            }
            edge = older[at];
        }
    }
    leading.into_iter().map(|edges| edges > 0).collect()
}
