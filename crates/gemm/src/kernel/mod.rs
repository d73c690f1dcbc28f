//! Microkernels: the product of one panel of A and one panel of B, kept in registers. Everything around them (blocking,
//! threads, packing order) is the driver's.

#[cfg(target_arch = "x86_64")]
mod amx;
#[cfg(target_arch = "x86_64")]
mod dot;
#[cfg(target_arch = "x86_64")]
mod fma;
mod portable;
mod rounded;
mod select;

pub use select::check_forced;
pub(crate) use select::select;

/// One family of kernels, with its shape and the functions that pack for it.
///
/// A panel is `mr` rows of A or `nr` columns of B over some depth (the inner dimension), in the kernel's own order. Panels
/// of any depth that is a multiple of `depth_step` can be cut: the part that starts at depth `d` lies
/// `d · width · elem_bytes` bytes further on.
pub struct Kernel<T: 'static> {
    pub(crate) name: &'static str,
    /// Rows and columns of a tile of C.
    pub(crate) mr: usize,
    pub(crate) nr: usize,
    /// Depth of one pass. Part of the result: a sum is cut here, so it is fixed per kernel.
    pub(crate) depth_block: usize,
    /// Depth of B that stays in the L1 cache while the panels of A pass by; the sums of a tile wait in memory in between. A multiple
    /// of `depth_step`, and no part of the result. `depth_block` for kernels whose sums do not leave the registers.
    pub(crate) depth_cut: usize,
    /// Depth is padded with zeros to a multiple of this.
    pub(crate) depth_step: usize,
    /// Bytes of one packed element.
    pub(crate) elem_bytes: usize,
    /// Rows of A that one task works on, at most.
    pub(crate) row_block: usize,
    /// Packed A that stays in the L2 cache while a task passes over the columns of B, in bytes.
    pub(crate) left_bytes: usize,
    /// Floating-point operations a core does in a microsecond, roughly; decides when a second thread pays.
    pub(crate) flops_per_us: usize,
    pub(crate) pack_a: PackFn<T>,
    pub(crate) pack_b: PackFn<T>,
    pub(crate) tile: TileFn<T>,
    /// Whether it writes past the caches where [`Out::stream`] allows it.
    pub(crate) streams: bool,
    /// Called by a thread before its first tile of a block and after the last.
    pub(crate) begin: unsafe fn(),
    pub(crate) end: unsafe fn(),
}

/// For kernels whose registers need no setting up.
unsafe fn nothing() {}

/// Streamed stores come after others unless told not to: whoever hears that the block is done must find it done.
#[cfg(target_arch = "x86_64")]
unsafe fn fence() {
    // SAFETY: every processor of this architecture has it.
    unsafe { std::arch::x86_64::_mm_sfence() };
}

/// Packs one panel of `lanes` (at most its width) by `depth`; missing lanes and depth padding become zeros.
pub(crate) type PackFn<T> = unsafe fn(source: Source<T>, lanes: usize, depth: usize, panel: *mut u8);

/// Multiplies two panels of equal depth (not padded) and writes the tile. Meanwhile it fetches memory from `ahead` into the L2
/// cache, an eighth as much as the panel of B: the driver points it at the next panel of B. Any address will do.
pub(crate) type TileFn<T> = unsafe fn(depth: usize, a: *const u8, b: *const u8, ahead: *const u8, out: &Out<T>);

/// A part of a plain operand: lane `l` at depth `d` is `data[l * lane_stride + d * depth_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct Source<T> {
    pub(crate) data: *const T,
    pub(crate) lane_stride: usize,
    pub(crate) depth_stride: usize,
}

// SAFETY: a source is a view that is only read.
unsafe impl<T: Sync> Sync for Source<T> {}

impl<T> Source<T> {
    /// # Safety
    /// The element must lie inside the operand, or be its end.
    pub(crate) unsafe fn offset(self, lane: usize, depth: usize) -> Self {
        // SAFETY: promised by the caller.
        let data = unsafe { self.data.add(lane * self.lane_stride + depth * self.depth_stride) };
        Self { data, ..self }
    }
}

