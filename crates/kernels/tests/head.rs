//! Log-probabilities, entropies and gradients of the head.

mod common;

use candle_core::{D, DType, Device, Tensor};
use coldstart_kernels::head::{HeadStats, Rows, backward, forward};
use coldstart_kernels::{Acc, Precision, Weight};
use common::*;

const TEMPERATURE: f64 = 0.7;

struct Case {
    h: Tensor,
    w: Tensor,
    rows: Rows,
    banned: Vec<u32>,
    c: Vec<f64>,
    b: Vec<f64>,
}

/// 5 rows of width 4, 11 ids of which 2 are banned; row 3 occurs three times, row 1 not at all.
fn case() -> Case {
    Case {
        h: random(1, &[5, 4]),
        w: random(2, &[11, 4]),
        rows: Rows { row: vec![3, 0, 3, 4, 3, 2], target: vec![5, 0, 10, 5, 2, 1] },
        banned: vec![7, 3],
        c: vec![0.3, -1.0, 0.5, -0.2, 0.0, 0.9],
        b: vec![0.1, 0.0, 0.4, -0.3, 0.2, 0.05],
    }
}

fn weight(w: &Tensor, precision: Precision) -> Weight {
    Weight::new(copy(w), precision).unwrap()
}

/// Log-probabilities and entropies by the definition, on the tape.
fn definition(h: &Tensor, w: &Tensor, rows: &Rows, banned: &[u32]) -> candle_core::Result<(Tensor, Tensor)> {
    let index = Tensor::new(rows.row.as_slice(), &Device::Cpu)?;
    let z = (h.index_select(&index, 0)?.matmul(&w.t()?)? / TEMPERATURE)?;
    let mut mask = vec![0f64; w.dim(0)?];
    banned.iter().for_each(|&id| mask[id as usize] = -1e30);
    let z = z.broadcast_add(&Tensor::new(mask.as_slice(), &Device::Cpu)?)?;
    let shifted = z.broadcast_sub(&z.max_keepdim(D::Minus1)?)?;
    let log_p = shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(D::Minus1)?.log()?)?;
    let target = Tensor::new(rows.target.as_slice(), &Device::Cpu)?.unsqueeze(1)?;
    let logp = log_p.gather(&target, 1)?.squeeze(1)?;
    let entropy = (log_p.exp()? * &log_p)?.sum(D::Minus1)?.neg()?;
    Ok((logp, entropy))
}

fn vector(values: &[f64]) -> Tensor {
    Tensor::new(values, &Device::Cpu).unwrap()
}

/// dh and dW of Σ c·logp − b·H.
fn gradients(k: &Case, w: &Weight, stats: &HeadStats) -> [Tensor; 2] {
    let (dh, dw) = (zeros_like(&k.h), zeros_like(w.value()));
    let acc = Acc { grad: &dw, first: true };
    backward(&k.h, w, &k.rows, stats, TEMPERATURE, &k.banned, &k.c, &k.b, &dh, Some(acc)).unwrap();
    [dh, dw]
}

#[test]
fn statistics_and_gradients_equal_the_definition_on_the_tape() {
    let k = case();
    let w = weight(&k.w, Precision::F64);
    let stats = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
    let (logp, entropy) = definition(&k.h, &k.w, &k.rows, &k.banned).unwrap();
    assert_close(&vector(&stats.logp), &logp, 1e-13);
    assert_close(&vector(&stats.entropy), &entropy, 1e-13);

    let [dh, dw] = gradients(&k, &w, &stats);
    let [want_dh, want_dw] = tape([&k.h, &k.w], &vector(&[1.0]), |[h, w]| {
        let (logp, entropy) = definition(h, w, &k.rows, &k.banned)?;
        ((logp * vector(&k.c))? - (entropy * vector(&k.b))?)?.sum_keepdim(0)
    });
    assert_close(&dh, &want_dh, 1e-12);
    assert_close(&dw, &want_dw, 1e-12);
}

#[test]
fn gradients_equal_central_differences() {
    let k = case();
    let loss = |h: &Tensor, w: &Tensor| {
        let stats = forward(h, &weight(w, Precision::F64), &k.rows, TEMPERATURE, &k.banned).unwrap();
        (0..k.c.len()).map(|i| k.c[i] * stats.logp[i] - k.b[i] * stats.entropy[i]).sum()
    };
    let w = weight(&k.w, Precision::F64);
    let stats = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
    let [dh, dw] = gradients(&k, &w, &stats);
    assert_close(&dh, &differences(&k.h, |h| loss(h, &k.w)), 1e-8);
    assert_close(&dw, &differences(&k.w, |w| loss(&k.h, w)), 1e-8);
}

