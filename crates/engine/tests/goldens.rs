//! The engine against reference values made with transformers, in every precision.

use coldstart_engine::golden::{Check, Outcome, PRECISIONS, check_folder};
use coldstart_engine::{Model, Precision, SaveDtype};
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../test/fixtures/goldens")
}

#[test]
fn every_reference_value_is_met_in_every_precision() {
    let checks = check_folder(&fixtures()).unwrap();
    let misses: Vec<String> =
        checks.iter().filter(|c| c.outcome == Outcome::Fail).map(|c| c.to_json().to_string()).collect();
    assert!(misses.is_empty(), "{}", misses.join("\n"));
    // A comparison that silently stopped happening would pass the line above.
    for file in ["rl", "trl"] {
        for what in ["loss", "grad_logp"] {
            let found = |c: &Check| c.case == file && c.what.starts_with(what) && c.outcome == Outcome::Pass;
            assert!(checks.iter().any(found), "{file}: {what} was not compared");
        }
    }
    for model in ["tiny-tied", "tiny-untied"] {
        for precision in PRECISIONS {
            let compared = |case: &str, what: &str| {
                let same = |c: &&Check| c.model == model && c.precision == precision && c.case == case;
                checks.iter().filter(same).any(|c| c.what.starts_with(what) && c.outcome == Outcome::Pass)
            };
            for case in ["text", "one-image", "two-images", "ragged-window"] {
                for what in [
                    "position_ids",
                    "hidden.0",
                    "hidden.2",
                    "logits",
                    "loss",
                    "logprobs",
                    "logprobs_t0.7",
                    "entropy_t0.7",
                    "greedy",
                ] {
                    assert!(compared(case, what), "{model} {precision:?}: {case} {what} was not compared");
                }
                assert!(
                    precision == Precision::Bf16 || compared(case, "greedy, cached"),
                    "{model} {precision:?}: {case}"
                );
                assert!(case == "text" || compared(case, "image_embeds"), "{model} {precision:?}: {case} image_embeds");
            }
            assert!(compared("two-images", "grad.*"), "{model} {precision:?}: no gradients were compared");
            for what in ["losses", "grad_norms", "final.*"] {
                assert!(compared("adamw", what), "{model} {precision:?}: {what} was not compared");
            }
        }
    }
}

#[test]
fn a_folder_without_models_is_an_error() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(check_folder(empty.path()).unwrap_err().code(), "E_USAGE");
}

/// Copies of these files of a fixture in a folder `name` below `parent`.
fn copied(parent: &Path, name: &str, files: &[&str]) -> PathBuf {
    let folder = parent.join(name);
    std::fs::create_dir_all(&folder).unwrap();
    for file in files {
        std::fs::copy(fixtures().join("tiny-untied").join(file), folder.join(file)).unwrap();
    }
    folder
}

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const CASE: &str = "case-text.safetensors";

fn of<'a>(checks: &'a [Check], model: &str) -> Vec<&'a Check> {
    checks.iter().filter(|check| check.model == model).collect()
}

#[test]
fn what_cannot_be_used_is_a_miss_that_says_why_and_everything_else_is_compared() {
    let dir = tempfile::tempdir().unwrap();
    copied(dir.path(), "a-no-config", &[WEIGHTS]);
    copied(dir.path(), "b-no-weights", &[CONFIG, CASE]);
    copied(dir.path(), "c-no-cases", &[CONFIG, WEIGHTS]);
    let damaged = copied(dir.path(), "d-damaged-case", &[CONFIG, WEIGHTS, CASE]);
    std::fs::write(damaged.join("case-damaged.safetensors"), b"no header").unwrap();
    copied(dir.path(), "e-cases-alone", &[CASE]);
    copied(dir.path(), "f-good", &[CONFIG, WEIGHTS, CASE]);
    std::fs::create_dir(dir.path().join("images")).unwrap();
    std::fs::write(dir.path().join("rl.json"), "{").unwrap();
    let checks = check_folder(dir.path()).unwrap();
    for (model, reason) in [
        ("a-no-config", "config.json"),
        ("b-no-weights", "model.safetensors"),
        ("c-no-cases", "expected files case-NAME.safetensors"),
        ("e-cases-alone", "config.json"),
    ] {
        let found = of(&checks, model);
        assert_eq!(found.len(), PRECISIONS.len(), "{model}");
        for check in found {
            assert!(check.outcome == Outcome::Fail && check.what.ends_with(model), "{}", check.to_json());
            assert!(check.measure.contains(reason), "{}", check.to_json());
        }
    }
    let failed = |model: &str| of(&checks, model).iter().filter(|check| check.outcome == Outcome::Fail).count();
    let passed = |model: &str| of(&checks, model).iter().filter(|check| check.outcome == Outcome::Pass).count();
    assert_eq!(failed("d-damaged-case"), PRECISIONS.len());
    assert_eq!(passed("d-damaged-case"), passed("f-good"));
    assert!(passed("f-good") > 10 && failed("f-good") == 0);
    assert_eq!(failed("objective"), 1);
    assert!(of(&checks, "images").is_empty());
}

#[test]
fn a_model_in_shards_is_compared() {
    let dir = tempfile::tempdir().unwrap();
    let folder = copied(dir.path(), "sharded", &[CASE]);
    let model = Model::load(&fixtures().join("tiny-untied"), Precision::F32).unwrap();
    model.save_sharded(&folder, SaveDtype::Float32, 100_000).unwrap();
    assert!(!folder.join(WEIGHTS).exists());
    let checks = check_folder(dir.path()).unwrap();
    let found = of(&checks, "sharded");
    assert!(found.iter().any(|c| c.what == "logits" && c.outcome == Outcome::Pass));
    assert!(found.iter().all(|c| c.outcome != Outcome::Fail));
}

#[test]
fn a_changed_weight_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    let source = fixtures().join("tiny-untied");
    for name in [CONFIG, WEIGHTS, CASE] {
        std::fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join(WEIGHTS);
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 0x40; // an exponent bit of the last value
    std::fs::write(&path, bytes).unwrap();
    // The last tensor in the file belongs to the vision tower, so a text case alone would not see it.
    std::fs::copy(source.join("case-one-image.safetensors"), folder.path().join("case-one-image.safetensors")).unwrap();
    // The flipped bit gives either a wrong number or an infinite one, which does not load; both are misses.
    assert!(check_folder(folder.path()).unwrap().iter().any(|c| c.outcome == Outcome::Fail));
}
