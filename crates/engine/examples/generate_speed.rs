//! Tokens per second of sampling from a small random model, 16 prompts with 8 samples of 24 tokens:
//!
//!     cargo run --release -p coldstart-engine --example generate_speed

use coldstart_engine::generate::{Limits, Request, Settings, generate};
use coldstart_engine::{Model, ModelConfig, Precision, Result};
use coldstart_kernels::sampling::SampleParams;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

fn main() -> Result<()> {
    let config = ModelConfig::from_json(&serde_json::json!({
        "model_type": "qwen2_5_vl", "hidden_act": "silu", "hidden_size": 128, "intermediate_size": 384, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 64, "tie_word_embeddings": true, "rope_theta": 10000.0,
        "rms_norm_eps": 1e-6, "rope_scaling": {"type": "mrope", "mrope_section": [4, 6, 6]}, "max_position_embeddings": 4096,
        "image_token_id": 60,
        "vision_config": {"model_type": "qwen2_5_vl", "hidden_act": "silu", "depth": 3, "hidden_size": 96, "intermediate_size": 192,
            "num_heads": 3, "out_hidden_size": 128, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2,
            "window_size": 112, "fullatt_block_indexes": [2], "in_channels": 3}
    }))?;
    let settings = Arc::new(Settings {
        sampling: SampleParams::default(),
        max_new_tokens: 24,
        eos: vec![],
        banned: vec![],
        seed: 1,
    });
    for precision in [Precision::F32, Precision::Bf16] {
        let model = Model::init(&config, 1, precision)?;
        let requests: Vec<Request> = (0..16)
            .map(|key| Request {
                key,
                ids: (0..12).collect(),
                images: vec![],
                num_samples: 8,
                settings: Arc::clone(&settings),
            })
            .collect();
        let mut best = f64::INFINITY;
        for _ in 0..20 {
            let start = Instant::now();
            generate(&model, requests.clone(), &Limits::default(), &AtomicBool::new(false))?;
            best = best.min(start.elapsed().as_secs_f64());
        }
        let tokens = 16 * 8 * 24;
        eprintln!("{precision:?}: {:.1} ms, {:.0} tokens/s", best * 1e3, f64::from(tokens) / best);
    }
    Ok(())
}
