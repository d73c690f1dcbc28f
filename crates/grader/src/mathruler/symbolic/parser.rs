//! Reads an expression the way SymPy's parser does with implicit multiplication.

use super::lexer::{Token, token};
use crate::algebra::{Arena, Func, Id};
use crate::{Refusal, budget::Budget};

/// Names of at most two distinct letters that mean something else to the reference: keywords, other functions, infinities.
const RESERVED: [&str; 24] = [
    "all", "as", "csc", "eye", "ff", "fft", "frac", "fu", "gff", "hn1", "hn2", "id", "if", "in", "is", "jn", "li",
    "nan", "ntt", "oo", "or", "rf", "yn", "zoo",
];

/// An expression in an arena.
pub(super) struct Parsed {
    pub id: Id,
    /// Whether it holds a decimal literal.
    pub decimals: bool,
}

/// `None` if `text` is no expression.
///
/// ```text
/// sum      = product (("+" | "-") product)*
/// product  = signed (("*" | "/") signed | power)*     what is only written side by side has the rank of "*"
/// signed   = ("+" | "-")* power
/// power    = atom "!"* ("**" signed)?
/// atom     = number | name | letter | function "(" sum ")" | "(" sum ")"
/// ```
///
/// A run of letters and digits that is no name is cut into letters and numbers **side by side**: `xy^2` is x·y². Only a
/// factorial takes the whole run.
pub(super) fn parse(text: &str, arena: &mut Arena, budget: &mut Budget) -> Result<Option<Parsed>, Refusal> {
    let mut parser = Parser { rest: text, run: 0, newline: false, arena, budget, decimals: 0, unknowns: 0 };
    match parser.sum() {
        // The sum ended where a token was looked for, so that no whitespace is left.
        Ok(id) if parser.rest.is_empty() => Ok(Some(Parsed { id, decimals: parser.decimals > 0 })),
        Ok(_) | Err(Stop::Malformed) => Ok(None),
        Err(Stop::Refused(refusal)) => Err(refusal),
    }
}

