//! Pairs on which a lenient grader can go wrong. Where they agree with mathematics, the verdicts are math-verify 0.8.0's.

mod common;

use coldstart_grader::{Limits, Profile, is_value};
use common::verdict;

/// Gold, given, verdict.
const TABLE: [(&str, &str, bool); 68] = [
    // Numbers are equal in any form; decimals to six places.
    (r"\frac{3}{8}", "0.375", true),
    (r"\frac{3}{8}", "6/16", true),
    (r"\frac{6}{16}", "0.375", true),
    (r"\frac{2}{3}", "0.667", false),
    (r"\frac{2}{3}", "0.666667", true),
    ("17", r"\sqrt{289}", true),
    ("17", "16+1", true),
    ("0.3+0.6", "0.9", true),
    ("98765432109876543210", "98765432109876543000", false),
    (r"2.5\times 10^4", "25000", true),
    ("10^5", "100000", true),
    (r"\frac{1}{2}\frac{1}{3}", r"\frac{1}{6}", true),
    (r"\binom{6}{2}", "62", false),
    ("7:9", "14:18", true),
    // Separators.
    ("2500", "2{,}500", true),
    ("2 500", "2500", false),
    ("1,234,567,890", "1234567890", true),
    ("(7,250)", "7250", false),
    // The sign of a mixed number covers all of it.
    (r"-4\frac{1}{5}", "-4.2", true),
    (r"-4\frac{1}{5}", "-3.8", false),
    (r"4\frac{1}{5}", "4 1/5", false),
    // Roots and pi.
    (r"\frac{7\sqrt{3}}{2}", r"3.5\sqrt{3}", true),
    (r"\frac{6}{\sqrt{3}}", r"2\sqrt{3}", true),
    (r"5\sqrt{2}", "7.0710678118654755", true),
    (r"\sqrt[3]{27}", "3", true),
    (r"\sqrt[3]{27}", r"\sqrt{27}", false),
    (r"8\pi", r"\pi\cdot 8", true),
    (r"3\pi x", r"3x\pi", true),
    // Terms.
    (r"\frac{a-3}{4}", "(a-3)/4", true),
    (r"\frac{a-3}{4}", "a-3/4", false),
    (r"\frac{5}{a+1}", "5/a+1", false),
    ("(a+2)^2", "a^2+4a+4", true),
    ("a+b+c", "c+b+a", true),
    ("x^{12}", r"x^6\cdot x^6", true),
    // Percent, units and degrees.
    (r"40\%", "0.4", true),
    (r"40\%", "40", false),
    (r"18\text{ kg}", r"18\text{ miles}", true),
    ("18", "18 kg", true),
    (r"\frac{\pi}{4}", r"45^\circ", false),
    // Left sides may be left out of an assignment, or named.
    ("z=8", "8", true),
    ("z=8", "w=8", false),
    ("8", "PQ=8", true),
    ("8", "PQR=8", true),
    ("x_2=8", "8", true),
    // Sets, tuples, intervals and relations.
    (r"x\in[3,9)", "[3,9)", true),
    (r"3\le x<9", "[3,9)", true),
    ("[3,9)", r"3\le x<9", false),
    ("(3,9)", "3,9", true),
    ("(3,9)", "(9,3)", false),
    ("[5]", "5", true),
    (r"\{3,9\}", r"\{9,3\}", true),
    (r"\pm 7", "-7,7", true),
    (r"\pm 7", "7", false),
    ("x>6", "6<x", true),
    ("y=5x-2", "5x-y-2=0", true),
    // Choices and words.
    ("C", "(C)", true),
    ("C", r"\mathbf{C}", true),
    ("C", "C. 14", false),
    ("perpendicular", "Perpendicular", true),
    ("perpendicular", r"\text{perpendicular}", true),
    ("Wednesday", "Wednes", false),
    ("red", "blue", false),
    ("listen", "silent", false),
    ("da", "d", false),
    // False for math-verify, true here: a degree sign, a full stop, decimals that are nearly an integer.
    ("55", "55°", true),
    ("C", "C.", true),
    ("8", "8.00000000001", true),
    ("8", "7.9999999", true),
];

