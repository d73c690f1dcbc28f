//! The objective as a user writes it: a preset and overrides, in camelCase, unknown names refused.

use serde::{Deserialize, Deserializer};

use crate::{Aggregation, Correction, CorrectionKind, Error, KlEstimator, Level, LossType, Objective, Policy, Result};

/// Every field is optional and overrides the preset `lossType`.
///
/// ```
/// let json = r#"{ "lossType": "dapo", "beta": 0.01, "klEstimator": "k3", "maxCompletionLength": 2048 }"#;
/// let config: coldstart_objective::Config = serde_json::from_str(json)?;
/// assert_eq!(config.resolve()?.epsilon_high, 0.28);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Config {
    /// Preset to start from; `default` unless given.
    pub loss_type: Option<LossType>,
    /// The policy term.
    pub kind: Option<Policy>,
    /// `token`, `sequence` or `sequence_token`.
    pub importance_sampling_level: Option<Level>,
    /// How far below 1 a ratio may go before the clip (gmpo: how far the log ratio may go below 0).
    pub epsilon: Option<f64>,
    /// How far above 1 it may go; cispo's cap is `1 + epsilonHigh`.
    pub epsilon_high: Option<f64>,
    /// Dual clip: at A < 0 the loss of a token is at most `−A·delta`. null: none.
    #[serde(default, deserialize_with = "nullable")]
    pub delta: Option<Option<f64>>,
    /// Weight of the KL to the reference model.
    pub beta: Option<f64>,
    pub kl_estimator: Option<KlEstimator>,
    /// Multiply the KL of a token by its ratio, so that its expectation is taken under the current policy.
    pub use_bias_correction_kl: Option<bool>,
    pub loss_aggregation: Option<Aggregation>,
    /// Rows of a group under `group-token-mean`; all rows unless given.
    pub aggregation_group: Option<usize>,
    /// Deal rows to groups in turn instead of cutting consecutive ones.
    pub aggregation_interleaved: Option<bool>,
    /// Response limit in tokens; `seq-sum-norm` divides by it.
    pub max_completion_length: Option<usize>,
    /// Keep the policy term on this share of tokens, the most uncertain of the update.
    pub top_entropy_quantile: Option<f64>,
    /// Weight of the entropy bonus, the mean entropy of the tokens that `topEntropyQuantile` keeps.
    pub entropy_coef: Option<f64>,
    /// Drop the policy term of rows with A < 0 whose mean `sampler − logp` exceeds this. null: none.
    #[serde(default, deserialize_with = "nullable")]
    pub off_policy_mask_threshold: Option<Option<f64>>,
    /// Leave truncated responses out of the loss.
    pub overlong_filter: Option<bool>,
    /// Correct for rollouts sampled elsewhere; none unless given.
    pub rollout_correction: Option<CorrectionKind>,
    /// Upper limit of the correction, 2 unless given.
    pub rollout_correction_max: Option<f64>,
    /// Lower limit of the `-mask` corrections, 0.5 unless given.
    pub rollout_correction_min: Option<f64>,
    pub sapo_temperature_pos: Option<f64>,
    pub sapo_temperature_neg: Option<f64>,
    pub vespo_k_pos: Option<f64>,
    pub vespo_lambda_pos: Option<f64>,
    pub vespo_k_neg: Option<f64>,
    pub vespo_lambda_neg: Option<f64>,
    /// Cut the value of k3 here, with no gradient beyond. null: no cut.
    #[serde(default, deserialize_with = "nullable")]
    pub kl_clamp: Option<Option<f64>>,
    /// Clamp log ratios to ± this before `exp`, 20 unless given. null: no clamp.
    #[serde(default, deserialize_with = "nullable")]
    pub ratio_clamp: Option<Option<f64>>,
    /// Added to token counts before dividing.
    pub masked_mean_eps: Option<f64>,
}

