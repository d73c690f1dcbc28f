//! Resized pixels to the rows that the patch embedding multiplies.

/// Sizes of a patch: side in pixels, frames in one patch, patches on a side of one merged token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatchLayout {
    pub patch: usize,
    pub temporal: usize,
    pub merge: usize,
}

impl PatchLayout {
    /// Length of one row of `pixel_values`: channels × frames × height × width of a patch (1176 for Qwen2.5-VL).
    pub fn row_len(&self) -> usize {
        3 * self.temporal * self.patch * self.patch
    }
}

/// The normalised value of every byte in every channel, `[3, 256]`.
pub struct PixelTable([[f32; 256]; 3]);

impl PixelTable {
    /// `r = f32(f64(v)·scale)`, then `(r − f32(mean)) / f32(std)` with each f32 operation rounded. One rounding at the
    /// end would differ in more than half of the entries from the reference, which works step by step.
    pub fn new(scale: f64, mean: [f64; 3], std: [f64; 3]) -> Self {
        Self(std::array::from_fn(|c| {
            std::array::from_fn(|v| ((v as f64 * scale) as f32 - mean[c] as f32) / std[c] as f32)
        }))
    }
}

/// `rgb`: `[height, width, 3]`, both sides multiples of patch × merge. Appends `[h·w, 3·temporal·patch²]` to `out`,
/// with h = height/patch and w = width/patch.
///
/// Rows go merge block by merge block, and within a block row by row, so consecutive merge² rows are one token. Inside
/// a row the order is channel, frame, y, x; an image fills every frame with the same pixels.
pub fn patchify(rgb: &[u8], height: usize, width: usize, layout: PatchLayout, table: &PixelTable, out: &mut Vec<f32>) {
    let PatchLayout { patch, temporal, merge } = layout;
    assert_eq!(rgb.len(), 3 * height * width, "pixels do not fit the size");
    assert!(
        height.is_multiple_of(patch * merge) && width.is_multiple_of(patch * merge),
        "size is not a whole number of tokens"
    );
    let (h, w) = (height / patch, width / patch);
    let plane = patch * patch;
    out.reserve(h * w * layout.row_len());
    for block_y in (0..h).step_by(merge) {
        for block_x in (0..w).step_by(merge) {
            for py in block_y..block_y + merge {
                for px in block_x..block_x + merge {
                    let corner = 3 * (py * patch * width + px * patch);
                    for (channel, values) in table.0.iter().enumerate() {
                        let start = out.len();
                        for y in 0..patch {
                            let at = corner + 3 * y * width;
                            let pixels = &rgb[at..at + 3 * patch];
                            out.extend(pixels.chunks_exact(3).map(|p| values[usize::from(p[channel])]));
                        }
                        for _ in 1..temporal {
                            out.extend_from_within(start..start + plane);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: PatchLayout = PatchLayout { patch: 2, temporal: 2, merge: 2 };

    fn identity() -> PixelTable {
        PixelTable::new(1.0, [0.0; 3], [1.0; 3])
    }

    #[test]
    fn rows_follow_merge_blocks_and_a_row_is_channel_frame_y_x() {
        // One block row of two blocks: height 4, width 8; a pixel's red is 8y + x, green and blue are shifted by 64.
        let rgb: Vec<u8> = (0..32).flat_map(|i| [i, 64 + i, 128 + i]).collect();
        let mut out = Vec::new();
        patchify(&rgb, 4, 8, LAYOUT, &identity(), &mut out);
        let firsts: Vec<f32> = out.chunks(LAYOUT.row_len()).map(|row| row[0]).collect();
        assert_eq!(firsts, [0.0, 2.0, 16.0, 18.0, 4.0, 6.0, 20.0, 22.0]);
        let red = [0.0, 1.0, 8.0, 9.0];
        let row: Vec<f32> =
            [0.0, 64.0, 128.0].iter().flat_map(|c| [red, red].concat().into_iter().map(move |v| v + c)).collect();
        assert_eq!(out[..LAYOUT.row_len()], row);
    }

    #[test]
    fn values_are_rounded_after_every_step() {
        let (mean, std) = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]);
        let table = PixelTable::new(1.0 / 255.0, mean, std);
        let once = |c: usize, v: usize| ((v as f64 / 255.0 - mean[c]) / std[c]) as f32;
        let differing = (0..768).filter(|i| table.0[i / 256][i % 256] != once(i / 256, i % 256)).count();
        assert_eq!(differing, 449);
    }

    #[test]
    #[should_panic(expected = "whole number of tokens")]
    fn a_size_with_half_a_token_is_a_programming_error() {
        patchify(&[0; 3 * 6 * 4], 6, 4, LAYOUT, &identity(), &mut Vec::new());
    }
}
