//! Numbers to log about an update, as sums that micro-batches add to and means at the end.

use serde::Serialize;

use crate::policy::{Phi, Term};
use crate::{Level, Objective, Policy, Row};

/// Raw sums over rows and tokens; [`Sums::merge`] adds another micro-batch, [`Sums::finish`] divides.
#[derive(Debug, Clone, PartialEq)]
pub struct Sums {
    tokens: f64,
    rows: f64,
    policy_loss: f64,
    kl_loss: f64,
    kl: f64,
    reference_tokens: f64,
    entropy: f64,
    entropy_tokens: f64,
    logp: f64,
    log_ratio: f64,
    dual_clipped: f64,
    clipped: Clipped,
    clipped_rows: Clipped,
    ratio_min: f64,
    ratio_max: f64,
    phi: f64,
    mismatch: f64,
    mismatch_max: f64,
    mismatch_tokens: f64,
}

/// How often the clip cut a ratio from below (A < 0) and from above (A > 0).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Clipped {
    low: f64,
    high: f64,
}

/// What one update did, under the names that dashboards know. Shares and means are over the tokens that count unless said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// The aggregated policy term, without KL and entropy.
    #[serde(rename = "actor/pg_loss")]
    pub pg_loss: f64,
    /// The KL aggregated like the loss, before `beta`; absent without a reference.
    #[serde(rename = "actor/kl_loss", skip_serializing_if = "Option::is_none")]
    pub kl_loss: Option<f64>,
    /// Token mean of the KL estimate.
    #[serde(rename = "kl", skip_serializing_if = "Option::is_none")]
    pub kl: Option<f64>,
    /// Mean exact entropy, nats.
    #[serde(rename = "actor/entropy", skip_serializing_if = "Option::is_none")]
    pub entropy: Option<f64>,
    /// Mean of −logp, the sampled estimate of the entropy.
    #[serde(rename = "actor/entropy_loss")]
    pub entropy_loss: f64,
    /// Mean of old − logp.
    #[serde(rename = "actor/ppo_kl")]
    pub ppo_kl: f64,
    /// Share of tokens cut by the clip on either side.
    #[serde(rename = "actor/pg_clipfrac_higher")]
    pub pg_clipfrac_higher: f64,
    /// Share of tokens cut by the dual clip.
    #[serde(rename = "actor/pg_clipfrac_lower")]
    pub pg_clipfrac_lower: f64,
    /// Share cut from below, A < 0; of rows when the ratio is one per row.
    #[serde(rename = "clip_ratio/low_mean")]
    pub clip_ratio_low: f64,
    /// Share cut from above, A > 0; of rows when the ratio is one per row.
    #[serde(rename = "clip_ratio/high_mean")]
    pub clip_ratio_high: f64,
    #[serde(rename = "clip_ratio/region_mean")]
    pub clip_ratio_region: f64,
    #[serde(rename = "actor/ratio_min")]
    pub ratio_min: f64,
    #[serde(rename = "actor/ratio_max")]
    pub ratio_max: f64,
    /// Mean weight φ over rows, vespo only.
    #[serde(rename = "vespo/phi_seq_mean", skip_serializing_if = "Option::is_none")]
    pub phi: Option<f64>,
    /// Mean of |old − sampler|; absent when the rows bring no sampler log-probabilities.
    #[serde(rename = "mismatch/logp_diff_mean", skip_serializing_if = "Option::is_none")]
    pub logp_diff_mean: Option<f64>,
    #[serde(rename = "mismatch/logp_diff_max", skip_serializing_if = "Option::is_none")]
    pub logp_diff_max: Option<f64>,
}

impl Default for Sums {
    fn default() -> Self {
        Sums {
            tokens: 0.0,
            rows: 0.0,
            policy_loss: 0.0,
            kl_loss: 0.0,
            kl: 0.0,
            reference_tokens: 0.0,
            entropy: 0.0,
            entropy_tokens: 0.0,
            logp: 0.0,
            log_ratio: 0.0,
            dual_clipped: 0.0,
            clipped: Clipped::default(),
            clipped_rows: Clipped::default(),
            ratio_min: f64::INFINITY,
            ratio_max: f64::NEG_INFINITY,
            phi: 0.0,
            mismatch: 0.0,
            mismatch_max: 0.0,
            mismatch_tokens: 0.0,
        }
    }
}

impl Sums {
    pub(crate) fn start_row(&mut self, objective: &Objective, row: &Row<'_>, active: &[bool], phi: Phi) {
        self.rows += 1.0;
        let Some(first) = active.iter().position(|&a| a) else { return };
        self.phi += phi.of(row.advantage.at(first));
        // A ratio that all tokens share is cut for the whole row or not at all.
        if !clips_rows(objective) {
            return;
        }
        let mean = crate::mask::mean(active, |t| row.logp[t] - row.old[t]);
        let ratio = crate::ratio::clamped_exp(mean, objective.ratio_clamp).0;
        let term = crate::policy::term(objective, row, first, ratio, phi);
        self.clipped_rows.count(&term, row.advantage.at(first));
    }

