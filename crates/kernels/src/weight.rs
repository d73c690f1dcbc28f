//! A matrix parameter with packed copies for its two products, and the handle to a gradient that accumulates.

use std::any::Any;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::Tensor;
use coldstart_gemm::{Mat, Packed, Precision};

use crate::access::{self, Element};
use crate::{Result, check};

/// Where a gradient goes: into `grad`, overwriting it when it is the `first` contribution of an update, else adding to
/// it.
///
/// Overwriting makes zeroing unnecessary. Tied weights have two writers, so the owner of the parameters keeps the flag.
#[derive(Clone, Copy)]
pub struct Acc<'a> {
    pub grad: &'a Tensor,
    pub first: bool,
}

/// A packed copy, and whether the value has changed since it was made. A stale one is kept for its memory: fresh pages cost more than
/// packing into old ones.
#[derive(Default)]
struct Copy {
    packed: Option<Arc<dyn Any + Send + Sync>>,
    stale: bool,
}

type PackedCopy = Mutex<Copy>;

/// A matrix `[out, in]` and its packed copies for `y = x·Wᵀ` and `dx = dy·W`, made at first use.
///
/// Whoever changes the value must call [`Weight::changed`], or products go on with the old copies.
pub struct Weight {
    value: Tensor,
    precision: Precision,
    out_features: usize,
    in_features: usize,
    forward: PackedCopy,
    backward: PackedCopy,
}

impl Weight {
    /// `value`: `[out, in]`, f32 or f64, contiguous. Fails on another rank.
    pub fn new(value: Tensor, precision: Precision) -> Result<Self> {
        let (out_features, in_features) = check::matrix("weight", ("value", &value))?;
        Ok(Self { value, precision, out_features, in_features, forward: Mutex::default(), backward: Mutex::default() })
    }

    /// The parameter itself, `[out, in]`.
    pub fn value(&self) -> &Tensor {
        &self.value
    }

    /// How products with this weight are computed.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Rows of the matrix.
    pub fn out_features(&self) -> usize {
        self.out_features
    }

    /// Columns of the matrix.
    pub fn in_features(&self) -> usize {
        self.in_features
    }

    /// Marks the packed copies as stale; the next product packs the new value.
    pub fn changed(&self) {
        lock(&self.forward).stale = true;
        lock(&self.backward).stale = true;
    }

    /// Wᵀ `[in, out]`, the right-hand side of the forward product. Fails if `T` is not the dtype of the value.
    pub fn packed_forward<T: Element>(&self) -> Result<Arc<Packed<T>>> {
        self.packed(&self.forward, |w| w.t())
    }

    /// W `[out, in]`, the right-hand side of the product that gives dx. Fails if `T` is not the dtype of the value.
    pub fn packed_backward<T: Element>(&self) -> Result<Arc<Packed<T>>> {
        self.packed(&self.backward, |w| w)
    }

    fn packed<T: Element>(&self, copy: &PackedCopy, orient: fn(Mat<T>) -> Mat<T>) -> Result<Arc<Packed<T>>> {
        let mut copy = lock(copy);
        let old = copy.packed.take().and_then(|packed| packed.downcast::<Packed<T>>().ok());
        let packed = match old {
            Some(packed) if !copy.stale => packed,
            old => {
                let reusable = old.and_then(|packed| Arc::try_unwrap(packed).ok());
                access::read("weight", ("value", &self.value), |w: &[T]| {
                    let matrix = orient(Mat::new(w, self.out_features, self.in_features));
                    Arc::new(match reusable {
                        Some(mut packed) => {
                            packed.repack(matrix);
                            packed
                        }
                        None => Packed::new(matrix, self.precision),
                    })
                })?
            }
        };
        *copy = Copy { packed: Some(packed.clone()), stale: false };
        Ok(packed)
    }
}

/// A copy is replaced whole, so a panic elsewhere cannot leave it half made and poisoning says nothing.
fn lock(copy: &PackedCopy) -> MutexGuard<'_, Copy> {
    copy.lock().unwrap_or_else(PoisonError::into_inner)
}
