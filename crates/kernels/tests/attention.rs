//! Attention over segments with shared prefixes, forward and backward.

mod common;

use candle_core::{D, DType, Device, Tensor};
use coldstart_kernels::Precision;
use coldstart_kernels::attention::{Heads, Plan, Segment, backward, forward};
use common::*;

const HEADS: Heads = Heads { q: 4, kv: 2, dim: 6 };
const SCALE: f64 = 0.37;

fn qkv(seed: u64, rows: usize, heads: &Heads) -> Tensor {
    random(seed, &[rows, heads.width()])
}

/// Output and gradient for the output gradient `d_o`.
fn both(qkv: &Tensor, d_o: &Tensor, heads: &Heads, plan: &Plan, precision: Precision) -> [Tensor; 3] {
    let (o, lse) = forward(qkv, heads, plan, SCALE, precision).unwrap();
    let dqkv = backward(d_o, qkv, &o, &lse, heads, plan, SCALE, precision).unwrap();
    [o, lse, dqkv]
}

/// The definition in candle's slow operations, one query row block per (segment, head). Segments must cover all rows in order.
fn reference(qkv: &Tensor, heads: &Heads, plan: &Plan) -> candle_core::Result<Tensor> {
    let mut segments = vec![];
    for s in plan.segments.iter().filter(|s| s.q_len > 0) {
        let mut outputs = vec![];
        for head in 0..heads.q {
            let kv = head / (heads.q / heads.kv);
            let column = |c: usize| qkv.narrow(1, c * heads.dim, heads.dim);
            let keys_of = |c: usize| {
                let own = column(c)?.narrow(0, s.q0, s.q_len)?;
                if s.prefix_len == 0 {
                    Ok(own)
                } else {
                    Tensor::cat(&[&column(c)?.narrow(0, s.prefix_k0, s.prefix_len)?, &own], 0)
                }
            };
            let q = column(head)?.narrow(0, s.q0, s.q_len)?;
            let scores = (q.contiguous()?.matmul(&keys_of(heads.q + kv)?.t()?.contiguous()?)? * SCALE)?;
            let keys = s.prefix_len + s.q_len;
            let hidden: Vec<f64> = (0..s.q_len * keys)
                .map(|i| if plan.causal && i % keys > s.prefix_len + i / keys { -1e30 } else { 0.0 })
                .collect();
            let scores = (scores + Tensor::from_vec(hidden, (s.q_len, keys), &Device::Cpu)?)?;
            let e = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
            let p = e.broadcast_div(&e.sum_keepdim(D::Minus1)?)?;
            outputs.push(p.matmul(&keys_of(heads.q + heads.kv + kv)?.contiguous()?)?);
        }
        segments.push(Tensor::cat(&outputs, 1)?);
    }
    Tensor::cat(&segments, 0)
}

/// Two groups of a prompt with ragged responses, one of them empty, and a sequence without responses.
fn ragged() -> (Plan, usize) {
    let mut segments = Segment::with_responses(0, 5, [3, 0, 1]);
    segments.extend(Segment::with_responses(9, 2, [4]));
    segments.push(Segment::new(15, 3));
    (Plan { segments, causal: true }, 18)
}

#[test]
fn forward_and_backward_equal_the_definition_on_the_tape() {
    let (causal, rows) = ragged();
    let windows = Plan { segments: vec![Segment::new(0, 4), Segment::new(4, 1), Segment::new(5, 13)], causal: false };
    for plan in [causal, windows] {
        let (x, g) = (qkv(1, rows, &HEADS), random(2, &[rows, 24]));
        let [o, _, dqkv] = both(&x, &g, &HEADS, &plan, Precision::F64);
        assert_close(&o, &reference(&x, &HEADS, &plan).unwrap(), 1e-12);
        let [want] = tape([&x], &g, |[x]| reference(x, &HEADS, &plan));
        assert_close(&dqkv, &want, 1e-12);
    }
}

#[test]
fn backward_equals_central_differences() {
    let plan = Plan { segments: Segment::with_responses(0, 2, [2, 1]), causal: true };
    let heads = Heads { q: 2, kv: 1, dim: 3 };
    let (x, g) = (qkv(3, 5, &heads), random(4, &[5, 6]));
    let [_, _, dqkv] = both(&x, &g, &heads, &plan, Precision::F64);
    let want = differences(&x, |x| dot(&forward(x, &heads, &plan, SCALE, Precision::F64).unwrap().0, &g));
    assert_close(&dqkv, &want, 1e-8);
}

