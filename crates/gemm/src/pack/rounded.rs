//! Panels of f32 whose values are rounded to bf16: bf16 products on processors without bf16 instructions.

use super::plain;
use crate::kernel::Source;

/// Nearest bf16, ties to even, as f32. NaN stays NaN, also where the bits that make it one are cut off.
#[inline(always)]
fn round(x: f32) -> f32 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1));
    f32::from_bits(if x.is_nan() { bits | 0x0040_0000 } else { nearest } & 0xffff_0000)
}

#[inline(always)]
unsafe fn round_all(panel: *mut u8, len: usize) {
    // SAFETY: promised by the callers.
    for x in unsafe { std::slice::from_raw_parts_mut(panel.cast::<f32>(), len) } {
        *x = round(*x);
    }
}

/// # Safety
/// As [`plain::panel`].
pub(crate) unsafe fn panel<const W: usize>(source: Source<f32>, lanes: usize, depth: usize, panel: *mut u8) {
    // SAFETY: promised by the caller.
    unsafe {
        plain::panel::<f32, W>(source, lanes, depth, panel);
        round_all(panel, depth * W);
    }
}

/// # Safety
/// AVX2; otherwise as [`plain::panel`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn avx2<const W: usize>(source: Source<f32>, lanes: usize, depth: usize, panel: *mut u8) {
    // SAFETY: promised by the caller.
    unsafe {
        plain::panel::<f32, W>(source, lanes, depth, panel);
        round_all(panel, depth * W);
    }
}

/// # Safety
/// AVX-512F; otherwise as [`plain::panel`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
pub(crate) unsafe fn avx512<const W: usize>(source: Source<f32>, lanes: usize, depth: usize, panel: *mut u8) {
    // SAFETY: promised by the caller.
    unsafe {
        super::avx512::panel::<W>(source, lanes, depth, panel);
        round_all(panel, depth * W);
    }
}