#[test]
fn the_lenient_profile_follows_mathematics() {
    for (gold, given, expected) in TABLE {
        let verdict = verdict(given, gold, Profile::Lenient);
        assert_eq!(verdict.correct, expected, "gold {gold}  given {given}  {verdict:?}");
    }
}

#[test]
fn an_answer_in_other_words_is_still_the_answer() {
    for (gold, given) in [
        ("x=-3, y=3", "(x,y)=(-3,3)"),
        ("x=-3, y=3", "y=3, x=-3"),
        ("7, 11", "7 or 11"),
        ("7, 11", r"x=7\text{ or }x=11"),
        ("x=7, 11", r"\{11,7\}"),
        ("1\\pm\\sqrt{2}", r"1-\sqrt{2},1+\sqrt{2}"),
        (r"\{1\}\cup\{2\}", "1,2"),
        ("2x>8", "(4,\\infty)"),
        ("-2x\\ge 8", "x\\le -4"),
        ("9>x\\ge 3", "3\\le x<9"),
        ("-5<x<\\infty", "(-5,\\infty)"),
        ("\\infty>x\\ge 2", "[2,\\infty)"),
        ("2x=8", r"\{4\}"),
        ("x-37=0", "x=37"),
        ("y=37x", "2y-74x=0"),
        ("3-2x\\le 7", "[-2,\\infty)"),
        ("AB<CD<EF", "ef>cd>ab"),
        (r"(1,5)\cap[2,7]", r"[2,7]\cap(1,5)"),
        (r"\mathbb{R}\setminus\{0\}", r"\mathbb{R} \setminus \{0\}"),
        (r"[0,9]\setminus\{1\}", r"[0,9]\setminus\{\frac22\}"),
        (r"\emptyset", r"\{\}"),
        (r"\{x=1,y=2\}", "x=1, y=2"),
        ("(1,2),(3,4)", "(3,4),(1,2)"),
        ("1,2;3,4", "(1,2),(3,4)"),
        ("(x,y)=(3,9)", r"\langle 3,9\rangle"),
        (r"\max(3,9)+\min(9,3)", "12"),
        (r"\gcd(12,18)", "6"),
        (r"\lfloor 2.5\rfloor+\lceil 2.5\rceil", "5"),
        (r"\sinh^{-1}(0)", "0"),
        (r"\operatorname{arcsin}(1)", r"\frac{\pi}{2}"),
        (r"\left(\begin{array}{c}1\\2\end{array}\right)", r"\begin{bmatrix}1\\2\end{bmatrix}"),
        (r"101_2", "101"),
        (r"2\cdot\overline{AB}", r"\bar{AB}\cdot 2"),
        ("x_{12}", "x_12"),
        ("10**-2", "0.01"),
        ("2.5E3", "2500"),
        ("100!/99!", "100"),
        (r"\ln e^3", "3"),
        ("e_1+i_2", "i_2+e_1"),
        ("x\\ne 3", r"(-\infty,3)\cup(3,\infty)"),
        (r"(-\infty,-7)\cup(2,\infty)", r"(2,\infty)\cup(-\infty,-7)"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{bmatrix}1.0 & 2\\ 3 & 8/2\end{bmatrix}"),
        (r"(-7,2)", r"\begin{pmatrix}-7\\2\end{pmatrix}"),
        ("5\\sqrt{2}", r"x=5\sqrt{2}\approx 7.07"),
        ("46", "CD=45+1=46"),
        ("14", "C. 14"),
        (r"\frac{10 \pi R}{3}", r"\frac{10\pir}{3}"),
        (r"8\pi", "25.132741228718345"),
        (r"\log_2 8", "3"),
        (r"\sin^2 x+\cos^2 x", "1"),
        (r"\tan^{-1}(1)", r"\frac{\pi}{4}"),
        (r"\frac{a^2-49}{a-7}", "a+7"),
        ("3ab", "3 b a"),
        ("|3-5|", "2"),
        ("12 cm", r"12\text{ cm}"),
        ("9>x\\ge 3", "[3,9)"),
        ("x+y<3", "-2x-2y>-6"),
        ("-x+y=3", "x-y=-3"),
        (r"x=\{1,2\}", r"x=\{2,1\}"),
        ("x^2=1, 2", "2, x^2=1"),
        ("x=1=1, 2", "2, x=1"),
        ("-1, 3", r"1\pm 2\approx 3"),
        ("(1,x)", "(1, 2x/2)"),
        ("(x,1)", "(2x/2,1)"),
        (r"(-\infty,x)", r"(-\infty, 2x/2)"),
        (r"(x,\infty)", r"(2x/2,\infty)"),
        ("a/b=5", "5"),
        ("5", r"5\ldots"),
        ("5", r"\text 5"),
        (r"\sin^{-2}(x)", r"\frac{1}{\sin^2 x}"),
        (r"2\frac{3}{x}", r"\frac{6}{x}"),
        (r"2\frac{x}{3}", r"\frac{2x}{3}"),
    ] {
        let verdict = verdict(given, gold, Profile::Lenient);
        assert!(verdict.correct, "gold {gold}  given {given}  {verdict:?}");
    }
}

#[test]
fn what_is_not_the_answer_is_not_accepted() {
    for (gold, given) in [
        ("3, 4", "3"),
        ("3, 4", "3, 4, 5"),
        ("-8, -9", "-8, -8"),
        ("(6,-3)", "-3,6"),
        ("x>6", "x<6"),
        ("x>6", "-x>-6"),
        ("x<3", "x\\le 3"),
        ("[3,9)", "(3,9)"),
        ("8-7i", "8"),
        ("8", "x"),
        ("x", "y"),
        ("x_1", "x_2"),
        ("\\vec{a}", "a"),
        ("\\sqrt{x^2}", "x"),
        ("1 250", "251"),
        ("12", "1 2"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1&2\end{pmatrix}"),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\3\end{pmatrix}"),
        (r"\begin{pmatrix}1&2\\3\end{pmatrix}", "(1,2,3)"),
        (r"(1,5)\cap[2,7]", r"(1,5)\cup[2,7]"),
        (r"(1,5)\cup[6,7]", r"(1,5),[6,7]"),
        ("x<1,x>3", r"(-\infty,1)\cup(3,\infty)"),
        ("y=8x-8", "y=16x-16"),
        ("x^2>4", "(2,\\infty)"),
        ("5<x<3", "(3,5)"),
        ("1<x<2", "1<x"),
        ("x+y<3", "2x+2y>6"),
        ("(x,y)=(1,2)", "(x,y)=(2,1)"),
        ("(x^2,y)=(1,2)", "(1,2)"),
        ("(x,y)<(1,2)", "(1,2)"),
        ("3=4", "6=8"),
        (r"\ln(-x^2)=1", r"\ln(-x^2)=2"),
        ("|x|=x", "x=5"),
        ("x=5", "|x|=x"),
        ("x<y", "(1,2)"),
        ("x<3<y", "(1,3)"),
        ("x^2-x<3", "(1,2)"),
        ("5<x>3", r"(5,\infty)"),
        ("9>x>1<x", "(1,9)"),
        ("2^x=8", "8"),
        (r"(-\infty,\infty)", r"(\infty,-\infty)"),
        (r"(\infty,3)", r"(3,\infty)"),
        (r"(\infty,3)", r"(\infty,4)"),
        (r"\{1\}\cup 2", "1,2"),
        (r"2\{1\}", "2"),
        ("5", r"\begin{pmatrix}5\\6\end{pmatrix}"),
        (r"\begin{pmatrix}5\\6\end{pmatrix}", "5"),
        (r"\begin{pmatrix}5\\6\end{pmatrix}", r"\begin{pmatrix}5\\6\\7\end{pmatrix}"),
        (r"\begin{cases}1\end{cases}", "1"),
        ("2/2", r"4\ 2/2"),
        ("250", r"1\ 250"),
        ("7abd", "7dba"),
        (r"\infty", r"-\infty"),
        (r"\infty", "x"),
        ("(1,2", "(1,2)"),
        ("(1,2]", "(1,2)"),
        (r"|x", "x"),
        (r"\sqrt[3", "3"),
        ("3^", "3"),
        ("3x_", "3x"),
        ("C", "A, B, C, D"),
        ("А", "A"),
        ("", ""),
        ("5", ""),
        ("", "5"),
    ] {
        let verdict = verdict(given, gold, Profile::Lenient);
        assert!(!verdict.correct, "gold {gold}  given {given}  {verdict:?}");
    }
}

#[test]
fn a_root_without_braces_is_of_all_the_digits_after_it() {
    for (gold, given) in [
        (r"\sqrt{32}", r"\sqrt 32"),
        (r"\sqrt 32", r"4\sqrt2"),
        (r"2\sqrt{10}", r"2\sqrt10"),
        ("5", r"\sqrt 25"),
        (r"\frac{\sqrt{3}}{2}", r"\frac\sqrt32"),
        (r"\sqrt[3]{27}", r"\sqrt[3]27"),
    ] {
        assert!(verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
        assert!(verdict(gold, given, Profile::Lenient).correct, "gold {given}  given {gold}");
    }
    for (gold, given) in [(r"\sqrt 32", "32"), ("25", r"\sqrt 25"), ("10", r"2\sqrt 10"), (r"2 + \sqrt 10", "10")] {
        assert!(!verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
    }
}

#[test]
fn a_part_of_what_cannot_be_read_is_no_answer() {
    for gold in [
        r"\begin{vmatrix} 3 & 1 \\ -9 & -3 \end{vmatrix}",
        r"3 \mod 7",
        r"x \equiv 3 \pmod{7}",
        r"\int_0^1 x dx = 5",
        r"f(x) = \begin{cases} 1 & x > 0 \\ -1 & x < 0\end{cases}",
        "C; see 7",
    ] {
        let spaced = gold.replace(' ', "  ");
        assert!(verdict(&spaced, gold, Profile::Lenient).correct, "{gold}");
        for given in ["-3", "7", "5", "3", "0", r"5 \mod 7", r"\begin{vmatrix} 7 & 7 \\ -9 & -3 \end{vmatrix}"] {
            assert!(!verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
        }
    }
    for given in [r"7 \mod 20", r"5 \quad 20", "5\n20", r"\int 20", "7 & 20", r"\foo 20", r"10 \foo = 20"] {
        assert!(!verdict(given, "20", Profile::Lenient).correct, "{given}");
    }
    // But what stands after the letter of an option is all of the answer.
    for given in ["C. 20", r"C. 20 \text{ cm}", "B. x = 20"] {
        assert!(verdict(given, "20", Profile::Lenient).correct, "{given}");
    }
    assert!(!verdict("C. 5, 20", "20", Profile::Lenient).correct);
}

#[test]
fn only_what_is_read_is_a_value() {
    let limits = Limits::default();
    for gold in ["7", r"\frac{1}{2} \text{ cm}", "perpendicular", r"\begin{cases} x=1 \\ y=2 \end{cases}", "x>3"] {
        assert!(is_value(gold, &limits), "{gold}");
    }
    for gold in ["", "C. 14", r"3 \mod 7", r"\int_0^1 x dx", "(1,2", &"7".repeat(5000)] {
        assert!(!is_value(gold, &limits), "{gold}");
    }
}

#[test]
fn a_system_is_the_list_of_its_relations() {
    for given in [
        r"\begin{cases} x = 3 \\ y = 5 \end{cases}",
        r"\begin{cases} y = 5, \\ x = 3; \end{cases}",
        r"\left\{\begin{array}{rcl} x &=& 3, \\ y &=& 5 \end{array}\right.",
        r"\begin{aligned} x &= 3 \\ y &= 5 \\ \end{aligned}",
        "x=3, y=5",
    ] {
        let gold = r"\begin{cases} x=3 \\ y=5 \end{cases}";
        assert!(verdict(given, gold, Profile::Lenient).correct, "{given}");
    }
    for (gold, given) in [
        (r"\begin{cases} x = 3 \\ y = 5 \end{cases}", "5"),
        ("5", r"\begin{cases} x = 3 \\ y = 5 \end{cases}"),
        (r"\begin{cases} x = 3 \\ y = 5 \end{cases}", r"\begin{cases} x = 9 \\ y = 5 \end{cases}"),
        (r"\begin{aligned} x &= 3 \\ y &= 5 \end{aligned}", "5"),
        (r"\begin{array}{l} x = 3 \\ y = 5 \end{array}", "y=5"),
        (r"\begin{cases} x = 3 \\ 5 \end{cases}", "x=3, 5"),
    ] {
        assert!(!verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
    }
    assert!(verdict("x=3", r"\begin{aligned} x &= 3 \end{aligned}", Profile::Lenient).correct);
}

#[test]
fn an_equation_tells_a_value_if_it_names_it_or_calculates_it() {
    for (gold, given) in [
        ("7", "x=7"),
        ("7", r"\angle ABC=7"),
        ("7", r"\text{Area}=7"),
        ("7", "f(x)=7"),
        (r"\frac12", r"\sin A=\frac12"),
        ("7", "3+4=7"),
        ("7", "DE=7"),
        ("DE=7", "7"),
        ("BI=7", "7"),
        ("e", r"e\approx 2.718"),
    ] {
        assert!(verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
    }
    for given in ["-x=7", "2x=7", "x^2=7", "AB^2=7", "5=7", "0=7", "7=x", r"\{1,2\}=7"] {
        assert!(!verdict(given, "7", Profile::Lenient).correct, "{given}");
    }
}

#[test]
fn of_an_approximation_the_left_side_counts_unless_it_is_a_name() {
    for (gold, given) in [("7", r"7\approx 8"), ("8", r"x\approx 8"), ("8", r"\approx 8"), (r"\sqrt2", r"\sqrt2≈1.41")]
    {
        assert!(verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
    }
    assert!(!verdict(r"7\approx 8", "8", Profile::Lenient).correct);
}

#[test]
fn styles_around_formulas_mean_nothing() {
    for (gold, given) in [
        (r"\pi", r"\mathrm{\pi}"),
        (r"\frac{3}{5}", r"\text{\frac{3}{5}}"),
        (r"2\sqrt{3}", r"\mathbf{2\sqrt{3}}"),
        ("x", r"\mathrm x"),
        (r"\vec{a}", r"\vec a"),
        ("17π", "17π cm"),
        ("17π", r"17\pi\text{ cm}"),
        ("(3,5)", "（3，5）"),
        ("a^2+b^2=23", "a^2＋b^2＝23"),
    ] {
        assert!(verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
    }
    assert!(!verdict("a^2-b^2=23", "a^2＋b^2=23", Profile::Lenient).correct);
    assert!(!verdict("17", "17π m", Profile::Lenient).correct);
}

#[test]
fn a_text_after_a_text_is_a_part_of_the_answer() {
    for (gold, given) in [(r"\text{A}", r"\text{A}\text{B}"), (r"\text{yes}", r"\text{yes} \text{no}")] {
        assert!(!verdict(given, gold, Profile::Lenient).correct, "gold {gold}  given {given}");
        assert!(!verdict(gold, given, Profile::Lenient).correct, "gold {given}  given {gold}");
    }
    assert!(verdict(r"5\text{ cm}\text{ long}", "5", Profile::Lenient).correct);
    assert!(verdict(r"\text{Area}=5\text{ cm}^2", "5", Profile::Lenient).correct);
}

#[test]
fn the_hardest_honest_pairs_take_a_fifth_of_the_steps_at_most() {
    for (gold, given) in [
        ("(a+b)^5", "a^5+5a^4b+10a^3b^2+10a^2b^3+5ab^4+b^5"),
        ("(a+b+c)^3", "a^3+b^3+c^3+3a^2b+3ab^2+3a^2c+3ac^2+3b^2c+3bc^2+6abc"),
        ("(x+y)^{10}", "(x^2+2xy+y^2)^5"),
        (r"\sin(x+y)\sin(x-y)", r"\sin^2 x-\sin^2 y"),
        (r"\frac{\sin x+\sin y}{\cos x+\cos y}", r"\tan(\frac{x+y}{2})"),
        (r"\tan(x+y)", r"\frac{\tan x+\tan y}{1-\tan x\tan y}"),
        (r"\sqrt{2+\sqrt{2+\sqrt{2+\sqrt{2}}}}", r"2\cos(\frac{\pi}{32})"),
        (r"\sqrt[3]{2+\sqrt{5}}+\sqrt[3]{\sqrt{5}-2}", r"\sqrt{5}"),
        (r"\frac{1}{x-1}-\frac{1}{x+1}+\frac{1}{x+2}", r"\frac{x^2+2x+3}{(x-1)(x+1)(x+2)}"),
    ] {
        let verdict = verdict(given, gold, Profile::Lenient);
        assert!(verdict.correct && verdict.steps <= Limits::default().steps / 5, "{gold}: {verdict:?}");
    }
}
