//! `vdpbf16ps`: sixteen sums of two bf16 products each. The tile is the one of the f32 kernel.

use std::arch::x86_64::*;

use super::{Kernel, Out};
use crate::pack;

const MR: usize = 14;
const LANES: usize = 16;
const NR: usize = 2 * LANES;

/// # Safety
/// AVX-512 F and BF16; panels and output are valid for the depth and shape.
unsafe fn tile(depth: usize, a: *const u8, b: *const u8, ahead: *const u8, out: &Out<f32>) {
    let pairs = depth.div_ceil(2);
    // SAFETY: promised by the caller.
    unsafe {
        match out.rows {
            1 => rows::<1>(pairs, a.cast(), b.cast(), ahead, out),
            2 => rows::<2>(pairs, a.cast(), b.cast(), ahead, out),
            3 | 4 => rows::<4>(pairs, a.cast(), b.cast(), ahead, out),
            5..=8 => rows::<8>(pairs, a.cast(), b.cast(), ahead, out),
            _ => rows::<MR>(pairs, a.cast(), b.cast(), ahead, out),
        }
    }
}

/// Computes M rows, of which `out` may want fewer: the panel of A has zeros there.
#[target_feature(enable = "avx512f,avx512bf16")]
unsafe fn rows<const M: usize>(
    pairs: usize,
    mut a: *const i32,
    mut b: *const __m512i,
    mut ahead: *const u8,
    out: &Out<f32>,
) {
    let mut acc = [[_mm512_setzero_ps(); 2]; M];
    out.fetch(NR);
    for _ in 0..pairs {
        _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
        ahead = ahead.wrapping_add(16);
        // SAFETY: the panels hold `pairs` steps of MR and NR pairs.
        unsafe {
            let right = [to_bf16(_mm512_loadu_si512(b)), to_bf16(_mm512_loadu_si512(b.add(1)))];
            for i in 0..M {
                let left = to_bf16(_mm512_set1_epi32(*a.add(i)));
                for j in 0..2 {
                    acc[i][j] = _mm512_dpbf16_ps(acc[i][j], left, right[j]);
                }
            }
            a = a.add(MR);
            b = b.add(2);
        }
    }
    let mut tile = [[0.0f32; NR]; M];
    for i in 0..M {
        for j in 0..2 {
            // SAFETY: a row has two vectors.
            unsafe { _mm512_storeu_ps(tile[i].as_mut_ptr().add(j * LANES), acc[i][j]) };
        }
    }
    // SAFETY: the output is valid; the tile has at least its rows.
    unsafe { out.write_avx512(tile.as_ptr().cast(), NR) };
}

#[inline]
#[target_feature(enable = "avx512f")]
fn to_bf16(bits: __m512i) -> __m512bh {
    // SAFETY: both are 512 bits of plain data.
    unsafe { std::mem::transmute(bits) }
}

pub(super) fn supported() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16")
}

pub(super) static AVX512_BF16: Kernel<f32> = Kernel {
    name: "avx512-bf16",
    mr: MR,
    nr: NR,
    depth_block: 512,
    depth_cut: 512,
    depth_step: 2,
    elem_bytes: 2,
    row_block: MR * 12,
    left_bytes: 256 << 10,
    flops_per_us: 100_000,
    pack_a: pack::bf16::pairs::<MR, 2>,
    pack_b: pack::bf16::pairs::<NR, 2>,
    tile,
    streams: false,
    begin: super::nothing,
    end: super::nothing,
};
