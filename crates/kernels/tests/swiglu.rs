//! SwiGLU and GELU: gradients and range.

mod common;

use candle_core::Tensor;
use coldstart_kernels::{gelu, swiglu};
use common::*;

fn slow_swiglu(gu: &Tensor) -> candle_core::Result<Tensor> {
    let inner = gu.dim(1)? / 2;
    let (gate, up) = (gu.narrow(1, 0, inner)?, gu.narrow(1, inner, inner)?);
    (&gate / (gate.neg()?.exp()? + 1.0)?)? * up
}

fn slow_gelu(x: &Tensor) -> candle_core::Result<Tensor> {
    (x * 0.5)? * ((x / std::f64::consts::SQRT_2)?.erf()? + 1.0)?
}

#[test]
fn swiglu_equals_the_textbook_form_and_its_tape() {
    for (n, inner) in [(1, 1), (3, 37), (40, 130)] {
        let (gu, da) = (random(1, &[n, 2 * inner]), random(2, &[n, inner]));
        assert_close(&swiglu::forward(&gu).unwrap(), &slow_swiglu(&gu).unwrap(), 1e-14);
        let [want] = tape([&gu], &da, |[gu]| slow_swiglu(gu));
        assert_close(&swiglu::backward(&da, &gu).unwrap(), &want, 1e-13);
    }
}

#[test]
fn gelu_equals_the_textbook_form_and_its_tape() {
    for shape in [&[1][..], &[3, 37], &[5, 4, 33]] {
        let (x, dy) = ((random(1, shape) * 3.0).unwrap(), random(2, shape));
        // The textbook form cancels in 1 + erf where x is far below 0.
        assert_close(&gelu::forward(&x).unwrap(), &slow_gelu(&x).unwrap(), 1e-11);
        let [want] = tape([&x], &dy, |[x]| slow_gelu(x));
        assert_close(&gelu::backward(&dy, &x).unwrap(), &want, 1e-11);
    }
}

#[test]
fn gradients_equal_central_differences() {
    let (gu, da) = (random(1, &[3, 10]), random(2, &[3, 5]));
    let numeric = differences(&gu, |gu| dot(&swiglu::forward(gu).unwrap(), &da));
    assert_close(&swiglu::backward(&da, &gu).unwrap(), &numeric, 1e-6);
    let numeric = differences(&gu, |gu| dot(&gelu::forward(gu).unwrap(), &gu_like(&da)));
    assert_close(&gelu::backward(&gu_like(&da), &gu).unwrap(), &numeric, 1e-6);
}

/// `[a | a]`, a gradient in the shape of gu.
fn gu_like(a: &Tensor) -> Tensor {
    Tensor::cat(&[a, a], 1).unwrap()
}

#[test]
fn single_precision_follows_double() {
    let (gu, da) = ((random(1, &[60, 700]) * 5.0).unwrap(), random(2, &[60, 350]));
    let (gu32, da32) = (offset_view(&single(&gu)), offset_view(&single(&da)));
    assert_close(&swiglu::forward(&gu32).unwrap(), &swiglu::forward(&gu).unwrap(), 1e-6);
    assert_close(&swiglu::backward(&da32, &gu32).unwrap(), &swiglu::backward(&da, &gu).unwrap(), 1e-6);
    assert_close(&gelu::forward(&gu32).unwrap(), &gelu::forward(&gu).unwrap(), 1e-6);
    let (dy, dy32) = (gu_like(&da), gu_like(&da32));
    assert_close(&gelu::backward(&dy32, &gu32).unwrap(), &gelu::backward(&dy, &gu).unwrap(), 1e-6);
}

#[test]
fn far_arguments_saturate_instead_of_overflowing() {
    let x = single(&Tensor::new(&[-3e38f64, -200.0, -90.0, 90.0, 200.0, 3e38], &candle_core::Device::Cpu).unwrap());
    let want = [0.0, 0.0, 0.0, 90.0, 200.0, 3e38f32 as f64];
    assert_eq!(values(&gelu::forward(&x).unwrap()), want);
    let gate_and_one = Tensor::stack(&[&x, &x.ones_like().unwrap()], 1).unwrap();
    let silu = values(&swiglu::forward(&gate_and_one).unwrap());
    silu.iter().zip(want).for_each(|(got, want)| assert!((got - want).abs() < 1e-36, "{got} {want}"));
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (gu, da) = (single(&random(1, &[701, 346])), single(&random(2, &[701, 173])));
    assert_reproducible(|| {
        vec![
            swiglu::forward(&gu).unwrap(),
            swiglu::backward(&da, &gu).unwrap(),
            gelu::forward(&gu).unwrap(),
            gelu::backward(&gu, &gu).unwrap(),
        ]
    });
}

#[test]
fn wrong_operands_are_named() {
    assert_names(&message(swiglu::forward(&random(1, &[2, 5]))), &["gu", "[2, 5]", "even"]);
    let (gu, da) = (random(1, &[2, 6]), random(1, &[2, 4]));
    assert_names(&message(swiglu::backward(&da, &gu)), &["da", "[2, 4]", "[2, 3]", "gu", "[2, 6]"]);
    assert_names(&message(gelu::backward(&da, &gu)), &["dy", "[2, 4]", "x", "[2, 6]"]);
    assert_names(&message(gelu::backward(&single(&gu), &gu)), &["dy", "F32", "F64"]);
}
