//! Comparison with reference values made by automatic differentiation: closed formulas (`rl.json`) and TRL's own loss method
//! (`trl.json`). The values go through [`evaluate`] and [`advantages`], as training does.

use serde_json::Value;

use crate::{
    Advantage, AdvantageEstimator, Config, Evaluation, LossType, Metrics, Objective, Row, Totals, advantages, evaluate,
};

/// Largest deviation allowed, absolute or relative, whichever is larger.
pub const LIMIT: f64 = 1e-9;
/// Shares of tokens are means of float32 in the reference.
pub const SHARE_LIMIT: f64 = 1e-7;

/// One quantity over all cases of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// `loss`, `grad_logp`, a metric, or an advantage estimator.
    pub what: String,
    /// Values compared.
    pub count: usize,
    /// Largest deviation, absolute below 1 and relative above; infinite for values that are missing or not numbers.
    pub worst: f64,
    pub limit: f64,
    /// The case with the largest deviation.
    pub case: usize,
}

impl Comparison {
    pub fn passed(&self) -> bool {
        self.count > 0 && self.worst <= self.limit
    }
}

/// The comparisons made so far, in order of first appearance.
#[derive(Default)]
struct Record(Vec<Comparison>);

impl Record {
    fn add(&mut self, case: usize, what: &str, ours: Option<f64>, theirs: f64, limit: f64) {
        let deviation = match ours {
            Some(ours) if ours.is_finite() && theirs.is_finite() => (ours - theirs).abs() / theirs.abs().max(1.0),
            _ => f64::INFINITY,
        };
        let index = self.0.iter().position(|c| c.what == what).unwrap_or_else(|| {
            self.0.push(Comparison { what: what.to_owned(), count: 0, worst: 0.0, limit, case });
            self.0.len() - 1
        });
        let comparison = &mut self.0[index];
        comparison.count += 1;
        if deviation > comparison.worst {
            (comparison.worst, comparison.case) = (deviation, case);
        }
    }
}

/// Compares every case of `rl.json`: losses, gradients, clip shares and KL, and four advantage estimators.
///
/// Fails with a message naming the case that cannot be read or evaluated.
pub fn check_rl(file: &Value) -> Result<Vec<Comparison>, String> {
    let mut record = Record::default();
    if file.get("loss").is_none() && file.get("advantages").is_none() {
        return Err("expected loss or advantages, got neither".to_owned());
    }
    for (i, case) in list(file, "loss")?.iter().enumerate() {
        rl_loss(&mut record, i, case).map_err(|message| format!("loss case {i}: {message}"))?;
    }
    for (i, case) in list(file, "advantages")?.iter().enumerate() {
        rl_advantages(&mut record, i, case).map_err(|message| format!("advantages case {i}: {message}"))?;
    }
    Ok(record.0)
}

/// Compares every case of `trl.json`: losses, gradients and TRL's metrics.
///
/// Fails with a message naming the case that cannot be read or evaluated.
pub fn check_trl(file: &Value) -> Result<Vec<Comparison>, String> {
    let mut record = Record::default();
    if file.get("cases").is_none() {
        return Err("expected cases, got none".to_owned());
    }
    for (i, case) in list(file, "cases")?.iter().enumerate() {
        trl_case(&mut record, i, case).map_err(|message| format!("case {i}: {message}"))?;
    }
    Ok(record.0)
}

fn rl_loss(record: &mut Record, i: usize, case: &Value) -> Result<(), String> {
    let params = &case["params"];
    let text = |name: &str| params[name].as_str().ok_or_else(|| format!("params.{name} is not a text"));
    let without_kl = text("kl")? == "none";
    let clips = text("kind")? == "clip";
    let config: Config = parse(serde_json::json!({
        "kind": params["kind"],
        "importanceSamplingLevel": params["level"],
        "lossAggregation": params["agg"],
        "maxCompletionLength": params["norm_len"],
    }))?;
    let config = Config {
        epsilon: clips.then(|| params["lo"].as_f64()).flatten(),
        epsilon_high: params["hi"].as_f64(),
        delta: Some(params["dual"].as_f64().filter(|_| clips)),
        beta: Some(if without_kl { 0.0 } else { params["kl_coef"].as_f64().unwrap_or(f64::NAN) }),
        kl_estimator: if without_kl { None } else { Some(parse(params["kl"].clone())?) },
        ..config
    };
    let (result, metrics) = evaluate_case(case, &config.resolve().map_err(|e| e.to_string())?)?;
    loss_and_gradient(record, i, case, &result)?;
    let mut metric = |name: &str, ours: Option<f64>, limit: f64| {
        if let Some(theirs) = case[name].as_f64() {
            record.add(i, name, ours, theirs, limit);
        }
    };
    if clips {
        metric("clip_frac_high", Some(metrics.pg_clipfrac_higher), SHARE_LIMIT);
        metric("clip_frac_low", Some(metrics.pg_clipfrac_lower), SHARE_LIMIT);
    }
    metric("approx_kl", Some(metrics.ppo_kl), LIMIT);
    if !without_kl {
        metric("kl", metrics.kl, LIMIT);
    }
    Ok(())
}

