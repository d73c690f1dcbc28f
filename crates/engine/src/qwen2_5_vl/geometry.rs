//! How the vision tower orders patches: window permutation and the segments its two kinds of attention see.

use crate::config::VisionConfig;
use coldstart_kernels::attention::{Plan, Segment};

/// The tower's view of a batch of images, laid out one after another.
///
/// A *cell* is one merge group of patches and becomes one token. The tower computes on cells permuted so that windows are contiguous.
#[derive(Clone, Debug)]
pub struct VisionPlan {
    /// `window_index[k]` is the cell, in reading order, at place `k` of the permuted order.
    pub window_index: Vec<u32>,
    /// Inverse permutation: the place of each cell.
    pub inverse: Vec<u32>,
    /// Grid row and column of every patch, in permuted order.
    pub coordinates: Vec<[u32; 2]>,
    /// Attention windows, in patches.
    pub windows: Plan,
    /// Whole frames, in patches.
    pub frames: Plan,
}

impl VisionPlan {
    /// Plans images with the given grids `[frames, rows, columns]` in patches; rows and columns are multiples of the merge size.
    pub fn new(grids: &[[u32; 3]], config: &VisionConfig) -> Self {
        let mut plan = Self {
            window_index: Vec::new(),
            inverse: Vec::new(),
            coordinates: Vec::new(),
            windows: Plan { segments: Vec::new(), causal: false },
            frames: Plan { segments: Vec::new(), causal: false },
        };
        for grid in grids {
            plan.add_image(*grid, config);
        }
        plan.inverse = vec![0; plan.window_index.len()];
        for (place, &cell) in plan.window_index.iter().enumerate() {
            plan.inverse[cell as usize] = place as u32;
        }
        plan
    }

    /// Number of merge groups, which is the number of image tokens.
    pub fn num_cells(&self) -> usize {
        self.window_index.len()
    }

    /// Number of patches.
    pub fn num_patches(&self) -> usize {
        self.coordinates.len()
    }

    fn add_image(&mut self, [t, h, w]: [u32; 3], config: &VisionConfig) {
        let merge = config.spatial_merge_size as u32;
        let side = config.window_cells() as u32;
        let (rows, cols) = (h / merge, w / merge);
        for _ in 0..t {
            let first_cell = self.window_index.len() as u32;
            let first_patch = self.coordinates.len();
            for top in (0..rows).step_by(side as usize) {
                for left in (0..cols).step_by(side as usize) {
                    let start = self.coordinates.len();
                    for y in top..(top + side).min(rows) {
                        for x in left..(left + side).min(cols) {
                            self.window_index.push(first_cell + y * cols + x);
                            self.push_cell(y * merge, x * merge, merge);
                        }
                    }
                    self.windows.segments.push(segment(start, self.coordinates.len()));
                }
            }
            self.frames.segments.push(segment(first_patch, self.coordinates.len()));
        }
    }

    /// The patches of one cell lie row by row.
    fn push_cell(&mut self, y: u32, x: u32, merge: u32) {
        for dy in 0..merge {
            for dx in 0..merge {
                self.coordinates.push([y + dy, x + dx]);
            }
        }
    }
}

fn segment(start: usize, end: usize) -> Segment {
    Segment::new(start, end - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> VisionConfig {
        VisionConfig {
            depth: 1,
            hidden_size: 8,
            intermediate_size: 8,
            num_heads: 2,
            head_dim: 4,
            patch_size: 14,
            temporal_patch_size: 2,
            spatial_merge_size: 2,
            window_size: 56, // two cells wide, so that small grids have several windows
            fullatt_block_indexes: vec![],
            out_hidden_size: 8,
            in_channels: 3,
            rope_theta: 10_000.0,
        }
    }

    fn bounds(plan: &Plan) -> Vec<(usize, usize)> {
        plan.segments.iter().map(|s| (s.q0, s.q_len)).collect()
    }

    #[test]
    fn windows_list_cells_row_by_row_with_partial_ones_at_right_and_bottom() {
        // 3 × 3 cells: windows of 4, 2, 2 and 1 cells.
        let plan = VisionPlan::new(&[[1, 6, 6]], &config());
        assert_eq!(plan.window_index, [0, 1, 3, 4, 2, 5, 6, 7, 8]);
        let lengths: Vec<_> = plan.windows.segments.iter().map(|s| s.q_len).collect();
        assert_eq!(lengths, [16, 8, 8, 4]);
        assert_eq!(bounds(&plan.frames), [(0, 36)]);
        assert_eq!(plan.coordinates[..5], [[0, 0], [0, 1], [1, 0], [1, 1], [0, 2]]);
    }

    #[test]
    fn the_inverse_undoes_the_window_order() {
        let plan = VisionPlan::new(&[[1, 6, 10], [2, 2, 6]], &config());
        for (cell, &place) in plan.inverse.iter().enumerate() {
            assert_eq!(plan.window_index[place as usize] as usize, cell);
        }
        assert_eq!(plan.num_patches(), 60 + 24);
        assert_eq!(plan.num_cells(), 15 + 6);
    }

    #[test]
    fn every_frame_and_image_is_a_segment_of_its_own() {
        let plan = VisionPlan::new(&[[2, 4, 4], [1, 2, 2]], &config());
        assert_eq!(bounds(&plan.frames), [(0, 16), (16, 16), (32, 4)]);
    }
}