#[test]
fn log_sum_exp_is_that_of_the_scaled_scores() {
    let heads = Heads { q: 1, kv: 1, dim: 1 };
    let x = Tensor::from_vec(vec![1.0f64, 2.0, 0.0, 3.0, -1.0, 0.0], (2, 3), &Device::Cpu).unwrap();
    let plan = Plan { segments: vec![Segment::new(0, 2)], causal: true };
    let (_, lse) = forward(&x, &heads, &plan, 0.5, Precision::F64).unwrap();
    // Row 0 sees key 2: 0.5·1·2. Row 1 sees keys 2 and −1: 0.5·3·(2, −1).
    let want = [1.0, (3f64.exp() + (-1.5f64).exp()).ln()];
    assert_close(&lse, &Tensor::from_vec(want.to_vec(), (1, 2), &Device::Cpu).unwrap(), 1e-14);
}

/// Segments longer than a tile, so that the cut into tiles and the keys skipped beyond the diagonal show.
#[test]
fn a_shared_prompt_equals_the_prompt_repeated_for_each_response() {
    let (prompt, responses) = (150, [90usize, 0, 70]);
    let shared_rows = prompt + responses.iter().sum::<usize>();
    let (x, g) = (qkv(5, shared_rows, &HEADS), random(6, &[shared_rows, 24]));
    let shared = Plan { segments: Segment::with_responses(0, prompt, responses), causal: true };
    let [o, _, dqkv] = both(&x, &g, &HEADS, &shared, Precision::F64);

    // Repeated: [prompt | r1] [prompt | r2] …; the prompt's own output gradient goes to the first copy.
    let rows = |t: &Tensor, from: usize, len: usize| t.narrow(0, from, len).unwrap();
    let (mut xs, mut gs, mut segments, mut starts) = (vec![], vec![], vec![], vec![]);
    let (mut next, mut from) = (0, prompt);
    for (i, &len) in responses.iter().enumerate() {
        let of_prompt = rows(&g, 0, prompt);
        xs.extend([rows(&x, 0, prompt), rows(&x, from, len)]);
        gs.extend([if i == 0 { of_prompt } else { zeros_like(&of_prompt) }, rows(&g, from, len)]);
        segments.push(Segment::new(next, prompt + len));
        starts.push((next, from, len));
        next += prompt + len;
        from += len;
    }
    let repeated = Plan { segments, causal: true };
    let [o2, _, dqkv2] =
        both(&Tensor::cat(&xs, 0).unwrap(), &Tensor::cat(&gs, 0).unwrap(), &HEADS, &repeated, Precision::F64);

    assert_close(&rows(&o, 0, prompt), &rows(&o2, 0, prompt), 1e-12);
    let mut of_prompt = zeros_like(&rows(&dqkv, 0, prompt));
    for (start, from, len) in starts {
        of_prompt = (of_prompt + rows(&dqkv2, start, prompt)).unwrap();
        if len > 0 {
            assert_close(&rows(&o, from, len), &rows(&o2, start + prompt, len), 1e-12);
            assert_close(&rows(&dqkv, from, len), &rows(&dqkv2, start + prompt, len), 1e-12);
        }
    }
    assert_close(&rows(&dqkv, 0, prompt), &of_prompt, 1e-12);
}

#[test]
fn rows_in_no_segment_give_zero_output_and_gradient() {
    let plan = Plan { segments: vec![Segment::new(1, 2), Segment::new(4, 1)], causal: true };
    let [o, lse, dqkv] = both(&qkv(7, 6, &HEADS), &random(8, &[6, 24]), &HEADS, &plan, Precision::F64);
    for row in [0, 3, 5] {
        for t in [&o, &dqkv] {
            assert!(values(&t.narrow(0, row, 1).unwrap()).iter().all(|&x| x == 0.0));
        }
        assert!(values(&lse.narrow(1, row, 1).unwrap()).iter().all(|&x| x == 0.0));
    }
    assert!(values(&o.narrow(0, 4, 1).unwrap()).iter().all(|&x| x != 0.0));
}

