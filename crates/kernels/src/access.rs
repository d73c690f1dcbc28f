//! The door between candle tensors and slices: read locks, write locks, and buffers that are not zeroed first.
//!
//! A storage is never locked twice. Operands that are read may be views of one storage (it is locked once for all of
//! them); an operand that is written must have a storage of its own, else the call is an [`Error::Aliased`] instead of
//! a deadlock.

use std::cell::RefCell;
use std::ops::Range;
use std::ptr::from_ref;

use candle_core::op::BackpropOp;
use candle_core::{CpuStorage, DType, InplaceOp1, Layout, Storage, StorageRef, Tensor};
use coldstart_gemm::Scalar;

use crate::check::Named;
use crate::{Error, Result};

/// A number type that kernels compute in: f32 or f64.
pub trait Element: Scalar + crate::math::Real + Default + std::fmt::Debug {
    /// The dtype of tensors that hold it.
    const DTYPE: DType;
    /// The elements of a storage of this type, else None.
    fn slice(storage: &CpuStorage) -> Option<&[Self]>;
    /// The same, to be written.
    fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]>;
    /// A storage that owns `data`.
    fn storage(data: Vec<Self>) -> CpuStorage;
}

macro_rules! element {
    ($ty:ty, $variant:ident) => {
        impl Element for $ty {
            const DTYPE: DType = DType::$variant;

            fn slice(storage: &CpuStorage) -> Option<&[Self]> {
                match storage {
                    CpuStorage::$variant(data) => Some(data),
                    _ => None,
                }
            }

            fn slice_mut(storage: &mut CpuStorage) -> Option<&mut [Self]> {
                match storage {
                    CpuStorage::$variant(data) => Some(data),
                    _ => None,
                }
            }

            fn storage(data: Vec<Self>) -> CpuStorage {
                CpuStorage::$variant(data)
            }
        }
    };
}
element!(f32, F32);
element!(f64, F64);

/// Evaluates an expression of type `Result<_>` with `$t` standing for f32 or f64, as the tensor `$x` says.
///
/// ```
/// # use candle_core::{Device, Tensor};
/// use coldstart_kernels::{Result, access, for_dtype};
///
/// fn largest(x: &Tensor) -> Result<f64> {
///     for_dtype!("largest", x, T => access::read("largest", ("x", x), |x: &[T]| {
///         x.iter().fold(f64::NEG_INFINITY, |most, &x| most.max(x.into()))
///     }))
/// }
/// assert_eq!(largest(&Tensor::new(&[1f32, 3., 2.], &Device::Cpu)?)?, 3.0);
/// # Ok::<(), coldstart_kernels::Error>(())
/// ```
#[macro_export]
macro_rules! for_dtype {
    ($op:expr, $x:expr, $t:ident => $body:expr) => {
        match $x.dtype() {
            ::candle_core::DType::F32 => {
                type $t = f32;
                $body
            }
            ::candle_core::DType::F64 => {
                type $t = f64;
                $body
            }
            got => Err($crate::Error::UnsupportedDType { op: $op, got }),
        }
    };
}

/// Calls `f` with the elements of `x` in row-major order.
pub fn read<T: Element, O>(op: &'static str, x: Named, f: impl FnOnce(&[T]) -> O) -> Result<O> {
    with(op, [x], [], |[x], []| f(x))
}

/// Calls `f` with the elements of `x` in row-major order, to be changed in place.
pub fn write<T: Element, O>(op: &'static str, x: Named, f: impl FnOnce(&mut [T]) -> O) -> Result<O> {
    with(op, [], [x], |[], [x]| f(x))
}

/// Calls `f` with the elements of every tensor of `reads` and, to be changed in place, of `writes`.
///
/// All must be contiguous CPU tensors of `T`; the storage of each written tensor must belong to no other operand.
pub fn with<T: Element, const R: usize, const W: usize, O>(
    op: &'static str,
    reads: [Named; R],
    writes: [Named; W],
    f: impl FnOnce([&[T]; R], [&mut [T]; W]) -> O,
) -> Result<O> {
    for operand in reads.iter().chain(&writes) {
        admit::<T>(op, *operand)?;
    }
    let write_keys = writes.map(|(_, t)| storage_key(t));
    let read_keys = reads.map(|(_, t)| storage_key(t));
    for (i, (left, _)) in writes.iter().enumerate() {
        let same_write = (0..i).find(|&j| write_keys[j] == write_keys[i]).map(|j| writes[j].0);
        let same_read = (0..R).find(|&j| read_keys[j] == write_keys[i]).map(|j| reads[j].0);
        if let Some(right) = same_write.or(same_read) {
            return Err(Error::Aliased { op, left, right });
        }
    }

    let guards: [Option<StorageRef>; R] = std::array::from_fn(|i| {
        let first_of_storage = !read_keys[..i].contains(&read_keys[i]);
        first_of_storage.then(|| reads[i].1.storage_and_layout().0)
    });
    let mut inputs: [&[T]; R] = [&[]; R];
    for i in 0..R {
        let holder = (0..=i).find(|&j| read_keys[j] == read_keys[i]).and_then(|j| guards[j].as_ref());
        let (name, tensor) = reads[i];
        inputs[i] = holder
            .and_then(|storage| cpu(storage))
            .and_then(T::slice)
            .and_then(|all| all.get(extent(tensor.layout())))
            .ok_or_else(|| unreadable::<T>(op, name, tensor))?;
    }

    let mut outcome = None;
    let mut f = Some(f);
    write_nested::<T>(op, &writes, &mut [(std::ptr::null_mut(), 0); W], &mut |outputs| {
        let outputs: [&mut [T]; W] = std::array::from_fn(|i| {
            // SAFETY: all are set by now; each pointer comes from the exclusive guard of its own storage (no two outputs share one, checked
            // above), and all guards are held by the callers of this closure.
            unsafe { std::slice::from_raw_parts_mut(outputs[i].0, outputs[i].1) }
        });
        if let Some(f) = f.take() {
            outcome = Some(f(inputs, outputs));
        }
    })?;
    outcome.ok_or_else(|| Error::Candle(candle_core::Error::Msg(format!("{op}: the storage was not handed out"))))
}

