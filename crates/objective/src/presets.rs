//! Published losses as points of the algebra (`lossType`).

use serde::{Deserialize, Serialize};

use crate::{AdvantageEstimator, Aggregation, KlEstimator, Level, Objective, Policy};

/// A named starting point; every other field of the configuration overrides it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossType {
    /// The paper's loss, averaged over the tokens of the update: dual clip 0.2/0.3/3, k3 with 0.01.
    #[default]
    Default,
    /// The loss as the released code computes it: token mean per micro-batch of 4 rows, KL cut at 10, unclamped ratio.
    Paper,
    /// Shao et al. 2024: clip, mean over rows, k3 with 0.04.
    Grpo,
    /// Liu et al. 2025: sums over a constant length, no deviation in the advantage.
    DrGrpo,
    /// Yu et al. 2025: token mean, higher upper clip. Dynamic sampling and the soft overlong penalty belong to the driver.
    Dapo,
    /// TRL: token mean over the rows of one batch, here groups of `aggregationGroup` rows (all rows unless given).
    Bnpo,
    /// Zheng et al. 2025: sequence ratios.
    Gspo,
    /// MiniMax 2025: clipped importance weights outside the gradient, cap 5.
    Cispo,
    /// Soft adaptive gate instead of a clip.
    Sapo,
    /// Sequence ratios, rows weighted with their length.
    Luspo,
    /// Gamma-shaped sequence weights outside the gradient.
    Vespo,
    /// Geometric mean of clipped ratios.
    Gmpo,
    /// Leave-one-out advantages with the clip loss.
    Rloo,
}

impl LossType {
    pub const ALL: [LossType; 13] = [
        LossType::Default,
        LossType::Paper,
        LossType::Grpo,
        LossType::DrGrpo,
        LossType::Dapo,
        LossType::Bnpo,
        LossType::Gspo,
        LossType::Cispo,
        LossType::Sapo,
        LossType::Luspo,
        LossType::Vespo,
        LossType::Gmpo,
        LossType::Rloo,
    ];

    /// The advantage that belongs to the loss.
    pub fn advantage(self) -> AdvantageEstimator {
        match self {
            LossType::DrGrpo => AdvantageEstimator::Center,
            LossType::Rloo => AdvantageEstimator::Rloo,
            _ => AdvantageEstimator::Grpo,
        }
    }

    /// The objective before overrides; its response limit is not known yet.
    pub(crate) fn objective(self) -> Objective {
        let clip = Objective {
            kind: Policy::Clip,
            importance_sampling_level: Level::Token,
            epsilon: 0.2,
            epsilon_high: 0.2,
            delta: None,
            beta: 0.0,
            kl_estimator: KlEstimator::K3,
            use_bias_correction_kl: false,
            loss_aggregation: Aggregation::TokenMean,
            aggregation_group: None,
            aggregation_interleaved: false,
            max_completion_length: None,
            top_entropy_quantile: 1.0,
            entropy_coef: 0.0,
            off_policy_mask_threshold: None,
            overlong_filter: false,
            correction: None,
            sapo_temperature_pos: 1.0,
            sapo_temperature_neg: 1.05,
            vespo_k_pos: 2.0,
            vespo_lambda_pos: 3.0,
            vespo_k_neg: 3.0,
            vespo_lambda_neg: 2.0,
            kl_clamp: None,
            ratio_clamp: Some(20.0),
            masked_mean_eps: 0.0,
        };
        let aggregated = |loss_aggregation| Objective { loss_aggregation, ..clip };
        match self {
            LossType::Default => Objective { epsilon_high: 0.3, delta: Some(3.0), beta: 0.01, ..clip },
            LossType::Paper => Objective {
                epsilon_high: 0.3,
                delta: Some(3.0),
                beta: 0.01,
                aggregation_group: Some(4),
                kl_clamp: Some(10.0),
                ratio_clamp: None,
                masked_mean_eps: 1e-8,
                ..aggregated(Aggregation::GroupTokenMean)
            },
            LossType::Grpo => Objective { beta: 0.04, ..aggregated(Aggregation::SeqMean) },
            LossType::DrGrpo => aggregated(Aggregation::SeqSumNorm),
            LossType::Dapo => Objective { epsilon_high: 0.28, ..clip },
            LossType::Bnpo => aggregated(Aggregation::GroupTokenMean),
            LossType::Gspo => Objective {
                importance_sampling_level: Level::Sequence,
                epsilon: 3e-4,
                epsilon_high: 4e-4,
                ..aggregated(Aggregation::SeqMean)
            },
            LossType::Cispo => Objective { kind: Policy::Cispo, epsilon_high: 4.0, ..clip },
            LossType::Sapo => Objective { kind: Policy::Sapo, ..aggregated(Aggregation::SeqMean) },
            LossType::Luspo => {
                Objective { importance_sampling_level: Level::Sequence, ..aggregated(Aggregation::SeqSum) }
            }
            LossType::Vespo => Objective { kind: Policy::Vespo, ..clip },
            LossType::Gmpo => {
                Objective { kind: Policy::Gmpo, epsilon: 0.4, epsilon_high: 0.4, ..aggregated(Aggregation::SeqMean) }
            }
            LossType::Rloo => clip,
        }
    }
}
