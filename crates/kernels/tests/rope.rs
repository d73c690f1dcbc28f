//! Rotary embedding: the rotation, its inverse, and what it leaves alone.

mod common;

use candle_core::Tensor;
use coldstart_kernels::rope::{Angles, apply};
use common::*;

/// Angles of n rows and `half` pairs.
fn angles(n: usize, half: usize) -> Angles {
    let angle = random(5, &[n, half]);
    Angles { cos: angle.cos().unwrap(), sin: angle.sin().unwrap() }
}

fn single_angles(a: &Angles) -> Angles {
    Angles { cos: single(&a.cos), sin: single(&a.sin) }
}

/// The rotation of one tensor `[n, heads·head_dim]` in candle operations that keep the tape.
fn slow(x: &Tensor, heads: usize, a: &Angles) -> candle_core::Result<Tensor> {
    let (n, width) = x.dims2()?;
    let half = width / heads / 2;
    let x = x.reshape((n, heads, 2 * half))?;
    let (low, high) = (x.narrow(2, 0, half)?, x.narrow(2, half, half)?);
    let (cos, sin) = (a.cos.unsqueeze(1)?, a.sin.unsqueeze(1)?);
    let first = (low.broadcast_mul(&cos)? - high.broadcast_mul(&sin)?)?;
    let second = (high.broadcast_mul(&cos)? + low.broadcast_mul(&sin)?)?;
    Tensor::cat(&[first, second], 2)?.reshape((n, width))
}

fn rotated(x: &Tensor, heads: usize, head_dim: usize, a: &Angles, inverse: bool) -> Tensor {
    let x = copy(x);
    apply(&x, heads, head_dim, a, inverse).unwrap();
    x
}

#[test]
fn leading_heads_rotate_and_the_rest_of_the_row_stays() {
    for (n, heads, head_dim, rest) in [(1, 1, 2, 0), (5, 3, 80, 80), (4, 2, 6, 7)] {
        let (x, a) = (random(1, &[n, heads * head_dim + rest]), angles(n, head_dim / 2));
        let y = rotated(&x, heads, head_dim, &a, false);
        let front = |t: &Tensor| t.narrow(1, 0, heads * head_dim).unwrap();
        let back = |t: &Tensor| t.narrow(1, heads * head_dim, rest).unwrap();
        assert_close(&front(&y), &slow(&front(&x).contiguous().unwrap(), heads, &a).unwrap(), 1e-15);
        assert_same_bits(&back(&y), &back(&x));
    }
}

#[test]
fn inverse_undoes_the_rotation() {
    let (x, a) = (random(1, &[6, 40]), angles(6, 5));
    let y = rotated(&x, 4, 10, &a, false);
    assert_close(&rotated(&y, 4, 10, &a, true), &x, 1e-15);
}

#[test]
fn inverse_is_the_gradient() {
    let (x, dy, a) = (random(1, &[3, 24]), random(2, &[3, 24]), angles(3, 4));
    let dx = rotated(&dy, 3, 8, &a, true);
    let [want] = tape([&x], &dy, |[x]| slow(x, 3, &a));
    assert_close(&dx, &want, 1e-14);
    assert_close(&dx, &differences(&x, |x| dot(&rotated(x, 3, 8, &a, false), &dy)), 1e-6);
}

#[test]
fn single_precision_follows_double_on_offset_views() {
    let (x, a) = (random(1, &[7, 300]), angles(7, 64));
    let want = rotated(&x, 2, 128, &a, false);
    let view = offset_view(&single(&x));
    apply(&view, 2, 128, &single_angles(&a), false).unwrap();
    assert_close(&view, &want, 3e-7);
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (x, a) = (single(&random(1, &[1501, 200])), single_angles(&angles(1501, 40)));
    assert_reproducible(|| vec![rotated(&x, 2, 80, &a, false), rotated(&x, 2, 80, &a, true)]);
}

#[test]
fn wrong_operands_are_named() {
    let (x, a) = (random(1, &[3, 16]), angles(3, 4));
    assert_names(&message(apply(&x, 3, 8, &a, false)), &["x", "[3, 16]", "3 heads of 8"]);
    assert_names(&message(apply(&x, 2, 7, &a, false)), &["head_dim", "7", "even"]);
    assert_names(&message(apply(&x, 2, 6, &a, false)), &["cos", "[3, 4]", "[3, 3]"]);
    assert_names(&message(apply(&single(&x), 2, 8, &a, false)), &["cos", "F64", "F32"]);
}
