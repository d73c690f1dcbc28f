//! The blocked product, the same for every kernel.
//!
//! C is cut into blocks of rows and columns; a task computes one block over the whole inner dimension, in passes of the
//! kernel's `depth_block`. So the sum of an element of C depends on the kernel and the inner dimension alone: not on the
//! number of threads, nor on the shape of the blocks, nor on the other rows and columns.

use std::ops::Range;

use crate::kernel::{Kernel, Out, PackFn, Source};
use crate::scratch::{self, Slot};
use crate::{Mat, MatMut, Scalar, pool};

/// Packed columns of a plain B held at once, in bytes.
const RIGHT_BYTES: usize = 32 << 20;
/// Work that pays for a task, in microseconds; a second thread pays from twice this.
const TASK_US: usize = 8;
/// Bytes that a core streams from memory in a microsecond, roughly.
const STREAM_BYTES_PER_US: usize = 12_000;
/// Tasks per thread to aim for, to even out cores that others use too.
const TASKS_PER_THREAD: usize = 4;
/// Panels below which a block of rows or of columns is not cut for the sake of more tasks.
const MIN_ROW_PANELS: usize = 4;
const MIN_COLUMN_PANELS: usize = 4;
/// A packed B that stays in the L2 cache beside a block of A.
const CACHED_BYTES: usize = 1 << 20;

/// Depth packed at a time where lanes are contiguous. A multiple of every kernel's `depth_step`.
const DEPTH_STRETCH: usize = 64;

/// A right-hand side as the driver reads it.
pub(crate) enum Right<'a, T> {
    Plain(Mat<'a, T>),
    /// All column panels over the whole depth, as [`pack_right`] leaves them.
    Packed(*const u8),
}

/// One product: A, C and what happens at the end of a sum.
struct Call<'a, T: 'static> {
    kernel: &'static Kernel<T>,
    a: Mat<'a, T>,
    c: *mut T,
    c_stride: usize,
    columns: usize,
    add: bool,
    bias: Option<&'a [T]>,
}

// SAFETY: tasks write disjoint blocks of C.
unsafe impl<T: Scalar> Sync for Call<'_, T> {}

/// Column panels to multiply by: `count` panels from number `first` of B, packed at `data`.
#[derive(Clone, Copy)]
struct Panels {
    data: Pointer,
    first: usize,
    count: usize,
}

#[derive(Clone, Copy)]
struct Pointer(*mut u8);
// SAFETY: tasks read, or write distinct panels.
unsafe impl Send for Pointer {}
// SAFETY: as above.
unsafe impl Sync for Pointer {}

impl Pointer {
    /// # Safety
    /// As `<*mut u8>::add`.
    unsafe fn add(self, bytes: usize) -> *mut u8 {
        // SAFETY: promised by the caller.
        unsafe { self.0.add(bytes) }
    }
}

impl<T: Scalar> Kernel<T> {
    /// Bytes of a panel `width` wide over `depth`.
    fn panel_bytes(&self, width: usize, depth: usize) -> usize {
        depth.next_multiple_of(self.depth_step) * width * self.elem_bytes
    }

