//! Advantages from the rewards of groups of responses to the same prompt.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How rewards `r` of a group, with mean `m` and unbiased deviation `s`, become advantages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdvantageEstimator {
    /// `(r − m)/(s + ε)`
    #[default]
    Grpo,
    /// `r − m`
    Center,
    /// `r −` mean of the others in the group
    Rloo,
    /// `(r − m)/(σ + ε)`, `σ` the unbiased deviation of all `r − m`
    Batch,
    /// `(r − m)/(σ + ε)`, `σ` the unbiased deviation of all raw rewards, as TRL's `scale_rewards: "batch"`
    BatchRaw,
}

impl AdvantageEstimator {
    fn name(self) -> &'static str {
        match self {
            AdvantageEstimator::Grpo => "grpo",
            AdvantageEstimator::Center => "center",
            AdvantageEstimator::Rloo => "rloo",
            AdvantageEstimator::Batch => "batch",
            AdvantageEstimator::BatchRaw => "batch_raw",
        }
    }
}

/// One advantage per row; `groups[i]` names the group of row `i`, `rewards[i]` is null where the row could not be scored.
///
/// Unscored rows take no part in any statistic and get null, so that they leave the loss. A group whose scored rewards are all equal,
/// one scored row included, gets exact zeros: rounding noise divided by `ε` would not be.
///
/// Fails on lengths that differ, on a reward that is not finite, and under `grpo` and `rloo` on a group of one row.
pub fn advantages(
    estimator: AdvantageEstimator,
    groups: &[usize],
    rewards: &[Option<f64>],
    epsilon: f64,
) -> Result<Vec<Option<f64>>> {
    if groups.len() != rewards.len() {
        return Err(Error::config("groups", format!("one for each of {} rewards", rewards.len()), groups.len()));
    }
    if let Some((row, reward)) =
        rewards.iter().enumerate().find_map(|(i, r)| r.filter(|r| !r.is_finite()).map(|r| (i, r)))
    {
        return Err(Error::Reward { row, reward });
    }
    let mut result = vec![None; rewards.len()];
    for (group, members) in members(groups) {
        if members.len() < 2 && matches!(estimator, AdvantageEstimator::Grpo | AdvantageEstimator::Rloo) {
            return Err(Error::SingleRow { group, estimator: estimator.name() });
        }
        let scored: Vec<(usize, f64)> = members.iter().filter_map(|&i| rewards[i].map(|r| (i, r))).collect();
        let values: Vec<f64> = scored.iter().map(|(_, r)| *r).collect();
        let equal = values.iter().all(|r| *r == values[0]);
        for &(i, reward) in &scored {
            result[i] = Some(if equal { 0.0 } else { in_group(estimator, reward, &values, epsilon) });
        }
    }
    let scale = match estimator {
        AdvantageEstimator::Batch => deviation(&result.iter().flatten().copied().collect::<Vec<f64>>()),
        AdvantageEstimator::BatchRaw => deviation(&rewards.iter().flatten().copied().collect::<Vec<f64>>()),
        _ => return Ok(result),
    };
    Ok(result.into_iter().map(|a| a.map(|a| if a == 0.0 { 0.0 } else { a / (scale + epsilon) })).collect())
}

/// Rows of each group, groups in order of first appearance.
fn members(groups: &[usize]) -> Vec<(usize, Vec<usize>)> {
    let mut place = std::collections::HashMap::new();
    let mut members: Vec<(usize, Vec<usize>)> = Vec::new();
    for (row, &group) in groups.iter().enumerate() {
        let slot = *place.entry(group).or_insert(members.len());
        if slot == members.len() {
            members.push((group, Vec::new()));
        }
        members[slot].1.push(row);
    }
    members
}

fn in_group(estimator: AdvantageEstimator, reward: f64, group: &[f64], epsilon: f64) -> f64 {
    let centred = reward - mean(group);
    match estimator {
        AdvantageEstimator::Grpo => centred / (deviation(group) + epsilon),
        // r − (Σ − r)/(n − 1) = n/(n − 1)·(r − m)
        AdvantageEstimator::Rloo => centred * group.len() as f64 / (group.len() - 1) as f64,
        AdvantageEstimator::Center | AdvantageEstimator::Batch | AdvantageEstimator::BatchRaw => centred,
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Unbiased; 0 for fewer than two values.
fn deviation(values: &[f64]) -> f64 {
    let m = mean(values);
    let squares: f64 = values.iter().map(|v| (v - m) * (v - m)).sum();
    (squares / values.len().saturating_sub(1).max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [AdvantageEstimator; 5] = [
        AdvantageEstimator::Grpo,
        AdvantageEstimator::Center,
        AdvantageEstimator::Rloo,
        AdvantageEstimator::Batch,
        AdvantageEstimator::BatchRaw,
    ];

    #[test]
    fn equal_rewards_give_exact_zeros() {
        for estimator in ALL {
            // 0.1 three times: its mean is not 0.1 in binary.
            let result =
                advantages(estimator, &[7, 7, 7, 9, 9], &[Some(0.1), Some(0.1), Some(0.1), Some(0.0), Some(1.0)], 1e-6);
            assert_eq!(result.unwrap()[..3], [Some(0.0); 3]);
        }
    }

    #[test]
    fn an_unscored_row_leaves_statistics_and_loss() {
        for estimator in ALL {
            let with = advantages(estimator, &[0, 0, 0, 0], &[Some(1.0), None, Some(0.0), Some(0.5)], 1e-6).unwrap();
            let without = advantages(estimator, &[0, 0, 0], &[Some(1.0), Some(0.0), Some(0.5)], 1e-6).unwrap();
            assert_eq!(with, [without[0], None, without[1], without[2]]);
        }
    }

    #[test]
    fn one_scored_row_of_a_group_has_advantage_zero() {
        for estimator in ALL {
            assert_eq!(advantages(estimator, &[0, 0], &[None, Some(1.0)], 1e-6).unwrap(), [None, Some(0.0)]);
        }
    }

    #[test]
    fn a_group_of_one_cannot_be_compared() {
        let error = advantages(AdvantageEstimator::Rloo, &[3], &[Some(1.0)], 1e-6).unwrap_err();
        assert_eq!(error, Error::SingleRow { group: 3, estimator: "rloo" });
    }

    #[test]
    fn a_reward_that_is_no_number_is_refused() {
        let error = advantages(AdvantageEstimator::Grpo, &[0, 0], &[Some(1.0), Some(f64::INFINITY)], 1e-6).unwrap_err();
        assert_eq!(error.code(), "E_REWARD");
    }

    #[test]
    fn the_raw_batch_scale_is_the_deviation_of_all_rewards() {
        let result =
            advantages(AdvantageEstimator::BatchRaw, &[0, 0, 1, 1], &[Some(0.0), Some(2.0), Some(4.0), Some(6.0)], 0.0);
        let scale = (20.0f64 / 3.0).sqrt();
        assert_eq!(result.unwrap(), [-1.0, 1.0, -1.0, 1.0].map(|a| Some(a / scale)));
    }
}
