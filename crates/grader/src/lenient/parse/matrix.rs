//! Matrices and systems of relations.

use super::token::TokenKind;
use super::{Parsed, Parser, Stop, lists};
use crate::lenient::value::{Matrix, Value};

impl Parser<'_> {
    /// Reads from after `\begin{name}` to `\end{name}`. All kinds of brackets count alike.
    pub(super) fn matrix(&mut self, name: &str) -> Parsed<Value> {
        match name {
            "matrix" | "pmatrix" | "bmatrix" => {}
            "array" => {
                self.column_layout()?;
                if self.is_system() {
                    return self.system(name);
                }
            }
            "cases" | "aligned" | "align" | "align*" | "gathered" | "split" => return self.system(name),
            _ => return Err(Stop::Syntax),
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

    /// Whether a relation stands in the environment, before its end.
    fn is_system(&self) -> bool {
        let inside = self.tokens[self.at..].iter().take_while(|token| !matches!(token.kind, TokenKind::End(_)));
        inside.into_iter().any(|token| matches!(token.kind, TokenKind::Relation(_)))
    }

    /// Rows of one relation each, as a set like the bare list of them.
    fn system(&mut self, name: &str) -> Parsed<Value> {
        let mut relations = Vec::new();
        loop {
            match (self.element()?.pop(), self.eat(&TokenKind::Comma) || self.eat(&TokenKind::Semicolon)) {
                (Some(relation @ Value::Relation(_)), _) => relations.push(relation),
                _ => return Err(Stop::Syntax),
            }
            let more = self.eat(&TokenKind::RowBreak);
            if self.eat(&TokenKind::End(name)) {
                return Ok(lists::single(relations));
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
