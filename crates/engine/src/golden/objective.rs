//! Losses, gradients and advantages of the reinforcement-learning objective.

use super::report::Check;
use crate::{Error, Result};
use coldstart_objective::golden::{Comparison, check_rl, check_trl};
use serde_json::Value;
use std::path::Path;

type CheckFile = fn(&Value) -> std::result::Result<Vec<Comparison>, String>;

/// Compares `rl.json` and `trl.json` of `folder`; each is absent when there is no such file, and failed when it cannot be used.
pub(super) fn check(folder: &Path) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, check) in [("rl", check_rl as CheckFile), ("trl", check_trl)] {
        let path = folder.join(format!("{name}.json"));
        if !path.exists() {
            checks.push(Check::absent(name, "*"));
            continue;
        }
        match compare(&path, check) {
            Ok(comparisons) => checks.extend(comparisons.iter().map(|c| to_check(name, c))),
            Err(error) => checks.push(Check::unusable(name, "*", &error)),
        }
    }
    for check in &mut checks {
        check.model = "objective".into();
    }
    checks
}

fn compare(path: &Path, check: CheckFile) -> Result<Vec<Comparison>> {
    let failed = |why: String| Error::Usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    let file: Value = serde_json::from_str(&text).map_err(|e| failed(e.to_string()))?;
    let comparisons = check(&file).map_err(failed)?;
    if comparisons.is_empty() { Err(failed("expected cases, got none".into())) } else { Ok(comparisons) }
}

fn to_check(file: &str, c: &Comparison) -> Check {
    let what = format!("{} ({} values)", c.what, c.count);
    let measure = format!("absolute below 1, relative above; worst in case {}", c.case);
    // A quantity that was never compared must not pass.
    let worst = if c.count == 0 { f64::INFINITY } else { c.worst };
    Check::new(file, what, measure, worst, c.limit)
}
