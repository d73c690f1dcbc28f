//! The engine against reference values made with transformers, in every precision.

use coldstart_engine::Precision;
use coldstart_engine::golden::{Check, Outcome, PRECISIONS, check_folder};
use std::path::PathBuf;

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

#[test]
fn a_changed_weight_is_a_miss() {
    let folder = tempfile::tempdir().unwrap();
    let source = fixtures().join("tiny-untied");
    for name in ["config.json", "model.safetensors", "case-text.safetensors"] {
        std::fs::copy(source.join(name), folder.path().join(name)).unwrap();
    }
    let path = folder.path().join("model.safetensors");
    let mut bytes = std::fs::read(&path).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 0x40; // an exponent bit of the last value
    std::fs::write(&path, bytes).unwrap();
    // The last tensor in the file belongs to the vision tower, so a text case alone would not see it.
    std::fs::copy(source.join("case-one-image.safetensors"), folder.path().join("case-one-image.safetensors")).unwrap();
    let outcome = check_folder(folder.path()).map(|checks| checks.iter().any(|c| c.outcome == Outcome::Fail));
    // The flipped bit gives either a wrong number, which is a miss, or an infinite one, which does not load.
    assert!(outcome.unwrap_or(true));
}
