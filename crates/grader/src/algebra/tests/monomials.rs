//! Arithmetic with decimal literals as doubles.

use super::parse::parse;
use crate::algebra::{Arena, monomials};
use crate::{Budget, Limits};

/// The verdicts here were checked against SymPy 1.14.0, `simplify(a-b) == 0`.
///
/// Whether the difference of the two has only zero coefficients.
fn same(a: &str, b: &str) -> bool {
    let (mut arena, mut budget) = (Arena::new(), Budget::new(&Limits::default()));
    let difference = parse(&mut arena, &format!("({a})-({b})"), &mut budget).unwrap();
    monomials(&mut arena, difference, &mut budget).unwrap().is_some_and(|sum| sum.is_zero())
}

#[test]
fn exact_coefficients_become_doubles_when_they_meet_one() {
    for (a, b) in [
        ("0.25", "1/4"),
        ("0.5*x", "x/2"),
        ("3.5*sqrt(3)", "7*sqrt(3)/2"),
        ("0.1", "1/10"),
        ("2.5*10^4", "25000"),
        ("1.0*pi", "pi"),
        ("0.375", "6/16"),
        ("sqrt(2.25)", "1.5"),
        ("4^0.5+x", "2+x"),
        ("2^0.5*2", "8^0.5"),
        ("x^2.0*y", "y*x^2.0"),
        ("(2.0*x)^0.5", "sqrt(2.0)*x^0.5"),
        ("(-2)^2.0", "4"),
        ("0.5*(x+1)/(x+1)", "0.5"),
        ("(0.5*x+1)^2", "0.25*x^2+x+1"),
        ("7.5/2.5", "3"),
        ("x/0.5", "2*x"),
        ("1/(0.5*x+0.5)", "2/(x+1)"),
        ("sin(0.5)", "0.479425538604203"),
        ("0.0", "0"),
        ("0*0.3", "0"),
    ] {
        assert!(same(a, b), "{a} against {b}");
        assert!(same(b, a), "{b} against {a}");
    }
}

#[test]
fn rounding_of_doubles_shows() {
    for (a, b) in [
        ("0.3+0.6", "0.9"),
        ("0.1+0.2", "0.3"),
        ("0.1*x+0.2*x", "0.3*x"),
        ("0.333", "1/3"),
        ("5*sqrt(2)", "7.0710678118654755"),
        ("2^0.5", "sqrt(2)"),
        ("3.14159*x", "pi*x"),
        ("0.667", "2/3"),
        ("x^2.5", "x^2"),
        ("x^2.0", "x^2"),
        ("x^0.5", "sqrt(x)"),
        ("x^0.5*x^0.5", "x"),
        ("2.0^x", "2^x"),
        ("pi^0.5", "sqrt(pi)"),
        ("0.5^0.5", "sqrt(2)/2"),
        ("1/0.0", "1/0.0"),
    ] {
        assert!(!same(a, b), "{a} against {b}");
        assert!(!same(b, a), "{b} against {a}");
    }
}

#[test]
fn literals_of_more_than_fifteen_digits_stay_exact() {
    assert!(same("0.1000000000000000", "1/10"));
    // As doubles the two are the same.
    assert!(!same("0.33333333333333331", "0.33333333333333330"));
    assert!(same("0.3333333333333333", "0.3333333333333333"));
    assert!(!same("0.3333333333333333", "1/3"));
    // The double 2^0.5 is not quite the decimal that prints it.
    assert!(!same("2^0.5", "1.4142135623730951"));
}

#[test]
fn a_division_of_numbers_is_rounded_once() {
    // 5.1 · (1/3) rounds to another double than 5.1/3.
    assert!(same("5.1/3", "1.7"));
    assert_ne!(5.1 * (1.0 / 3.0), 5.1 / 3.0);
}
