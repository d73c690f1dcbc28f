//! Comparison of the engine with reference values made by other software.
//!
//! A golden folder holds model folders (`config.json`, `model.safetensors` or shards with their index) with cases
//! `case-NAME.safetensors`: inputs, and whatever of positions, image features, hidden states, logits, losses, log-probabilities, gradients, greedy continuations and five AdamW steps
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

/// Files that only a model folder has.
const MODEL_FILES: [&str; 3] = ["config.json", "model.safetensors", "model.safetensors.index.json"];

/// Compares every model folder below `folder` (or `folder` itself) in every precision, and the objective's cases.
///
/// Whatever can be compared is: a model folder, case or file that cannot be used is a failed check with the reason in its measure.
///
/// # Errors
/// `E_USAGE` when there is nothing to compare, or `folder` cannot be read.
pub fn check_folder(folder: &Path) -> Result<Vec<Check>> {
    let mut checks = objective::check(folder);
    for model in model_folders(folder)? {
        for precision in PRECISIONS {
            let mut found = check_model(&model, precision)
                .unwrap_or_else(|error| vec![Check::unusable("*", model.display().to_string(), &error)]);
            for check in &mut found {
                check.model = file_name(&model);
                check.precision = precision;
            }
            checks.extend(found);
        }
    }
    if checks.iter().all(|check| check.outcome == Outcome::Absent) {
        let place = folder.display();
        return Err(Error::Usage(format!("{place}: expected model folders with cases, rl.json or trl.json, got none")));
    }
    Ok(checks)
}

/// Compares the cases of one model folder in one precision.
fn check_model(folder: &Path, precision: Precision) -> Result<Vec<Check>> {
    let mut model = Model::load(folder, precision)?;
    let paths: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| is_case(path)).collect();
    if paths.is_empty() {
        return Err(Error::Usage(format!("{}: expected files case-NAME.safetensors, got none", folder.display())));
    }
    let check = |path: &PathBuf| {
        check_case(&mut model, path).unwrap_or_else(|error| vec![Check::unusable(&file_name(path), "*", &error)])
    };
    Ok(paths.iter().flat_map(check).collect())
}

fn check_case(model: &mut Model, path: &Path) -> Result<Vec<Check>> {
    let case = Case::open(path)?;
    if case.is_training() {
        // The steps change the weights, so they get a model of their own.
        return adamw::check(&mut model.copy()?, &case);
    }
    let mut checks = forward::check(model, &case)?;
    checks.extend(gradients::check(model, &case)?);
    Ok(checks)
}

/// Folders that have anything of a model folder: what one lacks is told when it is loaded, never a reason to pass it by.
fn model_folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut folders: Vec<PathBuf> = entries(folder)?.into_iter().filter(|path| path.is_dir()).collect();
    folders.push(folder.to_path_buf());
    let mut found = Vec::new();
    for folder in folders {
        if entries(&folder)?.iter().any(|path| is_case(path) || MODEL_FILES.contains(&file_name(path).as_str())) {
            found.push(folder);
        }
    }
    found.sort();
    Ok(found)
}

fn is_case(path: &Path) -> bool {
    file_name(path).starts_with("case-") && path.is_file()
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What lies in `folder`, in order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e: std::io::Error| Error::Usage(format!("{}: {e}", folder.display()));
    let listed = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut paths =
        listed.map(|entry| entry.map(|e| e.path())).collect::<std::io::Result<Vec<_>>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}
