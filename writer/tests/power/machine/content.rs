//! What is in a file, and what a power cut can leave of it.

use std::sync::Arc;

use super::Model;

/// What the medium writes at once.
const BLOCK: usize = 512;

/// The bytes of a file, as far as they are known.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Known(Arc<Vec<u8>>),
    /// One of several, and nobody has looked.
    OneOf(Vec<Arc<Vec<u8>>>),
}

impl Default for Content {
    fn default() -> Self {
        Content::Known(Arc::default())
    }
}

impl Content {
    pub(crate) fn candidates(&self) -> Vec<Arc<Vec<u8>>> {
        match self {
            Content::Known(bytes) => vec![Arc::clone(bytes)],
            Content::OneOf(candidates) => candidates.clone(),
        }
    }

    /// What a cut may leave of `self`, when `durable` is what the medium confirmed last, and `sizes` are those that the file
    /// has had since.
    pub(crate) fn torn(&self, durable: &Content, sizes: &[usize], model: Model) -> Content {
        let mut candidates = durable.candidates();
        for now in self.candidates() {
            for before in durable.candidates() {
                let kept = if now.starts_with(&before) { before.len() } else { 0 };
                let sizes = sizes.iter().filter(|size| (kept..now.len()).contains(*size)).copied();
                for size in sizes.chain([now.len()]) {
                    for bytes in remains(&now[..size], kept, model) {
                        if candidates.iter().all(|other| **other != bytes) {
                            candidates.push(Arc::new(bytes));
                        }
                    }
                }
            }
        }
        match candidates.pop() {
            Some(only) if candidates.is_empty() => Content::Known(only),
            Some(last) => {
                candidates.push(last);
                Content::OneOf(candidates)
            }
            None => Content::default(),
        }
    }
}

/// What may be left of `bytes` when the first `kept` of them are durable: a prefix of blocks; on a medium that gives no
/// promise also the whole size with nothing written, the rest not written, or what was there before.
fn remains(bytes: &[u8], kept: usize, model: Model) -> Vec<Vec<u8>> {
    let rest = bytes.len() - kept;
    let mut remains: Vec<Vec<u8>> =
        (0..rest.div_ceil(BLOCK)).map(|blocks| bytes[..kept + blocks * BLOCK].to_vec()).collect();
    if model == Model::Weakest && rest > 0 {
        let written = |end: usize, fill: u8| {
            let mut torn = bytes.to_vec();
            torn[end..].fill(fill);
            torn
        };
        remains.extend([written(kept, 0), written(kept, 0xa5), written(kept + rest / 2, 0)]);
    }
    remains.push(bytes.to_vec());
    remains
}
