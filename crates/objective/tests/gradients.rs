//! Every combination of the algebra against the naive loss: its value, and its gradient by central differences.

mod common;

use coldstart_objective::{
    Aggregation, Config, CorrectionKind, Error, KlEstimator, Level, Objective, Policy, Totals, evaluate,
};
use common::naive::surrogate;
use common::{Random, Response, rows};

const KINDS: [Policy; 6] = [Policy::Clip, Policy::Cispo, Policy::Sapo, Policy::Vespo, Policy::Gmpo, Policy::Reinforce];
const LEVELS: [Level; 3] = [Level::Token, Level::Sequence, Level::SequenceToken];
const ESTIMATORS: [KlEstimator; 5] =
    [KlEstimator::K1, KlEstimator::Abs, KlEstimator::K2, KlEstimator::K3, KlEstimator::K3Plus];
const AGGREGATIONS: [Aggregation; 5] = [
    Aggregation::TokenMean,
    Aggregation::SeqMean,
    Aggregation::SeqSumNorm,
    Aggregation::GroupTokenMean,
    Aggregation::SeqSum,
];
const CORRECTIONS: [Option<CorrectionKind>; 5] = [
    None,
    Some(CorrectionKind::TokenTruncate),
    Some(CorrectionKind::TokenMask),
    Some(CorrectionKind::SequenceTruncate),
    Some(CorrectionKind::SequenceMask),
];

/// All kinds × levels × estimators × aggregations; the remaining switches cycle with coprime periods, so that pairs meet.
fn combinations() -> Vec<Objective> {
    let mut all = Vec::new();
    for kind in KINDS {
        for level in LEVELS {
            for estimator in ESTIMATORS {
                for aggregation in AGGREGATIONS {
                    all.push(combination(kind, level, estimator, aggregation, all.len()));
                }
            }
        }
    }
    all
}

fn combination(kind: Policy, level: Level, estimator: KlEstimator, aggregation: Aggregation, n: usize) -> Objective {
    let clips = matches!(kind, Policy::Clip | Policy::Gmpo);
    let correction = CORRECTIONS[n % 7 % 5];
    let beta = [0.3, 0.0][usize::from(n.is_multiple_of(11))];
    let grouped = aggregation == Aggregation::GroupTokenMean;
    let config = Config {
        kind: Some(kind),
        importance_sampling_level: Some(level),
        epsilon: clips.then_some(0.15),
        epsilon_high: (clips || kind == Policy::Cispo).then_some(0.25),
        delta: Some((kind == Policy::Clip && !n.is_multiple_of(3)).then_some(1.4)),
        beta: Some(beta),
        kl_estimator: (beta > 0.0).then_some(estimator),
        use_bias_correction_kl: Some(n.is_multiple_of(2)),
        loss_aggregation: Some(aggregation),
        aggregation_group: grouped.then_some(2),
        aggregation_interleaved: Some(grouped && n % 4 < 2),
        max_completion_length: Some(8),
        top_entropy_quantile: Some([1.0, 0.45][usize::from(n % 5 < 2)]),
        entropy_coef: Some([0.0, 0.02][n / 2 % 2]),
        off_policy_mask_threshold: Some((n % 6 < 3).then_some(0.1)),
        overlong_filter: Some(n % 13 < 6),
        rollout_correction: correction,
        rollout_correction_max: correction.map(|_| 1.2),
        rollout_correction_min: correction.map(|_| 0.8),
        masked_mean_eps: Some([0.0, 1e-3][usize::from(n.is_multiple_of(9))]),
        ..Config::default()
    };
    config.resolve().unwrap()
}

#[test]
fn the_loss_is_the_sum_that_the_formulas_say() {
    let mut random = Random(1);
    for objective in combinations() {
        let update = random.update(5);
        let rows = rows(&update);
        let loss = evaluate(&objective, &Totals::new(&objective, &rows).unwrap(), &rows).unwrap().loss;
        let expected = surrogate(&objective, &update, &update);
        assert!(
            (loss - expected).abs() < 1e-12 * expected.abs().max(1.0),
            "{objective:?}: {loss}, expected {expected}"
        );
    }
}

#[test]
fn gradients_are_central_differences() {
    let mut random = Random(2);
    for objective in combinations() {
        let update = random.update(4);
        let rows = rows(&update);
        let result = evaluate(&objective, &Totals::new(&objective, &rows).unwrap(), &rows).unwrap();
        for (i, row) in update.iter().enumerate() {
            for t in 0..row.logp.len() {
                let expected = difference(&objective, &update, i, t);
                let gradient = result.grad_logp[i][t];
                // Differences of numbers near 1 lose ten digits at this step.
                assert!(
                    (gradient - expected).abs() < 2e-7,
                    "{objective:?}, row {i}, token {t}: {gradient}, expected {expected}"
                );
            }
        }
    }
}

fn difference(objective: &Objective, update: &[Response], row: usize, token: usize) -> f64 {
    const STEP: f64 = 1e-5;
    let at = |step: f64| {
        let mut moved = update.to_vec();
        moved[row].logp[token] += step;
        surrogate(objective, &moved, update)
    };
    (at(STEP) - at(-STEP)) / (2.0 * STEP)
}

