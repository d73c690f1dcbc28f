//! Answers in running text, for responses that need no box.

mod formulas;
mod numbers;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::{parse, text};
use crate::algebra::Arena;
use crate::{Budget, Limits, extract_boxed};

/// Candidates that are tried before a text counts as holding no answer.
const ATTEMPTS: usize = 32;
/// How far from the word "answer" its value may begin, in bytes.
const REACH: usize = 50;
/// How many bytes may stand between "final answer" and "is".
const FINAL_REACH: usize = 100;

/// A piece of text that may be an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span<'a> {
    /// With its delimiters.
    start: usize,
    end: usize,
    /// Without them.
    inside: &'a str,
}

/// The answer in a response: the content of its last box, else the formula or number that is most likely meant.
///
/// In this order, the last one that can be read as a value: after "final answer is" and before "I hope"; after "final answer … is";
/// the first after "answer:"; the first after "answer"; anywhere. Only the last MiB of `response` is searched.
///
/// ```
/// use coldstart_grader::{Limits, extract_answer};
///
/// let limits = Limits::default();
/// assert_eq!(extract_answer(r"3 of 4, so the answer is $\frac{3}{4}$ of 12.", &limits), Some(r"\frac{3}{4}"));
/// assert_eq!(extract_answer("I cannot tell.", &limits), None);
/// ```
#[must_use]
pub fn extract_answer<'a>(response: &'a str, limits: &Limits) -> Option<&'a str> {
    if let Some(answer) = extract_boxed(response) {
        return Some(answer);
    }
    let text = crate::extract::scanned(response);
    let spans = spans(text);
    let anchors = anchors(text);
    let starts: BTreeSet<usize> = spans.iter().map(|span| span.start).collect();
    let mut ranked: Vec<(u8, &Span<'a>)> = Vec::with_capacity(spans.len());
    ranked.extend(spans.iter().rev().map(|span| (rank(text, &anchors, &starts, span), span)));
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.iter().take(ATTEMPTS).map(|(_, span)| span.inside).find(|inside| {
        inside.len() <= limits.answer_bytes && {
            let parsed = parse::parse(&text::clean(inside), &mut Arena::new(), &mut Budget::new(limits));
            matches!(parsed, Ok(Some(_)))
        }
    })
}

/// All candidates by where they end.
fn spans(text: &str) -> Vec<Span<'_>> {
    let mut spans = formulas::find(text);
    spans.extend(numbers::find(text));
    spans.sort_by_key(|span| (span.end, Reverse(span.start)));
    spans
}

/// Where the word "answer" ends, in any case.
fn anchors(text: &str) -> Vec<usize> {
    const WORD: &[u8] = b"answer";
    let windows = text.as_bytes().windows(WORD.len()).enumerate();
    windows.filter(|(_, window)| window.eq_ignore_ascii_case(WORD)).map(|(at, _)| at + WORD.len()).collect()
}

/// How likely the span is meant as the answer; 0 is best.
fn rank(text: &str, anchors: &[usize], starts: &BTreeSet<usize>, span: &Span<'_>) -> u8 {
    let before = &anchors[..anchors.partition_point(|anchor| *anchor <= span.start)];
    let Some(anchor) = before.last().copied() else { return 4 };
    let between = &text[anchor..span.start];
    let is_final =
        text[..anchor].len() >= 12 && text.as_bytes()[anchor - 12..anchor].eq_ignore_ascii_case(b"final answer");
    let leads_in = between.trim_end().trim_end_matches(':').strip_suffix("is");
    if let Some(filler) =
        leads_in.filter(|filler| is_final && filler.ends_with(char::is_whitespace) && filler.len() <= FINAL_REACH)
    {
        let after = text[span.end..].trim_start_matches('.').trim_start();
        return if filler.trim().is_empty() && after.starts_with("I hope") { 0 } else { 1 };
    }
    let is_first = starts.range(anchor..span.start).next().is_none();
    match between.strip_prefix(':') {
        _ if between.len() > REACH || !is_first => 4,
        Some(_) => 2,
        None => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(response: &str) -> Option<&str> {
        extract_answer(response, &Limits::default())
    }

    #[test]
    fn a_box_comes_before_everything() {
        assert_eq!(answer(r"The final answer is $3$. I hope. \boxed{4}, not $5$"), Some("4"));
    }

    #[test]
    fn a_more_explicit_phrase_comes_before_a_later_one() {
        assert_eq!(
            answer(r"The final answer is $3$. I hope it is correct. The final answer to all is $4$."),
            Some("3")
        );
        assert_eq!(answer("The final answer to this is 4. Answer: 5"), Some("4"));
        assert_eq!(answer("Answer: 5. Another answer was 6, or 7."), Some("5"));
        assert_eq!(
            answer("The answer is 6. That took 20 minutes, which is long, and we have used 12 formulas."),
            Some("6")
        );
        assert_eq!(answer("First 3, then 4."), Some("4"));
    }

    #[test]
    fn formulas_fractions_and_expressions_are_candidates() {
        assert_eq!(answer(r"so \[ x = 5 \] holds"), Some(" x = 5 "));
        assert_eq!(answer(r"so \(7\pi\) holds"), Some(r"7\pi"));
        assert_eq!(answer(r"which makes \frac{3}{4} of it"), Some(r"\frac{3}{4}"));
        assert_eq!(answer("that makes 3 * (4 + 5)."), Some("3 * (4 + 5)"));
        assert_eq!(answer("that makes 1,250.50 euros"), Some("1,250.50"));
        assert_eq!(answer("that makes 40 percent of it"), Some("40 percent"));
    }

    #[test]
    fn what_is_no_value_is_passed_over() {
        assert_eq!(answer(r"it is 5 or $\frac{$"), Some("5"));
        assert_eq!(answer("model XY2K"), None);
    }

    #[test]
    fn a_mebibyte_of_openings_takes_no_quadratic_time() {
        // Tens of milliseconds each; a quadratic scan takes minutes.
        for opening in ["\\(", "\\[", "$$", "$ ", "answer:", "(1", "1 ", "\\frac{", "1,", "final answer is 1 "] {
            let text = opening.repeat((1 << 20) / opening.len());
            answer(&text);
        }
    }
}