#[test]
fn an_entry_listed_three_times_weighs_three_times_as_much() {
    let mut k = case();
    let w = weight(&k.w, Precision::F64);
    (k.rows, k.c, k.b) = (Rows { row: vec![2], target: vec![6] }, vec![0.75], vec![0.5]);
    let one = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
    let [dh, dw] = gradients(&k, &w, &one);
    (k.rows, k.c, k.b) = (Rows { row: vec![2; 3], target: vec![6; 3] }, vec![0.25; 3], vec![0.5 / 3.0; 3]);
    let three = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
    assert_eq!(three.logp, vec![one.logp[0]; 3]);
    let [dh3, dw3] = gradients(&k, &w, &three);
    assert_close(&dh3, &dh, 1e-14);
    assert_close(&dw3, &dw, 1e-14);
}

#[test]
fn banned_ids_have_no_probability_and_no_gradient() {
    let k = case();
    let w = weight(&k.w, Precision::F64);
    let rows = Rows { row: vec![0], target: vec![7] };
    let stats = forward(&k.h, &w, &rows, TEMPERATURE, &k.banned).unwrap();
    assert_eq!(stats.logp, vec![f64::NEG_INFINITY]);
    let stats = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
    let [_, dw] = gradients(&k, &w, &stats);
    for id in [3, 7] {
        assert!(values(&dw.narrow(0, id, 1).unwrap()).iter().all(|&g| g == 0.0));
    }
    assert!(values(&dw.narrow(0, 8, 1).unwrap()).iter().all(|&g| g != 0.0));
}

#[test]
fn uniform_logits_give_the_entropy_of_a_uniform_and_the_lowest_id() {
    let h = Tensor::zeros((1, 4), DType::F64, &Device::Cpu).unwrap();
    let w = weight(&random(3, &[9, 4]), Precision::F64);
    let stats = forward(&h, &w, &Rows { row: vec![0], target: vec![8] }, 1.0, &[0]).unwrap();
    assert!((stats.entropy[0] - 8f64.ln()).abs() < 1e-14);
    assert!((stats.logp[0] + 8f64.ln()).abs() < 1e-14);
    assert_eq!(stats.argmax, vec![1]);
}

/// A vocabulary of three tiles with a ragged last one, against one tile's worth of columns computed by candle.
#[test]
fn tiles_of_the_vocabulary_equal_the_whole() {
    let (n, d, vocabulary) = (7, 8, 9001);
    let (h, w) = (random(4, &[n, d]), random(5, &[vocabulary, d]));
    let rows = Rows { row: vec![0, 6, 2, 6, 4], target: vec![0, 4095, 4096, 9000, 8191] };
    let banned = [4095, 4097, 8192];
    let k = Case { h, w, rows, banned: banned[1..].to_vec(), c: vec![1.0, -0.5, 0.3, 0.2, 0.7], b: vec![0.1; 5] };
    let wt = weight(&k.w, Precision::F64);
    let stats = forward(&k.h, &wt, &k.rows, TEMPERATURE, &k.banned).unwrap();
    let (logp, entropy) = definition(&k.h, &k.w, &k.rows, &k.banned).unwrap();
    assert_close(&vector(&stats.logp), &logp, 1e-13);
    assert_close(&vector(&stats.entropy), &entropy, 1e-13);
    let [dh, dw] = gradients(&k, &wt, &stats);
    let [want_dh, want_dw] = tape([&k.h, &k.w], &vector(&[1.0]), |[h, w]| {
        let (logp, entropy) = definition(h, w, &k.rows, &k.banned)?;
        ((logp * vector(&k.c))? - (entropy * vector(&k.b))?)?.sum_keepdim(0)
    });
    assert_close(&dh, &want_dh, 1e-12);
    assert_close(&dw, &want_dw, 1e-12);
}

/// More rows than one chunk of the widest tile holds.
#[test]
fn chunks_of_rows_equal_the_rows_one_by_one() {
    let (n, d, vocabulary) = (1030, 2, 4200);
    let (h, w) = (random(6, &[n, d]), random(7, &[vocabulary, d]));
    let wt = weight(&w, Precision::F64);
    let rows = Rows { row: (0..n as u32).collect(), target: (0..n as u32).map(|i| i * 4).collect() };
    let (c, b): (Vec<f64>, Vec<f64>) = (0..n).map(|i| ((i as f64).sin(), 0.1)).unzip();
    let stats = forward(&h, &wt, &rows, 1.0, &[]).unwrap();
    let (dh, dw) = (zeros_like(&h), zeros_like(&w));
    backward(&h, &wt, &rows, &stats, 1.0, &[], &c, &b, &dh, Some(Acc { grad: &dw, first: true })).unwrap();

    let (dh_sum, dw_sum) = (zeros_like(&h), zeros_like(&w));
    for i in 0..n {
        let one = Rows { row: vec![rows.row[i]], target: vec![rows.target[i]] };
        let s = forward(&h, &wt, &one, 1.0, &[]).unwrap();
        assert!((s.logp[0] - stats.logp[i]).abs() < 1e-12);
        let acc = Acc { grad: &dw_sum, first: false };
        backward(&h, &wt, &one, &s, 1.0, &[], &c[i..=i], &b[i..=i], &dh_sum, Some(acc)).unwrap();
    }
    assert_close(&dh, &dh_sum, 1e-11);
    assert_close(&dw, &dw_sum, 1e-11);
}

