//! Supervised steps: next-token cross-entropy over the targets of whole samples.

use super::micro_batch::{Scored, backward, score, split_items};
use super::{Trainer, check_lr, objective_error};
use crate::batch::Item;
use crate::{Cancel, Error, Model, Result, Save};
use coldstart_objective::{Aggregation, Config, Objective, Totals};

/// How a supervised step is computed.
#[derive(Clone, Copy, Debug)]
pub struct SftOptions {
    /// Token rows of a micro-batch; a longer sample gets one of its own.
    pub max_tokens: usize,
    /// What forwards keep: memory against recomputation, the same bits either way.
    pub save: Save,
    /// Mean over groups of samples of their token means, as a run over several devices computes it; one mean over all targets if absent.
    pub group_token_mean: Option<GroupTokenMean>,
}

/// Groups of `rows` samples: consecutive ones, or dealt in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupTokenMean {
    pub rows: usize,
    pub interleaved: bool,
}

/// What a supervised step reports, under the names of its field.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SftMetrics {
    /// Aggregated cross-entropy, nats per token, before the update.
    pub loss: f64,
    /// Share of targets that were the most likely token.
    pub token_acc: f64,
    /// Before clipping; absent in an evaluation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grad_norm: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Targets.
    pub num_target_tokens: usize,
    /// Tokens of the samples, images and prompts included.
    pub num_tokens: usize,
    /// Skipped updates of the run so far.
    #[serde(rename = "train/skipped_updates")]
    pub skipped_updates: u64,
    /// Why this update was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

impl Trainer {
    /// One update by the mean loss of `items` at learning rate `lr`.
    ///
    /// # Errors
    /// `E_CONFIG` for a learning rate that is negative or no number; `E_USAGE` for a step without targets; those of [`Packed::new`](crate::Packed::new); `E_ABORTED` with weights and state untouched;
    /// `E_DIVERGED` after too many skipped updates in a row.
    pub fn sft_step(
        &mut self,
        model: &mut Model,
        items: &[Item],
        options: &SftOptions,
        lr: f64,
        cancel: &dyn Cancel,
    ) -> Result<SftMetrics> {
        check_lr(lr)?;
        let plan = Plan::new(items, options)?;
        model.params_mut().zero_grad();
        let mut metrics = plan.empty_metrics();
        let problem = plan.run(model, options, options.save, cancel, &mut metrics)?;
        let outcome = self.update(model, lr, problem)?;
        let (grad_norm, learning_rate) = (Some(outcome.norm), Some(lr));
        Ok(SftMetrics {
            grad_norm,
            learning_rate,
            skipped: outcome.skipped,
            skipped_updates: self.counters.skipped,
            ..metrics
        })
    }
}

/// Loss and accuracy of `items` without a gradient.
///
/// # Errors
/// As [`Trainer::sft_step`].
pub fn evaluate_sft(model: &Model, items: &[Item], options: &SftOptions, cancel: &dyn Cancel) -> Result<SftMetrics> {
    let plan = Plan::new(items, options)?;
    let mut metrics = plan.empty_metrics();
    plan.run(model, options, Save::None, cancel, &mut metrics)?;
    Ok(metrics)
}

/// The samples with targets, and what each of their tokens weighs.
struct Plan<'a> {
    items: &'a [Item],
    /// Indices of the items with targets.
    used: Vec<usize>,
    objective: Objective,
    totals: Totals,
    counts: Vec<usize>,
}

impl<'a> Plan<'a> {
    fn new(items: &'a [Item], options: &SftOptions) -> Result<Self> {
        let objective = aggregation(options)?;
        let counts: Vec<usize> = items.iter().map(|item| item.targets.iter().filter(|t| **t).count()).collect();
        if let Some(i) = items.iter().position(|item| !item.branches.is_empty()) {
            return Err(Error::Usage(format!("item {i}: expected a sample with target flags, got one with branches")));
        }
        let totals = Totals::from_counts(&objective, &counts);
        if totals.tokens == 0 {
            return Err(Error::Usage(format!(
                "expected at least one target token, got none in {} samples",
                items.len()
            )));
        }
        let used = (0..items.len()).filter(|&i| counts[i] > 0).collect();
        Ok(Self { items, used, objective, totals, counts })
    }

    fn empty_metrics(&self) -> SftMetrics {
        SftMetrics {
            loss: 0.0,
            token_acc: 0.0,
            grad_norm: None,
            learning_rate: None,
            num_target_tokens: self.totals.tokens,
            num_tokens: self.items.iter().map(|item| item.ids.len()).sum(),
            skipped_updates: 0,
            skipped: None,
        }
    }

    /// All micro-batches, with gradients unless `save` is none. Stops with a reason at the first loss that is not finite.
    fn run(
        &self,
        model: &Model,
        options: &SftOptions,
        save: Save,
        cancel: &dyn Cancel,
        metrics: &mut SftMetrics,
    ) -> Result<Option<String>> {
        let lengths: Vec<usize> = self.used.iter().map(|&i| self.items[i].ids.len()).collect();
        for range in split_items(&lengths, options.max_tokens) {
            cancel.check()?;
            let indices = &self.used[range];
            let items: Vec<Item> = indices.iter().map(|&i| self.items[i].clone()).collect();
            let scored = score(model, &items, 1.0, &[], save)?;
            let weights = self.weights(&scored, indices)?;
            for (i, (&w, &logp)) in weights.iter().zip(&scored.stats.logp).enumerate() {
                metrics.loss -= w * logp;
                if !logp.is_finite() {
                    let item = indices[scored.packed.entries[i].item as usize];
                    return Ok(Some(format!("the loss of sample {item} is {}", -logp)));
                }
            }
            let hits = scored.stats.argmax.iter().zip(&scored.packed.head.target).filter(|(a, b)| a == b).count();
            metrics.token_acc += hits as f64 / self.totals.tokens as f64;
            if save != Save::None {
                let c: Vec<f64> = weights.iter().map(|w| -w).collect();
                backward(model, scored, 1.0, &[], &c, &vec![0.0; c.len()])?;
            }
        }
        Ok(None)
    }

    /// One weight for each entry of the head.
    fn weights(&self, scored: &Scored, indices: &[usize]) -> Result<Vec<f64>> {
        let weight = |i: usize| self.totals.weight(&self.objective, i, self.counts[i]).map_err(objective_error);
        scored.packed.entries.iter().map(|entry| weight(indices[entry.item as usize])).collect()
    }
}

fn aggregation(options: &SftOptions) -> Result<Objective> {
    let config = match options.group_token_mean {
        None => Config::default(),
        Some(group) => Config {
            loss_aggregation: Some(Aggregation::GroupTokenMean),
            aggregation_group: Some(group.rows),
            aggregation_interleaved: Some(group.interleaved),
            ..Config::default()
        },
    };
    config.resolve().map_err(objective_error)
}