/// A prefix that belongs to no segment still collects gradients.
#[test]
fn a_prefix_outside_all_segments_collects_the_gradients_of_its_readers() {
    let reader = |q0, q_len| Segment { q0, q_len, prefix_k0: 0, prefix_len: 3 };
    let plan = Plan { segments: vec![reader(3, 2), reader(5, 1)], causal: true };
    let heads = Heads { q: 2, kv: 1, dim: 2 };
    let (x, g) = (qkv(9, 6, &heads), random(10, &[6, 4]));
    let [_, _, dqkv] = both(&x, &g, &heads, &plan, Precision::F64);
    let want = differences(&x, |x| dot(&forward(x, &heads, &plan, SCALE, Precision::F64).unwrap().0, &g));
    assert_close(&dqkv, &want, 1e-8);
}

#[test]
fn f32_and_bf16_follow_f64_within_their_rounding() {
    for (heads, scale_of_inputs) in [(HEADS, 1.0), (Heads { q: 2, kv: 2, dim: 80 }, 0.3)] {
        let (plan, rows) = ragged();
        let x = (qkv(11, rows, &heads) * scale_of_inputs).unwrap();
        let g = random(12, &[rows, heads.q * heads.dim]);
        let want = both(&x, &g, &heads, &plan, Precision::F64);
        for (precision, tolerance) in [(Precision::F32, 2e-6), (Precision::Bf16, 2e-2)] {
            let got = both(&single(&x), &single(&g), &heads, &plan, precision);
            got.iter().zip(&want).for_each(|(got, want)| assert_close(got, want, tolerance));
        }
    }
}

#[test]
fn bits_do_not_depend_on_threads() {
    let segments = Segment::with_responses(0, 140, [40, 0, 33]).into_iter().chain([Segment::new(213, 150)]).collect();
    let plan = Plan { segments, causal: true };
    let (x, g) = (single(&qkv(13, 363, &HEADS)), single(&random(14, &[363, 24])));
    for precision in [Precision::F32, Precision::Bf16] {
        assert_reproducible(|| both(&x, &g, &HEADS, &plan, precision).to_vec());
    }
}

#[test]
fn a_view_into_a_larger_buffer_gives_the_same_bits() {
    let (plan, rows) = ragged();
    let (x, g) = (qkv(15, rows, &HEADS), random(16, &[rows, 24]));
    let plain = both(&x, &g, &HEADS, &plan, Precision::F64);
    let view = both(&offset_view(&x), &offset_view(&g), &HEADS, &plan, Precision::F64);
    plain.iter().zip(&view).for_each(|(a, b)| assert_same_bits(a, b));
}

#[test]
fn operands_that_do_not_fit_are_refused_by_name() {
    let plan = Plan { segments: vec![Segment::new(0, 4)], causal: true };
    let x = qkv(17, 4, &HEADS);
    let narrow = x.narrow(1, 0, 40).unwrap().contiguous().unwrap();
    assert_names(&message(forward(&narrow, &HEADS, &plan, 1.0, Precision::F64)), &["qkv", "[4, 40]", "[4, 48]"]);
    let three = Heads { q: 3, ..HEADS };
    assert_names(&message(forward(&x, &three, &plan, 1.0, Precision::F64)), &["heads", "multiple"]);
    let long = Plan { segments: vec![Segment::new(1, 4)], causal: true };
    assert_names(&message(forward(&x, &HEADS, &long, 1.0, Precision::F64)), &["segment", "below 4"]);
    let half = x.to_dtype(DType::F16).unwrap();
    assert_names(&message(forward(&half, &HEADS, &plan, 1.0, Precision::F32)), &["F16"]);
    let (o, lse) = forward(&x, &HEADS, &plan, 1.0, Precision::F64).unwrap();
    let short = o.narrow(0, 0, 3).unwrap();
    assert_names(
        &message(backward(&short, &x, &o, &lse, &HEADS, &plan, 1.0, Precision::F64)),
        &["d_o", "[3, 24]", "[4, 24]"],
    );
}

#[test]
fn a_plan_without_segments_gives_zeros() {
    let plan = Plan::default();
    let [o, _, dqkv] = both(&qkv(18, 3, &HEADS), &random(19, &[3, 24]), &HEADS, &plan, Precision::F64);
    assert!(values(&o).iter().chain(&values(&dqkv)).all(|&x| x == 0.0));
}