/// Distinguishes `null` (switch off) from absent (keep the preset's value).
fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Option<f64>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Config {
    /// The objective with every choice made.
    ///
    /// Fails, naming the field, on a number out of range and on an option that the chosen loss would not read.
    pub fn resolve(&self) -> Result<Objective> {
        let preset = self.loss_type.unwrap_or_default().objective();
        let objective = Objective {
            kind: self.kind.unwrap_or(preset.kind),
            importance_sampling_level: self.importance_sampling_level.unwrap_or(preset.importance_sampling_level),
            epsilon: self.epsilon.unwrap_or(preset.epsilon),
            epsilon_high: self.epsilon_high.unwrap_or(preset.epsilon_high),
            delta: self.delta.unwrap_or(preset.delta),
            beta: self.beta.unwrap_or(preset.beta),
            kl_estimator: self.kl_estimator.unwrap_or(preset.kl_estimator),
            use_bias_correction_kl: self.use_bias_correction_kl.unwrap_or(preset.use_bias_correction_kl),
            loss_aggregation: self.loss_aggregation.unwrap_or(preset.loss_aggregation),
            aggregation_group: self.aggregation_group.or(preset.aggregation_group),
            aggregation_interleaved: self.aggregation_interleaved.unwrap_or(preset.aggregation_interleaved),
            max_completion_length: self.max_completion_length.or(preset.max_completion_length),
            top_entropy_quantile: self.top_entropy_quantile.unwrap_or(preset.top_entropy_quantile),
            entropy_coef: self.entropy_coef.unwrap_or(preset.entropy_coef),
            off_policy_mask_threshold: self.off_policy_mask_threshold.unwrap_or(preset.off_policy_mask_threshold),
            overlong_filter: self.overlong_filter.unwrap_or(preset.overlong_filter),
            correction: self.correction(),
            sapo_temperature_pos: self.sapo_temperature_pos.unwrap_or(preset.sapo_temperature_pos),
            sapo_temperature_neg: self.sapo_temperature_neg.unwrap_or(preset.sapo_temperature_neg),
            vespo_k_pos: self.vespo_k_pos.unwrap_or(preset.vespo_k_pos),
            vespo_lambda_pos: self.vespo_lambda_pos.unwrap_or(preset.vespo_lambda_pos),
            vespo_k_neg: self.vespo_k_neg.unwrap_or(preset.vespo_k_neg),
            vespo_lambda_neg: self.vespo_lambda_neg.unwrap_or(preset.vespo_lambda_neg),
            kl_clamp: self.kl_clamp.unwrap_or(preset.kl_clamp),
            ratio_clamp: self.ratio_clamp.unwrap_or(preset.ratio_clamp),
            masked_mean_eps: self.masked_mean_eps.unwrap_or(preset.masked_mean_eps),
        };
        self.check_read(&objective)?;
        objective.validate()
    }

    fn correction(&self) -> Option<Correction> {
        let (max, min) = (self.rollout_correction_max.unwrap_or(2.0), self.rollout_correction_min.unwrap_or(0.5));
        self.rollout_correction.map(|kind| Correction { kind, min, max })
    }

    /// An option that changes nothing is a misunderstanding: say so before the run is paid for.
    fn check_read(&self, objective: &Objective) -> Result<()> {
        let kind = objective.kind;
        let clips = matches!(kind, Policy::Clip | Policy::Gmpo);
        let grouped = objective.loss_aggregation == Aggregation::GroupTokenMean;
        let sapo = kind == Policy::Sapo;
        let vespo = kind == Policy::Vespo;
        let corrected = self.rollout_correction.is_some();
        let penalised = objective.beta != 0.0;
        let rules = [
            ("epsilon", self.epsilon.is_some(), clips, "kind clip or gmpo"),
            ("epsilonHigh", self.epsilon_high.is_some(), clips || kind == Policy::Cispo, "kind clip, gmpo or cispo"),
            ("delta", self.delta.flatten().is_some(), kind == Policy::Clip, "kind clip"),
            ("sapoTemperaturePos", self.sapo_temperature_pos.is_some(), sapo, "kind sapo"),
            ("sapoTemperatureNeg", self.sapo_temperature_neg.is_some(), sapo, "kind sapo"),
            ("vespoKPos", self.vespo_k_pos.is_some(), vespo, "kind vespo"),
            ("vespoLambdaPos", self.vespo_lambda_pos.is_some(), vespo, "kind vespo"),
            ("vespoKNeg", self.vespo_k_neg.is_some(), vespo, "kind vespo"),
            ("vespoLambdaNeg", self.vespo_lambda_neg.is_some(), vespo, "kind vespo"),
            ("aggregationGroup", self.aggregation_group.is_some(), grouped, "lossAggregation group-token-mean"),
            (
                "aggregationInterleaved",
                self.aggregation_interleaved == Some(true),
                grouped,
                "lossAggregation group-token-mean",
            ),
            ("klEstimator", self.kl_estimator.is_some(), penalised, "a beta above 0"),
            ("klClamp", self.kl_clamp.flatten().is_some(), penalised, "a beta above 0"),
            ("rolloutCorrectionMax", self.rollout_correction_max.is_some(), corrected, "a rolloutCorrection"),
            ("rolloutCorrectionMin", self.rollout_correction_min.is_some(), corrected, "a rolloutCorrection"),
        ];
        match rules.iter().find(|(_, given, read, _)| *given && !read) {
            Some((field, _, _, needs)) => Err(Error::config(field, format!("no value without {needs}"), "one")),
            None => Ok(()),
        }
    }
}