    pub(crate) fn add_token(
        &mut self,
        row: &Row<'_>,
        t: usize,
        ratio: f64,
        term: &Term,
        policy_loss: f64,
        weight: f64,
        k: f64,
    ) {
        self.tokens += 1.0;
        self.policy_loss += policy_loss;
        if row.reference.is_some() {
            self.kl_loss += weight * k;
            self.kl += k;
            self.reference_tokens += 1.0;
        }
        if let Some(entropy) = row.entropy {
            self.entropy += entropy[t];
            self.entropy_tokens += 1.0;
        }
        if let Some(sampler) = row.sampler {
            let difference = (row.old[t] - sampler[t]).abs();
            self.mismatch += difference;
            self.mismatch_max = self.mismatch_max.max(difference);
            self.mismatch_tokens += 1.0;
        }
        self.logp += row.logp[t];
        self.log_ratio += row.logp[t] - row.old[t];
        self.dual_clipped += f64::from(term.dual_clipped);
        self.clipped.count(term, row.advantage.at(t));
        self.ratio_min = self.ratio_min.min(ratio);
        self.ratio_max = self.ratio_max.max(ratio);
    }

    /// Adds the sums of another micro-batch of the same update.
    pub fn merge(&mut self, other: &Sums) {
        self.tokens += other.tokens;
        self.rows += other.rows;
        self.policy_loss += other.policy_loss;
        self.kl_loss += other.kl_loss;
        self.kl += other.kl;
        self.reference_tokens += other.reference_tokens;
        self.entropy += other.entropy;
        self.entropy_tokens += other.entropy_tokens;
        self.logp += other.logp;
        self.log_ratio += other.log_ratio;
        self.dual_clipped += other.dual_clipped;
        self.clipped.merge(other.clipped);
        self.clipped_rows.merge(other.clipped_rows);
        self.ratio_min = self.ratio_min.min(other.ratio_min);
        self.ratio_max = self.ratio_max.max(other.ratio_max);
        self.phi += other.phi;
        self.mismatch += other.mismatch;
        self.mismatch_max = self.mismatch_max.max(other.mismatch_max);
        self.mismatch_tokens += other.mismatch_tokens;
    }

    /// The means. An update without any counting token gives zeros, and ratios of 1.
    pub fn finish(&self, objective: &Objective) -> Metrics {
        let tokens = self.tokens.max(1.0);
        let (clipped, of) =
            if clips_rows(objective) { (self.clipped_rows, self.rows.max(1.0)) } else { (self.clipped, tokens) };
        let mean = |sum: f64, count: f64| (count > 0.0).then(|| sum / count);
        let empty = self.tokens == 0.0;
        Metrics {
            pg_loss: self.policy_loss,
            kl_loss: (self.reference_tokens > 0.0).then_some(self.kl_loss),
            kl: mean(self.kl, self.reference_tokens),
            entropy: mean(self.entropy, self.entropy_tokens),
            entropy_loss: -self.logp / tokens,
            ppo_kl: -self.log_ratio / tokens,
            pg_clipfrac_higher: (self.clipped.low + self.clipped.high) / tokens,
            pg_clipfrac_lower: self.dual_clipped / tokens,
            clip_ratio_low: clipped.low / of,
            clip_ratio_high: clipped.high / of,
            clip_ratio_region: (clipped.low + clipped.high) / of,
            ratio_min: if empty { 1.0 } else { self.ratio_min },
            ratio_max: if empty { 1.0 } else { self.ratio_max },
            phi: if objective.kind == Policy::Vespo { mean(self.phi, self.rows) } else { None },
            logp_diff_mean: mean(self.mismatch, self.mismatch_tokens),
            logp_diff_max: (self.mismatch_tokens > 0.0).then_some(self.mismatch_max),
        }
    }
}

/// Whether one ratio serves a whole row, so that shares are of rows.
fn clips_rows(objective: &Objective) -> bool {
    matches!(objective.kind, Policy::Clip | Policy::Cispo) && objective.importance_sampling_level != Level::Token
}

impl Clipped {
    fn count(&mut self, term: &Term, advantage: f64) {
        let count = f64::from(term.clipped);
        if advantage < 0.0 {
            self.low += count;
        } else {
            self.high += count;
        }
    }

    fn merge(&mut self, other: Clipped) {
        self.low += other.low;
        self.high += other.high;
    }
}
