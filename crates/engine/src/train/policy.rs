//! Policy updates: one optimizer step by a policy-gradient loss over groups of responses.

use super::micro_batch::{PolicyBatch, RowId, Scored, backward, score, split_groups};
use super::policy_metrics::{UpdateMetrics, describe};
use super::{Outcome, Trainer, check_lr, objective_error};
use crate::batch::Image;
use crate::{Cancel, Error, Model, Result, Save};
use coldstart_objective::{Advantage, Evaluation, Objective, Row, Sums, Totals, evaluate};
use std::ops::Range;
use std::sync::Arc;

/// A prompt and the responses sampled for it.
#[derive(Clone, Debug, Default)]
pub struct PromptGroup {
    /// Token ids with image placeholders expanded.
    pub prompt: Vec<u32>,
    pub images: Vec<Arc<Image>>,
    pub responses: Vec<Response>,
}

/// One response. Log-probabilities are by token, at the sampling temperature, of the full softmax over the ids that are not banned.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// Up to and including its end token, if it has one.
    pub ids: Vec<u32>,
    /// `None` leaves the response out of the update: its reward is unknown.
    pub advantage: Option<f64>,
    /// Under the reference model; needed when the objective has a KL term.
    pub ref_logp: Option<Vec<f64>>,
    /// Under the weights before the first update of the step. `None`: this is that update, and the ratio is exactly 1.
    pub old_logp: Option<Vec<f64>>,
    /// As the sampler reported them.
    pub sampler_logp: Option<Vec<f64>>,
    /// Ended by the length limit.
    pub truncated: bool,
}

/// How policy forwards are computed. Temperature and banned ids are those of the sampler.
#[derive(Clone, Debug)]
pub struct PolicyOptions {
    pub temperature: f64,
    pub banned: Vec<u32>,
    /// Token rows of a micro-batch, a shared prompt counted once; a longer response gets one of its own.
    pub max_tokens: usize,
    /// What forwards keep: memory against recomputation, the same bits either way.
    pub save: Save,
}

/// Log-probabilities `[group][response][token]` of every response under `model`: the old policy's or the reference's.
///
/// # Errors
/// Those of [`Packed::new`](crate::Packed::new), `E_USAGE` naming an empty response or a banned token, `E_ABORTED`.
pub fn log_probs(
    model: &Model,
    groups: &[PromptGroup],
    options: &PolicyOptions,
    cancel: &dyn Cancel,
) -> Result<Vec<Vec<Vec<f64>>>> {
    check_responses(groups, options, None)?;
    let mut result: Vec<_> = groups.iter().map(|group| vec![Vec::new(); group.responses.len()]).collect();
    for batch in split_groups(groups, options.max_tokens, |_| true) {
        cancel.check()?;
        let scored = score(model, &batch.items, options.temperature, &options.banned, Save::None)?;
        for (id, span) in batch.rows.iter().zip(spans(groups, &batch)) {
            result[id.group][id.response] = scored.stats.logp[span].to_vec();
        }
    }
    Ok(result)
}

impl Trainer {
    /// One update by the loss of `groups` at learning rate `lr`. Token metrics are over the responses that have something to teach.
    ///
    /// An objective with `topEntropyQuantile` costs one more forward, because its threshold is taken over the whole update.
    ///
    /// # Errors
    /// As [`log_probs`]; `E_USAGE` for lists of log-probabilities of another length than their response, a missing reference, or no
    /// advantage at all; `E_ABORTED` with weights and state untouched; `E_DIVERGED` after too many skipped updates in a row.
    pub fn policy_update(
        &mut self,
        model: &mut Model,
        groups: &[PromptGroup],
        objective: &Objective,
        options: &PolicyOptions,
        lr: f64,
        cancel: &dyn Cancel,
    ) -> Result<UpdateMetrics> {
        check_lr(lr)?;
        check_responses(groups, options, Some(objective))?;
        let counts = |id: RowId| {
            let response = &groups[id.group].responses[id.response];
            response.advantage.is_some() && !(objective.overlong_filter && response.truncated)
        };
        if !groups.iter().flat_map(|group| &group.responses).any(|response| response.advantage.is_some()) {
            return Err(Error::Usage("expected at least one response with an advantage, got none that counts".into()));
        }
        // Without a KL or entropy term a response of advantage 0 adds exactly nothing to loss and gradient: it counts in the
        // averages and is not computed.
        let every = objective.needs_reference() || objective.needs_entropy();
        let learns = |id: RowId| {
            counts(id) && (every || groups[id.group].responses[id.response].advantage.unwrap_or_default() != 0.0)
        };
        let batches = split_groups(groups, options.max_tokens, learns);
        let pass = Pass { model, groups, objective, options, offsets: offsets(groups) };
        let totals = pass.totals(&batches, counts, cancel)?;
        pass.model.params_mut().zero_grad();
        let (mut loss, mut sums, mut problem) = (0.0, Sums::default(), None);
        for batch in &batches {
            cancel.check()?;
            let (scored, result) = pass.evaluate(batch, &totals, options.save)?;
            loss += result.loss;
            sums.merge(&result.sums);
            if !result.loss.is_finite() {
                problem = Some(format!("the loss is {} in a micro-batch of {}", result.loss, describe(&batch.rows)));
                break;
            }
            pass.backward(scored, &result)?;
        }
        // Nothing to learn from is nothing to step by: momentum and decay wait for the next gradient.
        let idle = batches.is_empty();
        let outcome = if idle { Outcome { norm: 0.0, skipped: None } } else { self.update(model, lr, problem)? };
        let mut metrics = UpdateMetrics::new(groups, objective, loss, &sums);
        (metrics.grad_norm, metrics.lr) = (outcome.norm, lr);
        (metrics.skipped, metrics.skipped_updates) = (outcome.skipped, self.counters.skipped);
        Ok(metrics)
    }
}

