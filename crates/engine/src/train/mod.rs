//! Training: optimizer, supervised steps and policy updates.
//!
//! A [`Trainer`] holds what a run adds to a model: the optimizer's moments and a few counters. Every step packs its samples into
//! micro-batches by tokens, accumulates gradients normalised by the whole step, and then changes the weights once or, when a number is
//! not finite or the caller aborts, not at all. How a step is cut into micro-batches changes nothing but rounding.

mod metrics;
mod micro_batch;
mod optimizer;
mod policy;
mod policy_metrics;
mod sft;
mod state;

pub use optimizer::{Decay, OptimizerOptions, PerGroup};
pub use policy::{PolicyOptions, PromptGroup, Response, log_probs};
pub use policy_metrics::UpdateMetrics;
pub use sft::{GroupTokenMean, SftMetrics, SftOptions, evaluate_sft};

use crate::{Error, Model, Result};
use optimizer::Optimizer;

/// Optimizer state and counters of a run. The model is passed to each call and must be the same one, with the same parts frozen.
pub struct Trainer {
    optimizer: Optimizer,
    max_skips: u32,
    counters: Counters,
}

/// What a run counts. Part of the saved state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counters {
    /// Updates that changed the weights.
    pub updates: u64,
    /// Updates skipped because a number was not finite.
    pub skipped: u64,
    /// How many of the last ones in a row.
    pub skipped_in_a_row: u32,
}

impl Trainer {
    /// A trainer without history.
    ///
    /// # Errors
    /// `E_CONFIG` naming an option out of range.
    pub fn new(options: OptimizerOptions) -> Result<Self> {
        let max_skips = options.max_skips;
        Ok(Self { optimizer: Optimizer::new(options.validate()?), max_skips, counters: Counters::default() })
    }

    /// What has happened so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Changes the weights by the accumulated gradients, or skips: `problem` is a reason to skip that was found on the way.
    fn update(&mut self, model: &mut Model, lr: f64, problem: Option<String>) -> Result<Outcome> {
        let norm = if problem.is_none() { optimizer::norm(model.params())? } else { f64::NAN };
        let problem = problem.or_else(|| (!norm.is_finite()).then(|| format!("the gradient norm is {norm}")));
        let Some(reason) = problem else {
            self.optimizer.step(model.params(), lr, norm, self.counters.updates + 1)?;
            self.counters.updates += 1;
            self.counters.skipped_in_a_row = 0;
            return Ok(Outcome { norm, skipped: None });
        };
        self.counters.skipped += 1;
        self.counters.skipped_in_a_row += 1;
        if self.counters.skipped_in_a_row > self.max_skips {
            return Err(Error::Diverged(format!(
                "{} updates in a row were not finite; in the last, {reason}",
                self.counters.skipped_in_a_row
            )));
        }
        Ok(Outcome { norm, skipped: Some(reason) })
    }
}

/// What became of an update.
struct Outcome {
    /// Before clipping.
    norm: f64,
    /// Why the weights were left alone.
    skipped: Option<String>,
}

fn check_lr(lr: f64) -> Result<()> {
    if lr.is_finite() && lr >= 0.0 {
        Ok(())
    } else {
        Err(Error::Config(format!("lr: expected a number of at least 0, got {lr}")))
    }
}

fn objective_error(error: coldstart_objective::Error) -> Error {
    match error.code() {
        "E_CONFIG" => Error::Config(error.to_string()),
        _ => Error::Usage(error.to_string()),
    }
}
