//! One sort for everything: the generic one of the standard library would be 5 KB for each type that it is used with, which
//! pages would download.

use alloc::vec::Vec;

/// Sorts places of something. `before`: whether the first one belongs before the second one.
pub(super) fn sort(places: &mut [u32], before: &dyn Fn(u32, u32) -> bool) {
    // Heapsort: it has no bad case and needs no memory.
    for root in (0..places.len() / 2).rev() {
        sift_down(places, root, before);
    }
    for last in (1..places.len()).rev() {
        places.swap(0, last);
        sift_down(&mut places[..last], 0, before);
    }
}

fn sift_down(heap: &mut [u32], mut root: usize, before: &dyn Fn(u32, u32) -> bool) {
    loop {
        let mut child = 2 * root + 1;
        if child + 1 < heap.len() && before(heap[child], heap[child + 1]) {
            child += 1;
        }
        if child >= heap.len() || !before(heap[root], heap[child]) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}

/// The places of so many things.
pub(super) fn places(count: usize) -> Vec<u32> {
    (0..count as u32).collect()
}
