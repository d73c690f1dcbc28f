//! Comparison of the engine with reference values made by other software.
//!
//! A golden folder holds model folders (`config.json`, `model.safetensors`) with cases `case-NAME.safetensors`: inputs, and whatever
//! of positions, image features, hidden states, logits, losses, log-probabilities, gradients, greedy continuations and five AdamW steps
//! was recorded. Shapes come from the configuration; parts that a case lacks are reported as absent. Beside the models may lie cases of
//! the reinforcement-learning objective, `rl.json` and `trl.json`.

mod adamw;
mod case;
mod forward;
mod gradients;
mod objective;
mod report;

use crate::{Error, Model, Precision, Result};
use case::Case;
use std::path::{Path, PathBuf};

pub use report::{Check, Outcome};

/// Precisions in which everything is compared.
pub const PRECISIONS: [Precision; 3] = [Precision::F64, Precision::F32, Precision::Bf16];

/// Compares every model folder below `folder` (or `folder` itself) in every precision, and the objective's cases.
///
/// # Errors
/// `E_USAGE` when there is nothing to compare; otherwise what loading a model or running it returns. Deviations are not errors: see
/// [`Check::outcome`].
pub fn check_folder(folder: &Path) -> Result<Vec<Check>> {
    let mut checks = objective::check(folder)?;
    for model in model_folders(folder)? {
        for precision in PRECISIONS {
            checks.extend(check_model(&model, precision)?);
        }
    }
    if checks.iter().all(|check| check.outcome == Outcome::Absent) {
        let place = folder.display();
        return Err(Error::Usage(format!(
            "{place}: expected folders with config.json and model.safetensors, rl.json or trl.json, got none"
        )));
    }
    Ok(checks)
}

/// Compares one model folder in one precision.
///
/// # Errors
/// As [`check_folder`]; a model folder without cases is `E_USAGE`.
pub fn check_model(folder: &Path, precision: Precision) -> Result<Vec<Check>> {
    let paths = case_files(folder)?;
    if paths.is_empty() {
        return Err(Error::Usage(format!("{}: expected files case-NAME.safetensors, got none", folder.display())));
    }
    let mut model = Model::load(folder, precision)?;
    let mut checks = Vec::new();
    for path in &paths {
        let case = Case::open(path)?;
        if case.is_training() {
            // The steps change the weights, so they get a model of their own.
            checks.extend(adamw::check(&mut model.copy()?, &case)?);
        } else {
            checks.extend(forward::check(&model, &case)?);
            checks.extend(gradients::check(&mut model, &case)?);
        }
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    for check in &mut checks {
        check.model = name.to_string();
        check.precision = precision;
    }
    Ok(checks)
}

fn model_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    folders.push(folder.to_path_buf());
    folders.retain(|path| path.join("config.json").is_file() && path.join("model.safetensors").is_file());
    folders.sort();
    Ok(folders)
}

fn case_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_case = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("case-") && name.ends_with(".safetensors")
    };
    let mut paths: Vec<PathBuf> = entries(folder)?.into_iter().filter(is_case).collect();
    paths.sort();
    Ok(paths)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e: std::io::Error| Error::Usage(format!("{}: {e}", folder.display()));
    std::fs::read_dir(folder).map_err(unreadable)?.map(|entry| entry.map(|e| e.path()).map_err(unreadable)).collect()
}
