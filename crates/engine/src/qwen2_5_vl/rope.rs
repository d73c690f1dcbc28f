//! Rotary positions: the three-axis position ids of the language model and the angle tables of both towers.

use crate::Result;
use crate::config::{TextConfig, VisionConfig};
use crate::params::dtype_of;
use coldstart_gemm::Precision;
use coldstart_kernels::rope::Angles;

/// Position of a token on the axes time, height and width.
pub type Position = [u32; 3];

/// Hands out M-RoPE positions along one sequence.
///
/// A text token takes the counter on every axis. An image takes the counter plus its frame, row and column, and moves the counter by
/// the longer side of its merged grid, which is usually less than its number of tokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct PositionCounter {
    next: u32,
}

impl PositionCounter {
    /// Continues at a position, as the responses of a prompt do.
    pub fn at(next: u32) -> Self {
        Self { next }
    }

    /// The counter: the position of the next text token.
    pub fn next(&self) -> u32 {
        self.next
    }

    /// Position of one text token.
    pub fn text(&mut self) -> Position {
        let p = self.next;
        self.next += 1;
        [p; 3]
    }

    /// Appends the positions of an image of `grid` `[frames, rows, columns]` in patches, in the order of its tokens.
    pub fn image(&mut self, [t, h, w]: [u32; 3], merge: u32, out: &mut Vec<Position>) {
        let (rows, cols) = (h / merge, w / merge);
        let p = self.next;
        for f in 0..t {
            for y in 0..rows {
                out.extend((0..cols).map(|x| [p + f, p + y, p + x]));
            }
        }
        self.next += rows.max(cols);
    }
}

/// Angles of the language model for tokens at `positions`, `[tokens, head_dim / 2]`.
///
/// Half-dimension j turns by `axis(j) · θ^(−2j/head_dim)`; the sections say which axis. Computed in f64 and rounded once.
pub fn text_angles(
    positions: &[Position],
    config: &TextConfig,
    precision: Precision,
    old: Option<Angles>,
) -> Result<Angles> {
    let half = config.head_dim / 2;
    let [time, height, _] = config.mrope_section;
    let axis = |j: usize| usize::from(j >= time) + usize::from(j >= time + height);
    let frequency = |j| frequency(config.rope_theta, j, half);
    let position = |i: usize, j| f64::from(positions[i][axis(j)]);
    Ok(Angles::tabulate(positions.len(), half, dtype_of(precision), old, frequency, position)?)
}

/// Angles of the vision tower for patches at grid `coordinates` (row, column), `[patches, head_dim / 2]`: the first half of the
/// half-dimensions turns by the row, the second by the column.
pub fn vision_angles(coordinates: &[[u32; 2]], config: &VisionConfig, precision: Precision) -> Result<Angles> {
    let half = config.head_dim / 2;
    let quarter = half / 2;
    let frequency = |j| frequency(config.rope_theta, j % quarter, quarter);
    let position = |i: usize, j| f64::from(coordinates[i][j / quarter]);
    Ok(Angles::tabulate(coordinates.len(), half, dtype_of(precision), None, frequency, position)?)
}

/// `θ^(−j/count)`.
fn frequency(theta: f64, j: usize, count: usize) -> f64 {
    theta.powf(-(j as f64) / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_moves_the_counter_by_its_longer_merged_side() {
        // Three text tokens, an image of 2 × 3 merged patches, two text tokens.
        let mut counter = PositionCounter::default();
        let mut positions: Vec<Position> = (0..3).map(|_| counter.text()).collect();
        counter.image([1, 4, 6], 2, &mut positions);
        positions.extend([counter.text(), counter.text()]);
        let axis = |a: usize| positions.iter().map(|p| p[a]).collect::<Vec<_>>();
        assert_eq!(axis(0), [0, 1, 2, 3, 3, 3, 3, 3, 3, 6, 7]);
        assert_eq!(axis(1), [0, 1, 2, 3, 3, 3, 4, 4, 4, 6, 7]);
        assert_eq!(axis(2), [0, 1, 2, 3, 4, 5, 3, 4, 5, 6, 7]);
        assert_eq!(counter.next(), 8);
    }

    #[test]
    fn the_tower_turns_by_the_configured_base_rows_first() {
        // A head of 8: two half-dimensions turn by the row, two by the column, with the frequencies 1 and 1/√50.
        let config = VisionConfig {
            depth: 1,
            hidden_size: 8,
            intermediate_size: 8,
            num_heads: 1,
            head_dim: 8,
            patch_size: 14,
            temporal_patch_size: 2,
            spatial_merge_size: 2,
            window_size: 112,
            fullatt_block_indexes: vec![],
            out_hidden_size: 8,
            in_channels: 3,
            rope_theta: 50.0,
        };
        let slow = 50f64.sqrt().recip();
        let angles = vision_angles(&[[3, 5]], &config, Precision::F64).unwrap();
        let expected = [3.0, 3.0 * slow, 5.0, 5.0 * slow].map(f64::sin);
        for (found, expected) in angles.sin.flatten_all().unwrap().to_vec1::<f64>().unwrap().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-15, "{found} against {expected}");
        }
    }
}