#[test]
fn the_first_contribution_overwrites_and_later_ones_add() {
    let k = case();
    let w = weight(&k.w, Precision::F64);
    let stats = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
    let [dh, dw] = gradients(&k, &w, &stats);
    let before = random(8, &[11, 4]);
    for first in [true, false] {
        let (grad, dh_out) = (copy(&before), copy(&dh));
        let acc = Acc { grad: &grad, first };
        backward(&k.h, &w, &k.rows, &stats, TEMPERATURE, &k.banned, &k.c, &k.b, &dh_out, Some(acc)).unwrap();
        let want = if first { dw.clone() } else { (&before + &dw).unwrap() };
        assert_close(&grad, &want, 1e-14);
        assert_close(&dh_out, &(&dh * 2.0).unwrap(), 1e-14);
    }
}

#[test]
fn without_rows_a_first_contribution_is_zero() {
    let k = case();
    let w = weight(&k.w, Precision::F64);
    let rows = Rows::default();
    let stats = forward(&k.h, &w, &rows, 1.0, &[]).unwrap();
    let (dh, dw) = (zeros_like(&k.h), random(9, &[11, 4]));
    backward(&k.h, &w, &rows, &stats, 1.0, &[], &[], &[], &dh, Some(Acc { grad: &dw, first: true })).unwrap();
    assert!(values(&dw).iter().all(|&g| g == 0.0));
}

#[test]
fn a_logit_that_is_not_finite_shows_as_nan_in_its_row_only() {
    let k = case();
    let w = weight(&k.w, Precision::F64);
    for bad in [f64::NAN, f64::INFINITY] {
        let mut h = values(&k.h);
        h[3 * 4] = bad;
        let h = Tensor::from_vec(h, (5, 4), &Device::Cpu).unwrap();
        let stats = forward(&h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
        for (i, &row) in k.rows.row.iter().enumerate() {
            assert_eq!(stats.logp[i].is_nan(), row == 3, "logp of entry {i}");
            assert_eq!(stats.entropy[i].is_nan(), row == 3, "entropy of entry {i}");
        }
    }
}

#[test]
fn f32_and_bf16_follow_f64_within_their_rounding() {
    let k = case();
    let w = weight(&k.w, Precision::F64);
    let stats = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
    let [dh, dw] = gradients(&k, &w, &stats);
    for (precision, tolerance) in [(Precision::F32, 2e-6), (Precision::Bf16, 3e-2)] {
        let k = Case { h: single(&k.h), ..case() };
        let w = weight(&single(&k.w), precision);
        let got = forward(&k.h, &w, &k.rows, TEMPERATURE, &k.banned).unwrap();
        assert_close(&vector(&got.logp), &vector(&stats.logp), tolerance);
        assert_close(&vector(&got.entropy), &vector(&stats.entropy), tolerance);
        let [got_dh, got_dw] = gradients(&k, &w, &got);
        assert_close(&got_dh, &dh, tolerance);
        assert_close(&got_dw, &dw, tolerance);
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let (h, w) = (single(&random(10, &[90, 16])), weight(&single(&random(11, &[9000, 16])), Precision::F32));
    let rows = Rows { row: (0..120).map(|i| i % 90).collect(), target: (0..120).map(|i| i * 70).collect() };
    let (c, b) = (vec![-0.5; 120], vec![0.01; 120]);
    assert_reproducible(|| {
        let stats = forward(&h, &w, &rows, TEMPERATURE, &[5]).unwrap();
        let (dh, dw) = (zeros_like(&h), zeros_like(w.value()));
        backward(&h, &w, &rows, &stats, TEMPERATURE, &[5], &c, &b, &dh, Some(Acc { grad: &dw, first: true })).unwrap();
        vec![vector(&stats.lse), vector(&stats.logp), vector(&stats.entropy), dh, dw]
    });
}

#[test]
fn operands_that_do_not_fit_are_refused_by_name() {
    let k = case();
    let w = weight(&k.w, Precision::F64);
    let refused = |h: &Tensor, rows: &Rows, temperature| message(forward(h, &w, rows, temperature, &[]));
    assert_names(&refused(&random(1, &[5, 3]), &k.rows, 1.0), &["h", "[5, 3]", "[11, 4]"]);
    assert_names(&refused(&k.h, &Rows { row: vec![5], target: vec![0] }, 1.0), &["row[0] = 5", "less than 5"]);
    assert_names(&refused(&k.h, &Rows { row: vec![0], target: vec![11] }, 1.0), &["target[0] = 11", "less than 11"]);
    assert_names(&refused(&k.h, &Rows { row: vec![0], target: vec![] }, 1.0), &["target", "[1]"]);
    assert_names(&refused(&k.h, &k.rows, 0.0), &["temperature", "positive"]);
    let stats = forward(&k.h, &w, &k.rows, 1.0, &[]).unwrap();
    let short = message(backward(&k.h, &w, &k.rows, &stats, 1.0, &[], &k.c[1..], &k.b, &zeros_like(&k.h), None));
    assert_names(&short, &["c has shape [5]", "[6]"]);
}
