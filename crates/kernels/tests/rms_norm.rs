//! RMSNorm: the gradient is right, the fused forms equal the plain ones, bits do not depend on threads.

mod common;

use candle_core::Tensor;
use coldstart_kernels::{Acc, rms_norm};
use common::*;

const EPS: f64 = 1e-6;

/// The textbook form in candle operations that keep the tape.
fn slow(x: &Tensor, w: &Tensor) -> candle_core::Result<Tensor> {
    let mean = x.sqr()?.mean_keepdim(1)?;
    x.broadcast_div(&(mean + EPS)?.sqrt()?)?.broadcast_mul(w)
}

struct Case {
    x: Tensor,
    w: Tensor,
    dy: Tensor,
    residual: Tensor,
}

fn case(n: usize, d: usize) -> Case {
    Case { x: random(1, &[n, d]), w: random(2, &[d]), dy: random(3, &[n, d]), residual: random(4, &[n, d]) }
}

impl Case {
    fn single(&self) -> Case {
        Case { x: single(&self.x), w: single(&self.w), dy: single(&self.dy), residual: single(&self.residual) }
    }

    /// dx and dw.
    fn backward(&self) -> (Tensor, Tensor) {
        let (_, inv_rms) = rms_norm::forward(&self.x, &self.w, EPS).unwrap();
        let dw = zeros_like(&self.w);
        let acc = Acc { grad: &dw, first: true };
        (rms_norm::backward(&self.dy, &self.x, &inv_rms, &self.w, None, Some(acc)).unwrap(), dw)
    }
}

#[test]
fn forward_equals_the_textbook_form() {
    for (n, d) in [(1, 1), (1, 80), (3, 33), (70, 1100)] {
        let c = case(n, d);
        let (y, inv_rms) = rms_norm::forward(&c.x, &c.w, EPS).unwrap();
        assert_close(&y, &slow(&c.x, &c.w).unwrap(), 1e-14);
        assert_eq!(inv_rms.dims(), [n]);
    }
}

#[test]
fn gradient_equals_central_differences() {
    let c = case(3, 37);
    let (dx, dw) = c.backward();
    let loss = |x: &Tensor, w: &Tensor| dot(&rms_norm::forward(x, w, EPS).unwrap().0, &c.dy);
    assert_close(&dx, &differences(&c.x, |x| loss(x, &c.w)), 1e-6);
    assert_close(&dw, &differences(&c.w, |w| loss(&c.x, w)), 1e-6);
}

#[test]
fn gradient_equals_the_tape() {
    for (n, d) in [(1, 80), (65, 96)] {
        let c = case(n, d);
        let (dx, dw) = c.backward();
        let [want_dx, want_dw] = tape([&c.x, &c.w], &c.dy, |[x, w]| slow(x, w));
        assert_close(&dx, &want_dx, 1e-12);
        assert_close(&dw, &want_dw, 1e-12);
    }
}

#[test]
fn single_precision_follows_double() {
    let c = case(200, 1280);
    let s = c.single();
    let (y, _) = rms_norm::forward(&s.x, &s.w, EPS).unwrap();
    assert_close(&y, &rms_norm::forward(&c.x, &c.w, EPS).unwrap().0, 1e-6);
    let ((dx, dw), (want_dx, want_dw)) = (s.backward(), c.backward());
    assert_close(&dx, &want_dx, 1e-6);
    assert_close(&dw, &want_dw, 1e-6);
}

#[test]
fn fused_addition_equals_addition_then_norm() {
    let c = case(9, 130).single();
    let (h, y, inv_rms) = rms_norm::forward_residual(&c.x, &c.residual, &c.w, EPS).unwrap();
    let sum = (&c.x + &c.residual).unwrap();
    let (want_y, want_inv_rms) = rms_norm::forward(&sum, &c.w, EPS).unwrap();
    assert_same_bits(&h, &sum);
    assert_same_bits(&y, &want_y);
    assert_same_bits(&inv_rms, &want_inv_rms);
}

#[test]
fn gradient_past_the_norm_is_added() {
    let c = case(5, 40);
    let (_, inv_rms) = rms_norm::forward(&c.x, &c.w, EPS).unwrap();
    let dx = rms_norm::backward(&c.dy, &c.x, &inv_rms, &c.w, Some(&c.residual), None).unwrap();
    assert_close(&dx, &(c.backward().0 + &c.residual).unwrap(), 1e-14);
}

#[test]
fn weight_gradient_overwrites_first_and_adds_after() {
    let c = case(40, 24);
    let (_, inv_rms) = rms_norm::forward(&c.x, &c.w, EPS).unwrap();
    let dw = random(9, &[24]);
    for (first, times) in [(true, 1.0), (false, 2.0)] {
        rms_norm::backward(&c.dy, &c.x, &inv_rms, &c.w, None, Some(Acc { grad: &dw, first })).unwrap();
        assert_close(&dw, &(c.backward().1 * times).unwrap(), 1e-14);
    }
}

#[test]
fn offset_views_equal_owned_tensors() {
    let c = case(34, 50).single();
    let v = Case { x: offset_view(&c.x), w: offset_view(&c.w), dy: offset_view(&c.dy), residual: c.residual.clone() };
    assert_same_bits(&c.backward().0, &v.backward().0);
    assert_same_bits(&c.backward().1, &v.backward().1);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let c = case(3001, 256).single();
    assert_reproducible(|| {
        let (h, y, r) = rms_norm::forward_residual(&c.x, &c.residual, &c.w, EPS).unwrap();
        let (dx, dw) = c.backward();
        vec![h, y, r, dx, dw]
    });
}

#[test]
fn no_rows_give_empty_results_and_a_zero_gradient() {
    let x = random(1, &[0, 8]);
    let w = random(2, &[8]);
    let (y, inv_rms) = rms_norm::forward(&x, &w, EPS).unwrap();
    assert_eq!((y.dims(), inv_rms.dims()), (&[0, 8][..], &[0][..]));
    let dw = random(3, &[8]);
    rms_norm::backward(&x, &x, &inv_rms, &w, None, Some(Acc { grad: &dw, first: true })).unwrap();
    assert_eq!(values(&dw), [0.0; 8]);
}

#[test]
fn wrong_operands_are_named() {
    let c = case(2, 6);
    assert_names(&message(rms_norm::forward(&c.x, &random(1, &[5]), EPS)), &["w", "[5]", "[6]", "x", "[2, 6]"]);
    assert_names(&message(rms_norm::forward(&c.x, &single(&c.w), EPS)), &["w", "F32", "F64"]);
    assert_names(&message(rms_norm::forward(&c.w, &c.w, EPS)), &["x", "[6]", "two dimensions"]);
    let turned = random(1, &[6, 2]).t().unwrap();
    assert_names(&message(rms_norm::forward(&turned, &c.w, EPS)), &["x", "strides", "contiguous"]);
    let bf16 = c.x.to_dtype(candle_core::DType::BF16).unwrap();
    assert_names(&message(rms_norm::forward(&bf16, &c.w, EPS)), &["BF16", "f32 and f64"]);
}
