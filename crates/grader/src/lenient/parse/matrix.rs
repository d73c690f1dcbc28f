//! Matrices.

use super::token::TokenKind;
use super::{Parsed, Parser, Stop};
use crate::lenient::value::{Matrix, Value};

impl Parser<'_> {
    /// Reads from after `\begin{name}` to `\end{name}`. All kinds of brackets count alike.
    pub(super) fn matrix(&mut self, name: &str) -> Parsed<Value> {
        if !matches!(name, "matrix" | "pmatrix" | "bmatrix" | "array") {
            return Err(Stop::Syntax);
        }
        if name == "array" {
            self.column_layout()?;
        }
        let mut columns = None;
        let mut items = Vec::new();
        loop {
            let before = items.len();
            loop {
                items.push(self.expression()?);
                if !self.eat(&TokenKind::Ampersand) {
                    break;
                }
            }
            let width = items.len() - before;
            if *columns.get_or_insert(width) != width {
                return Err(Stop::Syntax);
            }
            let more = self.eat(&TokenKind::RowBreak);
            if self.eat(&TokenKind::End(name)) {
                return Ok(Value::Matrix(Matrix { columns: width, items }));
            }
            if !more {
                return Err(Stop::Syntax);
            }
        }
    }

    /// `{ccl}` after `\begin{array}`.
    fn column_layout(&mut self) -> Parsed<()> {
        use super::token::Bracket;
        self.expect(&TokenKind::Open(Bracket::Group))?;
        while matches!(self.peek(), Some(TokenKind::Symbol(_) | TokenKind::Bar)) {
            self.at += 1;
        }
        self.expect(&TokenKind::Close(Bracket::Group))
    }
}
