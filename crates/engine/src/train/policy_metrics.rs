//! What a policy update reports.

use super::metrics::Summary;
use super::micro_batch::RowId;
use super::policy::{PromptGroup, Response};
use coldstart_objective::{Metrics, Objective, Sums};

/// Serialises to the names that dashboards of the field know.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct UpdateMetrics {
    /// The whole loss, before the update.
    #[serde(rename = "actor/loss")]
    pub loss: f64,
    #[serde(flatten)]
    pub policy: Metrics,
    #[serde(rename = "actor/kl_coef")]
    pub kl_coef: f64,
    /// Before clipping.
    #[serde(rename = "actor/grad_norm")]
    pub grad_norm: f64,
    #[serde(rename = "actor/lr")]
    pub lr: f64,
    /// Over the responses that have an advantage.
    #[serde(rename = "critic/advantages/mean")]
    pub advantage_mean: f64,
    #[serde(rename = "critic/advantages/max")]
    pub advantage_max: f64,
    #[serde(rename = "critic/advantages/min")]
    pub advantage_min: f64,
    #[serde(rename = "response_length/mean")]
    pub response_length_mean: f64,
    #[serde(rename = "response_length/max")]
    pub response_length_max: f64,
    #[serde(rename = "response_length/min")]
    pub response_length_min: f64,
    /// Share of responses at the length limit.
    #[serde(rename = "response_length/clip_ratio")]
    pub response_clip_ratio: f64,
    #[serde(rename = "prompt_length/mean")]
    pub prompt_length_mean: f64,
    #[serde(rename = "prompt_length/max")]
    pub prompt_length_max: f64,
    #[serde(rename = "prompt_length/min")]
    pub prompt_length_min: f64,
    /// Tokens of prompts and responses, a prompt counted for each response.
    #[serde(rename = "perf/total_num_tokens")]
    pub total_num_tokens: f64,
    /// Share of groups whose known advantages are all zero: nothing to learn from.
    #[serde(rename = "batch/zero_std_ratio")]
    pub zero_std_ratio: f64,
    #[serde(rename = "batch/truncated_ratio")]
    pub truncated_ratio: f64,
    /// Responses without an advantage.
    #[serde(rename = "batch/skipped_rows")]
    pub skipped_rows: usize,
    /// Skipped updates of the run so far.
    #[serde(rename = "train/skipped_updates")]
    pub skipped_updates: u64,
    /// Why this update was skipped.
    #[serde(rename = "train/skipped", skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

impl UpdateMetrics {
    pub(super) fn new(groups: &[PromptGroup], objective: &Objective, loss: f64, sums: &Sums) -> Self {
        let responses: Vec<&Response> = groups.iter().flat_map(|group| &group.responses).collect();
        let count = responses.len().max(1) as f64;
        let advantages = Summary::of(&responses.iter().filter_map(|r| r.advantage).collect::<Vec<f64>>());
        let lengths = Summary::of(&responses.iter().map(|r| r.ids.len() as f64).collect::<Vec<f64>>());
        let prompts = Summary::of(&groups.iter().map(|group| group.prompt.len() as f64).collect::<Vec<f64>>());
        let tokens =
            |group: &PromptGroup| group.responses.iter().map(|r| group.prompt.len() + r.ids.len()).sum::<usize>();
        let is_flat = |group: &&PromptGroup| group.responses.iter().all(|r| r.advantage.unwrap_or_default() == 0.0);
        let truncated_ratio = responses.iter().filter(|r| r.truncated).count() as f64 / count;
        Self {
            loss,
            policy: sums.finish(objective),
            kl_coef: objective.beta,
            grad_norm: f64::NAN,
            lr: 0.0,
            advantage_mean: advantages.mean,
            advantage_max: advantages.max,
            advantage_min: advantages.min,
            response_length_mean: lengths.mean,
            response_length_max: lengths.max,
            response_length_min: lengths.min,
            response_clip_ratio: truncated_ratio,
            prompt_length_mean: prompts.mean,
            prompt_length_max: prompts.max,
            prompt_length_min: prompts.min,
            total_num_tokens: groups.iter().map(tokens).sum::<usize>() as f64,
            zero_std_ratio: groups.iter().filter(is_flat).count() as f64 / groups.len().max(1) as f64,
            truncated_ratio,
            skipped_rows: responses.iter().filter(|r| r.advantage.is_none()).count(),
            skipped_updates: 0,
            skipped: None,
        }
    }
}

/// "group 3, responses 0 to 7; group 4, response 0", for a message.
pub(super) fn describe(rows: &[RowId]) -> String {
    let runs = rows.chunk_by(|a, b| a.group == b.group);
    let run = |run: &[RowId]| match run {
        [one] => format!("group {}, response {}", one.group, one.response),
        run => format!("group {}, responses {} to {}", run[0].group, run[0].response, run[run.len() - 1].response),
    };
    runs.map(run).collect::<Vec<String>>().join("; ")
}
