//! Rows by index: lookup, replacement, ordered sums and the gradient of the lookup.

mod common;

use candle_core::{Device, Tensor};
use coldstart_kernels::{Acc, embedding};
use common::*;

/// A column `[n, 1]`, so that rows are single numbers.
fn column(data: &[f64]) -> Tensor {
    Tensor::new(data, &Device::Cpu).unwrap().unsqueeze(1).unwrap()
}

/// Repeated, unsorted ids below `len`.
fn ids(n: usize, len: u32) -> Vec<u32> {
    (0..n as u32).map(|i| i.wrapping_mul(2_654_435_761) % 97 % len).collect()
}

#[test]
fn gather_selects_rows_with_repetition() {
    let table = column(&[10.0, 11.0, 12.0]);
    assert_eq!(values(&embedding::gather(&table, &[2, 0, 2]).unwrap()), [12.0, 10.0, 12.0]);
    assert_eq!(values(&embedding::gather_rows(&table, &[1]).unwrap()), [11.0]);
    assert_eq!(embedding::gather(&table, &[]).unwrap().dims(), [0, 1]);
}

#[test]
fn replace_puts_rows_in_place_and_a_later_source_stays() {
    let x = column(&[1.0, 2.0, 3.0]);
    embedding::replace_rows(&x, &[2, 0, 2], &column(&[7.0, 8.0, 9.0])).unwrap();
    assert_eq!(values(&x), [8.0, 2.0, 9.0]);
}

#[test]
fn scatter_adds_repeated_rows_in_the_order_given() {
    // 1 is lost next to 2⁵³ unless it arrives after the big terms cancelled.
    let big = 2f64.powi(53);
    for (src, want) in [([big, 1.0, -big], 0.0), ([big, -big, 1.0], 1.0)] {
        let x = column(&[5.0, 0.0]);
        embedding::scatter_add_rows(&x, &[1, 1, 1], &column(&src)).unwrap();
        assert_eq!(values(&x), [5.0, want]);
    }
}

#[test]
fn gradient_equals_the_tape_and_central_differences() {
    let (ids, table, dx) = (ids(9, 5), random(1, &[6, 3]), random(2, &[9, 3]));
    let grad = random(3, &[6, 3]);
    embedding::backward(&dx, &ids, &[false; 9], Acc { grad: &grad, first: true }).unwrap();
    let index = Tensor::new(&ids[..], &Device::Cpu).unwrap();
    let [want] = tape([&table], &dx, |[table]| table.index_select(&index, 0));
    assert_close(&grad, &want, 1e-14);
    let numeric = differences(&table, |table| dot(&embedding::gather(table, &ids).unwrap(), &dx));
    assert_close(&grad, &numeric, 1e-6);
}

#[test]
fn gradient_of_skipped_rows_goes_nowhere_and_other_rows_become_zero_or_stay() {
    let dx = column(&[1.0, 2.0, 4.0]);
    let (ids, skip) = ([1, 3, 1], [false, true, false]);
    let grad = column(&[9.0, 9.0, 9.0, 9.0]);
    embedding::backward(&dx, &ids, &skip, Acc { grad: &grad, first: true }).unwrap();
    assert_eq!(values(&grad), [0.0, 5.0, 0.0, 0.0]);
    embedding::backward(&dx, &ids, &skip, Acc { grad: &grad, first: false }).unwrap();
    assert_eq!(values(&grad), [0.0, 10.0, 0.0, 0.0]);
}

#[test]
fn scatter_undoes_gather_as_its_gradient() {
    let (rows, x, src) = (ids(20, 7), random(1, &[7, 5]), random(2, &[20, 5]));
    let sum = Tensor::zeros((7, 5), candle_core::DType::F64, &Device::Cpu).unwrap();
    embedding::scatter_add_rows(&sum, &rows, &src).unwrap();
    // ⟨gather(x), src⟩ = ⟨x, scatter(src)⟩
    let (left, right) = (dot(&embedding::gather_rows(&x, &rows).unwrap(), &src), dot(&x, &sum));
    assert!((left - right).abs() < 1e-12 * left.abs());
}

#[test]
fn bits_do_not_depend_on_threads_and_views_equal_owned_tensors() {
    let (rows, table, dx) = (ids(4000, 90), single(&random(1, &[100, 150])), single(&random(2, &[4000, 150])));
    let run = |table: &Tensor, dx: &Tensor| {
        let (grad, sum) = (zeros_like(table), copy(table));
        embedding::backward(dx, &rows, &vec![false; 4000], Acc { grad: &grad, first: true }).unwrap();
        embedding::scatter_add_rows(&sum, &rows, dx).unwrap();
        vec![embedding::gather(table, &rows).unwrap(), grad, sum]
    };
    assert_reproducible(|| run(&table, &dx));
    run(&table, &dx)
        .iter()
        .zip(run(&offset_view(&table), &offset_view(&dx)))
        .for_each(|(a, b)| assert_same_bits(a, &b));
}

#[test]
fn wrong_operands_are_named() {
    let (table, dx) = (random(1, &[4, 3]), random(2, &[2, 3]));
    assert_names(&message(embedding::gather(&table, &[0, 4])), &["ids[1] = 4", "less than 4"]);
    assert_names(&message(embedding::replace_rows(&table, &[0], &dx)), &["rows", "[1]", "src", "[2, 3]"]);
    assert_names(
        &message(embedding::scatter_add_rows(&table, &[0, 1], &random(1, &[2, 2]))),
        &["src", "[2, 2]", "[2, 3]"],
    );
    let acc = Acc { grad: &table, first: true };
    assert_names(&message(embedding::backward(&dx, &[1], &[false; 2], acc)), &["ids", "[1]", "dx", "[2, 3]"]);
    assert_names(&message(embedding::backward(&single(&dx), &[1, 1], &[false; 2], acc)), &["F64", "F32"]);
}