/// What all micro-batches of an update share.
struct Pass<'a> {
    model: &'a mut Model,
    groups: &'a [PromptGroup],
    objective: &'a Objective,
    options: &'a PolicyOptions,
    /// Position in the update of each group's first response.
    offsets: Vec<usize>,
}

impl Pass<'_> {
    /// Counts of the whole update and, if the objective needs it, the entropy threshold from a pass of its own.
    fn totals(&self, batches: &[PolicyBatch], counts: impl Fn(RowId) -> bool, cancel: &dyn Cancel) -> Result<Totals> {
        let mut tokens = Vec::new();
        for (group, content) in self.groups.iter().enumerate() {
            let len =
                |(response, r): (usize, &Response)| if counts(RowId { group, response }) { r.ids.len() } else { 0 };
            tokens.extend(content.responses.iter().enumerate().map(len));
        }
        let totals = Totals::from_counts(self.objective, &tokens);
        if !self.objective.needs_whole_update() {
            return Ok(totals);
        }
        let mut entropies = Vec::with_capacity(totals.tokens);
        for batch in batches {
            cancel.check()?;
            let (temperature, banned) = (self.options.temperature, &self.options.banned);
            entropies.extend(score(self.model, &batch.items, temperature, banned, Save::None)?.stats.entropy);
        }
        Ok(totals.with_entropies(self.objective, &entropies))
    }

    fn evaluate(&self, batch: &PolicyBatch, totals: &Totals, save: Save) -> Result<(Scored, Evaluation)> {
        let scored = score(self.model, &batch.items, self.options.temperature, &self.options.banned, save)?;
        let spans = spans(self.groups, batch);
        let rows: Vec<Row> =
            batch.rows.iter().zip(&spans).map(|(&id, span)| self.row(id, &scored, span.clone())).collect();
        let result = evaluate(self.objective, totals, &rows).map_err(objective_error)?;
        drop(rows);
        Ok((scored, result))
    }

    fn row<'a>(&'a self, id: RowId, scored: &'a Scored, span: Range<usize>) -> Row<'a> {
        let response = &self.groups[id.group].responses[id.response];
        let logp = &scored.stats.logp[span.clone()];
        Row {
            index: self.offsets[id.group] + id.response,
            logp,
            old: response.old_logp.as_deref().unwrap_or(logp),
            reference: response.ref_logp.as_deref(),
            sampler: response.sampler_logp.as_deref(),
            entropy: Some(&scored.stats.entropy[span]),
            advantage: Advantage::Row(response.advantage.unwrap_or_default()),
            mask: None,
            truncated: response.truncated,
        }
    }

    fn backward(&self, scored: Scored, result: &Evaluation) -> Result<()> {
        let c: Vec<f64> = result.grad_logp.concat();
        let mut b: Vec<f64> = result.entropy_coef.concat();
        b.resize(c.len(), 0.0);
        backward(self.model, scored, self.options.temperature, &self.options.banned, &c, &b)
    }
}

/// Entries of the head that belong to each row of a batch.
fn spans(groups: &[PromptGroup], batch: &PolicyBatch) -> Vec<Range<usize>> {
    let mut start = 0;
    let span = |id: &RowId| {
        let len = groups[id.group].responses[id.response].ids.len();
        start += len;
        start - len..start
    };
    batch.rows.iter().map(span).collect()
}

fn offsets(groups: &[PromptGroup]) -> Vec<usize> {
    let mut next = 0;
    let offset = |group: &PromptGroup| {
        next += group.responses.len();
        next - group.responses.len()
    };
    groups.iter().map(offset).collect()
}

/// Everything that can be wrong with responses, before the first forward is paid for.
fn check_responses(groups: &[PromptGroup], options: &PolicyOptions, objective: Option<&Objective>) -> Result<()> {
    for (g, group) in groups.iter().enumerate() {
        for (r, response) in group.responses.iter().enumerate() {
            let place = format!("group {g}, response {r}");
            if response.ids.is_empty() {
                return Err(Error::Usage(format!("{place}: expected at least one token, got none")));
            }
            if let Some(t) = response.ids.iter().position(|id| options.banned.contains(id)) {
                let id = response.ids[t];
                return Err(Error::Usage(format!(
                    "{place}: token {t} is {id}, which is banned and so has probability 0"
                )));
            }
            let Some(objective) = objective else { continue };
            let lists = [
                ("refLogp", &response.ref_logp),
                ("oldLogp", &response.old_logp),
                ("samplerLogp", &response.sampler_logp),
            ];
            for (name, list) in lists {
                let len = list.as_ref().map_or(response.ids.len(), Vec::len);
                if len != response.ids.len() {
                    return Err(Error::Usage(format!(
                        "{place}: expected {} values in {name}, got {len}",
                        response.ids.len()
                    )));
                }
            }
            if response.advantage.is_some() && objective.needs_reference() && response.ref_logp.is_none() {
                return Err(Error::Usage(format!(
                    "{place}: expected refLogp, as beta is {}, got none",
                    objective.beta
                )));
            }
        }
    }
    Ok(())
}
