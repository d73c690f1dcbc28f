//! Finds the answer in a response. Linear scans without recursion or regular expressions, so any response is cheap.

use crate::mathruler::python::trim;

/// Bytes of a response that are searched, counted from its end: a box before them is a box nobody reads.
const SCANNED_BYTES: usize = 1 << 20;

/// The last [`SCANNED_BYTES`] of `text`, cut at a character boundary.
pub(crate) fn scanned(text: &str) -> &str {
    let mut start = text.len().saturating_sub(SCANNED_BYTES);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// The trimmed content of the **last** `\boxed{…}`; `None` if there is none or it never closes.
///
/// Braces count `{` +1 and `}` −1, escaped ones included. An unclosed last box is not replaced by an earlier one, and of
/// nested boxes the inner one counts. Only the last MiB of `text` is searched.
///
/// ```
/// use coldstart_grader::extract_boxed;
///
/// assert_eq!(extract_boxed(r"\boxed{1}, no: \boxed{ \frac{1}{2} }"), Some(r"\frac{1}{2}"));
/// assert_eq!(extract_boxed(r"\boxed{1}, no: \boxed{2"), None);
/// ```
#[must_use]
pub fn extract_boxed(text: &str) -> Option<&str> {
    const MARKER: &str = r"\boxed{";
    let text = scanned(text);
    let inside = &text[text.rfind(MARKER)? + MARKER.len()..];
    let mut depth = 1_usize;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(trim(&inside[..at]));
        }
    }
    None
}

/// The trimmed text of the first `<answer>…</answer>` that stands on one line; without one the whole trimmed response.
#[must_use]
pub fn answer_tag(text: &str) -> &str {
    const OPEN: &str = "<answer>";
    for line in text.split('\n') {
        // The first closing tag behind the first opening one: a later opening tag could only give a shorter match.
        if let Some(open) = line.find(OPEN) {
            let inside = &line[open + OPEN.len()..];
            if let Some(close) = inside.find("</answer>") {
                return trim(&inside[..close]);
            }
        }
    }
    trim(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_count_escaped_ones_included() {
        assert_eq!(extract_boxed(r"\boxed{\{1,2\}} }"), Some(r"\{1,2\}"));
        assert_eq!(extract_boxed(r"\boxed{\{1,2}"), None);
        assert_eq!(extract_boxed(r"\boxed{\boxed{7}}"), Some("7"));
        assert_eq!(extract_boxed(r"\boxed{}"), Some(""));
        assert_eq!(extract_boxed(r"\boxed {7} \fbox{8}"), None);
    }

    #[test]
    fn only_the_last_mebibyte_is_searched() {
        let early = format!(r"\boxed{{1}}{}", "é".repeat(SCANNED_BYTES));
        assert_eq!(extract_boxed(&early), None);
        let late = format!("{}x{}", "é".repeat(SCANNED_BYTES), r"\boxed{2}");
        assert_eq!(extract_boxed(&late), Some("2"));
        // The cut falls into the first character of the last mebibyte.
        assert_eq!(scanned(&format!("é{}", "x".repeat(SCANNED_BYTES - 1))).len(), SCANNED_BYTES - 1);
    }

    #[test]
    fn the_answer_tag_is_the_first_on_one_line() {
        assert_eq!(answer_tag("<answer> 1 </answer><answer>2</answer>"), "1");
        assert_eq!(answer_tag("<answer>1\n</answer> <answer>2</answer>"), "2");
        assert_eq!(answer_tag("a<answer>b<answer>c</answer>"), "b<answer>c");
        assert_eq!(answer_tag(" 5 "), "5");
        assert_eq!(answer_tag("</answer><answer>"), "</answer><answer>");
    }
}
