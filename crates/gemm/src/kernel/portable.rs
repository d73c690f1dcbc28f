//! The kernel of every processor: plain Rust that the compiler turns into the vectors it may assume.

use super::{Kernel, Out};
use crate::{Scalar, pack};

const MR: usize = 4;
const NR: usize = 8;

/// # Safety
/// Panels and output are valid for the depth and shape.
unsafe fn tile<T: Scalar>(depth: usize, a: *const u8, b: *const u8, _ahead: *const u8, out: &Out<T>) {
    let mut acc = [[T::ZERO; NR]; MR];
    let (mut a, mut b): (*const [T; MR], *const [T; NR]) = (a.cast(), b.cast());
    for _ in 0..depth {
        // SAFETY: the panels hold `depth` steps.
        let (left, right) = unsafe { (&*a, &*b) };
        for i in 0..MR {
            for j in 0..NR {
                acc[i][j] += left[i] * right[j];
            }
        }
        // SAFETY: at most one past the end.
        (a, b) = unsafe { (a.add(1), b.add(1)) };
    }
    // SAFETY: the output is valid, the tile has MR rows of NR.
    unsafe { out.write(acc.as_ptr().cast(), NR) };
}

const fn kernel<T: Scalar>() -> Kernel<T> {
    Kernel {
        name: "portable",
        mr: MR,
        nr: NR,
        depth_block: 256,
        depth_cut: 256,
        depth_step: 1,
        elem_bytes: size_of::<T>(),
        row_block: MR * 24,
        left_bytes: 128 << 10,
        flops_per_us: 8_000,
        pack_a: pack::plain::panel::<T, MR>,
        pack_b: pack::plain::panel::<T, NR>,
        tile: tile::<T>,
        streams: false,
        begin: super::nothing,
        end: super::nothing,
    }
}

pub(super) static F32: Kernel<f32> = kernel();
pub(super) static F64: Kernel<f64> = kernel();
