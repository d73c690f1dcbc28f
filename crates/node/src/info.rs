//! What the engine says about itself, and mathematics that JavaScript needs between two commands.

use coldstart_gemm::{Precision, kernel_name, pool};
use coldstart_grader::Limits;
use coldstart_objective::{AdvantageEstimator, Config, Schedule, ScheduleKind, advantages as compute_advantages};
use napi::bindgen_prelude::{Float64Array, Uint32Array};
use napi_derive::napi;
use serde_json::from_value;

use crate::failure::{Failure, Outcome, guarded, outcome};
use crate::number::whole;

/// Product kernels in use.
#[napi(object)]
pub struct KernelNames {
    pub float32: String,
    pub bfloat16: String,
}

#[napi(object)]
pub struct NativeInfo {
    /// Threads the engine computes on.
    pub threads: u32,
    pub kernels: KernelNames,
    /// CPU features found that kernels know how to use.
    pub cpu_features: Vec<String>,
}

/// Threads, kernels and CPU features of this machine.
#[napi(ts_return_type = "NativeInfo | Failure")]
pub fn engine_info() -> Outcome<NativeInfo> {
    outcome(guarded(|| {
        Ok(NativeInfo {
            threads: pool::threads() as u32,
            kernels: KernelNames {
                float32: kernel_name(Precision::F32).to_owned(),
                bfloat16: kernel_name(Precision::Bf16).to_owned(),
            },
            cpu_features: cpu_features(),
        })
    }))
}

/// What a verdict of the grader may use.
#[napi(object)]
pub struct GraderLimits {
    pub answer_bytes: u32,
    pub nodes: u32,
    pub depth: u32,
    /// Bits of an integer.
    pub bits: u32,
    pub symbols: u32,
    pub steps: u32,
}

/// The limits that every verdict has.
#[napi(ts_return_type = "GraderLimits | Failure")]
pub fn grader_limits() -> Outcome<GraderLimits> {
    outcome(guarded(|| {
        let Limits { answer_bytes, nodes, depth, bits, symbols, steps, .. } = Limits::default();
        Ok(GraderLimits { answer_bytes: answer_bytes as u32, nodes, depth, bits, symbols, steps })
    }))
}

/// Features that decide which kernels can run.
#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<String> {
    let found = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    found.into_iter().filter(|(_, found)| *found).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<String> {
    Vec::new()
}

/// Order of `length` rows in pass `epoch` under `seed`: the same on every machine.
#[napi(ts_return_type = "Uint32Array | Failure")]
pub fn permutation(seed: f64, epoch: f64, length: f64) -> Outcome<Uint32Array> {
    outcome(guarded(|| {
        let length: u32 = whole("length", length)?;
        let order = coldstart_engine::permutation(whole("seed", seed)?, whole("epoch", epoch)?, length as usize);
        Ok(Uint32Array::new(order))
    }))
}

/// Rate of update `update` (from 0) of `total` under a schedule `constant`, `cosine` or `linear`.
#[napi(ts_return_type = "number | Failure")]
pub fn learning_rate(kind: String, peak: f64, warmup: f64, min_ratio: f64, update: f64, total: f64) -> Outcome<f64> {
    outcome(guarded(|| {
        let kind: ScheduleKind =
            from_value(kind.into()).map_err(|error| Failure::new("E_CONFIG", format!("lrSchedulerType: {error}")))?;
        let (total_steps, warmup_steps) = (whole("total", total)?, whole("warmup", warmup)?);
        let schedule = Schedule { kind, peak, total_steps, warmup_steps, min_ratio }.validate()?;
        Ok(schedule.lr(whole("update", update)?))
    }))
}

/// An objective with every choice made.
#[napi(object)]
pub struct ObjectiveInfo {
    /// What `grpoUpdate` takes.
    pub json: String,
    pub needs_reference: bool,
    /// Estimator that belongs to the named loss.
    pub advantage: String,
}

/// Checks an objective given as JSON and says what it needs.
#[napi(ts_return_type = "ObjectiveInfo | Failure")]
pub fn resolve_objective(json: String) -> Outcome<ObjectiveInfo> {
    outcome(guarded(|| {
        let config = objective_config(&json)?;
        let objective = config.resolve()?;
        let advantage = serde_json::to_value(config.loss_type.unwrap_or_default().advantage())
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .ok_or_else(|| Failure::new("E_CONFIG", "lossType has no advantage"))?;
        Ok(ObjectiveInfo { json, needs_reference: objective.needs_reference(), advantage })
    }))
}

/// The objective as written by a user.
pub fn objective_config(json: &str) -> Result<Config, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::new("E_CONFIG", format!("objective: {error}")))
}

/// Advantage of every completion; NaN stands for "no reward" on the way in and "not trained on" on the way out. Groups are
/// consecutive runs of `group_size` completions.
#[napi(ts_return_type = "Float64Array | Failure")]
pub fn advantages(rewards: Float64Array, group_size: f64, estimator: String, epsilon: f64) -> Outcome<Float64Array> {
    outcome(guarded(|| {
        let estimator: AdvantageEstimator =
            from_value(estimator.into()).map_err(|error| Failure::new("E_CONFIG", format!("advantage: {error}")))?;
        let group_size: usize = whole("groupSize", group_size)?;
        if group_size == 0 {
            return Err(Failure::new("E_USAGE", "groupSize: expected at least 1, got 0"));
        }
        let groups: Vec<usize> = (0..rewards.len()).map(|i| i / group_size).collect();
        let rewards: Vec<Option<f64>> = rewards.iter().map(|&r| (!r.is_nan()).then_some(r)).collect();
        let values = compute_advantages(estimator, &groups, &rewards, epsilon)?;
        Ok(Float64Array::new(values.into_iter().map(|a| a.unwrap_or(f64::NAN)).collect()))
    }))
}
