//! Outputs of the vision tower, kept while the image lives and the tower's weights stand still.
//!
//! A rollout, the log-probabilities of old and reference policies and, with a frozen tower, every epoch need the same rows again. They
//! take about as much memory as the pixel values that the image holds anyway, so there is no budget: rows of images that nobody owns any
//! more go when the next unknown image comes.

use crate::Result;
use crate::batch::Image;
use candle_core::Tensor;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Rows `[patches, hidden]` before the merger's norm, in window order, by image.
#[derive(Default)]
pub(crate) struct TowerCache {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Version of the tower's weights that the rows belong to.
    version: u64,
    /// By address. The `Weak` keeps the address from being given to another image.
    rows: HashMap<*const Image, (Weak<Image>, Tensor)>,
}

// SAFETY: the pointers are keys and are never read through.
unsafe impl Send for State {}

impl TowerCache {
    /// Rows of all `images` one after another. `encode` is asked once for those that are not known.
    pub fn rows(
        &self,
        version: u64,
        images: &[Arc<Image>],
        encode: impl FnOnce(&[Arc<Image>]) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let mut state = self.lock();
        if state.version != version {
            *state = State { version, rows: HashMap::new() };
        }
        let unknown: Vec<Arc<Image>> =
            images.iter().filter(|image| !state.rows.contains_key(&Arc::as_ptr(image))).cloned().collect();
        if !unknown.is_empty() {
            state.rows.retain(|_, (image, _)| image.strong_count() > 0);
            let encoded = encode(&unknown)?;
            let mut start = 0;
            for image in &unknown {
                let patches = image.grid.iter().product::<u32>() as usize;
                // A copy: a view would keep the whole batch alive as long as any of its images.
                let rows = encoded.narrow(0, start, patches)?.force_contiguous()?;
                start += patches;
                state.rows.insert(Arc::as_ptr(image), (Arc::downgrade(image), rows));
            }
            if unknown.len() == images.len() {
                return Ok(encoded);
            }
        }
        let rows: Vec<&Tensor> = images.iter().map(|image| &state.rows[&Arc::as_ptr(image)].1).collect();
        Ok(Tensor::cat(&rows, 0)?)
    }

    /// Living images whose rows are known.
    pub fn len(&self) -> usize {
        self.lock().rows.values().filter(|(image, _)| image.strong_count() > 0).count()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Rows are inserted whole, so a panic elsewhere leaves nothing half made.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
