//! One product, block by block.

use std::ops::Range;

use super::panels::{Panels, Pointer};
use super::tasks::{STREAM_BYTES_PER_US, number_of_tasks, run, share};
use crate::kernel::{Cut, Kernel, Out, Source};
use crate::scratch::{self, Slot};
use crate::{Mat, Scalar};

/// Panels below which a block of rows or of columns is not cut for the sake of more tasks.
const MIN_ROW_PANELS: usize = 4;
const MIN_COLUMN_PANELS: usize = 4;
/// A packed B that stays in the L2 cache beside a block of A.
const CACHED_BYTES: usize = 1 << 20;

/// One product: A, C and what happens at the end of a sum.
pub(super) struct Call<'a, T: 'static> {
    pub(super) kernel: &'static Kernel<T>,
    pub(super) a: Mat<'a, T>,
    pub(super) c: *mut T,
    pub(super) c_stride: usize,
    pub(super) columns: usize,
    pub(super) add: bool,
    pub(super) bias: Option<&'a [T]>,
    /// Whether C goes past the caches.
    pub(super) stream: bool,
}

// SAFETY: tasks write disjoint blocks of C.
unsafe impl<T: Scalar> Sync for Call<'_, T> {}

/// How the block of C is cut into tasks.
struct Grid {
    rows_per_block: usize,
    row_blocks: usize,
    column_blocks: usize,
}

