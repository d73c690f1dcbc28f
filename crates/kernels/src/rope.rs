//! Rotary position embedding, in place on the leading heads of a fused row.

use candle_core::{DType, Tensor};
use coldstart_gemm::Scalar;

use crate::access::{Element, output, with};
use crate::rows::{for_rows, min_rows};
use crate::{Error, Result, check, for_dtype};

/// Cosine and sine of the angle of every row and pair, each `[n, head_dim/2]`.
#[derive(Clone, Debug)]
pub struct Angles {
    pub cos: Tensor,
    pub sin: Tensor,
}

impl Angles {
    /// Tables of `rows` × `half` angles, `position(i, j) · frequency(j)` each, computed in f64 and rounded once. Into `old` where shapes
    /// fit; the caller must hold no other handles to them.
    pub fn tabulate(
        rows: usize,
        half: usize,
        dtype: DType,
        old: Option<Angles>,
        frequency: impl Fn(usize) -> f64,
        position: impl Fn(usize, usize) -> f64,
    ) -> Result<Self> {
        const OP: &str = "rope.tabulate";
        let (cos, sin) = old.map_or((None, None), |old| (Some(old.cos), Some(old.sin)));
        match dtype {
            DType::F32 => Self::table::<f32>(OP, rows, half, [cos, sin], frequency, position),
            DType::F64 => Self::table::<f64>(OP, rows, half, [cos, sin], frequency, position),
            got => Err(Error::UnsupportedDType { op: OP, got }),
        }
    }

    fn table<T: Element>(
        op: &'static str,
        rows: usize,
        half: usize,
        [cos, sin]: [Option<Tensor>; 2],
        frequency: impl Fn(usize) -> f64,
        position: impl Fn(usize, usize) -> f64,
    ) -> Result<Self> {
        // SAFETY: every element of both is written below.
        let (cos, sin) = unsafe { (output::<T>(cos, &[rows, half])?, output::<T>(sin, &[rows, half])?) };
        with(op, [], [("cos", &cos), ("sin", &sin)], |[]: [&[T]; 0], [cos, sin]| {
            for j in 0..half {
                let frequency = frequency(j);
                for i in 0..rows {
                    let (s, c) = (position(i, j) * frequency).sin_cos();
                    cos[i * half + j] = T::from_f64(c);
                    sin[i * half + j] = T::from_f64(s);
                }
            }
        })?;
        Ok(Self { cos, sin })
    }
}

/// Rotates dimension j with j + head_dim/2, in each of the first `heads` heads of every row; the rest of the row stays.
///
/// ```text
/// (a, b) → (a·cos − b·sin, b·cos + a·sin)
/// ```
///
/// `x`: `[n, width]`, width ≥ heads·head_dim, changed in place. `inverse` rotates back, which is also the gradient.
pub fn apply(x: &Tensor, heads: usize, head_dim: usize, angles: &Angles, inverse: bool) -> Result<()> {
    const OP: &str = "rope.apply";
    let (n, width) = check::matrix(OP, ("x", x))?;
    if head_dim % 2 == 1 {
        let expected = "an even number".into();
        return Err(Error::Value { op: OP, name: "head_dim", got: head_dim.to_string(), expected });
    }
    if heads * head_dim > width {
        let expected = format!("at least {heads} heads of {head_dim} = {} columns", heads * head_dim);
        return Err(Error::Shape { op: OP, name: "x", got: vec![n, width], expected });
    }
    let half = head_dim / 2;
    check::shape(OP, ("cos", &angles.cos), &[n, half], ("x", x))?;
    check::shape(OP, ("sin", &angles.sin), &[n, half], ("x", x))?;
    let angles = [("cos", &angles.cos), ("sin", &angles.sin)];
    for_dtype!(OP, x, T => with(OP, angles, [("x", x)], |[cos, sin]: [&[T]; 2], [x]| {
        let min = min_rows(2 * heads * head_dim * size_of::<T>());
        let sign = if inverse { -T::ONE } else { T::ONE };
        for_rows(n, min, [x], #[inline(always)] |rows, [x]| {
            for (i, row) in rows.enumerate() {
                let (cos, sin) = (&cos[row * half..][..half], &sin[row * half..][..half]);
                for head in x[i * width..][..heads * head_dim].chunks_exact_mut(head_dim.max(1)) {
                    let (low, high) = head.split_at_mut(half);
                    for (((a, b), &c), &s) in low.iter_mut().zip(high).zip(cos).zip(sin) {
                        let s = sign * s;
                        (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
                    }
                }
            }
        });
    }))
}
