//! AdamW and the gradient norm.

mod common;

use candle_core::{Device, Tensor};
use coldstart_kernels::adamw::{AdamW, step};
use coldstart_kernels::grad_norm::sum_squares;
use common::*;

const OPTIONS: AdamW =
    AdamW { lr: 1e-2, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.1, step: 1, grad_scale: 0.5 };

struct State {
    value: Tensor,
    m: Tensor,
    v: Tensor,
}

impl State {
    fn new(shape: &[usize]) -> Self {
        let value = random(1, shape);
        Self { m: zeros_like(&value), v: zeros_like(&value), value }
    }

    fn single(&self) -> Self {
        Self { value: single(&self.value), m: single(&self.m), v: single(&self.v) }
    }

    fn step(&self, grad: &Tensor, rows: std::ops::Range<usize>, options: &AdamW) {
        step(&self.value, grad, &self.m, &self.v, rows, options).unwrap();
    }

    fn tensors(self) -> Vec<Tensor> {
        vec![self.value, self.m, self.v]
    }
}

/// The recipe's formulas, line by line.
fn textbook(w: &mut f64, grad: f64, m: &mut f64, v: &mut f64, t: i32, o: &AdamW) {
    let g = grad * o.grad_scale;
    *w *= 1.0 - o.lr * o.weight_decay;
    *m = o.beta1 * *m + (1.0 - o.beta1) * g;
    *v = o.beta2 * *v + (1.0 - o.beta2) * g * g;
    let (m_hat, v_hat) = (*m / (1.0 - o.beta1.powi(t)), *v / (1.0 - o.beta2.powi(t)));
    *w -= o.lr * m_hat / (v_hat.sqrt() + o.eps);
}

#[test]
fn five_steps_equal_the_textbook_loop_in_both_precisions() {
    let double = State::new(&[7, 41]);
    let narrow = double.single();
    let mut want: Vec<_> = values(&double.value).into_iter().map(|w| (w, 0.0, 0.0)).collect();
    for t in 1..=5 {
        let grad = random(10 + t, &[7, 41]);
        let options = AdamW { step: t, ..OPTIONS };
        double.step(&grad, 0..7, &options);
        narrow.step(&single(&grad), 0..7, &options);
        for ((w, m, v), g) in want.iter_mut().zip(values(&grad)) {
            textbook(w, g, m, v, t as i32, &options);
        }
    }
    let column = |f: fn(&(f64, f64, f64)) -> f64| {
        Tensor::from_vec(want.iter().map(f).collect::<Vec<_>>(), (7, 41), &Device::Cpu).unwrap()
    };
    let want = [column(|x| x.0), column(|x| x.1), column(|x| x.2)];
    for (state, tolerance) in [(double, 1e-14), (narrow, 1e-6)] {
        state.tensors().iter().zip(&want).for_each(|(got, want)| assert_close(got, want, tolerance));
    }
}

#[test]
fn first_step_moves_by_the_learning_rate_against_the_sign() {
    let state = State::new(&[3]);
    let before = values(&state.value);
    let grad = Tensor::new(&[1e-3, -5.0, 2.0], &Device::Cpu).unwrap();
    state.step(&grad, 0..3, &AdamW { weight_decay: 0.0, eps: 0.0, ..OPTIONS });
    for ((before, after), sign) in before.iter().zip(values(&state.value)).zip([1.0, -1.0, 1.0]) {
        assert!((before - after - sign * OPTIONS.lr).abs() < 1e-12);
    }
}

#[test]
fn decay_below_half_an_ulp_still_counts_beside_the_step() {
    // 1 − lr·λ is 1 in f32 here, so a separate multiplication would lose the decay altogether; with one rounding it
    // survives on average.
    let options = AdamW { lr: 1e-4, weight_decay: 2e-4, ..OPTIONS };
    let sum_after = |weight_decay| {
        let value = single(&((random(1, &[5000]) / 10.0).unwrap() + 0.75).unwrap());
        let state = State { m: zeros_like(&value), v: zeros_like(&value), value };
        for step in 1..=20 {
            state.step(&single(&random(10 + step, &[5000])), 0..5000, &AdamW { weight_decay, step, ..options });
        }
        values(&state.value).iter().sum::<f64>()
    };
    let lost = (sum_after(0.0) - sum_after(options.weight_decay)) / 5000.0;
    let want = 20.0 * options.lr * options.weight_decay * 0.75;
    assert!((lost / want - 1.0).abs() < 0.2, "lost {lost:e}, want {want:e}");
}

