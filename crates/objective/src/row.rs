//! What the objective sees of one response: log-probabilities by token and an advantage.

use crate::{Error, Objective, Result};

/// The advantage of a response: one value for all its tokens, or one for each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Advantage<'a> {
    Row(f64),
    Tokens(&'a [f64]),
}

impl Advantage<'_> {
    pub(crate) fn at(&self, token: usize) -> f64 {
        match self {
            Advantage::Row(value) => *value,
            Advantage::Tokens(values) => values[token],
        }
    }
}

impl Default for Advantage<'_> {
    fn default() -> Self {
        Advantage::Row(0.0)
    }
}

/// One response of `n` tokens, its first end-of-sequence token included. Every slice has length `n`; all log-probabilities are natural
/// logarithms of the full softmax at the sampling temperature.
#[derive(Debug, Clone, Copy, Default)]
pub struct Row<'a> {
    /// Position in the update, counted over all micro-batches.
    pub index: usize,
    /// Under the weights being trained.
    pub logp: &'a [f64],
    /// Under the weights before the first update of the step.
    pub old: &'a [f64],
    /// Under the reference model; needed when `beta` is not 0.
    pub reference: Option<&'a [f64]>,
    /// As reported by whatever sampled the response; needed by the rollout correction.
    pub sampler: Option<&'a [f64]>,
    /// Entropy of the distribution that each token was drawn from, in nats.
    pub entropy: Option<&'a [f64]>,
    pub advantage: Advantage<'a>,
    /// Tokens that count; all of them when absent. A row whose reward is unknown has a mask of all false.
    pub mask: Option<&'a [bool]>,
    /// Cut at the length limit; dropped under `overlongFilter`.
    pub truncated: bool,
}

impl Row<'_> {
    pub(crate) fn is_active(&self, objective: &Objective, token: usize) -> bool {
        !(objective.overlong_filter && self.truncated) && self.mask.is_none_or(|mask| mask[token])
    }

    pub(crate) fn num_active(&self, objective: &Objective) -> usize {
        (0..self.logp.len()).filter(|&t| self.is_active(objective, t)).count()
    }

    /// Whether everything that the loss may read of a token is a number.
    pub(crate) fn is_finite(&self, token: usize) -> bool {
        let optional = |values: Option<&[f64]>| values.is_none_or(|values| values[token].is_finite());
        let numbers = [self.logp[token], self.old[token], self.advantage.at(token)];
        numbers.iter().all(|x| x.is_finite())
            && optional(self.reference)
            && optional(self.sampler)
            && optional(self.entropy)
    }

    pub(crate) fn check(&self, objective: &Objective) -> Result<()> {
        let row = self.index;
        let length = |what, values: Option<&[f64]>| match values {
            Some(values) if values.len() != self.logp.len() => {
                Err(Error::Length { row, what, expected: self.logp.len(), got: values.len() })
            }
            _ => Ok(()),
        };
        length("old", Some(self.old))?;
        length("reference", self.reference)?;
        length("sampler", self.sampler)?;
        length("entropy", self.entropy)?;
        if let Advantage::Tokens(values) = self.advantage {
            length("advantage", Some(values))?;
        }
        if let Some(mask) = self.mask.filter(|mask| mask.len() != self.logp.len()) {
            return Err(Error::Length { row, what: "mask", expected: self.logp.len(), got: mask.len() });
        }
        if objective.beta != 0.0 && self.reference.is_none() {
            return Err(Error::Missing { row, what: "reference", reason: "and beta is not 0" });
        }
        if objective.correction.is_some() && self.sampler.is_none() {
            return Err(Error::Missing { row, what: "sampler", reason: "and rolloutCorrection is set" });
        }
        if objective.needs_entropy() && self.entropy.is_none() {
            return Err(Error::Missing {
                row,
                what: "entropy",
                reason: "and entropyCoef or topEntropyQuantile is set",
            });
        }
        Ok(())
    }
}
