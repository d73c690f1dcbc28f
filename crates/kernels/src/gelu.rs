//! The exact GELU, `x·Φ(x)` with Φ the normal distribution.

use candle_core::Tensor;

use crate::access::{read, tensor_from, uninit_vec, with};
use crate::math::Real;
use crate::rows::{for_rows, min_rows};
use crate::{Result, check, for_dtype};

/// `x·Φ(x)` of every element, in the shape of `x`.
pub fn forward(x: &Tensor) -> Result<Tensor> {
    const OP: &str = "gelu.forward";
    let n = x.elem_count();
    for_dtype!(OP, x, T => {
        // SAFETY: every element is written below.
        let mut y = unsafe { uninit_vec::<T>(n) };
        read(OP, ("x", x), |x: &[T]| {
            for_rows(n, min_rows(4 * size_of::<T>()), [&mut y[..]], #[inline(always)] |range, [y]| {
                for (y, &x) in y.iter_mut().zip(&x[range]) {
                    *y = x * x.normal().0;
                }
            });
        })?;
        tensor_from(y, x.dims())
    })
}

/// `dx = dy·(Φ(x) + x·φ(x))`. `dy` has the shape of `x`.
pub fn backward(dy: &Tensor, x: &Tensor) -> Result<Tensor> {
    const OP: &str = "gelu.backward";
    check::shape(OP, ("dy", dy), x.dims(), ("x", x))?;
    let n = x.elem_count();
    for_dtype!(OP, x, T => {
        // SAFETY: every element is written below.
        let mut dx = unsafe { uninit_vec::<T>(n) };
        with(OP, [("dy", dy), ("x", x)], [], |[dy, x]: [&[T]; 2], []| {
            for_rows(n, min_rows(4 * size_of::<T>()), [&mut dx[..]], #[inline(always)] |range, [dx]| {
                for ((dx, &dy), &x) in dx.iter_mut().zip(&dy[range.clone()]).zip(&x[range]) {
                    let (cdf, density) = x.normal();
                    *dx = dy * (cdf + x * density);
                }
            });
        })?;
        tensor_from(dx, x.dims())
    })
}