    /// Packs `lanes` rows of A or columns of B over `depth` into panels of `width` lanes, `stride` bytes apart.
    ///
    /// # Safety
    /// The kernel runs on this processor; source and panels are valid for that many lanes and that depth.
    unsafe fn pack(
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
unsafe fn pack_panels<T: Scalar>(kernel: &'static Kernel<T>, b: Mat<T>, panels: Panels, threads: usize) {
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
    let call = Call { kernel, a, c: c.as_mut_ptr(), c_stride: c.row_stride(), columns, add, bias };
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

/// How the block of C is cut into tasks.
struct Grid {
    rows_per_block: usize,
    row_blocks: usize,
    column_blocks: usize,
}

impl<T: Scalar> Call<'_, T> {
    fn multiply(&self, panels: Panels, threads: usize) {
        let grid = self.grid(panels, threads);
        if grid.column_blocks == 1 {
            self.run(&grid, panels, None, threads);
            return;
        }
        // Several tasks share each row block: pack A once for all.
        let kernel = self.kernel;
        let bytes = kernel.panel_bytes(kernel.mr, self.a.cols());
        let count = self.a.rows().div_ceil(kernel.mr);
        scratch::with(Slot::Left, count * bytes, |data| {
            let data = Pointer(data);
            let us = self.a.rows() * self.a.cols() * (size_of::<T>() + kernel.elem_bytes) / STREAM_BYTES_PER_US;
            let parts = number_of_tasks(us, threads, count);
            run(threads, parts, &|part| {
                let panels = share(count, parts, part);
                let (first, last) = (panels.start * kernel.mr, (panels.end * kernel.mr).min(self.a.rows()));
                // SAFETY: the buffer holds `count` panels; those of this part belong to this task.
                unsafe { self.pack_left(first..last, 0, self.a.cols(), data.add(panels.start * bytes), bytes) };
            });
            self.run(&grid, panels, Some(data), threads);
        });
    }

    fn grid(&self, panels: Panels, threads: usize) -> Grid {
        let (kernel, rows, depth) = (self.kernel, self.a.rows(), self.a.cols());
        let columns = panels.count * kernel.nr;
        let us = 2 * rows * columns * depth / kernel.flops_per_us
            + columns * depth * kernel.elem_bytes / STREAM_BYTES_PER_US;
        let wanted = number_of_tasks(us, threads, usize::MAX);
        // Every block of rows reads all its columns of B. While B stays in the cache, cut rows; else cut columns first, which
        // costs one shared packing of A.
        let cached = columns * depth * kernel.elem_bytes <= CACHED_BYTES;
        let cuts = if cached { wanted } else { wanted.div_ceil((panels.count / MIN_COLUMN_PANELS).max(1)) };
        let rows_per_block =
            rows.div_ceil(cuts).max(MIN_ROW_PANELS * kernel.mr).min(kernel.row_block).next_multiple_of(kernel.mr);
        let row_blocks = rows.div_ceil(rows_per_block);
        let column_blocks = if 2 * row_blocks > wanted { 1 } else { wanted.div_ceil(row_blocks).min(panels.count) };
        Grid { rows_per_block, row_blocks, column_blocks }
    }

    /// All blocks of the grid; `left` holds all of A, packed.
    fn run(&self, grid: &Grid, panels: Panels, left: Option<Pointer>, threads: usize) {
        let tasks = grid.row_blocks * grid.column_blocks;
        run(threads, tasks, &|task| {
            let (row_block, column_block) = (task % grid.row_blocks, task / grid.row_blocks);
            let first = row_block * grid.rows_per_block;
            let rows = grid.rows_per_block.min(self.a.rows() - first);
            let columns = share(panels.count, grid.column_blocks, column_block);
            // SAFETY: the kernel runs here; the rows and panels are inside the grid; `left` has the whole depth of A.
            unsafe {
                (self.kernel.begin)();
                match left {
                    Some(left) => self.block(first, rows, panels, columns, left),
                    None => self.block_packing(first, rows, panels, columns),
                }
                (self.kernel.end)();
            }
        });
    }

    /// One block of C with A already packed.
    unsafe fn block(&self, first: usize, rows: usize, panels: Panels, columns: Range<usize>, left: Pointer) {
        let kernel = self.kernel;
        let bytes = kernel.panel_bytes(kernel.mr, self.a.cols());
        for start in (0..self.a.cols()).step_by(kernel.depth_block) {
            // SAFETY: `first` is a multiple of `mr`; the depth is inside the panel.
            unsafe {
                let a = left.add(first / kernel.mr * bytes + kernel.panel_bytes(kernel.mr, start));
                self.pass(first, rows, panels, columns.clone(), start, a, bytes);
            }
        }
    }

    /// One block of C, packing A pass by pass into this thread's scratch.
    fn block_packing(&self, first: usize, rows: usize, panels: Panels, columns: Range<usize>) {
        let kernel = self.kernel;
        let most = kernel.panel_bytes(kernel.mr, self.a.cols().min(kernel.depth_block));
        scratch::with(Slot::Block, rows.div_ceil(kernel.mr) * most, |data| {
            for start in (0..self.a.cols()).step_by(kernel.depth_block) {
                let depth = kernel.depth_block.min(self.a.cols() - start);
                let bytes = kernel.panel_bytes(kernel.mr, depth);
                // SAFETY: the buffer holds all panels of the block.
                unsafe {
                    self.pack_left(first..first + rows, start, depth, data, bytes);
                    self.pass(first, rows, panels, columns.clone(), start, data, bytes);
                }
            }
        });
    }

    /// Packs `rows` of A over a part of the depth, panels `stride` bytes apart.
    unsafe fn pack_left(&self, rows: Range<usize>, start: usize, depth: usize, data: *mut u8, stride: usize) {
        let (a, kernel) = (&self.a, self.kernel);
        let source = Source { data: a.as_ptr(), lane_stride: a.row_stride(), depth_stride: a.col_stride() };
        // SAFETY: the rows and the depth lie inside A; the panels are valid by the caller's promise.
        unsafe {
            kernel.pack(kernel.pack_a, kernel.mr, source.offset(rows.start, start), rows.len(), depth, data, stride)
        };
    }

    /// One pass over the depth from `start`: every tile of the block gains a part of its sum. The panel of B stays in the
    /// L1 cache while the panels of A, `stride` bytes apart, pass by.
    unsafe fn pass(
        &self,
        first: usize,
        rows: usize,
        panels: Panels,
        columns: Range<usize>,
        start: usize,
        a: *const u8,
        stride: usize,
    ) {
        let kernel = self.kernel;
        let depth = kernel.depth_block.min(self.a.cols() - start);
        let b_bytes = kernel.panel_bytes(kernel.nr, self.a.cols());
        let bias = if start == 0 { self.bias } else { None };
        for panel in columns {
            let column = (panels.first + panel) * kernel.nr;
            let cols = kernel.nr.min(self.columns - column);
            // SAFETY: the tiles lie inside C and the panels inside their buffers.
            unsafe {
                let b = panels.data.add(panel * b_bytes + kernel.panel_bytes(kernel.nr, start));
                let part = kernel.panel_bytes(kernel.nr, depth) / 8;
                for (i, row) in (first..first + rows).step_by(kernel.mr).enumerate() {
                    let out = Out {
                        c: self.c.add(row * self.c_stride + column),
                        stride: self.c_stride,
                        rows: kernel.mr.min(first + rows - row),
                        cols,
                        add: self.add || start > 0,
                        bias: bias.map_or(std::ptr::null(), |bias| bias[column..].as_ptr()),
                    };
                    (kernel.tile)(depth, a.add(i * stride), b, b.wrapping_add(b_bytes + i * part), &out);
                }
            }
        }
    }
}

/// Runs the tasks on the pool, or here when one thread was asked for.
fn run(threads: usize, tasks: usize, f: &(dyn Fn(usize) + Sync)) {
    if threads == 1 { (0..tasks).for_each(f) } else { pool::run(tasks, f) }
}

/// Tasks that work of about `us` microseconds is worth on `threads` threads, at most `most`.
fn number_of_tasks(us: usize, threads: usize, most: usize) -> usize {
    if threads == 1 || us < 2 * TASK_US {
        return 1;
    }
    (us / TASK_US).min(threads * TASKS_PER_THREAD).min(most)
}

/// Part `i` of `0..count` cut into `parts` contiguous ranges of nearly equal length.
fn share(count: usize, parts: usize, i: usize) -> Range<usize> {
    count * i / parts..count * (i + 1) / parts
}

/// The product over an empty inner dimension: zero, plus bias and C.
fn finish_empty<T: Scalar>(mut c: MatMut<T>, add: bool, bias: Option<&[T]>) {
    let zeros = vec![T::ZERO; c.cols()];
    let out = Out {
        c: c.as_mut_ptr(),
        stride: c.row_stride(),
        rows: c.rows(),
        cols: c.cols(),
        add,
        bias: bias.map_or(std::ptr::null(), <[T]>::as_ptr),
    };
    // SAFETY: a stride of 0 repeats the row of zeros.
    unsafe { out.write(zeros.as_ptr(), 0) };
}
