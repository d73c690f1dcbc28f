//! Linear layers: three gradients, accumulation, and packed copies that follow the weight.

mod common;

use candle_core::Tensor;
use coldstart_kernels::{Acc, Precision, Weight, linear};
use common::*;

struct Case {
    x: Tensor,
    w: Tensor,
    b: Tensor,
    dy: Tensor,
}

fn case(n: usize, outer: usize, inner: usize) -> Case {
    Case {
        x: random(1, &[n, inner]),
        w: random(2, &[outer, inner]),
        b: random(3, &[outer]),
        dy: random(4, &[n, outer]),
    }
}

impl Case {
    fn single(&self) -> Case {
        Case { x: single(&self.x), w: single(&self.w), b: single(&self.b), dy: single(&self.dy) }
    }

    /// y, dx, dw, db.
    fn all(&self, precision: Precision) -> [Tensor; 4] {
        let weight = Weight::new(self.w.clone(), precision).unwrap();
        let (dw, db) = (zeros_like(&self.w), zeros_like(&self.b));
        linear::backward_weight(&self.dy, &self.x, Acc { grad: &dw, first: true }, precision).unwrap();
        linear::backward_bias(&self.dy, Acc { grad: &db, first: true }).unwrap();
        let y = linear::forward(&self.x, &weight, Some(&self.b)).unwrap();
        [y, linear::backward_input(&self.dy, &weight).unwrap(), dw, db]
    }
}

fn slow([x, w, b]: [&Tensor; 3]) -> candle_core::Result<Tensor> {
    x.matmul(&w.t()?)?.broadcast_add(b)
}

#[test]
fn forward_and_gradients_equal_the_tape() {
    for (n, outer, inner) in [(1, 1, 1), (1, 17, 9), (37, 20, 33), (130, 300, 70)] {
        let c = case(n, outer, inner);
        let [y, dx, dw, db] = c.all(Precision::F64);
        assert_close(&y, &slow([&c.x, &c.w, &c.b]).unwrap(), 1e-13);
        let [want_dx, want_dw, want_db] = tape([&c.x, &c.w, &c.b], &c.dy, slow);
        assert_close(&dx, &want_dx, 1e-13);
        assert_close(&dw, &want_dw, 1e-13);
        assert_close(&db, &want_db, 1e-13);
    }
}

#[test]
fn gradients_equal_central_differences() {
    let c = case(3, 5, 4);
    let [_, dx, dw, db] = c.all(Precision::F64);
    let loss = |x: &Tensor, w: &Tensor, b: &Tensor| {
        let weight = Weight::new(w.clone(), Precision::F64).unwrap();
        dot(&linear::forward(x, &weight, Some(b)).unwrap(), &c.dy)
    };
    assert_close(&dx, &differences(&c.x, |x| loss(x, &c.w, &c.b)), 1e-6);
    assert_close(&dw, &differences(&c.w, |w| loss(&c.x, w, &c.b)), 1e-6);
    assert_close(&db, &differences(&c.b, |b| loss(&c.x, &c.w, b)), 1e-6);
}

#[test]
fn single_precision_follows_double_and_bf16_stays_near() {
    let c = case(150, 96, 200);
    let want = c.all(Precision::F64);
    for (precision, tolerance) in [(Precision::F32, 2e-6), (Precision::Bf16, 2e-2)] {
        let got = c.single().all(precision);
        got.iter().zip(&want).for_each(|(got, want)| assert_close(got, want, tolerance));
    }
}

#[test]
fn without_a_bias_nothing_is_added() {
    let c = case(4, 6, 5);
    let weight = Weight::new(c.w.clone(), Precision::F64).unwrap();
    let y = linear::forward(&c.x, &weight, None).unwrap();
    assert_close(&y, &c.x.matmul(&c.w.t().unwrap()).unwrap(), 1e-14);
}

#[test]
fn gradients_overwrite_first_and_add_after() {
    let c = case(70, 6, 5);
    let (dw, db) = (random(8, &[6, 5]), random(9, &[6]));
    let [_, _, want_dw, want_db] = c.all(Precision::F64);
    for (first, times) in [(true, 1.0), (false, 2.0)] {
        linear::backward_weight(&c.dy, &c.x, Acc { grad: &dw, first }, Precision::F64).unwrap();
        linear::backward_bias(&c.dy, Acc { grad: &db, first }).unwrap();
        assert_close(&dw, &(&want_dw * times).unwrap(), 1e-14);
        assert_close(&db, &(&want_db * times).unwrap(), 1e-14);
    }
}

#[test]
fn products_keep_the_packed_copy_until_told_of_a_change() {
    let c = case(3, 4, 5);
    let weight = Weight::new(copy(&c.w), Precision::F64).unwrap();
    let run = || [linear::forward(&c.x, &weight, None).unwrap(), linear::backward_input(&c.dy, &weight).unwrap()];
    let before = run();
    coldstart_kernels::access::write("test", ("w", weight.value()), |w: &mut [f64]| {
        w.iter_mut().for_each(|w| *w *= 2.0)
    })
    .unwrap();
    before.iter().zip(run()).for_each(|(old, same)| assert_same_bits(old, &same));
    weight.changed();
    before.iter().zip(run()).for_each(|(old, new)| assert_same_bits(&(old * 2.0).unwrap(), &new));
}

#[test]
fn offset_views_equal_owned_tensors() {
    let c = case(9, 30, 20).single();
    let v = Case { x: offset_view(&c.x), w: offset_view(&c.w), b: offset_view(&c.b), dy: offset_view(&c.dy) };
    c.all(Precision::F32).iter().zip(v.all(Precision::F32)).for_each(|(a, b)| assert_same_bits(a, &b));
}

#[test]
fn bits_do_not_depend_on_threads() {
    let c = case(333, 700, 130).single();
    for precision in [Precision::F32, Precision::Bf16] {
        assert_reproducible(|| c.all(precision).to_vec());
    }
}

#[test]
fn no_rows_give_zero_gradients() {
    let c = case(0, 3, 2);
    let [y, dx, dw, db] = c.all(Precision::F64);
    assert_eq!((y.dims(), dx.dims()), (&[0, 3][..], &[0, 2][..]));
    let (dirty_w, dirty_b) = (random(1, &[3, 2]), random(2, &[3]));
    linear::backward_weight(&c.dy, &c.x, Acc { grad: &dirty_w, first: true }, Precision::F64).unwrap();
    linear::backward_bias(&c.dy, Acc { grad: &dirty_b, first: true }).unwrap();
    assert_same_bits(&dirty_w, &dw);
    assert_same_bits(&dirty_b, &db);
}

#[test]
fn wrong_operands_are_named() {
    let c = case(2, 3, 4);
    let weight = Weight::new(c.w.clone(), Precision::F64).unwrap();
    assert_names(&message(linear::forward(&c.dy, &weight, None)), &["x", "[2, 3]", "weight", "[3, 4]"]);
    assert_names(&message(linear::forward(&c.x, &weight, Some(&random(1, &[4])))), &["bias", "[4]", "[3]"]);
    assert_names(&message(linear::forward(&single(&c.x), &weight, None)), &["x", "F32", "F64"]);
    assert_names(&message(linear::backward_input(&c.x, &weight)), &["dy", "[2, 4]", "weight", "[3, 4]"]);
    let wrong = Acc { grad: &c.b, first: true };
    assert_names(&message(linear::backward_weight(&c.dy, &c.x, wrong, Precision::F64)), &["dw", "[3]", "[3, 4]"]);
    assert_names(&message(Weight::new(c.b.clone(), Precision::F64)), &["value", "[3]", "two dimensions"]);
}
