//! The elementary functions against expansions made elsewhere, and against each other.

use proptest::prelude::*;

use crate::algebra::{Rational, numeric::Real};
use crate::{Budget, Limits};

fn budget() -> Budget {
    Budget::new(&Limits { bits: 1 << 16, steps: 1 << 30, ..Limits::default() })
}

fn apply<const N: usize>(name: &str, x: Real<N>) -> Real<N> {
    match name {
        "exp" => x.exp(),
        "ln" => x.ln(),
        "sin" => x.sin_cos().0,
        "cos" => x.sin_cos().1,
        "atan" => x.atan(),
        "sinh" => x.sinh_cosh().0,
        "cosh" => x.sinh_cosh().1,
        "sqrt" => x.sqrt(),
        _ => panic!("no function {name}"),
    }
}

/// Bits of `got` that agree with `want`, relative to `want`.
fn agreement<const N: usize>(got: Real<N>, want: Real<N>) -> i64 {
    let error = got.sub(want);
    if error.is_zero() { Real::<N>::BITS } else { want.exponent() - error.exponent() }
}

fn check<const N: usize>() -> usize {
    let mut cases = 0;
    for line in include_str!("functions.txt").lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = line.split(' ').collect();
        let [name, numerator, denominator, value] = fields[..] else { panic!("{line}") };
        let x = Rational::new(numerator.parse().unwrap(), denominator.parse().unwrap()).unwrap();
        let magnitude = Rational::parse(value.trim_start_matches('-'), &mut budget()).unwrap().unwrap();
        let want = Real::<N>::rational(&if value.starts_with('-') { magnitude.neg() } else { magnitude });
        let x = Real::<N>::rational(&x);
        let result = apply(name, x);
        // What the rounding of the argument costs: an absolute error in an angle or exponent, a relative one next to ln 1.
        let lost = match name {
            "sin" | "cos" => x.exponent().max(0) - result.exponent().min(0),
            "exp" | "cosh" => x.exponent().max(0),
            "ln" => -result.exponent().min(0),
            _ => 0,
        };
        let got = agreement(result, want);
        assert!(got >= Real::<N>::BITS - 14 - lost, "{line}: {got} bits of {}, {lost} lost", Real::<N>::BITS);
        cases += 1;
    }
    cases
}

#[test]
fn functions_of_four_words_match_the_expansions() {
    assert_eq!(check::<4>(), 66);
}

#[test]
fn functions_of_seven_words_match_the_expansions() {
    assert_eq!(check::<7>(), 66);
}

fn close<const N: usize>(a: Real<N>, b: Real<N>, scale: Real<N>) -> bool {
    let error = a.sub(b);
    error.is_zero() || error.exponent() <= scale.exponent() - (Real::<N>::BITS - 20)
}

proptest! {
    #[test]
    fn logarithm_inverts_exponential(n in -100_000i64..100_000, d in 301i64..499) {
        let x = Real::<4>::rational(&Rational::new(n, d).unwrap());
        prop_assert!(close(x.exp().ln(), x, Real::ONE.add(x.abs())));
    }

    #[test]
    fn squares_of_sine_and_cosine_add_to_one(n in -1_000_000_000i64..1_000_000_000, d in 1i64..499) {
        let (sin, cos) = Real::<4>::rational(&Rational::new(n, d).unwrap()).sin_cos();
        prop_assert!(close(sin.square().add(cos.square()), Real::ONE, Real::ONE));
    }

    #[test]
    fn the_angle_of_a_point_points_to_it(x in -1000i64..1000, y in -1000i64..1000) {
        prop_assume!((x, y) != (0, 0));
        let (x, y) = (Real::<7>::integer(x), Real::<7>::integer(y));
        let (sin, cos) = y.atan2(x).sin_cos();
        let radius = x.square().add(y.square()).sqrt();
        prop_assert!(close(radius.mul(cos), x, radius) && close(radius.mul(sin), y, radius));
    }

    #[test]
    fn division_inverts_multiplication(a in any::<[u64; 4]>(), b in any::<[u64; 4]>(), shift in -200i64..200) {
        let (a, b) = (Real::<4>::from_fraction(a), Real::from_fraction(b).scale(shift));
        prop_assume!(!a.is_zero() && !b.is_zero());
        let back = a.mul(b).div(b);
        prop_assert!(back.sub(a).is_zero() || back.sub(a).exponent() <= a.exponent() - 253);
    }

    #[test]
    fn words_at_their_extremes_divide_like_integers(
        a in prop::array::uniform4(prop::sample::select(vec![0, 1, u64::MAX, u64::MAX - 1, 1 << 63])),
        b in prop::array::uniform4(prop::sample::select(vec![0, 1, u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1])),
    ) {
        let (a, b) = (Real::<4>::from_fraction(a), Real::<4>::from_fraction(b));
        prop_assume!(!a.is_zero() && !b.is_zero());
        let back = a.div(b).mul(b);
        prop_assert!(back.sub(a).is_zero() || back.sub(a).exponent() <= a.exponent() - 253);
    }

    #[test]
    fn sums_of_small_rationals_are_exact_until_they_need_more_bits(
        a in any::<i32>(), b in any::<i32>(), shift in 0i64..150,
    ) {
        let sum = Real::<4>::integer(a.into()).scale(shift).add(Real::integer(b.into()));
        let back = sum.sub(Real::integer(a.into()).scale(shift));
        prop_assert_eq!(back, Real::integer(b.into()));
    }

    #[test]
    fn the_double_of_a_rational_is_the_one_the_language_parses(n in any::<u64>(), scale in 0u32..300) {
        let text = format!("{n}e-{scale}");
        let value = Rational::parse(&text, &mut budget()).unwrap().unwrap();
        let want: f64 = text.parse().unwrap();
        prop_assert_eq!(value.to_f64(), want);
        prop_assert_eq!(Real::<4>::rational(&value).to_f64(), want);
    }

    #[test]
    fn floors_agree_with_those_of_rationals(n in -1_000_000i64..1_000_000, d in 1i64..64) {
        let value = Rational::new(n, 1 << (d % 40)).unwrap();
        let floor = value.floor(&mut budget()).unwrap();
        prop_assert_eq!(Rational::from_big(Real::<4>::rational(&value).floor().unwrap()), floor);
    }
}