fn rl_advantages(record: &mut Record, i: usize, case: &Value) -> Result<(), String> {
    let groups: Vec<usize> = numbers(&case["index"])?.iter().map(|&g| g as usize).collect();
    let rewards: Vec<Option<f64>> = numbers(&case["rewards"])?.into_iter().map(Some).collect();
    let epsilon = case["eps"].as_f64().ok_or("eps is not a number")?;
    for (name, estimator) in [
        ("grpo", AdvantageEstimator::Grpo),
        ("center", AdvantageEstimator::Center),
        ("rloo", AdvantageEstimator::Rloo),
        ("batch", AdvantageEstimator::Batch),
    ] {
        let ours = advantages(estimator, &groups, &rewards, epsilon).map_err(|e| e.to_string())?;
        for (ours, theirs) in ours.iter().zip(numbers(&case[name])?) {
            record.add(i, &format!("advantages {name}"), *ours, theirs, LIMIT);
        }
    }
    Ok(())
}

fn trl_case(record: &mut Record, i: usize, case: &Value) -> Result<(), String> {
    let objective = from_trl(&case["config"])?.resolve().map_err(|e| e.to_string())?;
    let (result, metrics) = evaluate_case(case, &objective)?;
    loss_and_gradient(record, i, case, &result)?;
    for (name, ours, limit) in [
        ("clip_ratio/low_mean", Some(metrics.clip_ratio_low), SHARE_LIMIT),
        ("clip_ratio/high_mean", Some(metrics.clip_ratio_high), SHARE_LIMIT),
        ("clip_ratio/region_mean", Some(metrics.clip_ratio_region), SHARE_LIMIT),
        ("cispo_clip_ratio", Some(metrics.clip_ratio_high), SHARE_LIMIT),
        ("kl", metrics.kl, LIMIT),
        ("vespo/phi_seq_mean", metrics.phi, LIMIT),
    ] {
        if let Some(theirs) = case["metrics"][name].as_f64() {
            record.add(i, name, ours, theirs, limit);
        }
    }
    Ok(())
}

/// TRL's names to ours. Its loss type fixes term and aggregation; ratio level and masks are chosen apart.
fn from_trl(config: &Value) -> Result<Config, String> {
    let number = |name: &str| config[name].as_f64();
    let name = config["loss_type"].as_str().ok_or("loss_type is not a text")?;
    let clips = matches!(name, "grpo" | "dr_grpo" | "dapo" | "bnpo" | "luspo");
    let (sapo, vespo) = (name == "sapo", name == "vespo");
    // TRL's cap for cispo is epsilon_high itself.
    let epsilon_high = number("epsilon_high").map(|high| if name == "cispo" { high - 1.0 } else { high });
    Ok(Config {
        loss_type: Some(parse::<LossType>(config["loss_type"].clone())?),
        importance_sampling_level: Some(parse(config["importance_sampling_level"].clone())?),
        epsilon: number("epsilon").filter(|_| clips || name == "gmpo"),
        epsilon_high: epsilon_high.filter(|_| !sapo && !vespo),
        delta: Some(number("delta").filter(|_| clips)),
        beta: number("beta"),
        use_bias_correction_kl: config["use_bias_correction_kl"].as_bool(),
        max_completion_length: config["max_completion_length"].as_u64().map(|n| n as usize),
        top_entropy_quantile: number("top_entropy_quantile"),
        entropy_coef: number("entropy_coef"),
        off_policy_mask_threshold: Some(number("off_policy_mask_threshold")),
        sapo_temperature_pos: number("sapo_temperature_pos").filter(|_| sapo),
        sapo_temperature_neg: number("sapo_temperature_neg").filter(|_| sapo),
        vespo_k_pos: number("vespo_k_pos").filter(|_| vespo),
        vespo_lambda_pos: number("vespo_lambda_pos").filter(|_| vespo),
        vespo_k_neg: number("vespo_k_neg").filter(|_| vespo),
        vespo_lambda_neg: number("vespo_lambda_neg").filter(|_| vespo),
        ..Config::default()
    })
}

