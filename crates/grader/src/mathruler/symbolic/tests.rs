use super::*;
use crate::Limits;

fn same(gold: &str, given: &str) -> bool {
    decide(gold, given, 1, &mut Budget::new(&Limits::default())).unwrap().is_some()
}

// The verdicts in this file are those of mathruler 0.1.0 with SymPy 1.14.0 for the same pair.

#[test]
fn juxtaposition_has_the_rank_of_a_product() {
    for (gold, given) in [
        ("1/2x", "x/2"),
        ("x^2y", "y*x^2"),
        ("2(3)^2x", "18x"),
        ("x(x+1)", "x*(x+1)"),
        ("2^-1x", "x/2"),
        ("1.2.3x", "0.36x"),
        ("x.5", "0.5x"),
        ("(3)4x", "12x"),
    ] {
        assert!(same(gold, given), "{gold} {given}");
    }
}

#[test]
fn whitespace_means_nothing_but_factors_stand_on_one_line() {
    for (gold, given) in [("x+\n1", "1+x"), ("\nx", "x"), ("x\t2", "2x"), ("4\n/9\n", "4/9")] {
        assert!(same(gold, given), "{gold:?} {given}");
    }
    assert!(!same("x\n2", "2x"));
}

#[test]
fn a_run_of_letters_and_digits_is_a_product_unless_it_is_a_name() {
    for (gold, given) in
        [("x2y", "2xy"), ("xy^2", "y^2x"), ("2^xy", "y*2^x"), ("xy(3)", "3xy"), ("mu(2)", "2mu"), ("x_1(2)", "x_1*2")]
    {
        assert!(same(gold, given), "{gold} {given}");
    }
    for (gold, given) in [("pi2", "2pi"), ("um", "mu"), ("nl", "ln"), ("er", "re"), ("oo", "o*o"), ("3j", "j*3")] {
        assert!(!same(gold, given), "{gold} {given}");
    }
}

#[test]
fn a_factorial_takes_the_whole_run_before_it() {
    assert!(same("xy!", "(x*y)!"));
    assert!(!same("xy!", "x*y!"));
    assert!(same("x2!", "(2x)!"));
    assert!(same("3x!", "x!*3"));
}

#[test]
fn decimal_literals_calculate_in_doubles() {
    for (gold, given) in
        [("0.5x^2", "x^2/2"), ("4^0.5+x", "2+x"), ("1/3.0", "1/3"), ("x*(0.1+y)", "0.1x+xy"), ("x^0.5*x^0.5", "x^1.0")]
    {
        assert!(same(gold, given), "{gold} {given}");
    }
    for (gold, given) in
        [("0.1+0.2+x", "0.3+x"), ("2^0.5", "sqrt(2)"), ("x^0.5", "sqrt(x)"), ("x^2.0", "x*x"), ("pi^2.0", "pi^2")]
    {
        assert!(!same(gold, given), "{gold} {given}");
    }
}

#[test]
fn an_exact_number_by_a_decimal_is_multiplied_with_the_reciprocal() {
    for (gold, given) in [("2.8", "14.0/5"), ("2.8", "14.0/5.0"), ("14/5.0", "14*(1/5.0)"), ("3.6", "18/5.0")] {
        assert!(same(gold, given), "{gold} {given}");
    }
    assert!(!same("2.8", "14/5.0"));
    assert!(!same("14.0/5", "14/5.0"));
}

#[test]
fn zeros_side_by_side_are_a_zero() {
    assert!(same("sqrt(7)0", "sqrt(7)00"));
    assert!(!same("sqrt(7)01", "sqrt(7)1"));
}

#[test]
fn more_than_two_letters_or_a_large_exponent_are_not_calculated() {
    assert!(same("x+y", "y+x"));
    assert!(!same("x+y+z", "z+y+x"));
    assert!(!same("pi*x", "x*pi"));
    assert!(same("x^2", "x*x"));
    for exponent in ["^12", "^(2)", "^2^2", "^{2}"] {
        assert!(has_large_exponent(&format!("x{exponent}")), "{exponent}");
    }
    for exponent in ["^2", "^2x^3", "^x^2", "**22", "^-12", "^2x"] {
        assert!(!has_large_exponent(&format!("x{exponent}")), "{exponent}");
    }
}

#[test]
fn what_is_no_expression_equals_nothing() {
    for text in
        ["", "1,2", "x=1", "x<1", "x'", "x°", "(x", "x)", "x+", "sqrt", "()", "007", "x!!", "7//2", "x²", "½", "[x]"]
    {
        assert!(!same(text, text), "{text}");
    }
}
