use super::*;
use crate::Limits;

fn text(latex: &str) -> Option<String> {
    latex_text(latex, &mut Budget::new(&Limits::default())).unwrap()
}

/// Pairs of LaTeX and the text that pylatexenc 2.10 makes of it.
fn check(cases: &[(&str, &str)]) {
    for (latex, expected) in cases {
        assert_eq!(text(latex).as_deref(), Some(*expected), "{latex}");
    }
}

#[test]
fn a_fraction_has_no_parentheses_and_a_root_loses_its_degree() {
    check(&[
        (r"\frac{a-3}{4}", "a-3/4"),
        (r"\frac12", "1/2"),
        (r"\frac\pi2", "π/2"),
        (r"\sqrt[3]{27}", "√(27)"),
        (r"\sqrt2", "√(2)"),
        (r"\sqrt[n[2]]{x}", "√(x)"),
    ]);
}

#[test]
fn unknown_macros_go_and_their_arguments_stay() {
    check(&[
        (r"\binom{6}{2}", "62"),
        (r"\operatorname{lcm} x", "lcm x"),
        (r"\boxed{7}", "7"),
        (r"\foo bar", "bar"),
        (r"\left(\big[x\right)", "([x)"),
    ]);
}

#[test]
fn known_macros_become_signs_letters_or_nothing() {
    check(&[
        (r"\pi r", "πr"),
        (r"8\cdot\infty\,x\quad y", "8·∞ x  y"),
        (r"\mathbf{D}\mathbb{R}3", "𝐃ℝ3"),
        (r"\mbox{\sqrt}\hspace*{2cm}x", "x"),
        (r"\text{ kg}\textcolor{red}{5}", " kg5"),
        (r"\hat{x}\hat{\i}\vec{v}", "x\u{302}îv\u{20d7}"),
        (r"\bar{ab}\hat", "a\u{305}b\u{305} \u{302}"),
        (r"\overline{6}", "6"),
        (r"\{3,9\}", "{3,9}"),
        (r"\varnothing", "∅"),
        (r"\braket{a}{b}\ket{c}", "⟨a|b⟩|c⟩"),
        (r"\overgroup{6}\bra", "6⟨%s|"),
        (r"\begin{alignat}{2}x\end{alignat}", "x"),
    ]);
}

#[test]
fn ligatures_ties_and_line_breaks_have_their_text() {
    check(&[
        ("a--b", "a–b"),
        ("a~b", "a\u{a0}b"),
        ("f''", "f”"),
        (r"a\\[2mm]b", "a\nb"),
        (r"a\\ [2]b", "a\n [2]b"),
        (r"a\\* b", "a\n b"),
    ]);
}

#[test]
fn matrices_are_rows_of_cells_and_other_environments_their_content() {
    check(&[
        (r"\begin{pmatrix} 1 & 20 \\ 3 & 4 \end{pmatrix}", "[ 1 20; 3 4 ]"),
        (r"\begin{array}{cc} 1 & \\ 2 \end{array}", "[ 1 ; 2 ]"),
        (r"\begin{cases}x & 1\\y\end{cases}", "x     1\ny"),
        (r"\begin{align}x=5\end{align}", "\n    x=5\n"),
        (r"\begin{vmatrix}a", "a"),
    ]);
    assert_eq!(text(r"\begin{pmatrix}\end{pmatrix}"), None);
    assert_eq!(text(r"\begin{array}"), None);
}

#[test]
fn in_mathematics_spaces_between_constructs_go_and_swallowed_ones_return() {
    check(&[
        (r"\( {3} {4} \)", "34"),
        (r"{3} {4}", "3 4"),
        (r"\(3\foo 4\)", "3 4"),
        (r"3\foo 4", "34"),
        (r"\[ x \]", "\n    x\n"),
    ]);
}

#[test]
fn syntax_errors_are_tolerated() {
    check(&[
        ("}a}b", "ab"),
        ("{a{b", "ab"),
        (r"a \", "a"),
        (r"a\)b\end{x}c", "abc"),
        (r"\begin x", r"\begin x"),
        (r"\frac{1}", "%s/%s1"),
        (r"\frac{}{2}", "/2"),
        (r"{\frac}2", "/2"),
        (r"\begin{a_b*}x\end{a_b*}y", "xy"),
        (r"\begin{a+b}x", r"\begina+bx"),
        (r"\begin{tabular}{c}x", "x"),
        (r"\frac\(x", "/x"),
        (r"\frac~2", "\u{a0}/2"),
        (r"\frac\end2", "/\\end2"),
        (r"\hspace*", "*"),
        ("\\foo\n\nx", "\n\nx"),
        ("\\frac\n\n1", "\n\n/1"),
    ]);
}

#[test]
fn a_root_without_argument_fails_where_it_would_show() {
    assert_eq!(text(r"2\sqrt"), None);
    assert_eq!(text(r"\frac{1}\sqrt{2}"), None);
    assert_eq!(text(r"{\sqrt}"), Some("√()".to_owned()));
    assert_eq!(text(r"\mbox{\frac{1}\sqrt{2}}3"), Some("3".to_owned()));
}

#[test]
fn depth_and_work_are_bounded() {
    let refusal = |latex: &str| latex_text(latex, &mut Budget::new(&Limits::default())).err();
    assert_eq!(refusal(&"{".repeat(70)), Some(Refusal::Size));
    // Every level is read twice, because the second argument is missing.
    assert_eq!(refusal(&r"\frac{".repeat(60)), Some(Refusal::Steps));
}