impl<T: Scalar> Call<'_, T> {
    pub(super) fn multiply(&self, panels: Panels, threads: usize) {
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

    /// Depth of A over `rows` that stays in the L2 cache: a whole number of passes.
    fn stretch(&self, rows: usize) -> usize {
        let kernel = self.kernel;
        let row_bytes = rows.next_multiple_of(kernel.mr) * kernel.elem_bytes;
        (kernel.left_bytes / row_bytes / kernel.depth_block).max(1) * kernel.depth_block
    }

    /// One block of C with A already packed.
    unsafe fn block(&self, first: usize, rows: usize, panels: Panels, columns: Range<usize>, left: Pointer) {
        let (kernel, depth) = (self.kernel, self.a.cols());
        let bytes = kernel.panel_bytes(kernel.mr, depth);
        let stretch = self.stretch(rows);
        for start in (0..depth).step_by(stretch) {
            // SAFETY: `first` is a multiple of `mr`; the depth is inside the panel.
            unsafe {
                let a = left.add(first / kernel.mr * bytes + kernel.panel_bytes(kernel.mr, start));
                let along = start..depth.min(start + stretch);
                self.multiply_block(first..first + rows, along, a, bytes, panels, columns.clone());
            }
        }
    }

    /// One block of C, packing A stretch by stretch into this thread's scratch.
    fn block_packing(&self, first: usize, rows: usize, panels: Panels, columns: Range<usize>) {
        let (kernel, depth) = (self.kernel, self.a.cols());
        let stretch = self.stretch(rows);
        let most = kernel.panel_bytes(kernel.mr, depth.min(stretch));
        scratch::with(Slot::Block, rows.div_ceil(kernel.mr) * most, |data| {
            for start in (0..depth).step_by(stretch) {
                let along = start..depth.min(start + stretch);
                let bytes = kernel.panel_bytes(kernel.mr, along.len());
                // SAFETY: the buffer holds all panels of the block.
                unsafe {
                    self.pack_left(first..first + rows, start, along.len(), data, bytes);
                    self.multiply_block(first..first + rows, along, data, bytes, panels, columns.clone());
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

    /// Every tile of the block gains its sum over the depths `along`. `a` holds the panels of the rows there, `stride` bytes apart.
    unsafe fn multiply_block(
        &self,
        rows: Range<usize>,
        along: Range<usize>,
        a: *const u8,
        stride: usize,
        panels: Panels,
        columns: Range<usize>,
    ) {
        let kernel = self.kernel;
        // A single panel of A passes by once: there is nothing for the panel of B to stay for.
        let cut = if rows.len() <= kernel.mr { kernel.depth_block } else { kernel.depth_cut };
        let tiles = rows.len().div_ceil(kernel.mr) * kernel.mr * kernel.nr;
        let partial = if along.len() > kernel.depth_block { tiles } else { 0 };
        let begun = if along.len().min(kernel.depth_block) > cut { tiles } else { 0 };
        scratch::with(Slot::Sums, (partial + begun) * size_of::<T>(), |sums| {
            let partial_sums: *mut T = sums.cast();
            let sums = Sums { partial: partial_sums, begun: partial_sums.wrapping_add(partial) };
            for panel in columns {
                for part in parts(&along, kernel.depth_block, cut) {
                    // SAFETY: the panels of A begin at `along.start`.
                    unsafe {
                        let a = a.add(kernel.panel_bytes(kernel.mr, part.cut.start - along.start));
                        self.multiply_panel(rows.clone(), a, stride, panels, panel, &part, &sums);
                    }
                }
            }
        });
    }

    /// The tiles of one panel of B over a part of the depth.
    unsafe fn multiply_panel(
        &self,
        rows: Range<usize>,
        a: *const u8,
        stride: usize,
        panels: Panels,
        panel: usize,
        part: &Part,
        sums: &Sums<T>,
    ) {
        let kernel = self.kernel;
        let bytes = kernel.panel_bytes(kernel.nr, self.a.cols());
        let ahead = kernel.panel_bytes(kernel.nr, part.cut.len()) / 8;
        let column = (panels.first + panel) * kernel.nr;
        // SAFETY: the tiles lie inside C and the sums, the panels inside their buffers.
        unsafe {
            let b = panels.data.add(panel * bytes + kernel.panel_bytes(kernel.nr, part.cut.start));
            for (i, row) in rows.clone().step_by(kernel.mr).enumerate() {
                let out = self.out(row..rows.end.min(row + kernel.mr), column, part, &sums.of_tile(i, kernel));
                (kernel.tile)(part.cut.len(), a.add(i * stride), b, b.wrapping_add(bytes + i * ahead), &out);
            }
        }
    }

    /// What happens to the tile of C at `rows` and `column` after a part of its sum.
    unsafe fn out(&self, rows: Range<usize>, column: usize, part: &Part, sums: &Sums<T>) -> Out<T> {
        let kernel = self.kernel;
        // SAFETY: the tile lies inside C.
        let c = unsafe { self.c.add(rows.start * self.c_stride + column) };
        let cols = kernel.nr.min(self.columns - column);
        let first = part.pass.start == 0;
        let (from, from_stride): (*const T, _) = match (part.is_first_pass(), first && !self.add) {
            (false, _) => (sums.partial, kernel.nr),
            (true, false) => (c, self.c_stride),
            (true, true) => (std::ptr::null(), 0),
        };
        let (to, to_stride) = if part.is_last_pass() { (c, self.c_stride) } else { (sums.partial, kernel.nr) };
        Out {
            to,
            to_stride,
            rows: rows.len(),
            cols,
            from,
            from_stride,
            bias: self.bias.filter(|_| first).map_or(std::ptr::null(), |bias| bias[column..].as_ptr()),
            stream: self.stream && cols == kernel.nr && part.is_last_pass() && from != c.cast_const(),
            cut: Cut {
                sums: sums.begun,
                first: part.cut.start == part.pass.start,
                last: part.cut.end == part.pass.end,
            },
        }
    }
}

/// A part of the depth: a cut of a pass of a stretch.
struct Part {
    stretch: Range<usize>,
    pass: Range<usize>,
    cut: Range<usize>,
}

impl Part {
    fn is_first_pass(&self) -> bool {
        self.pass.start == self.stretch.start
    }

    fn is_last_pass(&self) -> bool {
        self.pass.end == self.stretch.end
    }
}

/// A stretch of the depth in passes, and those in cuts.
fn parts(stretch: &Range<usize>, pass: usize, cut: usize) -> impl Iterator<Item = Part> {
    let pieces = |whole: Range<usize>, len| whole.clone().step_by(len).map(move |i| i..whole.end.min(i + len));
    pieces(stretch.clone(), pass).flat_map(move |pass| {
        pieces(pass.clone(), cut).map(move |cut| Part { stretch: stretch.clone(), pass: pass.clone(), cut })
    })
}

/// Where the tiles of a panel wait, `mr · nr` elements each: sums of the passes so far, and of a pass that has begun.
struct Sums<T> {
    partial: *mut T,
    begun: *mut T,
}

impl<T> Sums<T> {
    fn of_tile(&self, i: usize, kernel: &Kernel<T>) -> Self {
        let at = i * kernel.mr * kernel.nr;
        Self { partial: self.partial.wrapping_add(at), begun: self.begun.wrapping_add(at) }
    }
}
