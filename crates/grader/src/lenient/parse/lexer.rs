//! Tokens of a cleaned answer.

use super::Stop;
use super::macros::{self, Meaning};
use super::token::{Bracket, Token, TokenKind};
use crate::algebra::Func;
use crate::lenient::text::balanced;
use crate::lenient::value::Relation;
use crate::{Budget, budget::cost};

/// Splits the text; [`Stop::Syntax`] at the first character that means nothing here.
pub(super) fn tokens<'a>(text: &'a str, budget: &mut Budget) -> Result<Vec<Token<'a>>, Stop> {
    budget.step(1 + text.len() / 8)?;
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), brackets: Vec::new(), single_digits: 0 };
    while lexer.at < text.len() {
        budget.step(if text.as_bytes()[lexer.at] == b'\\' { cost::MACRO } else { cost::TOKEN })?;
        lexer.next()?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
    /// For each open bracket, the `single_digits` to come back to.
    brackets: Vec<u8>,
    /// How many arguments the last macro still takes: without braces each is one digit, so `\frac12` is a half.
    single_digits: u8,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Result<(), Stop> {
        let rest = &self.text[self.at..];
        let Some(c) = rest.chars().next() else { return Ok(()) };
        if c.is_whitespace() {
            self.at += c.len_utf8();
            return Ok(());
        }
        if c.is_ascii_digit() || c == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit()) {
            return self.number(rest);
        }
        if c == '\\' {
            return self.escaped(&rest[1..]);
        }
        let (kind, len) = operator(rest).or_else(|| differential(rest)).or_else(|| letter(c)).ok_or(Stop::Syntax)?;
        self.push(kind, len);
        Ok(())
    }

    /// Adds the token of the next `len` bytes.
    fn push(&mut self, kind: TokenKind<'a>, len: usize) {
        match kind {
            TokenKind::Open(_) => self.brackets.push(std::mem::take(&mut self.single_digits)),
            TokenKind::Close(_) => self.single_digits = self.brackets.pop().unwrap_or(0).saturating_sub(1),
            TokenKind::Frac | TokenKind::Binom => self.single_digits = 2,
            // People who leave the braces out mean all digits: `\sqrt 32`.
            TokenKind::Sqrt => {}
            TokenKind::Underscore if matches!(self.last(), Some(TokenKind::Func(Func::Log))) => self.single_digits = 1,
            _ => self.single_digits = self.single_digits.saturating_sub(1),
        }
        self.tokens.push(Token { kind, start: self.at, end: self.at + len });
        self.at += len;
    }

    fn last(&self) -> Option<&TokenKind<'a>> {
        self.tokens.last().map(|token| &token.kind)
    }

    fn number(&mut self, rest: &'a str) -> Result<(), Stop> {
        if self.single_digits > 0 {
            self.push(TokenKind::Integer(rest[..1].to_owned()), 1);
            return Ok(());
        }
        // `7,250` is a number, but two items in a bracket or after another item.
        let in_list = !self.brackets.is_empty() || matches!(self.last(), Some(TokenKind::Comma));
        let whole = if in_list { digits(rest) } else { grouped_digits(rest) };
        let fraction = match rest[whole..].strip_prefix('.') {
            Some(after) if whole == 0 || digits(after) > 0 => 1 + digits(after),
            _ => 0,
        };
        let exponent = exponent(&rest[whole + fraction..]);
        let len = whole + fraction + exponent;
        let value = rest[..len].replace(',', "");
        let kind = if len == whole { TokenKind::Integer(value) } else { TokenKind::Decimal(value) };
        self.push(kind, len);
        Ok(())
    }

    fn escaped(&mut self, after: &'a str) -> Result<(), Stop> {
        let name_len = after.bytes().take_while(u8::is_ascii_alphabetic).count();
        if name_len == 0 {
            let kind = match after.bytes().next() {
                Some(b'{') => TokenKind::Open(Bracket::Set),
                Some(b'}') => TokenKind::Close(Bracket::Set),
                Some(b'(') => TokenKind::Open(Bracket::Round),
                Some(b')') => TokenKind::Close(Bracket::Round),
                Some(b'%') => TokenKind::Percent,
                Some(b'\\') => TokenKind::RowBreak,
                _ => return Err(Stop::Syntax),
            };
            self.push(kind, 2);
            return Ok(());
        }
        // Answers lose their spaces on the way: `\pir` is `\pi r`.
        let (name, meaning) = macros::longest(&after[..name_len]).ok_or(Stop::Syntax)?;
        let rest = &after[name.len()..];
        let len = 1 + name.len();
        match meaning {
            Meaning::Is(kind) => self.push(kind.clone(), len),
            Meaning::Symbol => self.push(TokenKind::Symbol(macros::symbol(name)), len),
            Meaning::Text | Meaning::Accent(_) | Meaning::Begin | Meaning::End => {
                let (inside, width) = argument(rest)?;
                let kind = match meaning {
                    Meaning::Text => text(inside),
                    Meaning::Accent(accent) => TokenKind::Symbol(format!("{accent}({})", squeezed(inside))),
                    Meaning::Begin => TokenKind::Begin(inside),
                    _ => TokenKind::End(inside),
                };
                self.push(kind, len + width);
            }
            Meaning::Unsupported => return Err(Stop::Syntax),
        }
        Ok(())
    }
}

