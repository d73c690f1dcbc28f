//! The vision tower: patches to features before the merger.

use super::Save;
use super::block::{Saved, Stream, linear_forward, linear_grads};
use super::buffers::Buffers;
use super::geometry::VisionPlan;
use super::rope::vision_angles;
use super::stack::{PackedAttention, Stack};
use crate::Result;
use crate::batch::Image;
use crate::config::{VISION_NORM_EPS, VisionConfig};
use crate::params::{Layout, LinearIds, Params, dtype_of};
use candle_core::{Device, Tensor};
use coldstart_kernels::attention::{Heads, Plan};
use coldstart_kernels::rope::Angles;
use std::sync::Arc;

/// The tower's blocks and patch embedding.
pub(crate) struct Vision {
    config: VisionConfig,
    patch_embed: LinearIds,
    stack: Stack,
}

/// What the tower's backward needs.
pub(crate) struct VisionSaved {
    pixels: Tensor,
    angles: Angles,
    blocks: Vec<Saved>,
}

impl Vision {
    pub fn new(config: &VisionConfig, layout: &Layout) -> Self {
        Self {
            config: config.clone(),
            patch_embed: LinearIds { weight: layout.patch_embed, bias: None },
            stack: Stack {
                blocks: layout.vision.clone(),
                heads: Heads { q: config.num_heads, kv: config.num_heads, dim: config.head_dim },
                eps: VISION_NORM_EPS,
            },
        }
    }

    /// The residual stream after the last block, `[patches, hidden]` in window order.
    pub fn forward(
        &self,
        params: &Params,
        images: &[Arc<Image>],
        plan: &VisionPlan,
        save: Save,
    ) -> Result<(Stream, Option<VisionSaved>)> {
        let pixels = self.permuted_pixels(params, images, plan)?;
        let angles = vision_angles(&plan.coordinates, &self.config, params.precision())?;
        let mut fresh = Buffers::default();
        let x = linear_forward(params, &pixels, self.patch_embed, &mut fresh)?;
        let plan = |layer| self.plan(plan, layer);
        let mut attend = PackedAttention { plan, precision: params.precision() };
        let (stream, blocks) = self.stack.forward(params, x, &angles, &mut attend, save, &mut fresh)?;
        let saved = (save != Save::None).then_some(VisionSaved { pixels, angles, blocks });
        Ok((stream, saved))
    }

    /// Adds the tower's gradients. `dy`: gradient of the residual stream after the last block.
    pub fn backward(&self, params: &Params, plan: &VisionPlan, dy: Tensor, saved: VisionSaved) -> Result<()> {
        let plan = |layer| self.plan(plan, layer);
        let need_dx = params.is_trainable(self.patch_embed.weight);
        let dx = self.stack.backward(params, dy, saved.blocks, &saved.angles, plan, need_dx)?;
        match dx {
            Some(dx) => linear_grads(params, &dx, &saved.pixels, self.patch_embed),
            None => Ok(()),
        }
    }

    fn plan<'a>(&self, plan: &'a VisionPlan, layer: usize) -> &'a Plan {
        if self.config.fullatt_block_indexes.contains(&layer) { &plan.frames } else { &plan.windows }
    }

    /// The output of [`Vision::forward`] summed up, `[patches, hidden]`, when nothing is to be kept for a backward.
    pub fn encode(&self, params: &Params, images: &[Arc<Image>]) -> Result<Tensor> {
        let grids: Vec<[u32; 3]> = images.iter().map(|image| image.grid).collect();
        let (stream, _) = self.forward(params, images, &VisionPlan::new(&grids, &self.config), Save::None)?;
        match stream.delta {
            Some(delta) => Ok((stream.x + delta)?),
            None => Ok(stream.x),
        }
    }

    /// Patches of all images in window order, `[patches, patch length]`.
    fn permuted_pixels(&self, params: &Params, images: &[Arc<Image>], plan: &VisionPlan) -> Result<Tensor> {
        let cell_len = self.config.merge_unit() * self.config.patch_len();
        let cells: Vec<&[f32]> = images.iter().flat_map(|image| image.pixel_values.chunks_exact(cell_len)).collect();
        let mut pixels = Vec::with_capacity(cells.len() * cell_len);
        for &cell in &plan.window_index {
            pixels.extend_from_slice(cells[cell as usize]);
        }
        let shape = (plan.num_patches(), self.config.patch_len());
        Ok(Tensor::from_vec(pixels, shape, &Device::Cpu)?.to_dtype(dtype_of(params.precision()))?)
    }
}
