//! Accuracy of the vectorisable functions against f64, over every exponent and at the special values.

use coldstart_kernels::math::{Real, exp, normal, sigmoid};

/// Every 977th bit pattern: all exponents, both signs, infinities and NaNs included.
fn patterns() -> impl Iterator<Item = f32> {
    (0..u32::MAX).step_by(977).map(f32::from_bits)
}

/// Largest error in units of the last place of the true value, where that is a normal number.
fn worst_ulps(f: impl Fn(f32) -> f32, truth: impl Fn(f64) -> f64) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for x in patterns().filter(|x| !x.is_nan()) {
        let want = truth(x as f64);
        if want.abs() < f32::MIN_POSITIVE as f64 || want.abs() > f32::MAX as f64 {
            continue;
        }
        let ulp = 2f64.powi(want.abs().log2().floor() as i32 - 23);
        let error = (f(x) as f64 - want).abs() / ulp;
        if error > worst.0 {
            worst = (error, x);
        }
    }
    worst
}

#[test]
fn exp_is_within_one_ulp() {
    // Between 88.37 and 88.73 it is infinite although the true value is not.
    let (error, at) = worst_ulps(|x| exp(x.min(88.37)), |x| x.min(88.37f32 as f64).exp());
    assert!(error < 1.0, "{error} ulp at {at:e}");
}

#[test]
fn sigmoid_is_within_two_and_a_half_ulps() {
    let (error, at) = worst_ulps(sigmoid, |x| 1.0 / (1.0 + (-x).exp()));
    assert!(error < 2.5, "{error} ulp at {at:e}");
}

#[test]
fn normal_is_within_six_ulps_in_both_tails() {
    let (error, at) = worst_ulps(|x| normal(x).0, |x| Real::normal(x).0);
    assert!(error < 6.0, "distribution: {error} ulp at {at:e}");
    let (error, at) = worst_ulps(|x| normal(x).1, |x| Real::normal(x).1);
    assert!(error < 3.0, "density: {error} ulp at {at:e}");
}

#[test]
fn results_beyond_the_range_of_f32_become_zero_or_infinity() {
    assert_eq!((exp(88.73), exp(1e30), exp(f32::INFINITY)), (f32::INFINITY, f32::INFINITY, f32::INFINITY));
    assert_eq!((exp(-104.1), exp(-1e30), exp(f32::NEG_INFINITY)), (0.0, 0.0, 0.0));
    assert_eq!((sigmoid(f32::INFINITY), sigmoid(f32::NEG_INFINITY)), (1.0, 0.0));
    assert_eq!((normal(f32::INFINITY), normal(f32::NEG_INFINITY)), ((1.0, 0.0), (0.0, 0.0)));
    // The true values are denormal; zero or a denormal near them is right.
    for x in [-87.6f32, -88.0, -95.0, -103.5] {
        assert!((exp(x) as f64 - (x as f64).exp()).abs() < f32::MIN_POSITIVE as f64);
    }
}

#[test]
fn denormal_and_zero_arguments_give_the_value_at_zero() {
    for x in [0.0, -0.0, f32::from_bits(1), -f32::from_bits(1), 1e-40] {
        assert_eq!((exp(x), sigmoid(x)), (1.0, 0.5));
        assert!((normal(x).0 - 0.5).abs() <= f32::EPSILON);
    }
}

#[test]
fn nan_stays_nan() {
    for x in [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)] {
        assert!(exp(x).is_nan() && sigmoid(x).is_nan() && normal(x).0.is_nan() && normal(x).1.is_nan());
    }
}

#[test]
fn every_vector_width_gives_the_same_bits() {
    let x: Vec<f32> = (0..1003).map(|i| (i as f32 - 500.0) * 0.037).collect();
    let (mut wide, mut plain) = (vec![0f32; x.len()], vec![0f32; x.len()]);
    coldstart_kernels::simd::widest(
        #[inline(always)]
        || wide.iter_mut().zip(&x).for_each(|(y, &x)| *y = exp(x) + normal(x).0),
    );
    plain.iter_mut().zip(&x).for_each(|(y, &x)| *y = exp(x) + normal(x).0);
    assert_eq!(wide, plain);
}