/// The `{…}` or else the one letter at the start, and its length with what precedes it.
fn argument(rest: &str) -> Result<(&str, usize), Stop> {
    let open = rest.len() - rest.trim_start().len() + 1;
    let letter = rest.trim_start();
    if letter.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Ok((&letter[..1], open));
    }
    let inside = letter.strip_prefix('{').ok_or(Stop::Syntax)?;
    let end = balanced(inside);
    if inside[end..].is_empty() { Err(Stop::Syntax) } else { Ok((&inside[..end], open + end + 1)) }
}

/// A function, or else a word that is one symbol: `\text{(A)}` is the letter.
fn text<'a>(inside: &str) -> TokenKind<'a> {
    let name = squeezed(inside).replace(['(', ')'], "");
    macros::operator_named(&name).unwrap_or(TokenKind::Symbol(name))
}

/// Lowercase and without spaces, so that styles and spacing do not tell names apart.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The length of `1,234,567`, or of the digits alone where the groups are not of three.
fn grouped_digits(text: &str) -> usize {
    let first = digits(text);
    let mut len = first;
    while let Some(group) = text[len..].strip_prefix(',') {
        match digits(group) {
            3 => len += 4,
            0 => break,
            _ => return first,
        }
    }
    if first <= 3 { len } else { first }
}

/// The length of an exponent such as `E-3`. A small `e` is Euler's number.
fn exponent(text: &str) -> usize {
    let Some(after) = text.strip_prefix('E') else { return 0 };
    let sign = usize::from(after.starts_with(['+', '-']));
    match digits(&after[sign..]) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

/// `dx` is one symbol, as in math-verify: `7dba` is not `7abd`.
fn differential<'a>(rest: &str) -> Option<(TokenKind<'a>, usize)> {
    let after = rest.strip_prefix('d')?;
    let letter = after.trim_start_matches(' ').chars().next().filter(char::is_ascii_alphabetic)?;
    let len = rest.len() - after.trim_start_matches(' ').len() + 1;
    Some((TokenKind::Symbol(format!("d{}", letter.to_ascii_lowercase())), len))
}

fn letter<'a>(c: char) -> Option<(TokenKind<'a>, usize)> {
    let kind = match c {
        'e' | 'E' => TokenKind::Euler,
        'i' | 'I' => TokenKind::Imaginary,
        'π' => TokenKind::Pi,
        '∞' => TokenKind::Infinity,
        _ if c.is_ascii_alphabetic() => TokenKind::Symbol(c.to_ascii_lowercase().to_string()),
        _ => TokenKind::Symbol(macros::symbol(macros::greek(c)?)),
    };
    Some((kind, c.len_utf8()))
}

/// Signs of one or two characters, with their length.
fn operator<'a>(rest: &str) -> Option<(TokenKind<'a>, usize)> {
    use TokenKind as T;
    let two: [(&str, T<'a>); 5] = [
        ("**", T::DoubleStar),
        ("<=", T::Relation(Relation::Le)),
        (">=", T::Relation(Relation::Ge)),
        ("!=", T::Relation(Relation::Ne)),
        ("==", T::Relation(Relation::Eq)),
    ];
    if let Some((sign, kind)) = two.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
        return Some((kind, sign.len()));
    }
    let c = rest.chars().next()?;
    let kind = match c {
        '+' | '＋' => T::Plus,
        '-' | '−' | '－' => T::Minus,
        '±' | '∓' => T::PlusMinus,
        '*' | '×' | '⋅' | '·' | '∗' => T::Times,
        '/' | '÷' | ':' | '：' => T::Divide,
        '^' => T::Caret,
        '_' => T::Underscore,
        '!' => T::Bang,
        '%' => T::Percent,
        '°' => T::Degree,
        ',' | '，' => T::Comma,
        ';' | '；' => T::Semicolon,
        '&' => T::Ampersand,
        '|' => T::Bar,
        '=' | '＝' | '≡' => T::Relation(Relation::Eq),
        '<' => T::Relation(Relation::Lt),
        '>' => T::Relation(Relation::Gt),
        '≤' => T::Relation(Relation::Le),
        '≥' => T::Relation(Relation::Ge),
        '≠' => T::Relation(Relation::Ne),
        '∈' => T::Relation(Relation::Eq),
        '≈' => T::Approx,
        '∪' => T::Union,
        '∩' => T::Intersection,
        '∖' => T::Difference,
        '∅' => T::EmptySet,
        '(' | '（' => T::Open(Bracket::Round),
        ')' | '）' => T::Close(Bracket::Round),
        '[' => T::Open(Bracket::Square),
        ']' => T::Close(Bracket::Square),
        '{' => T::Open(Bracket::Group),
        '}' => T::Close(Bracket::Group),
        _ => return None,
    };
    Some((kind, c.len_utf8()))
}
