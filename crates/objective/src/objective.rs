//! The resolved objective: every factor of the loss chosen, every number known and in range.

use serde::{Deserialize, Serialize};

use crate::{CorrectionKind, Error, KlEstimator, Level, Policy, Result};

/// How token losses become one number (`lossAggregation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Mean over the tokens of the update.
    TokenMean,
    /// Mean over rows of the mean over the row's tokens.
    SeqMean,
    /// Sum over tokens / (rows · `maxCompletionLength`).
    SeqSumNorm,
    /// Mean over groups of `aggregationGroup` rows of the mean over the group's tokens.
    GroupTokenMean,
    /// Sum over tokens / rows.
    SeqSum,
}

/// Weighting of the policy term by `v = exp(old − sampler)`, for rollouts that another program sampled.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Correction {
    pub kind: CorrectionKind,
    pub min: f64,
    pub max: f64,
}

/// Made by [`Config::resolve`](crate::Config::resolve); the fields are documented there.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Objective {
    pub kind: Policy,
    pub importance_sampling_level: Level,
    pub epsilon: f64,
    pub epsilon_high: f64,
    pub delta: Option<f64>,
    pub beta: f64,
    pub kl_estimator: KlEstimator,
    pub use_bias_correction_kl: bool,
    pub loss_aggregation: Aggregation,
    /// Rows of a group; all of them if absent.
    pub aggregation_group: Option<usize>,
    pub aggregation_interleaved: bool,
    pub max_completion_length: Option<usize>,
    pub top_entropy_quantile: f64,
    pub entropy_coef: f64,
    pub off_policy_mask_threshold: Option<f64>,
    pub overlong_filter: bool,
    pub correction: Option<Correction>,
    pub sapo_temperature_pos: f64,
    pub sapo_temperature_neg: f64,
    pub vespo_k_pos: f64,
    pub vespo_lambda_pos: f64,
    pub vespo_k_neg: f64,
    pub vespo_lambda_neg: f64,
    pub kl_clamp: Option<f64>,
    pub ratio_clamp: Option<f64>,
    pub masked_mean_eps: f64,
}

impl Objective {
    /// Whether rows must bring the entropy of every token.
    pub fn needs_entropy(&self) -> bool {
        self.entropy_coef != 0.0 || self.needs_whole_update()
    }

    /// Whether a pass over the whole update has to come before the first gradient: the entropy quantile is taken over all its tokens.
    pub fn needs_whole_update(&self) -> bool {
        self.top_entropy_quantile < 1.0
    }

    /// Whether rows must bring log-probabilities of the reference model.
    pub fn needs_reference(&self) -> bool {
        self.beta != 0.0
    }

    pub(crate) fn validate(self) -> Result<Self> {
        let in_range = |field, value: f64, ok: bool, expected: &str| match value.is_finite() && ok {
            true => Ok(()),
            false => Err(Error::config(field, expected, value)),
        };
        let positive = |field, value: f64| in_range(field, value, value > 0.0, "a number above 0");
        let not_negative = |field, value: f64| in_range(field, value, value >= 0.0, "a number of at least 0");
        let optional = |field, value: Option<f64>| value.map_or(Ok(()), |value| positive(field, value));
        not_negative("epsilon", self.epsilon)?;
        if self.kind != Policy::Gmpo {
            in_range("epsilon", self.epsilon, self.epsilon <= 1.0, "a number from 0 to 1")?;
        }
        not_negative("epsilonHigh", self.epsilon_high)?;
        if let Some(delta) = self.delta {
            in_range("delta", delta, delta > 1.0, "a number above 1, or null")?;
        }
        not_negative("beta", self.beta)?;
        let quantile = self.top_entropy_quantile;
        in_range("topEntropyQuantile", quantile, quantile > 0.0 && quantile <= 1.0, "a number above 0 and at most 1")?;
        not_negative("entropyCoef", self.entropy_coef)?;
        if let Some(threshold) = self.off_policy_mask_threshold {
            not_negative("offPolicyMaskThreshold", threshold)?;
        }
        positive("sapoTemperaturePos", self.sapo_temperature_pos)?;
        positive("sapoTemperatureNeg", self.sapo_temperature_neg)?;
        not_negative("vespoKPos", self.vespo_k_pos)?;
        not_negative("vespoLambdaPos", self.vespo_lambda_pos)?;
        not_negative("vespoKNeg", self.vespo_k_neg)?;
        not_negative("vespoLambdaNeg", self.vespo_lambda_neg)?;
        optional("klClamp", self.kl_clamp)?;
        optional("ratioClamp", self.ratio_clamp)?;
        not_negative("maskedMeanEps", self.masked_mean_eps)?;
        if let Some(correction) = self.correction {
            let max = correction.max;
            in_range("rolloutCorrectionMax", max, max >= 1.0, "a number of at least 1")?;
            let min = correction.min;
            in_range("rolloutCorrectionMin", min, (0.0..=1.0).contains(&min), "a number from 0 to 1")?;
        }
        if self.loss_aggregation == Aggregation::GroupTokenMean && self.aggregation_group == Some(0) {
            return Err(Error::config("aggregationGroup", "a number of rows, at least 1", 0));
        }
        if self.loss_aggregation == Aggregation::SeqSumNorm
            && self.max_completion_length.is_none_or(|length| length == 0)
        {
            let got = self.max_completion_length.map_or("nothing".to_string(), |length| length.to_string());
            return Err(Error::config("maxCompletionLength", "the response limit, as seq-sum-norm divides by it", got));
        }
        Ok(self)
    }
}