/// Where a tile goes: `to[i, j] = tile (+ bias[j]) (+ from[i, j])` for `i < rows`, `j < cols`.
pub(crate) struct Out<T> {
    pub(crate) to: *mut T,
    /// Elements from row to row.
    pub(crate) to_stride: usize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    /// Null: nothing is added. May be `to`.
    pub(crate) from: *const T,
    pub(crate) from_stride: usize,
    /// Null: no bias. Else `cols` elements.
    pub(crate) bias: *const T,
    /// The tile is as wide as the kernel's, its rows are whole cache lines, and they may go to memory past the caches: nobody reads
    /// them before the caches have forgotten them anyway, and their old contents need not be fetched.
    pub(crate) stream: bool,
    /// Which part of the sum this is.
    pub(crate) cut: Cut<T>,
}

/// A part of a sum that a kernel with a `depth_cut` takes in several: the parts before have left theirs at `sums`, `mr · nr` elements of
/// the kernel's own order, and the last one writes C.
pub(crate) struct Cut<T> {
    pub(crate) sums: *mut T,
    pub(crate) first: bool,
    pub(crate) last: bool,
}

impl<T> Cut<T> {
    /// The whole sum at once.
    pub(crate) const WHOLE: Self = Self { sums: std::ptr::null_mut(), first: true, last: true };
}

impl<T: crate::Scalar> Out<T> {
    /// Fetches the rows that a tile `width` wide writes, unless they are streamed.
    #[inline(always)]
    pub(crate) fn fetch(&self, width: usize) {
        if self.stream {
            return;
        }
        for i in 0..self.rows {
            for j in (0..width).step_by(64 / size_of::<T>()) {
                prefetch(self.to.wrapping_add(i * self.to_stride + j).cast());
            }
        }
    }

    /// Writes the valid part of a tile that lies row-major in memory. Adds in the order of the vector kernels: bias, then `from`.
    ///
    /// # Safety
    /// `self` names valid elements; `tile` holds `rows` rows `tile_stride` apart.
    #[inline(always)]
    pub(crate) unsafe fn write(&self, tile: *const T, tile_stride: usize) {
        for i in 0..self.rows {
            // SAFETY: promised by the caller; the areas are distinct, or `from` is `to`.
            unsafe {
                let row = std::slice::from_raw_parts(tile.add(i * tile_stride), self.cols);
                let to = self.to.add(i * self.to_stride);
                for (j, &x) in row.iter().enumerate() {
                    let x = if self.bias.is_null() { x } else { x + *self.bias.add(j) };
                    *to.add(j) = if self.from.is_null() { x } else { x + *self.from.add(i * self.from_stride + j) };
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn prefetch(line: *const i8) {
    // SAFETY: any address will do.
    unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line) };
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
fn prefetch(_line: *const i8) {}

#[cfg(target_arch = "x86_64")]
impl Out<f32> {
    /// As [`Out::write`] for tiles up to 32 columns wide. After streaming, the thread must fence its stores.
    ///
    /// # Safety
    /// As there, and AVX-512F.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn write_avx512(&self, tile: *const f32, tile_stride: usize) {
        use std::arch::x86_64::*;
        for j in [0, 16] {
            let there = self.cols.saturating_sub(j);
            let mask: __mmask16 = if there >= 16 { !0 } else { (1 << there) - 1 };
            // SAFETY: masked elements are not touched; the rest is promised by the caller.
            unsafe {
                let no_bias = self.bias.is_null();
                let bias =
                    if no_bias { _mm512_setzero_ps() } else { _mm512_maskz_loadu_ps(mask, self.bias.wrapping_add(j)) };
                for i in 0..self.rows {
                    let mut x = _mm512_maskz_loadu_ps(mask, tile.wrapping_add(i * tile_stride + j));
                    if !no_bias {
                        x = _mm512_add_ps(x, bias);
                    }
                    if !self.from.is_null() {
                        let from = self.from.wrapping_add(i * self.from_stride + j);
                        x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, from));
                    }
                    let to = self.to.wrapping_add(i * self.to_stride + j);
                    if self.stream { _mm512_stream_ps(to, x) } else { _mm512_mask_storeu_ps(to, mask, x) }
                }
            }
        }
    }
}
