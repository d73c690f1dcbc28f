//! A tiny random model and requests to it.
#![allow(dead_code)]

use coldstart_engine::generate::{Completion, Limits, Request, Settings, generate};
use coldstart_engine::{Image, Model, ModelConfig, Precision};
use coldstart_kernels::sampling::SampleParams;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub const VOCAB: u32 = 40;
pub const IMAGE: u32 = 36;
pub const EOS: u32 = 5;
/// A flag that nobody raises.
pub static GO: AtomicBool = AtomicBool::new(false);

pub fn config() -> ModelConfig {
    ModelConfig::from_json(&serde_json::json!({
        "model_type": "qwen2_5_vl", "hidden_act": "silu", "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": VOCAB, "tie_word_embeddings": false,
        "rope_theta": 10000.0, "rms_norm_eps": 1e-6, "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 2]},
        "max_position_embeddings": 400, "initializer_range": 0.3, "image_token_id": IMAGE, "video_token_id": 37,
        "vision_start_token_id": 38, "vision_end_token_id": 39, "eos_token_id": EOS,
        "vision_config": {"model_type": "qwen2_5_vl", "hidden_act": "silu", "depth": 2, "hidden_size": 16, "intermediate_size": 20,
            "num_heads": 2, "out_hidden_size": 32, "patch_size": 2, "spatial_merge_size": 2, "temporal_patch_size": 1,
            "window_size": 8, "fullatt_block_indexes": [1], "in_channels": 1}
    }))
    .unwrap()
}

pub fn model(precision: Precision) -> Model {
    Model::init(&config(), 7, precision).unwrap()
}

pub fn sampled() -> Settings {
    let sampling = SampleParams { temperature: 0.8, ..SampleParams::default() };
    Settings { sampling, max_new_tokens: 12, eos: vec![EOS], banned: vec![0, 1], seed: 3 }
}

pub fn greedy() -> Settings {
    Settings { sampling: SampleParams { temperature: 0.0, ..SampleParams::default() }, ..sampled() }
}

pub fn request(key: u64, ids: Vec<u32>, num_samples: usize, settings: Settings) -> Request {
    Request { key, ids, images: vec![], num_samples, settings: Arc::new(settings) }
}

/// A prompt with a picture of 2 × 3 merged patches.
pub fn with_image(key: u64, num_samples: usize, settings: Settings) -> Request {
    let pixel_values = (0..4 * 6 * 4).map(|i| ((i * 37 % 101) as f32 - 50.0) / 40.0).collect();
    let image = Image { pixel_values, grid: [1, 4, 6] };
    let ids = [vec![8, 38], vec![IMAGE; 6], vec![39, 9, 10]].concat();
    Request { images: vec![Arc::new(image)], ..request(key, ids, num_samples, settings) }
}

/// Prompts of unequal lengths, one with an image, one longer than a block of the cache.
pub fn requests(settings: &Settings) -> Vec<Request> {
    let long = (0..150).map(|i| 6 + i * 7 % 29).collect();
    vec![
        request(100, vec![7, 8, 9], 3, settings.clone()),
        with_image(101, 5, settings.clone()),
        request(102, long, 2, settings.clone()),
        request(103, vec![12], 1, settings.clone()),
    ]
}

pub fn run(model: &Model, requests: Vec<Request>, limits: &Limits) -> Vec<Vec<Completion>> {
    generate(model, requests, limits, &GO).unwrap()
}

pub fn flat<T: Copy>(completions: &[Vec<Completion>], of: impl Fn(&Completion) -> &[T]) -> Vec<T> {
    completions.iter().flatten().flat_map(|c| of(c).to_vec()).collect()
}
