//! Products of matrices: C = A·B, with B plain or packed beforehand.

use crate::buffer::Buffer;
use crate::driver::{self, Right};
use crate::kernel::{self, Kernel};
use crate::{Mat, MatMut, Precision, Scalar, pool};

/// A right-hand side `[k, n]` in the order in which the kernel of one precision reads it. Packing costs about as much as
/// reading the matrix twice; a weight that serves more than one product is packed once.
pub struct Packed<T: Scalar> {
    data: Buffer,
    rows: usize,
    cols: usize,
    kernel: &'static Kernel<T>,
}

impl<T: Scalar> Packed<T> {
    /// Packs `b`, in parallel. Precision as in [`gemm`].
    pub fn new(b: Mat<T>, precision: Precision) -> Self {
        Self::for_kernel(kernel::select(precision), b)
    }

    fn for_kernel(kernel: &'static Kernel<T>, b: Mat<T>) -> Self {
        let mut data = Buffer::new(kernel.right_bytes(b.rows(), b.cols()));
        // SAFETY: kernels in use run on this processor; the buffer has the size asked for.
        unsafe { driver::pack_right(kernel, b, data.as_mut_ptr()) };
        Self { data, rows: b.rows(), cols: b.cols(), kernel }
    }

    /// Packs another matrix of the same shape into the memory of this one, in parallel.
    ///
    /// Panics when the shape differs.
    pub fn repack(&mut self, b: Mat<T>) {
        assert_eq!((b.rows(), b.cols()), (self.rows, self.cols), "repack: the shape differs");
        // SAFETY: the kernel ran here before; the buffer was made for this shape.
        unsafe { driver::pack_right(self.kernel, b, self.data.as_mut_ptr()) };
    }

    /// Memory held, in bytes: the matrix in the precision packed for, its edges padded.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }
}

/// The right-hand side of a product. Plain and packed give the same bits.
pub enum Rhs<'a, T: Scalar> {
    Plain(Mat<'a, T>),
    Packed(&'a Packed<T>),
}

impl<T: Scalar> Clone for Rhs<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Scalar> Copy for Rhs<'_, T> {}

/// C = A·B (+ C if `accumulate`) (+ `bias` broadcast over rows), in parallel. A `[m, k]`, B `[k, n]`, C `[m, n]`, bias `[n]`.
///
/// Without `accumulate` C is overwritten, whatever it held. f64 operands are always multiplied in f64; for f32 operands
/// [`Precision::Bf16`] rounds them to bf16 on the way, and any other precision means f32. A packed B brings the precision
/// that it was packed for.
///
/// An element of C is summed in an order that depends on k and the kernel alone. So its bits are the same for any number
/// of threads, and a row of C is the same whichever other rows are computed with it.
///
/// Panics when the shapes do not fit.
///
///     use coldstart_gemm::{Mat, MatMut, Precision, Rhs, gemm};
///     let (x, w) = ([1.0f32, 2.0], [3.0, 4.0, 5.0, 6.0]); // x [1, 2], w [2, 2]: y = x·wᵀ
///     let mut y = [0.0; 2];
///     gemm(Mat::new(&x, 1, 2), Rhs::Plain(Mat::new(&w, 2, 2).t()), MatMut::new(&mut y, 1, 2), false, None, Precision::F32);
///     assert_eq!(y, [11.0, 17.0]);
pub fn gemm<T: Scalar>(a: Mat<T>, b: Rhs<T>, c: MatMut<T>, accumulate: bool, bias: Option<&[T]>, precision: Precision) {
    let _mode = pool::enter();
    match b {
        Rhs::Plain(b) => multiply(kernel::select(precision), a, b, c, accumulate, bias, pool::threads()),
        Rhs::Packed(b) => {
            check(&a, b.rows, b.cols, &c, bias);
            // SAFETY: the kernel runs here, the shapes fit, and B was packed for it.
            unsafe {
                let right = Right::Packed(b.data.as_ptr());
                driver::product(b.kernel, a, &right, c, accumulate, bias, pool::threads());
            }
        }
    }
}

/// The same on the calling thread only, for use inside tasks of the pool. Scratch is kept by the thread.
pub fn gemm_serial<T: Scalar>(a: Mat<T>, b: Mat<T>, c: MatMut<T>, accumulate: bool, precision: Precision) {
    multiply(kernel::select(precision), a, b, c, accumulate, None, 1);
}

/// The kernel that computes products of `precision` on this machine: the best that the processor supports, or the one whose
/// name begins with `COLDSTART_KERNEL`.
pub fn kernel_name(precision: Precision) -> &'static str {
    match precision {
        Precision::F64 => kernel::select::<f64>(precision).name,
        Precision::F32 | Precision::Bf16 => kernel::select::<f32>(precision).name,
    }
}

fn multiply<T: Scalar>(
    kernel: &'static Kernel<T>,
    a: Mat<T>,
    b: Mat<T>,
    c: MatMut<T>,
    accumulate: bool,
    bias: Option<&[T]>,
    threads: usize,
) {
    check(&a, b.rows(), b.cols(), &c, bias);
    // SAFETY: kernels in use run on this processor, and the shapes fit.
    unsafe { driver::product(kernel, a, &Right::Plain(b), c, accumulate, bias, threads) };
}

fn check<T>(a: &Mat<T>, b_rows: usize, b_cols: usize, c: &MatMut<T>, bias: Option<&[T]>) {
    assert!(
        a.cols() == b_rows && a.rows() == c.rows() && b_cols == c.cols(),
        "a product needs A [m, k], B [k, n], C [m, n]; got A [{}, {}], B [{b_rows}, {b_cols}], C [{}, {}]",
        a.rows(),
        a.cols(),
        c.rows(),
        c.cols()
    );
    if let Some(bias) = bias {
        assert!(bias.len() == c.cols(), "a bias for {} columns has {} elements", c.cols(), bias.len());
    }
}

#[cfg(test)]
mod tests;