enum Stop {
    Malformed,
    Refused(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

struct Parser<'a, 'b> {
    rest: &'a str,
    /// Bytes of a run at the front of `rest` that is being cut.
    run: usize,
    /// Whether a line ended before the token at the front.
    newline: bool,
    arena: &'b mut Arena,
    budget: &'b mut Budget,
    /// How many decimal literals, and how many symbols and `pi`, have been read.
    decimals: u32,
    unknowns: u32,
}

impl<'a> Parser<'a, '_> {
    fn sum(&mut self) -> Result<Id, Stop> {
        // A level of the text is one of these; a stray `Err` need not leave, because the whole parse ends with it.
        self.budget.enter()?;
        let mut terms = vec![self.product()?];
        loop {
            let negative = match self.peek()? {
                Some(Token::Sign('+')) => false,
                Some(Token::Sign('-')) => true,
                _ => break,
            };
            self.advance(1);
            let term = self.product()?;
            terms.push(if negative { self.arena.neg(term, self.budget)? } else { term });
        }
        self.budget.leave();
        Ok(self.arena.add(terms, self.budget)?)
    }

    fn product(&mut self) -> Result<Id, Stop> {
        let mut factors = vec![self.signed()?];
        loop {
            match self.peek()? {
                Some(Token::Sign('*')) => {
                    self.advance(1);
                    factors.push(self.signed()?);
                }
                Some(Token::Sign('/')) => {
                    self.advance(1);
                    let divisor = self.signed()?;
                    let minus_one = self.arena.number(crate::algebra::Rational::MINUS_ONE, self.budget)?;
                    factors.push(self.arena.pow(divisor, minus_one, self.budget)?);
                }
                Some(Token::Integer(_) | Token::Decimal(_) | Token::Name(_) | Token::Sign('(')) => {
                    // Factors on two lines are not side by side.
                    if self.newline {
                        return Err(Stop::Malformed);
                    }
                    factors.push(self.power()?);
                }
                _ => return Ok(self.arena.mul(factors, self.budget)?),
            }
        }
    }

    fn signed(&mut self) -> Result<Id, Stop> {
        let mut negative = false;
        while let Some(Token::Sign(sign @ ('+' | '-'))) = self.peek()? {
            self.advance(1);
            negative ^= sign == '-';
        }
        let power = self.power()?;
        Ok(if negative { self.arena.neg(power, self.budget)? } else { power })
    }

    fn power(&mut self) -> Result<Id, Stop> {
        let unknowns = self.unknowns;
        let mut base = self.atom()?;
        while self.peek()? == Some(Token::Sign('!')) {
            self.advance(1);
            base = self.arena.call(Func::Factorial, vec![base], self.budget)?;
        }
        if self.peek()? != Some(Token::Power) {
            return Ok(base);
        }
        self.advance(if self.rest.starts_with('^') { 1 } else { 2 });
        let decimals = self.decimals;
        self.budget.enter()?;
        let mut exponent = self.signed()?;
        self.budget.leave();
        if self.unknowns > unknowns && self.decimals > decimals {
            // To the reference, exponents with decimals are of another kind: `x^0.5` is not `sqrt(x)`, nor `x^2.0` `x^2`. A
            // factor that no text can hold keeps them apart.
            let kind = self.arena.symbol(".", self.budget)?;
            exponent = self.arena.mul(vec![exponent, kind], self.budget)?;
        }
        Ok(self.arena.pow(base, exponent, self.budget)?)
    }

    fn atom(&mut self) -> Result<Id, Stop> {
        let Some(token) = self.peek()? else { return Err(Stop::Malformed) };
        match token {
            Token::Integer(digits) => {
                self.advance(digits.len());
                self.arena.integer(digits, self.budget)?.ok_or(Stop::Malformed)
            }
            Token::Decimal(text) => {
                self.advance(text.len());
                self.decimals += 1;
                self.arena.decimal(text, self.budget)?.ok_or(Stop::Malformed)
            }
            Token::Name(letter) if self.run > 0 => {
                self.advance(letter.len());
                self.letter(letter)
            }
            Token::Name(name) => self.name(name),
            Token::Sign('(') => self.group(),
            Token::Sign(_) | Token::Power => Err(Stop::Malformed),
        }
    }

    fn group(&mut self) -> Result<Id, Stop> {
        self.advance(1);
        let inside = self.sum()?;
        if self.peek()? != Some(Token::Sign(')')) {
            return Err(Stop::Malformed);
        }
        self.advance(1);
        Ok(inside)
    }

    /// A constant, a function call, a symbol, or a run to be cut.
    fn name(&mut self, name: &'a str) -> Result<Id, Stop> {
        let function = match name {
            "sqrt" => Func::Sqrt,
            "ln" => Func::Ln,
            "re" => Func::Re,
            "im" => Func::Im,
            _ if RESERVED.contains(&name) => return Err(Stop::Malformed),
            "pi" => {
                self.advance(name.len());
                self.unknowns += 1;
                return Ok(self.arena.pi(self.budget)?);
            }
            _ if matches!(name, "mu" | "nu" | "xi") || name.contains('_') => {
                self.advance(name.len());
                return self.symbol(name);
            }
            _ => return self.run(name),
        };
        self.advance(name.len());
        if self.peek()? != Some(Token::Sign('(')) {
            return Err(Stop::Malformed);
        }
        let argument = self.group()?;
        Ok(self.arena.call(function, vec![argument], self.budget)?)
    }

    /// The first part of a run; all of it before a factorial.
    fn run(&mut self, run: &'a str) -> Result<Id, Stop> {
        let whole = self.rest[run.len()..].starts_with('!');
        self.run = run.len();
        let mut parts = vec![self.atom()?];
        while whole && self.run > 0 {
            parts.push(self.atom()?);
        }
        Ok(self.arena.mul(parts, self.budget)?)
    }

    fn letter(&mut self, letter: &str) -> Result<Id, Stop> {
        // Superscripts and fractions of one character.
        if letter.starts_with(char::is_numeric) {
            return Err(Stop::Malformed);
        }
        self.symbol(letter)
    }

    fn symbol(&mut self, name: &str) -> Result<Id, Stop> {
        self.unknowns += 1;
        Ok(self.arena.symbol(name, self.budget)?)
    }

    /// The next token, not consumed.
    fn peek(&mut self) -> Result<Option<Token<'a>>, Stop> {
        if self.run > 0 {
            return Ok(Some(run_part(&self.rest[..self.run])));
        }
        // Spaces are gone by now; other whitespace means as little inside the reference's parentheses.
        let spaces = self.rest.len() - self.rest.trim_start_matches(['\t', '\n', '\u{c}']).len();
        self.newline |= self.rest[..spaces].contains('\n');
        self.rest = &self.rest[spaces..];
        match token(self.rest) {
            None => Ok(None),
            Some(Some(token)) => Ok(Some(token)),
            Some(None) => Err(Stop::Malformed),
        }
    }

    fn advance(&mut self, bytes: usize) {
        self.newline = false;
        self.rest = &self.rest[bytes..];
        self.run = self.run.saturating_sub(bytes);
    }
}

/// The digits or the one letter at the front of a run, which is not empty.
fn run_part(run: &str) -> Token<'_> {
    let digits = run.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        0 => Token::Name(&run[..run.chars().next().map_or(0, char::len_utf8)]),
        _ => Token::Integer(&run[..digits]),
    }
}
