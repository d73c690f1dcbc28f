//! Freezing by patterns over hub names.

use super::Params;
use crate::{Error, Result};
use std::sync::OnceLock;

/// Names listed when a pattern matches nothing.
const NEAR_NAMES: usize = 4;

impl Params {
    /// Freezes the tensors whose hub name matches one of `patterns` and trains all others; an empty list trains everything.
    ///
    /// `*` stands for any run of characters, dots included: `visual.blocks.*`, `*.bias`. Gradient memory of storages that are now
    /// wholly frozen is given back.
    ///
    /// # Errors
    /// `E_CONFIG` for a pattern that matches no tensor, with the nearest names; nothing is changed then.
    pub fn freeze(&mut self, patterns: &[String]) -> Result<()> {
        for pattern in patterns {
            if !self.parts().any(|part| matches(pattern, part.name)) {
                let near = self.nearest(pattern).join(", ");
                return Err(Error::Config(format!(
                    "freeze pattern {pattern:?}: expected a pattern that matches a tensor, got none; near it are {near}"
                )));
            }
        }
        for storage in &mut self.storages {
            for (flag, part) in storage.trainable.iter_mut().zip(&storage.spec.parts) {
                *flag = !patterns.iter().any(|pattern| matches(pattern, &part.name));
            }
            if !storage.trainable.contains(&true) {
                storage.grad = OnceLock::new();
                *storage.first.get_mut() = true;
            }
        }
        Ok(())
    }

    fn nearest(&self, pattern: &str) -> Vec<String> {
        let literal: Vec<char> = pattern.chars().filter(|&c| c != '*').collect();
        let mut names: Vec<(usize, &str)> = self
            .parts()
            .map(|part| {
                let head: Vec<char> = part.name.chars().take(literal.len()).collect();
                (edit_distance(&literal, &head), part.name)
            })
            .collect();
        names.sort();
        names.into_iter().take(NEAR_NAMES).map(|(_, name)| name.to_string()).collect()
    }
}

/// Whether `pattern`, where `*` matches any run of characters, covers the whole of `name`.
fn matches(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    // `split` yields at least one piece.
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_matches_any_run_and_the_rest_is_literal() {
        let cases = [
            ("visual.*", "visual.merger.ln_q.weight", true),
            ("visual.*", "model.norm.weight", false),
            ("*.bias", "visual.blocks.0.attn.qkv.bias", true),
            ("*.bias", "visual.blocks.0.attn.qkv.weight", false),
            ("model.layers.1.*", "model.layers.10.mlp.up_proj.weight", false),
            ("model.*.q_proj.*", "model.layers.3.self_attn.q_proj.weight", true),
            ("model.norm.weight", "model.norm.weight", true),
            ("model.norm", "model.norm.weight", false),
            ("*", "lm_head.weight", true),
            ("a*a", "a", false),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }
}
