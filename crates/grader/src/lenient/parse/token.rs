//! What the lexer gives the parser.

use crate::algebra::Func;
use crate::lenient::value::Relation;

/// A token and the bytes of the cleaned text that it came from.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub kind: TokenKind<'a>,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'a> {
    /// Digits.
    Integer(String),
    /// Digits with a point or an exponent.
    Decimal(String),
    /// A letter, a Greek letter, an accented name or a word, in small letters.
    Symbol(String),
    Pi,
    Euler,
    Imaginary,
    Infinity,
    EmptySet,
    Func(Func),
    /// `\ln` and its kin call a function; these build their nodes in other ways.
    Frac,
    Sqrt,
    Binom,
    Plus,
    Minus,
    PlusMinus,
    Times,
    Divide,
    Caret,
    /// `**`
    DoubleStar,
    Underscore,
    Bang,
    Percent,
    Degree,
    Comma,
    Semicolon,
    Ampersand,
    RowBreak,
    Relation(Relation),
    Approx,
    Union,
    Intersection,
    Difference,
    Bar,
    Open(Bracket),
    Close(Bracket),
    /// `\begin{…}` and `\end{…}`, with the name of the environment.
    Begin(&'a str),
    End(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    /// `( )`
    Round,
    /// `[ ]`
    Square,
    /// `{ }`, which LaTeX does not print.
    Group,
    /// `\{ \}`
    Set,
    /// `\langle \rangle`
    Angle,
    /// `\lvert \rvert`
    Abs,
    /// `\lfloor \rfloor`
    Floor,
    /// `\lceil \rceil`
    Ceil,
}
