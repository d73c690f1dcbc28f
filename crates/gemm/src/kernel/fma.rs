//! Kernels of vector fused multiply-adds: AVX-512 and AVX2, f32 and f64.
//!
//! Every element of C is one chain of fused multiply-adds in the order of the depth, whatever the tile's shape, so a row
//! has the same bits alone and among others.

use super::{Kernel, Out};
use crate::pack;

macro_rules! fma_kernel {
    ($module:ident, $features:literal, $t:ident, $vector:ident, $lanes:literal, mr $mr:literal, vectors $nv:literal, $zero:ident,
     $load:ident, $store:ident, $broadcast:ident, $fma:ident, $add:ident, rows $($m:literal)*) => {
        pub(super) mod $module {
            use super::Out;
            use std::arch::x86_64::*;

            pub(in crate::kernel) const MR: usize = $mr;
            pub(in crate::kernel) const NR: usize = $nv * $lanes;
            /// An eighth of the panel of B over four steps, in cache lines.
            const AHEAD_LINES: usize = (4 * NR * size_of::<$t>()).div_ceil(8 * 64);

            /// Picks the kernel for exactly the rows there are.
            ///
            /// # Safety
            /// The processor has the features; panels and output are valid for the depth and shape.
            pub(in crate::kernel) unsafe fn tile(depth: usize, a: *const u8, b: *const u8, ahead: *const u8, out: &Out<$t>) {
                // SAFETY: promised by the caller.
                unsafe {
                    match out.rows {
                        $($m => rows::<$m>(depth, a.cast(), b.cast(), ahead, out),)*
                        _ => unreachable!("a tile has 1 to {MR} rows"),
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn rows<const M: usize>(depth: usize, mut a: *const $t, mut b: *const $t, mut ahead: *const u8, out: &Out<$t>) {
                let mut acc = [[$zero(); $nv]; M];
                out.fetch(NR);
                for step in 0..depth {
                    if step % 4 == 0 {
                        for line in 0..AHEAD_LINES {
                            _mm_prefetch::<_MM_HINT_T1>(ahead.wrapping_add(line * 64).cast());
                        }
                        ahead = ahead.wrapping_add(AHEAD_LINES * 64);
                    }
                    // SAFETY: the panels hold `depth` steps of MR and NR elements.
                    unsafe {
                        let mut right = [$zero(); $nv];
                        for j in 0..$nv {
                            right[j] = $load(b.add(j * $lanes));
                        }
                        for i in 0..M {
                            let left = $broadcast(*a.add(i));
                            for j in 0..$nv {
                                acc[i][j] = $fma(left, right[j], acc[i][j]);
                            }
                        }
                        a = a.add(MR);
                        b = b.add(NR);
                    }
                }
                // SAFETY: the output is valid for M rows and `cols` columns.
                unsafe {
                    if out.cols == NR {
                        write(&acc, out);
                    } else {
                        let mut tile = [[0.0; NR]; M];
                        for i in 0..M {
                            for j in 0..$nv {
                                $store(tile[i].as_mut_ptr().add(j * $lanes), acc[i][j]);
                            }
                        }
                        out.write(tile.as_ptr().cast(), NR);
                    }
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn write<const M: usize>(acc: &[[$vector; $nv]; M], out: &Out<$t>) {
                let mut bias = [$zero(); $nv];
                // SAFETY: the output is valid for M rows of NR columns, the bias for NR.
                unsafe {
                    if !out.bias.is_null() {
                        for j in 0..$nv {
                            bias[j] = $load(out.bias.add(j * $lanes));
                        }
                    }
                    for i in 0..M {
                        for j in 0..$nv {
                            let mut x = if out.bias.is_null() { acc[i][j] } else { $add(acc[i][j], bias[j]) };
                            if !out.from.is_null() {
                                x = $add(x, $load(out.from.add(i * out.from_stride + j * $lanes)));
                            }
                            $store(out.to.add(i * out.to_stride + j * $lanes), x);
                        }
                    }
                }
            }
        }
    };
}

fma_kernel!(avx512_f32, "avx512f", f32, __m512, 16, mr 14, vectors 2, _mm512_setzero_ps, _mm512_loadu_ps, _mm512_storeu_ps,
    _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps, rows 1 2 3 4 5 6 7 8 9 10 11 12 13 14);
fma_kernel!(avx512_f64, "avx512f", f64, __m512d, 8, mr 14, vectors 2, _mm512_setzero_pd, _mm512_loadu_pd, _mm512_storeu_pd,
    _mm512_set1_pd, _mm512_fmadd_pd, _mm512_add_pd, rows 1 2 3 4 5 6 7 8 9 10 11 12 13 14);
fma_kernel!(avx2_f32, "avx2,fma", f32, __m256, 8, mr 6, vectors 2, _mm256_setzero_ps, _mm256_loadu_ps, _mm256_storeu_ps,
    _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps, rows 1 2 3 4 5 6);
fma_kernel!(avx2_f64, "avx2,fma", f64, __m256d, 4, mr 6, vectors 2, _mm256_setzero_pd, _mm256_loadu_pd, _mm256_storeu_pd,
    _mm256_set1_pd, _mm256_fmadd_pd, _mm256_add_pd, rows 1 2 3 4 5 6);

pub(super) static AVX512_F32: Kernel<f32> = Kernel {
    name: "avx512-f32",
    mr: avx512_f32::MR,
    nr: avx512_f32::NR,
    depth_block: 256,
    depth_cut: 256,
    depth_step: 1,
    elem_bytes: 4,
    row_block: avx512_f32::MR * 16,
    left_bytes: 256 << 10,
    flops_per_us: 100_000,
    pack_a: pack::avx512::panel::<{ avx512_f32::MR }>,
    pack_b: pack::avx512::panel::<{ avx512_f32::NR }>,
    tile: avx512_f32::tile,
    streams: false,
    begin: super::nothing,
    end: super::nothing,
};

pub(super) static AVX512_F64: Kernel<f64> = Kernel {
    name: "avx512-f64",
    mr: avx512_f64::MR,
    nr: avx512_f64::NR,
    depth_block: 256,
    depth_cut: 256,
    depth_step: 1,
    elem_bytes: 8,
    row_block: avx512_f64::MR * 8,
    left_bytes: 256 << 10,
    flops_per_us: 50_000,
    pack_a: pack::plain::panel::<f64, { avx512_f64::MR }>,
    pack_b: pack::plain::panel::<f64, { avx512_f64::NR }>,
    tile: avx512_f64::tile,
    streams: false,
    begin: super::nothing,
    end: super::nothing,
};

pub(super) static AVX2_F32: Kernel<f32> = Kernel {
    name: "avx2-f32",
    mr: avx2_f32::MR,
    nr: avx2_f32::NR,
    depth_block: 256,
    depth_cut: 256,
    depth_step: 1,
    elem_bytes: 4,
    row_block: avx2_f32::MR * 24,
    left_bytes: 128 << 10,
    flops_per_us: 50_000,
    pack_a: pack::plain::panel::<f32, { avx2_f32::MR }>,
    pack_b: pack::plain::panel::<f32, { avx2_f32::NR }>,
    tile: avx2_f32::tile,
    streams: false,
    begin: super::nothing,
    end: super::nothing,
};

pub(super) static AVX2_F64: Kernel<f64> = Kernel {
    name: "avx2-f64",
    mr: avx2_f64::MR,
    nr: avx2_f64::NR,
    depth_block: 256,
    depth_cut: 256,
    depth_step: 1,
    elem_bytes: 8,
    row_block: avx2_f64::MR * 16,
    left_bytes: 128 << 10,
    flops_per_us: 25_000,
    pack_a: pack::plain::panel::<f64, { avx2_f64::MR }>,
    pack_b: pack::plain::panel::<f64, { avx2_f64::NR }>,
    tile: avx2_f64::tile,
    streams: false,
    begin: super::nothing,
    end: super::nothing,
};
