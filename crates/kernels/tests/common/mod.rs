//! What the tests of the row kernels share: seeded values, gradients by differences and by candle's tape, comparisons.
#![allow(dead_code)]

use candle_core::{DType, Device, Tensor, Var};

/// f64 values in [−2, 2), the same for the same seed.
pub fn random(seed: u64, shape: &[usize]) -> Tensor {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1;
    let data: Vec<f64> = (0..shape.iter().product())
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1u64 << 53) as f64 * 4.0 - 2.0
        })
        .collect();
    Tensor::from_vec(data, shape, &Device::Cpu).unwrap()
}

pub fn zeros_like(t: &Tensor) -> Tensor {
    t.zeros_like().unwrap()
}

/// A copy with a storage of its own.
pub fn copy(t: &Tensor) -> Tensor {
    t.copy().unwrap()
}

pub fn single(t: &Tensor) -> Tensor {
    t.to_dtype(DType::F32).unwrap()
}

pub fn values(t: &Tensor) -> Vec<f64> {
    t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// The same values as a contiguous view that starts inside a larger buffer.
pub fn offset_view(t: &Tensor) -> Tensor {
    let flat = t.flatten_all().unwrap();
    let pad = Tensor::full(7.0, 3, &Device::Cpu).unwrap().to_dtype(t.dtype()).unwrap();
    let buffer = Tensor::cat(&[&pad, &flat, &pad], 0).unwrap();
    buffer.narrow(0, 3, flat.elem_count()).unwrap().reshape(t.dims()).unwrap()
}

/// The largest difference may be `tolerance` of the largest expected magnitude.
#[track_caller]
pub fn assert_close(got: &Tensor, want: &Tensor, tolerance: f64) {
    assert_eq!(got.dims(), want.dims());
    let (got, want) = (values(got), values(want));
    let scale = want.iter().fold(1e-30f64, |m, x| m.max(x.abs()));
    for (i, (g, w)) in got.iter().zip(&want).enumerate() {
        let error = (g - w).abs() / scale;
        assert!(
            error <= tolerance,
            "element {i}: got {g}, want {w}, {error:.2e} of the largest, allowed {tolerance:.0e}"
        );
    }
}

/// Equal to the last bit, NaN included.
#[track_caller]
pub fn assert_same_bits(a: &Tensor, b: &Tensor) {
    assert_eq!(a.dims(), b.dims());
    assert_eq!(a.dtype(), b.dtype());
    let bits = |t: &Tensor| values(t).into_iter().map(f64::to_bits).collect::<Vec<_>>();
    assert!(bits(a) == bits(b), "the bits differ");
}

/// `Σ y·g`, the scalar whose gradient with respect to y is g.
pub fn dot(y: &Tensor, g: &Tensor) -> f64 {
    values(y).iter().zip(values(g)).map(|(y, g)| y * g).sum()
}

/// The gradient of `f` at `x` by central differences.
pub fn differences(x: &Tensor, f: impl Fn(&Tensor) -> f64) -> Tensor {
    let at = values(x);
    let step = 1e-5;
    let shifted = |i: usize, by: f64| {
        let mut moved = at.clone();
        moved[i] += by;
        f(&Tensor::from_vec(moved, x.dims(), &Device::Cpu).unwrap())
    };
    let gradient: Vec<f64> = (0..at.len()).map(|i| (shifted(i, step) - shifted(i, -step)) / (2.0 * step)).collect();
    Tensor::from_vec(gradient, x.dims(), &Device::Cpu).unwrap()
}

/// The gradients of `Σ f(inputs)·g` by candle's tape. A gradient that the tape lost is a failure.
pub fn tape<const N: usize>(
    inputs: [&Tensor; N],
    g: &Tensor,
    f: impl FnOnce([&Tensor; N]) -> candle_core::Result<Tensor>,
) -> [Tensor; N] {
    let vars = inputs.map(|x| Var::from_tensor(x).unwrap());
    let y = f(std::array::from_fn(|i| vars[i].as_tensor())).unwrap();
    let loss = (y * g).unwrap().sum_all().unwrap();
    let gradients = loss.backward().unwrap();
    std::array::from_fn(|i| gradients.get(&vars[i]).expect("the tape lost a gradient").clone())
}

/// The message of a call that must fail.
#[track_caller]
pub fn message<T>(result: coldstart_kernels::Result<T>) -> String {
    result.err().expect("the call must fail").to_string()
}

/// Fails unless every word occurs in the message.
#[track_caller]
pub fn assert_names(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{message:?} does not name {word:?}");
    }
}

/// The tensors that `f` gives with one thread and, twice, with two must have the same bits.
#[track_caller]
pub fn assert_reproducible(f: impl Fn() -> Vec<Tensor>) {
    let one = coldstart_gemm::pool::with_threads(1, &f);
    for _ in 0..2 {
        let two = coldstart_gemm::pool::with_threads(2, &f);
        one.iter().zip(&two).for_each(|(a, b)| assert_same_bits(a, b));
    }
}
