//! Which subschemas apply which.

use crate::schema::keyword::Id;

/// For each of so many subschemas whether it leads into a circle of `edges`, which go from the first to the second.
pub(super) fn lead_into_circles(subschemas: usize, edges: &[(Id, Id)]) -> Vec<bool> {
    // Those that lead nowhere are taken away until none is left that leads nowhere.
    let mut left = vec![0_u32; subschemas];
    // For each subschema the last edge that leads to it, and for each edge the one before that does.
    let mut last = vec![None; subschemas];
    let mut before = Vec::with_capacity(edges.len());
    for (edge, &(from, to)) in edges.iter().enumerate() {
        left[from as usize] += 1;
        before.push(last[to as usize].replace(edge));
    }
    let mut nowhere: Vec<Id> = (0..subschemas as Id).filter(|&id| left[id as usize] == 0).collect();
    while let Some(id) = nowhere.pop() {
        let mut next = last[id as usize];
        while let Some(edge) = next {
            next = before[edge];
            let (from, _) = edges[edge];
            let left = &mut left[from as usize];
            *left -= 1;
            if *left == 0 {
                nowhere.push(from);
            }
        }
    }
    left.into_iter().map(|left| left > 0).collect()
}
