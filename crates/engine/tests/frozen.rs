//! Frozen parts get no gradient and cost no backward; what is trained gets the same gradient as ever.

mod common;

use coldstart_engine::{Item, Model, Packed, Precision, Save};
use common::*;
use std::collections::BTreeMap;

fn sample(model: &Model) -> Vec<Item> {
    let images = [image(model.config(), 1, [1, 4, 6])];
    vec![with_targets(prompt(1, &images, 5), 4)]
}

fn gradients_with(frozen: &[&str], save: Save) -> BTreeMap<String, Vec<f64>> {
    let mut model = model(true, 41, Precision::F64);
    let patterns: Vec<String> = frozen.iter().map(|p| p.to_string()).collect();
    model.params_mut().freeze(&patterns).unwrap();
    accumulate(&model, &sample(&model), save, |_| 1.0);
    for part in model.params().parts().filter(|part| !part.trainable) {
        let id = part.id;
        let shares_storage = model.params().parts().any(|other| other.id == id && other.trainable);
        assert!(shares_storage || model.params().hub_grad(part.name).is_none(), "{} is frozen", part.name);
    }
    gradients(&model)
}

#[test]
fn what_is_trained_gets_the_same_bits_whatever_else_is_frozen() {
    let all = gradients_with(&[], Save::All);
    let cases: [&[&str]; 12] = [
        &["visual.blocks.*", "visual.patch_embed.*"],
        &["visual.*"],
        &["visual.merger.*"],
        &["visual.merger.*", "visual.patch_embed.*", "visual.blocks.0.*"],
        &["visual.patch_embed.*"],
        &["visual.*", "model.embed_tokens.weight"],
        &["visual.*", "model.embed_tokens.weight", "model.layers.0.*"],
        &["model.*"],
        &["visual.*", "model.embed_tokens.weight", "model.layers.*.input_layernorm.weight", "*.self_attn.*"],
        &[
            "visual.*",
            "model.embed_tokens.weight",
            "*_layernorm.weight",
            "*.self_attn.*",
            "*.gate_proj.*",
            "*.up_proj.*",
        ],
        &["*.k_proj.*", "visual.merger.ln_q.weight", "visual.merger.mlp.0.*"],
        &["*.weight"],
    ];
    for frozen in cases {
        for save in [Save::All, Save::Inputs] {
            for (name, gradient) in gradients_with(frozen, save) {
                assert!(gradient == all[&name], "{name} with {frozen:?} frozen, {save:?}");
            }
        }
    }
}

#[test]
fn with_everything_frozen_the_backward_has_nothing_to_do() {
    assert!(gradients_with(&["*"], Save::All).is_empty());
}

#[test]
fn a_batch_without_images_leaves_the_tower_without_gradient() {
    let model = model(true, 42, Precision::F64);
    accumulate(&model, &[with_targets(prompt(2, &[], 6), 4)], Save::All, |_| 1.0);
    for part in model.params().parts() {
        let has = model.params().hub_grad(part.name).is_some();
        assert_eq!(has, !part.name.starts_with("visual."), "{}", part.name);
    }
}

#[test]
fn thawing_between_forward_and_backward_is_an_error() {
    let mut model = model(true, 43, Precision::F64);
    model.params_mut().freeze(&["visual.*".to_string()]).unwrap();
    let packed = Packed::new(&sample(&model), model.config()).unwrap();
    let activations = model.forward(&packed, Save::All).unwrap();
    model.params_mut().freeze(&[]).unwrap();
    let error = model.backward(&packed, &activations.hidden, activations.saved.unwrap()).unwrap_err();
    assert_eq!(error.code(), "E_USAGE");
}
