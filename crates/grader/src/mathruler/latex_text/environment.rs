//! Environments: matrices become `[ a b; c d ]`, equations a block, all others their content.

use super::{Ended, Reader, Until, push_block, trim};
use crate::Refusal;

/// The name in the braces that follow `\begin` or `\end`, and the text after them.
pub(super) fn name(text: &str) -> Option<(&str, &str)> {
    let inside = text.trim_start_matches(super::is_space).strip_prefix('{')?;
    let (name, rest) = inside.split_once('}')?;
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '*' | ' ' | '.' | '-');
    (!name.is_empty() && name.chars().all(fits)).then_some((name, rest))
}

impl<'a> Reader<'a, '_> {
    /// The text of an environment whose `\begin{name}` has been read.
    pub(super) fn environment(&mut self, out: &mut String, name: &'a str, math: bool) -> Result<(), Refusal> {
        let shape = match name {
            "array" => "[{",
            "tabular" | "alignat" | "alignat*" => "{",
            "tabular*" => "{{",
            "tabularx" => "{[{",
            _ => "",
        };
        let before = self.rest;
        if self.arguments(shape, math)?.is_none() {
            self.rest = before;
        }
        match name {
            "array" | "pmatrix" | "bmatrix" | "smallmatrix" | "psmallmatrix" | "bsmallmatrix" => {
                self.matrix(out, name, math)?;
            }
            "equation" | "equation*" | "eqnarray" | "eqnarray*" | "align" | "align*" | "multline" | "multline*"
            | "gather" | "gather*" | "dmath" | "dmath*" => {
                let mut inside = String::new();
                self.nodes(&mut inside, Until::Environment(name), true)?;
                push_block(out, &inside);
            }
            _ => {
                self.nodes(out, Until::Environment(name), math)?;
            }
        }
        Ok(())
    }

    /// Rows of cells. The reference pads cells to one width; the padding is spaces that never survive, so one stands for it.
    fn matrix(&mut self, out: &mut String, name: &'a str, math: bool) -> Result<(), Refusal> {
        let mut cells = 0_usize;
        let mut rows = Vec::new();
        let mut row = Vec::new();
        loop {
            let mut cell = String::new();
            let (ended, any) = self.nodes(&mut cell, Until::Cell(name), math)?;
            if any {
                row.push(trim(&cell).to_owned());
                cells += 1;
            }
            if ended == Ended::Column {
                continue;
            }
            rows.push(row.join(" "));
            row.clear();
            if ended == Ended::Last {
                break;
            }
        }
        // The reference asks for the widest cell of none.
        self.failed |= cells == 0;
        out.extend(["[ ", &rows.join("; "), " ]"]);
        Ok(())
    }
}
