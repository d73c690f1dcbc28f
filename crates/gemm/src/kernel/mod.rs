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
    /// Depth is padded with zeros to a multiple of this.
    pub(crate) depth_step: usize,
    /// Bytes of one packed element.
    pub(crate) elem_bytes: usize,
    /// Rows of A that one task works on, at most: `row_block · depth_block` packed elements stay in the L2 cache.
    pub(crate) row_block: usize,
    /// Floating-point operations a core does in a microsecond, roughly; decides when a second thread pays.
    pub(crate) flops_per_us: usize,
    pub(crate) pack_a: PackFn<T>,
    pub(crate) pack_b: PackFn<T>,
    pub(crate) tile: TileFn<T>,
    /// Called by a thread before its first tile of a block and after the last.
    pub(crate) begin: unsafe fn(),
    pub(crate) end: unsafe fn(),
}

/// For kernels whose registers need no setting up.
unsafe fn nothing() {}

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

/// Where a tile goes: `c[i * stride + j] = tile (+ bias[j]) (+ c[i * stride + j] if add)` for `i < rows`, `j < cols`.
pub(crate) struct Out<T> {
    pub(crate) c: *mut T,
    pub(crate) stride: usize,
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) add: bool,
    /// Null: no bias. Else `cols` elements.
    pub(crate) bias: *const T,
}

impl<T: crate::Scalar> Out<T> {
    /// Writes the valid part of a tile that lies row-major in memory. Adds in the order of the vector kernels: bias, then C.
    ///
    /// # Safety
    /// `self` names valid elements; `tile` holds `rows` rows `tile_stride` apart.
    #[inline(always)]
    pub(crate) unsafe fn write(&self, tile: *const T, tile_stride: usize) {
        for i in 0..self.rows {
            // SAFETY: promised by the caller; the three areas are distinct.
            unsafe {
                let row = std::slice::from_raw_parts(tile.add(i * tile_stride), self.cols);
                let c = self.c.add(i * self.stride);
                for (j, &x) in row.iter().enumerate() {
                    let x = if self.bias.is_null() { x } else { x + *self.bias.add(j) };
                    *c.add(j) = if self.add { x + *c.add(j) } else { x };
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Out<f32> {
    /// As [`Out::write`] for tiles up to 32 columns wide.
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
                    let c = self.c.wrapping_add(i * self.stride + j);
                    let mut x = _mm512_maskz_loadu_ps(mask, tile.wrapping_add(i * tile_stride + j));
                    if !no_bias {
                        x = _mm512_add_ps(x, bias);
                    }
                    if self.add {
                        x = _mm512_add_ps(x, _mm512_maskz_loadu_ps(mask, c));
                    }
                    _mm512_mask_storeu_ps(c, mask, x);
                }
            }
        }
    }
}
