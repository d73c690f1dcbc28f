//! Values of constants.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_integer::Integer;

use super::parse::parse;
use crate::algebra::{Arena, Rational, value};
use crate::{Budget, Limits};

fn big(parts: &[u64]) -> BigInt {
    parts.iter().map(|part| BigInt::from(*part) + 1).product()
}

/// Sums and products of numbers of several words, against integers that are never reduced.
#[test]
fn long_rationals_are_exact_and_in_lowest_terms() {
    let mut state = 1_u64;
    let mut part = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // From a few bits to many, with common factors.
        state >> 20 >> (state % 40)
    };
    for round in 0..2000 {
        let mut budget = budget();
        let [a, b, c, mut d]: [BigInt; 4] =
            std::array::from_fn(|_| big(&(0..1 + round % 5).map(|_| part()).collect::<Vec<_>>()));
        if round % 3 == 0 {
            d = &b * (part() % 5 + 1);
        }
        let c = if round % 2 == 0 { -c } else { c };
        let ratio = |n: &BigInt, d: &BigInt, budget: &mut Budget| {
            Rational::from_big(n.clone()).div(&Rational::from_big(d.clone()), budget).unwrap().unwrap()
        };
        let (x, y) = (ratio(&a, &b, &mut budget), ratio(&c, &d, &mut budget));
        let sum = (x.add(&y, &mut budget).unwrap(), &a * &d + &c * &b, &b * &d);
        let product = (x.mul(&y, &mut budget).unwrap(), &a * &c, &b * &d);
        let zero = (x.sub(&x, &mut budget).unwrap(), BigInt::ZERO, BigInt::from(1));
        for (value, numerator, denominator) in [sum, product, zero] {
            assert_eq!(value.numerator() * &denominator, value.denominator() * &numerator, "{a}/{b}, {c}/{d}");
            assert_eq!(value.numerator().gcd(&value.denominator()), BigInt::from(1), "{a}/{b}, {c}/{d}");
            assert!(value.denominator() > BigInt::ZERO);
        }
    }
    assert_eq!(Rational::new(3, -6), Rational::new(-1, 2));
}

fn budget() -> Budget {
    Budget::new(&Limits::default())
}

fn double(text: &str) -> Option<f64> {
    let (mut arena, mut budget) = (Arena::new(), budget());
    let id = parse(&mut arena, text, &mut budget).unwrap();
    value(&mut arena, id, &mut budget).unwrap().and_then(|value| value.to_f64())
}

/// The value rounded to `digits` decimals, as a fraction.
fn rounded(text: &str, digits: u32) -> Option<Rational> {
    let (mut arena, mut budget) = (Arena::new(), budget());
    let id = parse(&mut arena, text, &mut budget).unwrap();
    value(&mut arena, id, &mut budget).unwrap().and_then(|value| value.round(digits, &mut budget).unwrap())
}

#[test]
fn values_are_the_nearest_doubles() {
    for (text, want) in [
        ("3/4", 0.75),
        ("1/3", 1.0 / 3.0),
        ("12*pi", 37.699_111_843_077_52),
        ("sqrt(2)", std::f64::consts::SQRT_2),
        ("E", std::f64::consts::E),
        ("ln(2)", std::f64::consts::LN_2),
        ("2*sqrt(9)+2^3", 14.0),
        ("sqrt(3+2*sqrt(2))-sqrt(2)", 1.0),
        ("I^2", -1.0),
        ("(1+I)^8", 16.0),
        ("E^(I*pi)", -1.0),
        ("10^300/10^310", 1e-10),
        ("1/3*10^-320", 1e-320 / 3.0),
        ("10^400", f64::INFINITY),
    ] {
        assert_eq!(double(text), Some(want), "{text}");
    }
}

#[test]
fn what_is_no_real_number_has_no_double() {
    for text in ["x", "sqrt(-1)", "1/0", "oo", "ln(-1)", "x-y", "0^(-1)", "1/(sqrt(2)-sqrt(2))", "sin(1,2)"] {
        assert_eq!(double(text), None, "{text}");
    }
    assert_eq!(double("x-x"), Some(0.0));
}

#[test]
fn rationals_round_exactly_and_halves_to_even() {
    let fraction = |n, d| Rational::new(n, d);
    assert_eq!(rounded("2/3", 6), fraction(666_667, 1_000_000));
    assert_eq!(rounded("-2/3", 6), fraction(-666_667, 1_000_000));
    assert_eq!(rounded("0.0000005", 6), fraction(0, 1));
    assert_eq!(rounded("0.0000015", 6), fraction(2, 1_000_000));
    assert_eq!(rounded("-0.0000015", 6), fraction(-2, 1_000_000));
    assert_eq!(rounded("0.00000050000000000000000000000000000001", 6), fraction(1, 1_000_000));
    assert_eq!(rounded("5/2", 0), fraction(2, 1));
}

#[test]
fn irrationals_round_by_their_digits() {
    assert_eq!(rounded("8*pi", 6), Rational::new(25_132_741, 1_000_000));
    assert_eq!(rounded("-8*pi", 6), Rational::new(-25_132_741, 1_000_000));
    assert_eq!(rounded("sin(pi)", 6), Some(Rational::ZERO));
    assert_eq!(rounded("sqrt(-2)", 6), None);
    // 300 digits before the point are not known to the last.
    assert_eq!(rounded("10^300*pi", 6), None);
}

#[test]
fn real_values_are_ordered_and_complex_ones_are_not() {
    let order = |a: &str, b: &str| {
        let (mut arena, mut budget) = (Arena::new(), budget());
        let mut at = |text: &str| {
            let id = parse(&mut arena, text, &mut budget).unwrap();
            value(&mut arena, id, &mut budget).unwrap().unwrap()
        };
        at(a).compare(&at(b), &mut super::value::budget()).unwrap()
    };
    assert_eq!(order("3", "pi"), Some(Ordering::Less));
    assert_eq!(order("pi", "22/7"), Some(Ordering::Less));
    assert_eq!(order("-sqrt(2)", "-sqrt(3)"), Some(Ordering::Greater));
    assert_eq!(order("1/3", "2/6"), Some(Ordering::Equal));
    assert_eq!(order("1+1/10^400", "1"), Some(Ordering::Greater));
    assert_eq!(order("sqrt(-2)", "1"), None);
}
