//! LaTeX to text the way pylatexenc 2.10 does it: no parentheses around the parts of a fraction, unknown macros dropped, and
//! syntax errors tolerated.

mod environment;
mod macros;
mod signs;

use unicode_normalization_alignments::char::compose;

use self::macros::Rule;
use super::python::{is_alpha, is_space, trim};
use crate::{
    Refusal,
    budget::{Budget, cost},
};

/// The text of `latex`; `None` where the reference's conversion fails, as it does on a root without argument.
///
/// # Errors
/// A refusal, if groups nest too deeply or the text takes too many steps. (A macro whose arguments run into the end of the
/// text is read again without them, which doubles the work with every level.)
pub(crate) fn latex_text(latex: &str, budget: &mut Budget) -> Result<Option<String>, Refusal> {
    let mut reader = Reader { rest: latex, failed: false, budget };
    let mut out = String::with_capacity(latex.len());
    reader.nodes(&mut out, Until::End, false)?;
    Ok((!reader.failed).then_some(out))
}

/// What ends a run of nodes, besides the end of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until<'a> {
    End,
    Brace,
    Bracket,
    /// `\)` or `\]`.
    Math(&'a str),
    /// `\end{name}`.
    Environment(&'a str),
    /// `&`, `\\` or `\end{name}`.
    Cell(&'a str),
}

/// How a run of nodes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Column,
    Row,
    Last,
}

enum Token<'a> {
    End,
    Char(&'a str),
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// Delimiters of mathematics: `\(`, `\)`, `\[`, `\]`.
    Math(&'a str),
    Begin(&'a str),
    EndEnvironment(&'a str),
    /// The name, and the spaces that it swallows.
    Macro(&'a str, &'a str),
    /// An alignment tab, a tie or a ligature, and its text.
    Special(&'a str, &'static str),
}

const SPECIALS: [(&str, &str); 8] =
    [("&", "   "), ("~", "\u{a0}"), ("---", "—"), ("--", "–"), ("``", "“"), ("''", "”"), ("!`", "¡"), ("?`", "¿")];

struct Reader<'a, 'b> {
    rest: &'a str,
    failed: bool,
    budget: &'b mut Budget,
}

impl<'a> Reader<'a, '_> {
    /// Reads nodes up to and including `until`. In mathematics whitespace between constructs is no text.
    ///
    /// Tells how the run ended and whether there were any nodes, be it empty ones.
    fn nodes(&mut self, out: &mut String, until: Until<'a>, math: bool) -> Result<(Ended, bool), Refusal> {
        self.budget.enter()?;
        let mut any = false;
        // Where the run of plain characters at the end of `out` began.
        let mut run = out.len();
        // What a macro without arguments swallowed before the run: in mathematics characters after it bring it back.
        let mut swallowed = "";
        let ended = loop {
            self.budget.step(cost::TOKEN)?;
            let (space, token) = self.token(until == Until::Bracket, true);
            any |= !space.is_empty();
            if matches!(token, Token::End) && !self.rest.is_empty() {
                // A lone backslash takes the spaces before it along.
                self.rest = "";
                break Ended::Last;
            }
            if (!space.is_empty() || matches!(token, Token::Char(_))) && run == out.len() {
                out.push_str(swallowed);
                run = out.len();
            }
            out.push_str(space);
            if let Token::Char(text) = token {
                out.push_str(text);
                any = true;
                swallowed = "";
                continue;
            }
            if math && trim(&out[run..]).is_empty() {
                out.truncate(run);
            }
            swallowed = "";
            match token {
                Token::End => break Ended::Last,
                Token::Close if until == Until::Brace => break Ended::Last,
                Token::CloseBracket => break Ended::Last,
                Token::EndEnvironment(name) if [Until::Environment(name), Until::Cell(name)].contains(&until) => {
                    break Ended::Last;
                }
                Token::Math(delimiter) if until == Until::Math(delimiter) => break Ended::Last,
                Token::Special("&", _) if matches!(until, Until::Cell(_)) => break Ended::Column,
                Token::Macro(r"\", _) if matches!(until, Until::Cell(_)) => {
                    self.macro_text(&mut String::new(), r"\", math)?;
                    break Ended::Row;
                }
                // What closes nothing is no text.
                Token::Close | Token::EndEnvironment(_) | Token::Math(r"\)" | r"\]") => {
                    run = out.len();
                    continue;
                }
                _ => {}
            }
            any = true;
            match token {
                Token::Open => {
                    self.nodes(out, Until::Brace, math)?;
                }
                Token::OpenBracket => {
                    self.nodes(out, Until::Bracket, math)?;
                }
                Token::Math(r"\(") => {
                    let mut inside = String::new();
                    self.nodes(&mut inside, Until::Math(r"\)"), true)?;
                    out.push_str(trim(&inside));
                }
                Token::Math(_) => {
                    let mut inside = String::new();
                    self.nodes(&mut inside, Until::Math(r"\]"), true)?;
                    push_block(out, &inside);
                }
                Token::Begin(name) => self.environment(out, name, math)?,
                Token::Macro(name, spaces) => {
                    let bare = self.macro_text(out, name, math)?;
                    swallowed = if bare && math { spaces } else { "" };
                }
                Token::Special(_, text) => out.push_str(text),
                // All others ended the run, or the turn.
                _ => {}
            }
            run = out.len();
        };
        self.budget.leave();
        Ok((ended, any))
    }

    /// The text of a macro whose name has been read; true if it had no arguments.
    fn macro_text(&mut self, out: &mut String, name: &str, math: bool) -> Result<bool, Refusal> {
        self.budget.step(cost::MACRO)?;
        let (shape, rule) = macros::rule(name);
        let (after_name, failed) = (self.rest, self.failed);
        let Some(arguments) = self.arguments(shape, math)? else {
            (self.rest, self.failed) = (after_name, failed);
            self.render_bare(out, rule);
            return Ok(true);
        };
        if shape.is_empty() {
            self.render_bare(out, rule);
            return Ok(true);
        }
        self.budget.step(arguments.iter().flatten().map(String::len).sum::<usize>() / cost::BYTES)?;
        let required = |at: usize| arguments.get(at).and_then(Option::as_deref).unwrap_or_default();
        let last = required(arguments.len().saturating_sub(1));
        match rule {
            // What is not shown cannot fail either.
            Rule::Nothing => self.failed = failed,
            Rule::Sign(text) => out.push_str(text),
            Rule::Content => out.extend(arguments.iter().flatten().map(String::as_str)),
            Rule::Around(pieces) => pieces.iter().enumerate().for_each(|(at, piece)| out.extend([piece, required(at)])),
            Rule::Last(before, after) => out.extend([before, last, after]),
            Rule::Alphabet(alphabet) => out.extend(last.chars().map(|c| alphabet.letter(c))),
            Rule::Accent(combining) => {
                // An accent can double a text, and so can the next one around it.
                self.budget.step(cost::ACCENT * last.len())?;
                trim(last).chars().for_each(|c| push_accented(out, c, combining));
            }
        }
        Ok(false)
    }

    /// A macro without arguments, be it that it has none, that the text ended, or that it is an argument itself.
    fn render_bare(&mut self, out: &mut String, rule: Rule) {
        match rule {
            Rule::Sign(text) => out.push_str(text),
            Rule::Around(pieces) => out.push_str(&pieces.join("%s")),
            Rule::Accent(combining) => out.extend([' ', combining]),
            Rule::Last(..) => self.failed = true,
            Rule::Nothing | Rule::Content | Rule::Alphabet(_) => {}
        }
    }

    /// Texts of the arguments, absent optional ones as `None`; `None` if the text ended before they were complete.
    fn arguments(&mut self, shape: &str, math: bool) -> Result<Option<Vec<Option<String>>>, Refusal> {
        let mut found = Vec::new();
        for (at, kind) in shape.char_indices() {
            found.push(match kind {
                '{' => match self.argument(math)? {
                    Some(text) => Some(text),
                    None => return Ok(None),
                },
                '[' => {
                    // The optional argument of `\\` follows at once, so that a bracket on the next row is none.
                    let apart = shape.starts_with('*') && at == 1 && self.rest.starts_with(is_space);
                    if apart { None } else { self.optional_argument(math)? }
                }
                _ => {
                    let before = self.rest;
                    match self.token(false, true) {
                        (_, Token::End) => return Ok(None),
                        (_, Token::Char("*")) => Some("*".to_owned()),
                        _ => {
                            self.rest = before;
                            None
                        }
                    }
                }
            });
        }
        Ok(Some(found))
    }

    /// A braced group or the next token; `None` at the end of the text.
    fn argument(&mut self, math: bool) -> Result<Option<String>, Refusal> {
        self.budget.step(cost::ALLOCATION)?;
        let mut out = String::new();
        let before = self.rest;
        match self.token(false, false) {
            (space, _) if space.contains("\n\n") => {
                // Two newlines are a token of their own: a paragraph.
                let at = space.find("\n\n").unwrap_or_default();
                self.rest = &before[at + 2..];
                out.push_str("\n\n");
            }
            (_, Token::End) => return Ok(None),
            (_, Token::Char(text)) => out.push_str(text),
            (_, Token::Open) => {
                self.nodes(&mut out, Until::Brace, math)?;
            }
            (_, Token::Macro(name, _)) if name != "end" => {
                let (_, rule) = macros::rule(name);
                self.render_bare(&mut out, rule);
            }
            (_, Token::Special(_, text)) => out.push_str(text),
            (_, Token::Math(_)) => {}
            // A closing brace or `\end` is left where it is, and the argument is empty.
            _ => self.rest = before,
        }
        Ok(Some(out))
    }

    fn optional_argument(&mut self, math: bool) -> Result<Option<String>, Refusal> {
        let before = self.rest;
        if !matches!(self.token(true, false), (_, Token::OpenBracket)) {
            self.rest = before;
            return Ok(None);
        }
        let mut out = String::new();
        self.nodes(&mut out, Until::Bracket, math)?;
        Ok(Some(out))
    }

    /// The spaces before the next token and the token itself. At the end of the text nothing is consumed but spaces: what
    /// is left then is empty or a lone backslash.
    fn token(&mut self, brackets: bool, environments: bool) -> (&'a str, Token<'a>) {
        let space = self.take_while(is_space);
        let Some(c) = self.rest.chars().next() else { return (space, Token::End) };
        let token = match c {
            '\\' => self.control(environments),
            '{' => self.single(Token::Open),
            '}' => self.single(Token::Close),
            '[' if brackets => self.single(Token::OpenBracket),
            ']' if brackets => self.single(Token::CloseBracket),
            _ => match SPECIALS.iter().find(|(sign, _)| self.rest.starts_with(sign)) {
                Some((sign, text)) => {
                    self.rest = &self.rest[sign.len()..];
                    Token::Special(sign, text)
                }
                None => {
                    let (text, rest) = self.rest.split_at(c.len_utf8());
                    self.rest = rest;
                    Token::Char(text)
                }
            },
        };
        (space, token)
    }

    fn single(&mut self, token: Token<'a>) -> Token<'a> {
        self.rest = &self.rest[1..];
        token
    }

    /// A token that starts with the backslash at the front.
    fn control(&mut self, environments: bool) -> Token<'a> {
        let whole = self.rest;
        let Some(first) = whole[1..].chars().next() else { return Token::End };
        self.rest = &whole[1..];
        if !is_alpha(first) {
            let (name, rest) = self.rest.split_at(first.len_utf8());
            self.rest = rest;
            return if "()[]".contains(first) { Token::Math(&whole[..2]) } else { Token::Macro(name, "") };
        }
        let name = self.take_while(is_alpha);
        if environments && matches!(name, "begin" | "end") {
            return match environment::name(self.rest) {
                Some((environment, rest)) => {
                    self.rest = rest;
                    if name == "begin" { Token::Begin(environment) } else { Token::EndEnvironment(environment) }
                }
                None => Token::Char(&whole[..1 + name.len()]),
            };
        }
        let mut spaces = self.take_while(is_space);
        if let Some(paragraph) = spaces.find("\n\n") {
            // A paragraph stays.
            self.rest = &whole[1 + name.len() + paragraph..];
            spaces = &spaces[..paragraph];
        }
        Token::Macro(name, spaces)
    }

    fn take_while(&mut self, wanted: fn(char) -> bool) -> &'a str {
        let rest = self.rest.trim_start_matches(wanted);
        let taken = &self.rest[..self.rest.len() - rest.len()];
        self.rest = rest;
        taken
    }
}

/// Displayed mathematics: lines of its own, indented.
fn push_block(out: &mut String, inside: &str) {
    out.push_str("\n    ");
    out.push_str(&trim(inside).replace('\n', "\n    "));
    out.push('\n');
}

/// One character where Unicode has it, so that `\hat{i}` is a letter as `î` is.
fn push_accented(out: &mut String, c: char, combining: char) {
    // Dotless letters get their dot back under an accent.
    let c = match c {
        'ı' => 'i',
        'ȷ' => 'j',
        _ => c,
    };
    match compose(c, combining) {
        Some(composed) => out.push(composed),
        None => out.extend([c, combining]),
    }
}

#[cfg(test)]
mod tests;
