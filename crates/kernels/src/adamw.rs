//! AdamW, one pass over value, gradient and both moments.

use std::ops::Range;

use candle_core::Tensor;

use crate::access::{Element, with};
use crate::rows::{for_rows, min_rows};
use crate::{Error, Result, check, for_dtype};

/// The numbers of one update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    pub lr: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub eps: f64,
    /// Decoupled: the value shrinks by `lr · weight_decay` of itself.
    pub weight_decay: f64,
    /// The number of this update, from 1.
    pub step: u64,
    /// Multiplies the gradient: the clip factor, 1 without clipping.
    pub grad_scale: f64,
}

/// One update of the rows `rows` of the leading dimension.
///
/// ```text
/// g = grad·grad_scale
/// w ← w·(1 − lr·λ)
/// m ← β₁·m + (1 − β₁)·g        v ← β₂·v + (1 − β₂)·g²
/// w ← w − lr·(m/(1 − β₁ᵗ)) / (√(v/(1 − β₂ᵗ)) + ε)
/// ```
///
/// All four tensors have one shape and dtype. f32 tensors are updated in f32 with coefficients computed in f64. Decay
/// and step are subtracted from the old value together, with one rounding: in f32 the factor 1 − lr·λ would be exactly
/// 1 below lr·λ = 3e-8.
pub fn step(value: &Tensor, grad: &Tensor, m: &Tensor, v: &Tensor, rows: Range<usize>, options: &AdamW) -> Result<()> {
    const OP: &str = "adamw.step";
    for (name, t) in [("grad", grad), ("m", m), ("v", v)] {
        check::shape(OP, (name, t), value.dims(), ("value", value))?;
    }
    let elements = check::leading(OP, ("value", value), &rows)?;
    if options.step == 0 {
        let expected = "at least 1, the number of the update".into();
        return Err(Error::Value { op: OP, name: "step", got: "0".into(), expected });
    }
    let writes = [("value", value), ("m", m), ("v", v)];
    for_dtype!(OP, value, T => with(OP, [("grad", grad)], writes, |[grad]: [&[T]; 1], [value, m, v]| {
        let rule = Rule::<T>::new(options);
        let grad = &grad[elements.clone()];
        let outputs = [value, m, v].map(|data| &mut data[elements.clone()]);
        for_rows(grad.len(), min_rows(7 * size_of::<T>()), outputs, #[inline(always)] |range, [value, m, v]| {
            for (((w, &g), m), v) in value.iter_mut().zip(&grad[range]).zip(m).zip(v) {
                rule.update(w, g, m, v);
            }
        });
    }))
}

/// The coefficients of an update in the type it runs in.
#[derive(Clone, Copy)]
struct Rule<T> {
    grad_scale: T,
    beta1: T,
    rest1: T,
    beta2: T,
    rest2: T,
    decay: T,
    step_size: T,
    inv_root2: T,
    eps: T,
}

impl<T: Element> Rule<T> {
    fn new(o: &AdamW) -> Self {
        let t = o.step as f64;
        Self {
            grad_scale: T::from_f64(o.grad_scale),
            beta1: T::from_f64(o.beta1),
            rest1: T::from_f64(1.0 - o.beta1),
            beta2: T::from_f64(o.beta2),
            rest2: T::from_f64(1.0 - o.beta2),
            decay: T::from_f64(o.lr * o.weight_decay),
            step_size: T::from_f64(o.lr / (1.0 - o.beta1.powf(t))),
            inv_root2: T::from_f64(1.0 / (1.0 - o.beta2.powf(t)).sqrt()),
            eps: T::from_f64(o.eps),
        }
    }

    #[inline(always)]
    fn update(&self, w: &mut T, g: T, m: &mut T, v: &mut T) {
        let g = g * self.grad_scale;
        *m = self.beta1 * *m + self.rest1 * g;
        *v = self.beta2 * *v + self.rest2 * (g * g);
        let direction = *m / (v.sqrt() * self.inv_root2 + self.eps);
        *w -= self.decay * *w + self.step_size * direction;
    }
}
