//! Packed panels and how they are made.

use super::tasks::{STREAM_BYTES_PER_US, number_of_tasks, run, share};
use crate::kernel::{Kernel, PackFn, Source};
use crate::{Mat, Scalar, pool};

/// Depth packed at a time where lanes are contiguous. A multiple of every kernel's `depth_step`.
const DEPTH_STRETCH: usize = 64;

/// Column panels to multiply by: `count` panels from number `first` of B, packed at `data`.
#[derive(Clone, Copy)]
pub(super) struct Panels {
    pub(super) data: Pointer,
    pub(super) first: usize,
    pub(super) count: usize,
}

#[derive(Clone, Copy)]
pub(super) struct Pointer(pub(super) *mut u8);
// SAFETY: tasks read, or write distinct panels.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

impl Pointer {
    /// # Safety
    /// As `<*mut u8>::add`.
    pub(super) unsafe fn add(self, bytes: usize) -> *mut u8 {
        // SAFETY: promised by the caller.
        unsafe { self.0.add(bytes) }
    }
}

impl<T: Scalar> Kernel<T> {
    /// Bytes of a panel `width` wide over `depth`.
    pub(super) fn panel_bytes(&self, width: usize, depth: usize) -> usize {
        depth.next_multiple_of(self.depth_step) * width * self.elem_bytes
    }

    /// Packs `lanes` rows of A or columns of B over `depth` into panels of `width` lanes, `stride` bytes apart.
    ///
    /// # Safety
    /// The kernel runs on this processor; source and panels are valid for that many lanes and that depth.
    pub(super) unsafe fn pack(
        &self,
        pack: PackFn<T>,
        width: usize,
        source: Source<T>,
        lanes: usize,
        depth: usize,
        data: *mut u8,
        stride: usize,
    ) {
        // Where lanes are neighbours in memory, take all of them for a stretch of depth: panel by panel, each visit of a source
        // row would read two cache lines of another page.
        let stretch = if source.lane_stride < source.depth_stride { DEPTH_STRETCH } else { depth };
        for start in (0..depth).step_by(stretch) {
            for (i, lane) in (0..lanes).step_by(width).enumerate() {
                // SAFETY: inside the source; panel `i` from depth `start` on.
                unsafe {
                    let panel = data.add(i * stride + self.panel_bytes(width, start));
                    pack(source.offset(lane, start), width.min(lanes - lane), stretch.min(depth - start), panel);
                }
            }
        }
    }

    /// Bytes of a packed right-hand side `[depth, columns]`.
    pub(crate) fn right_bytes(&self, depth: usize, columns: usize) -> usize {
        self.panel_bytes(self.nr, depth) * columns.div_ceil(self.nr)
    }
}

/// Packs panels `first .. first + count` of `b` over the whole depth to `data`.
///
/// # Safety
/// The kernel runs on this processor; `data` is valid for `count` panels.
pub(super) unsafe fn pack_panels<T: Scalar>(kernel: &'static Kernel<T>, b: Mat<T>, panels: Panels, threads: usize) {
    let bytes = kernel.panel_bytes(kernel.nr, b.rows());
    let source = Source { data: b.as_ptr(), lane_stride: b.col_stride(), depth_stride: b.row_stride() };
    // Packing reads and writes memory; count the plain elements and the packed ones.
    let us = b.rows() * panels.count * kernel.nr * (size_of::<T>() + kernel.elem_bytes) / STREAM_BYTES_PER_US;
    let tasks = number_of_tasks(us, threads, panels.count);
    run(threads, tasks, &|task| {
        let part = share(panels.count, tasks, task);
        let column = (panels.first + part.start) * kernel.nr;
        let lanes = (part.len() * kernel.nr).min(b.cols() - column);
        // SAFETY: the columns lie inside `b`; the panels of this part belong to this task.
        unsafe {
            let source = source.offset(column, 0);
            kernel.pack(kernel.pack_b, kernel.nr, source, lanes, b.rows(), panels.data.add(part.start * bytes), bytes);
        }
    });
}

/// Packs all of `b` to `data`, which holds [`Kernel::right_bytes`], in parallel.
///
/// # Safety
/// The kernel runs on this processor; `data` is valid for that many bytes.
pub(crate) unsafe fn pack_right<T: Scalar>(kernel: &'static Kernel<T>, b: Mat<T>, data: *mut u8) {
    let panels = Panels { data: Pointer(data), first: 0, count: b.cols().div_ceil(kernel.nr) };
    // SAFETY: promised by the caller.
    unsafe { pack_panels(kernel, b, panels, pool::threads()) };
}
