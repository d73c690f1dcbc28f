//! Small models and samples that the tests of the engine share, and the loss they differentiate.
#![allow(dead_code)] // each test file uses its own part

use candle_core::{DType, Tensor};
use coldstart_engine::{Image, Item, Model, ModelConfig, Packed, Precision, Save};
use coldstart_kernels::head;
use coldstart_kernels::rng::{Key, Purpose};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const IMAGE: u32 = 50;

/// A model of a few thousand parameters with every structural feature: grouped heads, windows and a full block, three-axis rotary.
pub fn config_json(tied: bool) -> Value {
    json!({
        "model_type": "qwen2_5_vl", "hidden_size": 24, "intermediate_size": 20, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 60, "tie_word_embeddings": tied,
        "rope_theta": 10000.0, "rms_norm_eps": 1e-6, "max_position_embeddings": 512,
        "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 1]}, "initializer_range": 0.2,
        "image_token_id": IMAGE, "video_token_id": 51, "eos_token_id": 52,
        "vision_config": {
            "depth": 2, "hidden_size": 16, "intermediate_size": 11, "num_heads": 2, "out_hidden_size": 24,
            "patch_size": 2, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 8,
            "fullatt_block_indexes": [1], "in_channels": 3
        }
    })
}

pub fn config(tied: bool) -> ModelConfig {
    ModelConfig::from_json(&config_json(tied)).unwrap()
}

/// Norms and biases are drawn too, so that none of them hides behind a 1 or a 0.
pub fn model(tied: bool, seed: u64, precision: Precision) -> Model {
    let model = Model::init(&config(tied), seed, precision).unwrap();
    let key = Key::new(seed, Purpose::Sample);
    for (i, part) in model.params().parts().enumerate().filter(|(_, part)| part.shape.len() == 1) {
        let value = model.params().value(part.id);
        let base = if part.name.ends_with("bias") { 0.0 } else { 1.0 };
        for row in part.rows.clone() {
            write_value(value, row, base + 0.2 * key.normal(i as u32, row as u64, 0));
        }
    }
    model
}

/// Sets element `at` (row-major over the whole storage) in place.
pub fn write_value(storage: &Tensor, at: usize, value: f64) {
    let name = ("value", storage);
    match storage.dtype() {
        DType::F64 => coldstart_kernels::access::write("test", name, |v: &mut [f64]| v[at] = value).unwrap(),
        _ => coldstart_kernels::access::write("test", name, |v: &mut [f32]| v[at] = value as f32).unwrap(),
    }
}

pub fn image(config: &ModelConfig, seed: u64, grid: [u32; 3]) -> Arc<Image> {
    let len = grid.iter().product::<u32>() as usize * config.vision.patch_len();
    let key = Key::new(seed, Purpose::Sample);
    let pixel_values = (0..len).map(|i| key.normal(7, i as u64, 0) as f32).collect();
    Arc::new(Image { pixel_values, grid })
}

pub fn words(seed: u64, len: usize) -> Vec<u32> {
    let key = Key::new(seed, Purpose::Sample);
    (0..len).map(|i| (key.uniform(9, i as u64, 0) * 50.0) as u32).collect()
}

/// Three words, the images with a word after each, then `tail` words.
pub fn prompt(seed: u64, images: &[Arc<Image>], tail: usize) -> Item {
    let mut ids = words(seed, 3);
    for image in images {
        let [t, h, w] = image.grid;
        ids.extend(std::iter::repeat_n(IMAGE, (t * h * w / 4) as usize));
        ids.extend(words(seed + 100, 1));
    }
    ids.extend(words(seed + 200, tail));
    Item { ids, images: images.to_vec(), ..Item::default() }
}

/// `item` with its last `count` tokens as targets.
pub fn with_targets(mut item: Item, count: usize) -> Item {
    let from = item.ids.len() - count;
    item.targets = (0..item.ids.len()).map(|i| i >= from).collect();
    item
}

/// A loss that depends on log-probabilities and entropies of every target: `Σ −wᵢ·logpᵢ − 0.1·wᵢ·Hᵢ`, with the weight of a target
/// given by its item, branch and token, so that it does not depend on how the samples are packed.
pub fn weight_of(item: u32, branch: u32, token: u32) -> f64 {
    1.0 + 0.3 * f64::from(item) + 0.2 * f64::from(branch) - 0.05 * f64::from(token % 7)
}

pub const TEMPERATURE: f64 = 0.8;
pub const ENTROPY: f64 = 0.1;

/// Forward only.
pub fn loss(model: &Model, items: &[Item], weights: impl Fn(usize) -> f64) -> f64 {
    let packed = Packed::new(items, model.config()).unwrap();
    let hidden = model.forward(&packed, Save::None).unwrap().hidden;
    let stats = head::forward(&hidden, model.head(), &packed.head, TEMPERATURE, &[]).unwrap();
    let term = |i: usize| weights(i) * (-stats.logp[i] - ENTROPY * stats.entropy[i]);
    (0..stats.logp.len()).map(term).sum()
}

/// Forward and backward; gradients are added to the model's. Returns the loss.
pub fn accumulate(model: &Model, items: &[Item], save: Save, weights: impl Fn(usize) -> f64) -> f64 {
    let packed = Packed::new(items, model.config()).unwrap();
    let activations = model.forward(&packed, save).unwrap();
    let hidden = &activations.hidden;
    let stats = head::forward(hidden, model.head(), &packed.head, TEMPERATURE, &[]).unwrap();
    let n = stats.logp.len();
    let c: Vec<f64> = (0..n).map(|i| -weights(i)).collect();
    let b: Vec<f64> = (0..n).map(|i| ENTROPY * weights(i)).collect();
    let dh = Tensor::zeros(hidden.shape(), hidden.dtype(), hidden.device()).unwrap();
    head::backward(hidden, model.head(), &packed.head, &stats, TEMPERATURE, &[], &c, &b, &dh, model.head_acc())
        .unwrap();
    model.backward(&packed, &dh, activations.saved.unwrap()).unwrap();
    (0..n).map(|i| weights(i) * (-stats.logp[i] - ENTROPY * stats.entropy[i])).sum()
}

/// Gradients by hub name. A trained parameter without one fails the test.
pub fn gradients(model: &Model) -> BTreeMap<String, Vec<f64>> {
    let trained = model.params().parts().filter(|part| part.trainable);
    trained
        .map(|part| {
            let grad = model.params().hub_grad(part.name).unwrap_or_else(|| panic!("{} has no gradient", part.name));
            (part.name.to_string(), flat(&grad))
        })
        .collect()
}

pub fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

/// `‖a − b‖ / ‖b‖`
pub fn relative(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let difference: f64 = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum();
    let norm: f64 = b.iter().map(|y| y * y).sum();
    if difference == 0.0 { 0.0 } else { (difference / norm).sqrt() }
}

/// Every gradient within `limit` of its norm.
pub fn assert_close(found: &BTreeMap<String, Vec<f64>>, expected: &BTreeMap<String, Vec<f64>>, limit: f64) {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (name, expected) in expected {
        assert!(expected.iter().any(|x| *x != 0.0), "{name}: the reference is zero, which compares nothing");
        let deviation = relative(&found[name], expected);
        assert!(deviation <= limit, "{name}: deviation {deviation:e} of the norm, limit {limit:e}");
    }
}
