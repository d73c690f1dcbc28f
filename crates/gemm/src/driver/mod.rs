//! The blocked product, the same for every kernel.
//!
//! C is cut into blocks of rows and columns, one a task. A task goes over the inner dimension in stretches, such that the packed rows of A
//! stay in the L2 cache; within a stretch it takes one panel of B after the other, and for each, in passes of the kernel's
//! `depth_block`, all its rows. The sum of an element of C is cut at these passes only, so it depends on the kernel and the inner
//! dimension alone: not on the number of threads, nor on the shape of the blocks, nor on the other rows and columns.

mod call;
mod panels;
mod tasks;

use call::Call;
pub(crate) use panels::pack_right;
use panels::{Panels, Pointer, pack_panels};

use crate::kernel::{Cut, Kernel, Out};
use crate::scratch::{self, Slot};
use crate::{Mat, MatMut, Scalar};

/// Packed columns of a plain B held at once, in bytes.
const RIGHT_BYTES: usize = 32 << 20;
/// A result from this size on is streamed to memory: it would push everything else out of the L2 cache and not be there when it is read.
const STREAM_BYTES: usize = 8 << 20;

/// A right-hand side as the driver reads it.
pub(crate) enum Right<'a, T> {
    Plain(Mat<'a, T>),
    /// All column panels over the whole depth, as [`pack_right`] leaves them.
    Packed(*const u8),
}

/// C = A·B (+ C if `add`) (+ bias), on at most `threads` threads. `columns` is the width of B and C.
///
/// # Safety
/// The kernel runs on this processor, the shapes fit, and a packed B was packed for this kernel.
pub(crate) unsafe fn product<T: Scalar>(
    kernel: &'static Kernel<T>,
    a: Mat<T>,
    b: &Right<T>,
    mut c: MatMut<T>,
    add: bool,
    bias: Option<&[T]>,
    threads: usize,
) {
    let (depth, columns) = (a.cols(), c.cols());
    if a.rows() == 0 || columns == 0 {
        return;
    }
    if depth == 0 {
        finish_empty(c, add, bias);
        return;
    }
    let lines = (c.as_mut_ptr() as usize).is_multiple_of(64) && (c.row_stride() * size_of::<T>()).is_multiple_of(64);
    let stream = kernel.streams && lines && a.rows() * columns * size_of::<T>() >= STREAM_BYTES;
    let call = Call { kernel, a, c: c.as_mut_ptr(), c_stride: c.row_stride(), columns, add, bias, stream };
    let count = columns.div_ceil(kernel.nr);
    match b {
        Right::Packed(data) => call.multiply(Panels { data: Pointer(data.cast_mut()), first: 0, count }, threads),
        Right::Plain(b) => {
            let bytes = kernel.panel_bytes(kernel.nr, depth);
            let at_once = (RIGHT_BYTES / bytes).clamp(1, count);
            scratch::with(Slot::Right, at_once * bytes, |data| {
                for first in (0..count).step_by(at_once) {
                    let panels = Panels { data: Pointer(data), first, count: at_once.min(count - first) };
                    // SAFETY: the buffer holds `at_once` panels.
                    unsafe { pack_panels(kernel, *b, panels, threads) };
                    call.multiply(panels, threads);
                }
            });
        }
    }
}

/// The product over an empty inner dimension: zero, plus bias and C.
fn finish_empty<T: Scalar>(mut c: MatMut<T>, add: bool, bias: Option<&[T]>) {
    let zeros = vec![T::ZERO; c.cols()];
    let to = c.as_mut_ptr();
    let out = Out {
        to,
        to_stride: c.row_stride(),
        rows: c.rows(),
        cols: c.cols(),
        from: if add { to } else { std::ptr::null() },
        from_stride: c.row_stride(),
        stream: false,
        bias: bias.map_or(std::ptr::null(), <[T]>::as_ptr),
        cut: Cut::WHOLE,
    };
    // SAFETY: a stride of 0 repeats the row of zeros.
    unsafe { out.write(zeros.as_ptr(), 0) };
}