#[test]
fn micro_batches_sum_to_the_whole() {
    let mut random = Random(3);
    for objective in combinations() {
        let update = random.update(6);
        let rows = rows(&update);
        let totals = Totals::new(&objective, &rows).unwrap();
        let whole = evaluate(&objective, &totals, &rows).unwrap();
        let mut sums = coldstart_objective::Sums::default();
        let (mut loss, mut gradients) = (0.0, Vec::new());
        for part in [&rows[..1], &rows[1..4], &rows[4..]] {
            let result = evaluate(&objective, &totals, part).unwrap();
            loss += result.loss;
            gradients.extend(result.grad_logp);
            sums.merge(&result.sums);
        }
        assert!((loss - whole.loss).abs() < 1e-13, "{objective:?}");
        assert_eq!(gradients, whole.grad_logp, "{objective:?}");
        let (parts, once) = (sums.finish(&objective), whole.sums.finish(&objective));
        assert!((parts.pg_loss - once.pg_loss).abs() < 1e-13 && (parts.ppo_kl - once.ppo_kl).abs() < 1e-13);
        assert_eq!((parts.ratio_min, parts.ratio_max), (once.ratio_min, once.ratio_max));
    }
}

#[test]
fn the_entropy_coefficient_is_the_derivative_by_entropy() {
    let config = Config { entropy_coef: Some(0.5), top_entropy_quantile: Some(0.5), ..Config::default() };
    let objective = config.resolve().unwrap();
    let mut update = Random(4).update(3);
    let result = evaluate(&objective, &Totals::new(&objective, &rows(&update)).unwrap(), &rows(&update)).unwrap();
    for i in 0..update.len() {
        for t in 0..update[i].entropy.len() {
            let before = surrogate(&objective, &update, &update);
            update[i].entropy[t] += 1e-6;
            let slope = (surrogate(&objective, &update, &update) - before) / 1e-6;
            update[i].entropy[t] -= 1e-6;
            assert!((result.entropy_coef[i][t] + slope).abs() < 1e-7, "row {i}, token {t}: {slope}");
        }
    }
}

#[test]
fn tokens_that_do_not_count_have_no_gradient() {
    let mut random = Random(5);
    for objective in combinations().into_iter().step_by(17) {
        let update = random.update(5);
        let rows = rows(&update);
        let result = evaluate(&objective, &Totals::new(&objective, &rows).unwrap(), &rows).unwrap();
        for (row, gradient) in update.iter().zip(&result.grad_logp) {
            let dropped = objective.overlong_filter && row.truncated;
            assert!(row.mask.iter().zip(gradient).all(|(&counts, &g)| (counts && !dropped) || g == 0.0));
        }
    }
}

#[test]
fn an_update_without_tokens_has_loss_zero() {
    let objective = Config::default().resolve().unwrap();
    let mut update = Random(6).update(3);
    update.iter_mut().for_each(|row| row.mask.fill(false));
    let rows = rows(&update);
    let result = evaluate(&objective, &Totals::new(&objective, &rows).unwrap(), &rows).unwrap();
    assert_eq!(result.loss, 0.0);
    let metrics = result.sums.finish(&objective);
    assert!(metrics.ppo_kl == 0.0 && metrics.ratio_max == 1.0);
}

#[test]
fn a_runaway_ratio_is_cut_before_the_exponential() {
    let update =
        [Response { logp: vec![-1.0], old: vec![-901.0], advantage: -1.0, mask: vec![true], ..Random(7).response() }];
    let update = [Response {
        reference: vec![-1.0],
        sampler: vec![-901.0],
        entropy: vec![0.0],
        truncated: false,
        ..update[0].clone()
    }];
    let clamped = Config { delta: Some(None), ..Config::default() };
    let released = Config { ratio_clamp: Some(None), ..clamped.clone() };
    let gradient = |config: &Config| {
        let objective = config.resolve().unwrap();
        let rows = rows(&update);
        evaluate(&objective, &Totals::new(&objective, &rows).unwrap(), &rows).unwrap().grad_logp[0][0]
    };
    assert_eq!(gradient(&clamped), 0.0);
    assert!(gradient(&released).is_infinite(), "the raw ratio is exp(900)");
}

#[test]
fn rows_must_bring_what_the_objective_reads() {
    let objective = Config { entropy_coef: Some(0.1), ..Config::default() }.resolve().unwrap();
    let update = Random(8).update(1);
    let mut row = rows(&update)[0];
    row.entropy = None;
    let error = evaluate(&objective, &Totals::from_counts(&objective, &[2]), &[row]).unwrap_err();
    assert!(matches!(error, Error::Missing { row: 0, what: "entropy", .. }), "{error}");
    row = rows(&update)[0];
    row.reference = Some(&[]);
    let error = evaluate(&objective, &Totals::from_counts(&objective, &[2]), &[row]).unwrap_err();
    assert!(matches!(error, Error::Length { what: "reference", got: 0, .. }), "{error}");
}

#[test]
fn a_value_that_is_no_number_reaches_the_loss() {
    let poison: [fn(&mut Response); 4] = [
        |r| r.logp[0] = f64::NAN,
        |r| r.old[0] = f64::NAN,
        |r| r.advantage = f64::NAN,
        |r| r.reference[0] = f64::INFINITY,
    ];
    let mut random = Random(9);
    for objective in combinations().into_iter().step_by(7) {
        for poison in poison {
            let mut update = random.update(3);
            update[1].mask[0] = true;
            update[1].truncated = false;
            poison(&mut update[1]);
            let rows = rows(&update);
            assert!(
                evaluate(&objective, &Totals::new(&objective, &rows).unwrap(), &rows).unwrap().loss.is_nan(),
                "{objective:?}"
            );
        }
    }
}