fn evaluate_case(case: &Value, objective: &Objective) -> Result<(Evaluation, Metrics), String> {
    let (logp, old, reference) = (rows(case, "logp")?, rows(case, "old")?, rows(case, "ref")?);
    let entropy = if case.get("entropies").is_some() { Some(rows(case, "entropies")?) } else { None };
    let advantage = numbers(&case["advantages"])?;
    let row = |i: usize| Row {
        index: i,
        logp: &logp[i],
        old: &old[i],
        reference: Some(&reference[i]),
        entropy: entropy.as_ref().map(|entropy| &entropy[i][..]),
        advantage: Advantage::Row(advantage[i]),
        ..Row::default()
    };
    let rows: Vec<Row> = (0..logp.len().min(advantage.len())).map(row).collect();
    let totals = Totals::new(objective, &rows).map_err(|e| e.to_string())?;
    let result = evaluate(objective, &totals, &rows).map_err(|e| e.to_string())?;
    let metrics = result.sums.finish(objective);
    Ok((result, metrics))
}

fn loss_and_gradient(record: &mut Record, i: usize, case: &Value, result: &Evaluation) -> Result<(), String> {
    record.add(i, "loss", Some(result.loss), case["loss"].as_f64().ok_or("loss is not a number")?, LIMIT);
    for (ours, theirs) in result.grad_logp.iter().zip(rows(case, "grad_logp")?) {
        for (t, theirs) in theirs.into_iter().enumerate() {
            record.add(i, "grad_logp", ours.get(t).copied(), theirs, LIMIT);
        }
    }
    Ok(())
}

/// Rows of a padded array, cut to the lengths of the case.
fn rows(case: &Value, name: &str) -> Result<Vec<Vec<f64>>, String> {
    let lengths = numbers(&case["lengths"])?;
    let arrays = case[name].as_array().ok_or_else(|| format!("{name} is not a list"))?;
    let cut = |(array, &n): (&Value, &f64)| {
        let values = numbers(array)?;
        values
            .get(..n as usize)
            .map(<[f64]>::to_vec)
            .ok_or_else(|| format!("a row of {name} is shorter than its length"))
    };
    arrays.iter().zip(&lengths).map(cut).collect()
}

fn numbers(value: &Value) -> Result<Vec<f64>, String> {
    let list = value.as_array().ok_or("expected a list of numbers")?;
    list.iter().map(|v| v.as_f64().ok_or_else(|| format!("expected a number, got {v}"))).collect()
}

/// The cases under `name`; none when the file has no such part.
fn list<'a>(file: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match file.get(name) {
        None => Ok(&[]),
        Some(cases) => match cases.as_array() {
            Some(list) if !list.is_empty() => Ok(list),
            _ => Err(format!("{name}: expected cases, got none")),
        },
    }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Value {
        let path = format!("{}/../../test/fixtures/goldens/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    fn count<'a>(comparisons: &'a [Comparison], what: &str) -> &'a Comparison {
        comparisons.iter().find(|c| c.what == what).unwrap()
    }

    #[test]
    fn closed_formulas_agree_with_automatic_differentiation() {
        let comparisons = check_rl(&fixture("rl.json")).unwrap();
        assert_eq!(count(&comparisons, "loss").count, 80);
        assert!(count(&comparisons, "grad_logp").count > 1000);
        for name in ["clip_frac_high", "clip_frac_low", "approx_kl", "kl", "advantages grpo", "advantages batch"] {
            assert!(count(&comparisons, name).count >= 40, "{name}");
        }
        assert_eq!(comparisons.iter().filter(|c| !c.passed()).collect::<Vec<_>>(), Vec::<&Comparison>::new());
    }

    #[test]
    fn every_trl_loss_is_a_point_of_the_algebra() {
        let comparisons = check_trl(&fixture("trl.json")).unwrap();
        assert_eq!(count(&comparisons, "loss").count, 150);
        assert_eq!(comparisons.iter().filter(|c| !c.passed()).collect::<Vec<_>>(), Vec::<&Comparison>::new());
    }

    #[test]
    fn a_changed_value_is_found_and_a_file_without_cases_is_refused() {
        let mut file = fixture("rl.json");
        let loss = file["loss"][7]["loss"].as_f64().unwrap();
        file["loss"][7]["loss"] = (loss + 1e-6).into();
        let comparisons = check_rl(&file).unwrap();
        assert!(!count(&comparisons, "loss").passed());
        assert_eq!(count(&comparisons, "loss").case, 7);
        assert!(check_trl(&serde_json::json!({ "cases": [] })).is_err());
    }
}
