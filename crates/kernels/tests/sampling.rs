//! Drawing tokens, against a reference that sorts.

use candle_core::{Device, Tensor};
use coldstart_kernels::rng::{Key, Purpose};
use coldstart_kernels::sampling::{Draw, SampleParams, Sampled, sample_row, sample_rows};

fn uniform(i: u64) -> f64 {
    Key::new(99, Purpose::Sample).uniform(0, i, 0)
}

fn row(seed: u32, len: usize, spread: f64) -> Vec<f64> {
    let key = Key::new(17, Purpose::Init);
    (0..len).map(|i| spread * key.normal(seed, i as u64, 0)).collect()
}

fn draw(logits: &[f64], params: &SampleParams, banned: &[u32], seen: &[u32], u: f64) -> Sampled {
    sample_row(logits, params, banned, seen, u)
}

/// The probabilities of transformers' processors, applied one after another to a sorted list; the log-softmax before penalty and
/// truncation; the mass kept.
fn reference(logits: &[f64], p: &SampleParams, banned: &[u32], seen: &[u32]) -> (Vec<f64>, Vec<f64>, f64) {
    let allowed = |id: usize| !banned.contains(&(id as u32));
    let softmax = |z: &[f64]| {
        let weights: Vec<f64> =
            z.iter().enumerate().map(|(id, z)| if allowed(id) { (z / p.temperature).exp() } else { 0.0 }).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|w| w / sum).collect::<Vec<f64>>()
    };
    let log_probs = softmax(logits).into_iter().map(f64::ln).collect();
    let mut z = logits.to_vec();
    for (_, z) in z.iter_mut().enumerate().filter(|(id, _)| seen.contains(&(*id as u32))) {
        *z = if *z > 0.0 { *z / p.repetition_penalty } else { *z * p.repetition_penalty };
    }
    let full = softmax(&z);
    let mut ranked: Vec<usize> = (0..z.len()).filter(|&id| allowed(id)).collect();
    ranked.sort_by(|&a, &b| z[b].total_cmp(&z[a]).then(a.cmp(&b)));
    if p.top_k > 0 {
        ranked.truncate(p.top_k);
    }
    let whole: f64 = ranked.iter().map(|&id| full[id]).sum();
    let mut before = 0.0;
    let mut kept = vec![];
    for &id in &ranked {
        if kept.is_empty() || p.top_p == 1.0 || before < p.top_p * whole {
            kept.push(id);
        }
        before += full[id];
    }
    let largest = full[kept[0]];
    kept.retain(|&id| full[id] >= p.min_p * largest);
    let mass: f64 = kept.iter().map(|&id| full[id]).sum();
    let mut probabilities = vec![0.0; z.len()];
    kept.iter().for_each(|&id| probabilities[id] = full[id] / mass);
    (probabilities, log_probs, mass)
}

/// Random parameters: each truncation is on in half of the cases.
fn random_params(i: u64) -> SampleParams {
    let pick = |j: u64| uniform(1_000_000 + i * 10 + j);
    SampleParams {
        temperature: 0.3 + 1.5 * pick(0),
        top_k: if pick(1) < 0.5 { 0 } else { 1 + (pick(2) * 40.0) as usize },
        top_p: if pick(3) < 0.5 { 1.0 } else { pick(4) },
        min_p: if pick(5) < 0.5 { 0.0 } else { 0.3 * pick(6) },
        repetition_penalty: if pick(7) < 0.5 { 1.0 } else { 1.0 + pick(8) },
    }
}

#[test]
fn penalty_bans_and_truncations_equal_a_reference_that_sorts() {
    for i in 0..600u64 {
        let len = 1 + (uniform(i) * 700.0) as usize;
        let logits = row(i as u32, len, 0.2 + 4.0 * uniform(i + 5000));
        let banned: Vec<u32> = (0..len as u32 - 1).filter(|id| id % 7 == 3).collect();
        let seen: Vec<u32> = (0..len as u32).filter(|id| id % 5 == 1).chain([1, 1, 6, u32::MAX]).collect();
        let params = random_params(i);
        let (probabilities, log_probs, mass) = reference(&logits, &params, &banned, &seen);
        for u in [0.0, uniform(i + 9000), 0.5, 1.0 - 1e-16] {
            let got = draw(&logits, &params, &banned, &seen, u);
            let cumulative: f64 = probabilities[..=got.id as usize].iter().sum();
            let p = probabilities[got.id as usize];
            assert!(p > 0.0, "case {i}: id {} was truncated or banned, {params:?}", got.id);
            assert!(
                cumulative - p <= u + 1e-12 && u <= cumulative + 1e-12,
                "case {i}: {u} drew {}, {params:?}",
                got.id
            );
            assert!((got.logp - log_probs[got.id as usize]).abs() < 1e-12, "case {i}");
            assert!((got.kept_mass - mass).abs() < 1e-12, "case {i}: kept {} of {mass}, {params:?}", got.kept_mass);
        }
    }
}

/// 20,000 draws over 12 ids, each with an expected count above 100; the limit is the 99.9 % point with 11 degrees of freedom.
#[test]
fn draws_follow_the_softmax_at_the_temperature() {
    let logits = row(1, 12, 0.8);
    let params = SampleParams { temperature: 0.8, ..Default::default() };
    let (probabilities, _, _) = reference(&logits, &params, &[], &[]);
    let n = 20_000;
    let mut counts = [0f64; 12];
    for i in 0..n {
        counts[draw(&logits, &params, &[], &[], uniform(i)).id as usize] += 1.0;
    }
    let chi_square: f64 =
        counts.iter().zip(&probabilities).map(|(c, p)| (c - p * n as f64).powi(2) / (p * n as f64)).sum();
    assert!(probabilities.iter().all(|p| p * n as f64 > 100.0));
    assert!(chi_square < 31.3, "chi-square {chi_square}");
}

