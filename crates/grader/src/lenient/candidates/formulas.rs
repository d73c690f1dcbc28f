//! Formulas between their delimiters.

use super::Span;

/// Finds `$…$`, `$$…$$`, `\(…\)` and `\[…\]`, from left to right without overlap. `$…$` and `\(…\)` stay on one line.
pub(super) fn find(text: &str) -> Vec<Span<'_>> {
    let mut ahead = Ahead { text, found: [None; 5] };
    let mut spans = Vec::new();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < text.len() {
        let (open, close, one_line) = match (bytes[at], bytes.get(at + 1)) {
            (b'\\', Some(b'(')) => (2, Close::Round, true),
            (b'\\', Some(b'[')) => (2, Close::Square, false),
            (b'$', Some(b'$')) => (2, Close::Dollars, false),
            // `5$` is a price.
            (b'$', _) if at == 0 || !bytes[at - 1].is_ascii_digit() => (1, Close::Dollar, true),
            // The next byte is escaped, whatever it is.
            (b'\\', _) => {
                at += 2;
                continue;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        let inside = at + open;
        let end = ahead.next(close, inside);
        let ends_in_line =
            end.is_some_and(|end| !one_line || ahead.next(Close::Line, inside).is_none_or(|line| end < line));
        match end.filter(|end| ends_in_line && *end > inside) {
            Some(end) => {
                let after = end + close.text().len();
                spans.push(Span { start: at, end: after, inside: &text[inside..end] });
                at = after;
            }
            None => at = inside,
        }
    }
    spans
}

#[derive(Clone, Copy)]
enum Close {
    Round,
    Square,
    Dollars,
    Dollar,
    Line,
}

impl Close {
    fn text(self) -> &'static str {
        match self {
            Self::Round => "\\)",
            Self::Square => "\\]",
            Self::Dollars => "$$",
            Self::Dollar => "$",
            Self::Line => "\n",
        }
    }
}

/// Where each delimiter comes next. Positions only grow, so that every delimiter is searched for once through the text.
struct Ahead<'a> {
    text: &'a str,
    /// By delimiter; the length of the text if there is none left.
    found: [Option<usize>; 5],
}

impl Ahead<'_> {
    fn next(&mut self, close: Close, from: usize) -> Option<usize> {
        let known = &mut self.found[close as usize];
        let at = match *known {
            Some(at) if at >= from => at,
            _ => self.text[from..].find(close.text()).map_or(self.text.len(), |at| from + at),
        };
        *known = Some(at);
        (at < self.text.len()).then_some(at)
    }
}
