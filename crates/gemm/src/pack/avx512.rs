//! f32 panels with AVX-512: operands whose depth is contiguous are transposed in registers.

use std::arch::x86_64::*;

use super::plain;
use crate::kernel::Source;

/// # Safety
/// AVX-512F; otherwise as [`plain::panel`].
pub(crate) unsafe fn panel<const W: usize>(source: Source<f32>, lanes: usize, depth: usize, panel: *mut u8) {
    // SAFETY: promised by the caller.
    unsafe {
        if source.depth_stride == 1 && source.lane_stride != 1 {
            transposed::<W>(source, lanes, depth, panel.cast());
        } else {
            plain::panel::<f32, W>(source, lanes, depth, panel);
        }
    }
}

#[target_feature(enable = "avx512f")]
unsafe fn transposed<const W: usize>(source: Source<f32>, lanes: usize, depth: usize, panel: *mut f32) {
    for first in (0..W).step_by(16) {
        let width = 16.min(W - first);
        let there = lanes.saturating_sub(first).min(width);
        let keep = ((1u32 << width) - 1) as __mmask16;
        for start in (0..depth).step_by(16) {
            let len = 16.min(depth - start);
            let valid = ((1u32 << len) - 1) as __mmask16;
            let mut rows = [_mm512_setzero_ps(); 16];
            // SAFETY: only lanes below `lanes` and depths below `depth` are read; masked lanes are not touched.
            unsafe {
                for (lane, row) in rows.iter_mut().enumerate().take(there) {
                    let from = source.data.add((first + lane) * source.lane_stride + start);
                    *row = _mm512_maskz_loadu_ps(valid, from);
                }
            }
            let columns = transpose(rows);
            // SAFETY: `len` steps of W elements, `width` of them from `first`.
            unsafe {
                for (d, column) in columns.iter().enumerate().take(len) {
                    _mm512_mask_storeu_ps(panel.add((start + d) * W + first), keep, *column);
                }
            }
        }
    }
}

/// 16 × 16 elements of 32 bits.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn transpose(rows: [__m512; 16]) -> [__m512; 16] {
    let mut pairs = [_mm512_setzero_ps(); 16];
    for i in 0..8 {
        pairs[2 * i] = _mm512_unpacklo_ps(rows[2 * i], rows[2 * i + 1]);
        pairs[2 * i + 1] = _mm512_unpackhi_ps(rows[2 * i], rows[2 * i + 1]);
    }
    // quads[4 * i + c], 128-bit part p: column 4 p + c of rows 4 i .. 4 i + 4.
    let mut quads = [_mm512_setzero_ps(); 16];
    for i in 0..4 {
        for half in 0..2 {
            let low = _mm512_castps_pd(pairs[4 * i + half]);
            let high = _mm512_castps_pd(pairs[4 * i + 2 + half]);
            quads[4 * i + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            quads[4 * i + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
    }
    let mut columns = [_mm512_setzero_ps(); 16];
    for c in 0..4 {
        let even_low = _mm512_shuffle_f32x4::<0x88>(quads[c], quads[4 + c]);
        let odd_low = _mm512_shuffle_f32x4::<0xdd>(quads[c], quads[4 + c]);
        let even_high = _mm512_shuffle_f32x4::<0x88>(quads[8 + c], quads[12 + c]);
        let odd_high = _mm512_shuffle_f32x4::<0xdd>(quads[8 + c], quads[12 + c]);
        columns[c] = _mm512_shuffle_f32x4::<0x88>(even_low, even_high);
        columns[4 + c] = _mm512_shuffle_f32x4::<0x88>(odd_low, odd_high);
        columns[8 + c] = _mm512_shuffle_f32x4::<0xdd>(even_low, even_high);
        columns[12 + c] = _mm512_shuffle_f32x4::<0xdd>(odd_low, odd_high);
    }
    columns
}