#[test]
fn greedy_takes_the_largest_allowed_logit_and_the_lowest_id_among_equals() {
    let greedy = SampleParams { temperature: 0.0, ..Default::default() };
    let got = draw(&[1.0, 5.0, 3.0, 3.0, 2.0], &greedy, &[1], &[], 0.99);
    assert_eq!((got.id, got.kept_mass), (2, 1.0));
    let sum: f64 = [1f64, 3.0, 3.0, 2.0].iter().map(|z| z.exp()).sum();
    assert!((got.logp - (3.0 - sum.ln())).abs() < 1e-14);
    let penalised = SampleParams { repetition_penalty: 2.0, ..greedy };
    assert_eq!(draw(&[1.0, 5.0, 3.0, 3.0, 2.0], &penalised, &[1], &[2], 0.0).id, 3);
}

/// Two equal logits at the border: exactly k survive, the lower id first.
#[test]
fn ties_at_the_border_of_a_truncation_go_to_the_lower_id() {
    let logits = [0.0, 1.0, 1.0, 1.0];
    let two = SampleParams { top_k: 2, ..Default::default() };
    assert_eq!(draw(&logits, &two, &[], &[], 0.0).id, 1);
    assert_eq!(draw(&logits, &two, &[], &[], 0.999).id, 2);
    let half = SampleParams { top_p: 0.5, ..Default::default() };
    assert_eq!(draw(&[0.0; 4], &half, &[], &[], 0.999).id, 1);
    assert!((draw(&[0.0; 4], &half, &[], &[], 0.0).kept_mass - 0.5).abs() < 1e-15);
}

#[test]
fn at_least_one_token_survives_whatever_the_truncation() {
    let params = SampleParams { top_k: 1, top_p: 0.0, min_p: 1.0, ..Default::default() };
    for u in [0.0, 0.7] {
        assert_eq!(draw(&[0.5, 2.0, 1.0], &params, &[], &[], u).id, 1);
    }
}

/// Logits so far apart that most exponentials underflow, and a spread beyond the histogram.
#[test]
fn extreme_logits_neither_overflow_nor_lose_the_ranking() {
    let logits = [-9e4, 800.0, 799.0, -1e5, 0.0];
    let got = draw(&logits, &SampleParams { top_k: 2, ..Default::default() }, &[], &[], 0.99);
    assert_eq!(got.id, 2);
    assert!((got.logp - (-1.0 - (1.0 + (-1f64).exp()).ln())).abs() < 1e-12);
    let four = SampleParams { top_k: 4, temperature: 1e5, ..Default::default() };
    assert!(draw(&logits, &four, &[], &[], 0.0).id == 0);
}

#[test]
fn a_row_that_is_not_finite_gives_nan_and_no_panic() {
    for bad in [f64::NAN, f64::INFINITY] {
        let got = draw(&[0.0, bad, 1.0], &SampleParams { top_k: 2, top_p: 0.9, ..Default::default() }, &[], &[], 0.5);
        assert!(got.logp.is_nan() && got.kept_mass.is_nan());
    }
    assert!(draw(&[0.0, 1.0], &SampleParams::default(), &[0, 1], &[], 0.5).logp.is_nan());
}

#[test]
fn f32_rows_draw_the_same_ids_and_log_probabilities_to_f32_accuracy() {
    let logits: Vec<f64> = row(3, 5000, 3.0).into_iter().map(|z| f64::from(z as f32)).collect();
    for i in 0..50 {
        let params = random_params(i);
        let wide = draw(&logits, &params, &[4], &[1, 2, 3], uniform(i));
        let narrow: Vec<f32> = logits.iter().map(|&z| z as f32).collect();
        let got = sample_row(&narrow, &params, &[4], &[1, 2, 3], uniform(i));
        assert_eq!(got.id, wide.id, "{params:?}");
        assert!((got.logp - wide.logp).abs() < 1e-5, "{} {}", got.logp, wide.logp);
        assert!((got.kept_mass - wide.kept_mass).abs() < 1e-5);
    }
}

#[test]
fn draws_from_a_matrix_equal_draws_from_its_rows_for_any_threads() {
    let rows: Vec<Vec<f64>> = (0..3).map(|r| row(20 + r, 700, 2.0)).collect();
    let matrix = Tensor::new(rows.clone(), &Device::Cpu).unwrap();
    let params: Vec<SampleParams> = (0..9).map(random_params).collect();
    let draws: Vec<Draw> = (0..9)
        .map(|i| Draw { row: i % 3, params: &params[i], banned: &[3, 4], seen: &[5], uniform: uniform(i as u64) })
        .collect();
    let one_by_one: Vec<Sampled> =
        draws.iter().map(|d| draw(&rows[d.row], d.params, d.banned, d.seen, d.uniform)).collect();
    for threads in [1, 2] {
        let got = coldstart_gemm::pool::with_threads(threads, || sample_rows(&matrix, &draws)).unwrap();
        assert_eq!(got, one_by_one);
    }
    let beyond = Draw { row: 3, ..draws[0] };
    assert!(sample_rows(&matrix, &[beyond]).unwrap_err().to_string().contains("row[0] = 3"));
}
