//! Which subschemas apply which.

use crate::schema::keyword::Id;

/// For each of so many subschemas whether it leads into a circle of `edges`, which go from the first to the second.
pub(super) fn lead_into_circles(subschemas: usize, edges: &[(Id, Id)]) -> Vec<bool> {
    // Those that lead nowhere are taken away until none is left that leads nowhere.
    let mut by_target: Vec<(Id, Id)> = edges.iter().map(|&(from, to)| (to, from)).collect();
    by_target.sort_unstable();
    let mut left = vec![0_u32; subschemas];
    for &(from, _) in edges {
        left[from as usize] += 1;
    }
    let mut nowhere: Vec<Id> = (0..subschemas as Id).filter(|&id| left[id as usize] == 0).collect();
    while let Some(id) = nowhere.pop() {
        let first = by_target.partition_point(|&(to, _)| to < id);
        for &(_, from) in by_target[first..].iter().take_while(|&&(to, _)| to == id) {
            let left = &mut left[from as usize];
            *left -= 1;
            if *left == 0 {
                nowhere.push(from);
            }
        }
    }
    left.into_iter().map(|left| left > 0).collect()
}
