//! What each macro means.

use super::token::{Bracket, TokenKind};
use crate::algebra::Func;
use crate::lenient::value::Relation;

pub(super) enum Meaning {
    Is(TokenKind<'static>),
    /// A symbol called like the macro.
    Symbol,
    /// Its argument is a word.
    Text,
    /// Its argument is a symbol of its own, told apart by this name.
    Accent(&'static str),
    Begin,
    End,
    /// Known, so that no shorter macro is read into its name (`\int` is not `\in t`).
    Unsupported,
}

/// The longest macro that `letters` start with.
pub(super) fn longest(letters: &str) -> Option<(&'static str, &'static Meaning)> {
    let first = letters.as_bytes().first();
    TABLE
        .iter()
        .filter(|(name, _)| name.as_bytes().first() == first && letters.starts_with(name))
        .max_by_key(|(name, _)| name.len())
        .map(|(name, meaning)| (*name, meaning))
}

/// A function written as a word, `\operatorname{lcm}` or `\text{arcsin}`.
pub(super) fn operator_named<'a>(name: &str) -> Option<TokenKind<'a>> {
    let (_, meaning) = TABLE.iter().find(|(known, _)| *known == name)?;
    match meaning {
        Meaning::Is(TokenKind::Func(func)) => Some(TokenKind::Func(*func)),
        _ => None,
    }
}

/// What the symbol of a macro is called: in small letters as all symbols, and never like a word.
pub(super) fn symbol(name: &str) -> String {
    format!("\\{}", name.to_lowercase())
}

/// The name of a Greek letter.
pub(super) fn greek(c: char) -> Option<&'static str> {
    GREEK.iter().find(|(letter, _)| *letter == c).map(|(_, name)| *name)
}

const GREEK: [(char, &str); 33] = [
    ('α', "alpha"),
    ('β', "beta"),
    ('γ', "gamma"),
    ('Γ', "gamma"),
    ('δ', "delta"),
    ('Δ', "delta"),
    ('ε', "epsilon"),
    ('ϵ', "varepsilon"),
    ('ζ', "zeta"),
    ('η', "eta"),
    ('θ', "theta"),
    ('Θ', "theta"),
    ('ι', "iota"),
    ('κ', "kappa"),
    ('λ', "lambda"),
    ('Λ', "lambda"),
    ('μ', "mu"),
    ('ν', "nu"),
    ('ξ', "xi"),
    ('ρ', "rho"),
    ('σ', "sigma"),
    ('Σ', "sigma"),
    ('τ', "tau"),
    ('υ', "upsilon"),
    ('φ', "phi"),
    ('Φ', "phi"),
    ('ϕ', "varphi"),
    ('χ', "chi"),
    ('ψ', "psi"),
    ('Ψ', "psi"),
    ('ω', "omega"),
    ('Ω', "omega"),
    ('Ξ', "xi"),
];

const fn func(func: Func) -> Meaning {
    Meaning::Is(TokenKind::Func(func))
}

const fn open(bracket: Bracket) -> Meaning {
    Meaning::Is(TokenKind::Open(bracket))
}

const fn close(bracket: Bracket) -> Meaning {
    Meaning::Is(TokenKind::Close(bracket))
}

const fn relation(relation: Relation) -> Meaning {
    Meaning::Is(TokenKind::Relation(relation))
}

static TABLE: &[(&str, Meaning)] = &[
    ("frac", Meaning::Is(TokenKind::Frac)),
    ("sqrt", Meaning::Is(TokenKind::Sqrt)),
    ("binom", Meaning::Is(TokenKind::Binom)),
    ("dbinom", Meaning::Is(TokenKind::Binom)),
    ("tbinom", Meaning::Is(TokenKind::Binom)),
    ("pi", Meaning::Is(TokenKind::Pi)),
    ("infty", Meaning::Is(TokenKind::Infinity)),
    ("pm", Meaning::Is(TokenKind::PlusMinus)),
    ("mp", Meaning::Is(TokenKind::PlusMinus)),
    ("times", Meaning::Is(TokenKind::Times)),
    ("cdot", Meaning::Is(TokenKind::Times)),
    ("div", Meaning::Is(TokenKind::Divide)),
    ("over", Meaning::Is(TokenKind::Divide)),
    ("circ", Meaning::Is(TokenKind::Degree)),
    ("degree", Meaning::Is(TokenKind::Degree)),
    ("approx", Meaning::Is(TokenKind::Approx)),
    ("cup", Meaning::Is(TokenKind::Union)),
    ("cap", Meaning::Is(TokenKind::Intersection)),
    ("setminus", Meaning::Is(TokenKind::Difference)),
    ("emptyset", Meaning::Is(TokenKind::EmptySet)),
    ("varnothing", Meaning::Is(TokenKind::EmptySet)),
    ("in", relation(Relation::Eq)),
    ("equiv", relation(Relation::Eq)),
    ("ne", relation(Relation::Ne)),
    ("neq", relation(Relation::Ne)),
    ("lt", relation(Relation::Lt)),
    ("gt", relation(Relation::Gt)),
    ("le", relation(Relation::Le)),
    ("leq", relation(Relation::Le)),
    ("leqslant", relation(Relation::Le)),
    ("ge", relation(Relation::Ge)),
    ("geq", relation(Relation::Ge)),
    ("geqslant", relation(Relation::Ge)),
    ("lbrace", open(Bracket::Set)),
    ("rbrace", close(Bracket::Set)),
    ("lbrack", open(Bracket::Square)),
    ("rbrack", close(Bracket::Square)),
    ("langle", open(Bracket::Angle)),
    ("rangle", close(Bracket::Angle)),
    ("lvert", open(Bracket::Abs)),
    ("rvert", close(Bracket::Abs)),
    ("lfloor", open(Bracket::Floor)),
    ("rfloor", close(Bracket::Floor)),
    ("lceil", open(Bracket::Ceil)),
    ("rceil", close(Bracket::Ceil)),
    ("vert", Meaning::Is(TokenKind::Bar)),
    ("log", func(Func::Log)),
    ("ln", func(Func::Ln)),
    ("exp", func(Func::Exp)),
    ("sin", func(Func::Sin)),
    ("cos", func(Func::Cos)),
    ("tan", func(Func::Tan)),
    ("cot", func(Func::Cot)),
    ("sec", func(Func::Sec)),
    ("csc", func(Func::Csc)),
    ("arcsin", func(Func::Arcsin)),
    ("arccos", func(Func::Arccos)),
    ("arctan", func(Func::Arctan)),
    ("sinh", func(Func::Sinh)),
    ("cosh", func(Func::Cosh)),
    ("tanh", func(Func::Tanh)),
    ("arsinh", func(Func::Arsinh)),
    ("arcosh", func(Func::Arcosh)),
    ("artanh", func(Func::Artanh)),
    ("arcsinh", func(Func::Arsinh)),
    ("arccosh", func(Func::Arcosh)),
    ("arctanh", func(Func::Artanh)),
    ("max", func(Func::Max)),
    ("min", func(Func::Min)),
    ("gcd", func(Func::Gcd)),
    ("text", Meaning::Text),
    ("operatorname", Meaning::Text),
    ("textsf", Meaning::Text),
    ("emph", Meaning::Text),
    ("bar", Meaning::Accent("bar")),
    ("overline", Meaning::Accent("bar")),
    ("vec", Meaning::Accent("vec")),
    ("overrightarrow", Meaning::Accent("vec")),
    ("tilde", Meaning::Accent("tilde")),
    ("widetilde", Meaning::Accent("tilde")),
    ("hat", Meaning::Accent("hat")),
    ("widehat", Meaning::Accent("hat")),
    ("dot", Meaning::Accent("dot")),
    ("overset", Meaning::Unsupported),
    ("mathbb", Meaning::Accent("math")),
    ("mathcal", Meaning::Accent("math")),
    ("mathfrak", Meaning::Accent("math")),
    ("mathscr", Meaning::Accent("math")),
    ("mathsf", Meaning::Accent("math")),
    ("mathtt", Meaning::Accent("math")),
    ("boldsymbol", Meaning::Accent("bold")),
    ("bm", Meaning::Accent("bold")),
    ("begin", Meaning::Begin),
    ("end", Meaning::End),
    ("alpha", Meaning::Symbol),
    ("beta", Meaning::Symbol),
    ("gamma", Meaning::Symbol),
    ("Gamma", Meaning::Symbol),
    ("delta", Meaning::Symbol),
    ("Delta", Meaning::Symbol),
    ("epsilon", Meaning::Symbol),
    ("varepsilon", Meaning::Symbol),
    ("zeta", Meaning::Symbol),
    ("eta", Meaning::Symbol),
    ("theta", Meaning::Symbol),
    ("Theta", Meaning::Symbol),
    ("vartheta", Meaning::Symbol),
    ("iota", Meaning::Symbol),
    ("kappa", Meaning::Symbol),
    ("lambda", Meaning::Symbol),
    ("Lambda", Meaning::Symbol),
    ("mu", Meaning::Symbol),
    ("nu", Meaning::Symbol),
    ("xi", Meaning::Symbol),
    ("Xi", Meaning::Symbol),
    ("rho", Meaning::Symbol),
    ("varrho", Meaning::Symbol),
    ("sigma", Meaning::Symbol),
    ("Sigma", Meaning::Symbol),
    ("tau", Meaning::Symbol),
    ("upsilon", Meaning::Symbol),
    ("Upsilon", Meaning::Symbol),
    ("phi", Meaning::Symbol),
    ("Phi", Meaning::Symbol),
    ("varphi", Meaning::Symbol),
    ("chi", Meaning::Symbol),
    ("psi", Meaning::Symbol),
    ("Psi", Meaning::Symbol),
    ("omega", Meaning::Symbol),
    ("Omega", Meaning::Symbol),
    ("angle", Meaning::Symbol),
    ("triangle", Meaning::Symbol),
    ("square", Meaning::Symbol),
    ("ell", Meaning::Symbol),
    ("hbar", Meaning::Symbol),
    ("nabla", Meaning::Symbol),
    ("prime", Meaning::Symbol),
    ("heartsuit", Meaning::Symbol),
    ("spadesuit", Meaning::Symbol),
    ("clubsuit", Meaning::Symbol),
    ("diamondsuit", Meaning::Symbol),
    ("bigstar", Meaning::Symbol),
    ("blacksquare", Meaning::Symbol),
    ("int", Meaning::Unsupported),
    ("inf", Meaning::Unsupported),
    ("lim", Meaning::Unsupported),
    ("leftarrow", Meaning::Unsupported),
    ("leftrightarrow", Meaning::Unsupported),
    ("neg", Meaning::Unsupported),
    ("nexists", Meaning::Unsupported),
    ("notin", Meaning::Unsupported),
    ("perp", Meaning::Unsupported),
    ("cosec", Meaning::Unsupported),
    ("coth", Meaning::Unsupported),
    ("sech", Meaning::Unsupported),
    ("dots", Meaning::Unsupported),
    ("ddots", Meaning::Unsupported),
    ("cdots", Meaning::Unsupported),
    ("textdollar", Meaning::Unsupported),
    ("mathop", Meaning::Unsupported),
    ("pmod", Meaning::Unsupported),
];
