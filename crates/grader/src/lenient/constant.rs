//! Values of constants, for benchmarks that compare rounded numbers.

use super::{parse, text};
use crate::algebra::{self, Arena};
use crate::{Budget, Limits};

/// The value of a constant written in LaTeX, as the nearest double. `None` if the text is no expression, holds a symbol, is not
/// real, or goes beyond a limit. Dollar signs and a box around it do not matter; units do.
#[must_use]
pub fn constant_value(latex: &str, limits: &Limits) -> Option<f64> {
    if latex.len() > limits.answer_bytes {
        return None;
    }
    let mut arena = Arena::new();
    let mut budget = Budget::new(limits);
    let value = parse::parse(&text::plain(latex), &mut arena, &mut budget).ok()??;
    let value = algebra::value(&mut arena, value.expression()?, &mut budget).ok()??;
    value.to_f64().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_has_a_value_and_nothing_else_has() {
        let value = |latex| constant_value(latex, &Limits::default());
        assert_eq!(value(r"$\boxed{\frac{3}{4}}$"), Some(0.75));
        assert_eq!(value(r"-2\frac{1}{2}"), Some(-2.5));
        assert_eq!(value(r"2\sqrt{9}+2^{3}"), Some(14.0));
        assert!((value(r"12\pi").unwrap() - 37.699_111_843_077_52).abs() < 1e-12);
        for latex in ["", "x", "5 cm", "3, 4", "x=3", r"\frac{1}{0}", r"\sqrt{-1}", "9^{9^{9^9}}", "parallelogram", "["]
        {
            assert_eq!(value(latex), None, "{latex}");
        }
        assert_eq!(value(&format!("{}1", " ".repeat(5000))), None);
    }
}
