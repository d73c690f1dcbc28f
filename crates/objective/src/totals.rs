//! What the loss needs to know of a whole update before its first micro-batch: counts, and the entropy threshold.

use crate::mask::entropy_threshold;
use crate::{Aggregation, Error, Objective, Result, Row};

/// Counts over all rows of an update. A token counts where its row's mask is 1; a row or group counts if any of its tokens does.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Tokens that count.
    pub tokens: usize,
    /// Rows that count.
    pub rows: usize,
    /// Tokens of every group of `group-token-mean`; empty under other aggregations.
    group_tokens: Vec<usize>,
    num_groups: usize,
    num_rows: usize,
    pub(crate) entropy_threshold: Option<f32>,
    /// Tokens at or above the threshold, over which the entropy bonus is a mean.
    uncertain_tokens: usize,
}

impl Totals {
    /// From all rows of the update, their `index` being `0..rows.len()` in this order. Reads masks and, under `topEntropyQuantile`,
    /// entropies; log-probabilities may still be those of any weights.
    pub fn new(objective: &Objective, rows: &[Row<'_>]) -> Result<Totals> {
        let counts: Vec<usize> = rows.iter().map(|row| row.num_active(objective)).collect();
        let totals = Totals::from_counts(objective, &counts);
        if !objective.needs_whole_update() {
            return Ok(totals);
        }
        let mut entropies = Vec::with_capacity(totals.tokens);
        for row in rows {
            row.check(objective)?;
            let entropy = row.entropy.unwrap_or_default();
            entropies.extend((0..entropy.len()).filter(|&t| row.is_active(objective, t)).map(|t| entropy[t]));
        }
        Ok(totals.with_entropies(objective, &entropies))
    }

    /// Adds the threshold of `topEntropyQuantile`, from the entropies of all tokens that count, in any order.
    pub fn with_entropies(mut self, objective: &Objective, entropies: &[f64]) -> Totals {
        let entropies: Vec<f32> = entropies.iter().map(|&h| h as f32).collect();
        self.entropy_threshold = entropy_threshold(objective.top_entropy_quantile, &entropies);
        let threshold = self.entropy_threshold.unwrap_or(f32::NEG_INFINITY);
        self.uncertain_tokens = entropies.iter().filter(|&&h| h >= threshold).count();
        self
    }

    /// From the number of counting tokens of every row; enough unless the objective has a `topEntropyQuantile`.
    pub fn from_counts(objective: &Objective, counts: &[usize]) -> Totals {
        let grouped = objective.loss_aggregation == Aggregation::GroupTokenMean;
        let num_groups = if grouped { counts.len().div_ceil(group_rows(objective)) } else { 0 };
        let mut totals = Totals {
            tokens: counts.iter().sum(),
            rows: counts.iter().filter(|&&n| n > 0).count(),
            group_tokens: vec![0; num_groups],
            num_groups,
            num_rows: counts.len(),
            entropy_threshold: None,
            uncertain_tokens: counts.iter().sum(),
        };
        for (index, count) in counts.iter().enumerate().filter(|_| grouped) {
            let group = totals.group_of(objective, index);
            totals.group_tokens[group] += count;
        }
        totals.num_groups = totals.group_tokens.iter().filter(|&&n| n > 0).count();
        totals
    }

    /// The weight `w` of each token of row `index`, which has `num_tokens` of them.
    pub fn weight(&self, objective: &Objective, index: usize, num_tokens: usize) -> Result<f64> {
        if index >= self.num_rows {
            return Err(Error::Index { row: index, rows: self.num_rows });
        }
        let eps = objective.masked_mean_eps;
        let rows = self.rows as f64;
        Ok(match objective.loss_aggregation {
            _ if num_tokens == 0 => 0.0,
            Aggregation::TokenMean => 1.0 / (self.tokens as f64 + eps),
            Aggregation::SeqMean => 1.0 / (rows * (num_tokens as f64 + eps)),
            Aggregation::SeqSumNorm => 1.0 / (rows * objective.max_completion_length.unwrap_or(1) as f64),
            Aggregation::GroupTokenMean => {
                let tokens = self.group_tokens[self.group_of(objective, index)];
                1.0 / (self.num_groups as f64 * (tokens as f64 + eps))
            }
            Aggregation::SeqSum => 1.0 / rows,
        })
    }

    /// The weight of each token's entropy in the bonus: a mean over the tokens that keep their policy term, as TRL takes it, whatever
    /// the aggregation of the loss.
    pub(crate) fn entropy_weight(&self) -> f64 {
        1.0 / self.uncertain_tokens.max(1) as f64
    }

    /// Consecutive rows form a group; interleaved, row k is dealt to group k mod G as rows are dealt to devices.
    fn group_of(&self, objective: &Objective, index: usize) -> usize {
        match objective.aggregation_interleaved {
            true => index % self.group_tokens.len(),
            false => index / group_rows(objective),
        }
    }
}

fn group_rows(objective: &Objective) -> usize {
    objective.aggregation_group.unwrap_or(usize::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn grouped(interleaved: bool) -> Objective {
        let config = Config {
            loss_aggregation: Some(Aggregation::GroupTokenMean),
            aggregation_group: Some(2),
            aggregation_interleaved: Some(interleaved),
            ..Config::default()
        };
        config.resolve().unwrap()
    }

    fn weights(objective: &Objective, counts: &[usize]) -> Vec<f64> {
        let totals = Totals::from_counts(objective, counts);
        counts.iter().enumerate().map(|(i, &n)| totals.weight(objective, i, n).unwrap()).collect()
    }

    #[test]
    fn consecutive_rows_share_the_token_mean_of_their_group() {
        assert_eq!(weights(&grouped(false), &[1, 3, 2, 6]), [1.0 / 8.0, 1.0 / 8.0, 1.0 / 16.0, 1.0 / 16.0]);
    }

    #[test]
    fn interleaved_rows_are_dealt_to_groups_in_turn() {
        assert_eq!(weights(&grouped(true), &[1, 3, 2, 6]), [1.0 / 6.0, 1.0 / 18.0, 1.0 / 6.0, 1.0 / 18.0]);
    }

    #[test]
    fn an_empty_group_does_not_count() {
        assert_eq!(weights(&grouped(false), &[1, 1, 0, 0]), [0.5, 0.5, 0.0, 0.0]);
    }

    #[test]
    fn a_row_outside_the_update_is_an_error() {
        let objective = grouped(false);
        let totals = Totals::from_counts(&objective, &[1, 1]);
        assert_eq!(totals.weight(&objective, 2, 1), Err(Error::Index { row: 2, rows: 2 }));
    }
}
