//! The merger: joins the patches of a merge group into one feature of the language model's width.

use super::Save;
use super::block::{self, Stream, linear_forward, linear_grads, linear_trains};
use super::buffers::Buffers;
use super::geometry::VisionPlan;
use crate::Result;
use crate::config::{VISION_NORM_EPS, VisionConfig};
use crate::params::{Layout, MergerIds, Params};
use candle_core::Tensor;
use coldstart_kernels::{embedding, gelu, linear, rms_norm};

/// `gelu(norm(x) joined · W₀ᵀ + b₀) · W₂ᵀ + b₂`, put back from window order into reading order.
pub(crate) struct Merger {
    ids: MergerIds,
    /// Width of the joined patches of a merge group.
    joined: usize,
}

/// What the merger's backward needs.
pub(crate) struct MergerSaved {
    h: Tensor,
    inv: Tensor,
    joined: Tensor,
    pre: Tensor,
    act: Tensor,
}

impl Merger {
    pub fn new(config: &VisionConfig, layout: &Layout) -> Self {
        Self { ids: layout.merger, joined: config.hidden_size * config.merge_unit() }
    }

    /// Features `[cells, hidden]` in reading order from the tower's residual stream in window order.
    pub fn forward(
        &self,
        params: &Params,
        stream: Stream,
        plan: &VisionPlan,
        save: Save,
    ) -> Result<(Tensor, Option<MergerSaved>)> {
        let mut fresh = Buffers::default();
        let (h, y, inv) = block::norm(params, &stream, self.ids.norm, VISION_NORM_EPS, &mut fresh)?;
        let joined = y.reshape((plan.num_cells(), self.joined))?;
        let pre = linear_forward(params, &joined, self.ids.first, &mut fresh)?;
        let act = gelu::forward(&pre)?;
        let features = linear_forward(params, &act, self.ids.second, &mut fresh)?;
        let features = embedding::gather_rows(&features, &plan.inverse)?;
        let saved = (save != Save::None).then_some(MergerSaved { h, inv, joined, pre, act });
        Ok((features, saved))
    }

    /// Adds the merger's gradients; returns that of the tower's output if `need_dx`. `dy`: `[cells, hidden]` in reading order.
    pub fn backward(
        &self,
        params: &Params,
        dy: &Tensor,
        saved: MergerSaved,
        plan: &VisionPlan,
        need_dx: bool,
    ) -> Result<Option<Tensor>> {
        let need_norm = need_dx || params.is_trainable(self.ids.norm);
        let need_first = need_norm || linear_trains(params, self.ids.first);
        let dy = embedding::gather_rows(dy, &plan.window_index)?;
        linear_grads(params, &dy, &saved.act, self.ids.second)?;
        if !need_first {
            return Ok(None);
        }
        let dact = linear::backward_input(&dy, params.weight(self.ids.second.weight))?;
        let dpre = gelu::backward(&dact, &saved.pre)?;
        linear_grads(params, &dpre, &saved.joined, self.ids.first)?;
        if !need_norm {
            return Ok(None);
        }
        let djoined = linear::backward_input(&dpre, params.weight(self.ids.first.weight))?;
        let dn = djoined.reshape(saved.h.shape())?;
        let norm = self.ids.norm;
        let dx = rms_norm::backward(&dn, &saved.h, &saved.inv, params.value(norm), None, params.acc(norm))?;
        Ok(need_dx.then_some(dx))
    }
}
