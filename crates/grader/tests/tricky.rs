//! Pairs that tell the reward's reference apart from mathematics. The verdicts are mathruler 0.1.0's.

mod common;

use coldstart_grader::Profile;
use common::verdict;

/// Gold, given, verdict.
const TABLE: [(&str, &str, bool); 62] = [
    // A number as a fraction, as a decimal and as an expression: only reduced alike, and integers only as numbers.
    (r"\frac{3}{8}", "0.375", true),
    (r"\frac{3}{8}", "6/16", false),
    (r"\frac{6}{16}", "0.375", true),
    (r"\frac{2}{3}", "0.667", false),
    (r"\frac{2}{3}", "0.666667", false),
    ("17", r"\sqrt{289}", false),
    ("17", "16+1", false),
    ("8", "8.00000000001", true),
    ("8", "7.9999999", false),
    ("98765432109876543210", "98765432109876543000", true),
    // Separators.
    ("2500", "2{,}500", true),
    ("2 500", "2500", true),
    ("1,234,567,890", "1234567890", false),
    ("(7,250)", "7250", true),
    // Fractions lose their parentheses.
    (r"\frac{a-3}{4}", "(a-3)/4", false),
    (r"\frac{a-3}{4}", "a-3/4", true),
    (r"\frac{5}{a+1}", "5/a+1", true),
    (r"\frac{1}{2}\frac{1}{3}", r"\frac{1}{6}", false),
    (r"\binom{6}{2}", "62", true),
    (r"-4\frac{1}{5}", "-4.2", false),
    (r"-4\frac{1}{5}", "-3.8", true),
    (r"4\frac{1}{5}", "4 1/5", true),
    // Roots, powers and decimals.
    ("10^5", "100000", false),
    (r"\frac{7\sqrt{3}}{2}", r"3.5\sqrt{3}", true),
    (r"\frac{6}{\sqrt{3}}", r"2\sqrt{3}", true),
    (r"5\sqrt{2}", "7.0710678118654755", false),
    (r"\sqrt[3]{27}", "3", false),
    (r"\sqrt[3]{27}", r"\sqrt{27}", true),
    (r"2.5\times 10^4", "25000", false),
    ("0.3+0.6", "0.9", false),
    // Letters: at most two, and pi is two.
    (r"8\pi", r"\pi\cdot 8", true),
    (r"3\pi x", r"3x\pi", false),
    ("(a+2)^2", "a^2+4a+4", true),
    ("a+b+c", "c+b+a", false),
    ("x^{12}", r"x^6\cdot x^6", false),
    // Percent, units and degrees.
    (r"40\%", "0.4", false),
    (r"40\%", "40", true),
    (r"18\text{ kg}", r"18\text{ miles}", true),
    ("18", "18 kg", false),
    ("55", "55°", false),
    (r"\frac{\pi}{4}", r"45^\circ", false),
    ("Wednesday", "Wednes", true),
    // Choices and words.
    ("C", "(C)", true),
    ("C", "C.", false),
    ("C", r"\mathbf{C}", false),
    ("C", "C. 14", false),
    ("perpendicular", "Perpendicular", true),
    // Left sides, sets, intervals and relations.
    ("z=8", "8", true),
    ("z=8", "w=8", true),
    ("8", "PQ=8", true),
    ("8", "PQR=8", false),
    ("x_2=8", "8", false),
    (r"x\in[3,9)", "[3,9)", false),
    (r"3\le x<9", "[3,9)", false),
    ("[3,9)", r"3\le x<9", false),
    ("(3,9)", "3,9", false),
    ("(3,9)", "(9,3)", false),
    ("[5]", "5", true),
    (r"\{3,9\}", r"\{9,3\}", false),
    ("7:9", "14:18", false),
    ("x>6", "6<x", false),
    ("y=5x-2", "5x-y-2=0", false),
];

#[test]
fn the_mathruler_profile_shares_the_references_quirks() {
    for (gold, given, expected) in TABLE {
        let verdict = verdict(given, gold, Profile::Mathruler);
        assert_eq!(verdict.correct, expected, "gold {gold}  given {given}  {verdict:?}");
    }
}

#[test]
fn a_plus_minus_sign_is_no_pair_of_values() {
    for given in ["-7,7", "7"] {
        assert!(!verdict(given, r"\pm 7", Profile::Mathruler).correct, "{given}");
    }
}