/// A CPU tensor that owns `data`, without a copy.
pub fn tensor_from<T: Element>(data: Vec<T>, shape: &[usize]) -> Result<Tensor> {
    let want: usize = shape.iter().product();
    if data.len() != want {
        return Err(Error::Shape {
            op: "tensor_from",
            name: "data",
            got: vec![data.len()],
            expected: format!("[{want}] because the shape is {shape:?}"),
        });
    }
    Ok(Tensor::from_storage(Storage::Cpu(T::storage(data)), shape, BackpropOp::none(), false))
}

/// A tensor for an operation to write: `old` if it has this type and shape, so that a call that repeats allocates nothing, else a new
/// one that holds whatever was in memory.
///
/// # Safety
/// Every element must be written before it is read.
pub unsafe fn output<T: Element>(old: Option<Tensor>, shape: &[usize]) -> Result<Tensor> {
    match old {
        Some(old) if old.dtype() == T::DTYPE && old.dims() == shape => Ok(old),
        // SAFETY: passed on to the caller.
        _ => tensor_from(unsafe { uninit_vec::<T>(shape.iter().product()) }, shape),
    }
}

/// A vector whose elements hold whatever was in memory: large outputs are written once, not zeroed and then written.
///
/// # Safety
/// Every element must be written before it is read.
#[allow(clippy::uninit_vec)]
pub unsafe fn uninit_vec<T: Element>(len: usize) -> Vec<T> {
    let mut data = Vec::with_capacity(len);
    // SAFETY: the capacity is `len`, every bit pattern is a valid float, and the caller writes before reading.
    unsafe { data.set_len(len) };
    data
}

fn admit<T: Element>(op: &'static str, (name, t): Named) -> Result<()> {
    if !t.device().is_cpu() {
        let got = format!("{:?}", t.device());
        return Err(Error::Device { op, name, got });
    }
    if t.dtype() != T::DTYPE {
        let (got, expected) = (t.dtype(), T::DTYPE);
        return Err(Error::DType { op, name, got, expected });
    }
    if !t.is_contiguous() {
        let (shape, stride) = (t.dims().to_vec(), t.stride().to_vec());
        return Err(Error::NotContiguous { op, name, shape, stride });
    }
    Ok(())
}

fn cpu(storage: &Storage) -> Option<&CpuStorage> {
    match storage {
        Storage::Cpu(storage) => Some(storage),
        _ => None,
    }
}

fn extent(layout: &Layout) -> Range<usize> {
    layout.start_offset()..layout.start_offset() + layout.shape().elem_count()
}

fn unreadable<T: Element>(op: &'static str, name: &'static str, t: &Tensor) -> Error {
    Error::DType { op, name, got: t.dtype(), expected: T::DTYPE }
}

/// The address of a tensor's storage, equal for views of one storage. Locked for the moment only, while nothing else is
/// held.
fn storage_key(t: &Tensor) -> usize {
    from_ref::<Storage>(&t.storage_and_layout().0).addr()
}

/// The start and length of a slice under a write lock.
type Raw<T> = (*mut T, usize);

/// Takes the write locks one inside the other, since candle only lends a storage to the body of an in-place operation.
fn write_nested<T: Element>(
    op: &'static str,
    rest: &[Named],
    locked: &mut [Raw<T>],
    body: &mut dyn FnMut(&[Raw<T>]),
) -> Result<()> {
    let at = locked.len() - rest.len();
    let Some(((name, tensor), rest)) = rest.split_first() else {
        body(locked);
        return Ok(());
    };
    let mut inner = Ok(());
    let lend = Lend(RefCell::new(Some(|storage: &mut CpuStorage, layout: &Layout| {
        let Some(slice) = T::slice_mut(storage).and_then(|all| all.get_mut(extent(layout))) else {
            inner = Err(unreadable::<T>(op, name, tensor));
            return;
        };
        locked[at] = (slice.as_mut_ptr(), slice.len());
        inner = write_nested(op, rest, locked, body);
    })));
    let lent = tensor.inplace_op1(&lend);
    lent?;
    inner
}

/// An in-place operation that runs a closure once on the storage it is lent.
struct Lend<F>(RefCell<Option<F>>);

impl<F: FnOnce(&mut CpuStorage, &Layout)> InplaceOp1 for Lend<F> {
    fn name(&self) -> &'static str {
        "lend"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        if let Some(f) = self.0.borrow_mut().take() {
            f(storage, layout);
        }
        Ok(())
    }
}