#[test]
fn only_the_rows_asked_for_change() {
    let state = State::new(&[4, 3]);
    let before = copy(&state.value);
    state.step(&random(2, &[4, 3]), 1..3, &OPTIONS);
    for row in 0..4 {
        let same = values(&state.value.get(row).unwrap()) == values(&before.get(row).unwrap());
        assert_eq!(same, row == 0 || row == 3, "row {row}");
        let touched = values(&state.m.get(row).unwrap()).iter().any(|&m| m != 0.0);
        assert_eq!(touched, row == 1 || row == 2, "row {row}");
    }
}

#[test]
fn offset_views_equal_owned_tensors_and_bits_do_not_depend_on_threads() {
    let (state, grad) = (State::new(&[1003, 300]).single(), single(&random(2, &[1003, 300])));
    let run = |wrap: fn(&Tensor) -> Tensor| {
        let s = State { value: wrap(&state.value), m: wrap(&state.m), v: wrap(&state.v) };
        (1..3).for_each(|step| s.step(&wrap(&grad), 0..1003, &AdamW { step, ..OPTIONS }));
        s.tensors()
    };
    assert_reproducible(|| run(copy));
    run(copy).iter().zip(run(offset_view)).for_each(|(a, b)| assert_same_bits(a, &b));
}

#[test]
fn norm_is_the_sum_of_squares_of_the_rows() {
    let grad = random(3, &[5, 40_000]);
    let sum = |range: std::ops::Range<usize>| -> f64 { values(&grad)[range].iter().map(|g| g * g).sum() };
    let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-12 * want, "{got} {want}");
    close(sum_squares(&grad, 0..5).unwrap(), sum(0..200_000));
    close(sum_squares(&grad, 1..3).unwrap(), sum(40_000..120_000));
    close(sum_squares(&offset_view(&grad), 0..5).unwrap(), sum(0..200_000));
    assert_eq!(sum_squares(&grad, 2..2).unwrap(), 0.0);
    let narrow = sum_squares(&single(&grad), 0..5).unwrap();
    assert!((narrow - sum(0..200_000)).abs() < 1e-7 * narrow);
}

#[test]
fn norm_is_finite_exactly_if_every_element_is() {
    let with = |x: f32| {
        let mut data = vec![1f32; 100_000];
        data[77_777] = x;
        sum_squares(&Tensor::new(data, &Device::Cpu).unwrap(), 0..100_000).unwrap()
    };
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        assert!(!with(bad).is_finite());
    }
    assert!(with(f32::MAX).is_finite());
}

#[test]
fn norm_has_the_same_bits_for_any_number_of_threads() {
    let grad = single(&random(3, &[777, 1000]));
    let run = |n| coldstart_gemm::pool::with_threads(n, || sum_squares(&grad, 0..777).unwrap().to_bits());
    assert_eq!(run(1), run(2));
}

#[test]
fn wrong_operands_are_named() {
    let (a, b) = (random(1, &[4, 2]), random(1, &[4, 3]));
    let other = || zeros_like(&a);
    assert_names(&message(step(&a, &b, &other(), &other(), 0..4, &OPTIONS)), &["grad", "[4, 3]", "value", "[4, 2]"]);
    assert_names(&message(step(&a, &single(&a), &other(), &other(), 0..4, &OPTIONS)), &["grad", "F32", "F64"]);
    assert_names(&message(step(&a, &other(), &other(), &other(), 2..5, &OPTIONS)), &["rows", "2..5", "0..4"]);
    let zeroth = AdamW { step: 0, ..OPTIONS };
    assert_names(&message(step(&a, &other(), &other(), &other(), 0..4, &zeroth)), &["step", "at least 1"]);
    let moment = other();
    assert_names(&message(step(&a, &other(), &moment, &moment, 0..4, &OPTIONS)), &["m", "v", "one storage"]);
    assert_names(&message(sum_squares(&a, 0..9)), &["rows", "0..9", "0..4"]);
}
