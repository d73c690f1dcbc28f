use super::*;
use crate::config::ModelConfig;
use serde_json::json;

fn config(tied: bool) -> ModelConfig {
    ModelConfig::from_json(&json!({
        "model_type": "qwen2_5_vl", "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 10, "tie_word_embeddings": tied,
        "rope_theta": 1e4, "rms_norm_eps": 1e-6, "max_position_embeddings": 64,
        "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 0]}, "image_token_id": 9,
        "vision_config": {
            "depth": 1, "hidden_size": 8, "intermediate_size": 5, "num_heads": 2, "out_hidden_size": 8, "patch_size": 2,
            "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 8, "fullatt_block_indexes": [], "in_channels": 3
        }
    }))
    .unwrap()
}

/// Fills every published tensor with its ordinal.
struct Ordinals(f32);

impl Source for Ordinals {
    fn fill_f32(&mut self, _: &PartSpec, out: &mut [f32]) -> Result<()> {
        self.0 += 1.0;
        out.fill(self.0);
        Ok(())
    }

    fn fill_f64(&mut self, _: &PartSpec, out: &mut [f64]) -> Result<()> {
        self.0 += 1.0;
        out.fill(f64::from(self.0));
        Ok(())
    }
}

fn params(tied: bool) -> Params {
    Params::build(Layout::new(&config(tied)).1, Precision::F32, &mut Ordinals(0.0)).unwrap()
}

fn freeze(params: &mut Params, patterns: &[&str]) -> Result<()> {
    params.freeze(&patterns.iter().map(|p| p.to_string()).collect::<Vec<_>>())
}

#[test]
fn fused_storages_give_back_their_published_tensors() {
    let params = params(true);
    let shapes = [
        ("visual.patch_embed.proj.weight", vec![8, 3, 2, 2, 2]),
        ("visual.blocks.0.attn.qkv.weight", vec![24, 8]),
        ("model.layers.1.self_attn.q_proj.weight", vec![8, 8]),
        ("model.layers.1.self_attn.k_proj.weight", vec![4, 8]),
        ("model.layers.1.self_attn.v_proj.bias", vec![4]),
        ("model.layers.0.mlp.up_proj.weight", vec![6, 8]),
        ("visual.merger.mlp.0.weight", vec![32, 32]),
    ];
    for (name, shape) in shapes {
        assert_eq!(params.hub_value(name).unwrap().dims(), shape, "{name}");
    }
    for (ordinal, part) in params.parts().enumerate() {
        let value = params.hub_value(part.name).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(value.iter().all(|&x| x == (ordinal + 1) as f32), "{}", part.name);
    }
    let qkv = params.find("model.layers.0.self_attn.q_proj.weight").unwrap().id;
    assert_eq!(params.find("model.layers.0.self_attn.v_proj.weight").unwrap().id, qkv);
    assert_eq!(params.value(qkv).dims(), [16, 8]);
}

#[test]
fn a_tied_model_has_no_head_of_its_own() {
    assert!(params(true).find("lm_head.weight").is_none());
    assert!(params(false).find("lm_head.weight").is_some());
}

/// The numbers of the published 3B and 7B checkpoints.
#[test]
fn the_published_sizes_have_the_published_parameter_counts() {
    let published = |d: usize, inner: usize, layers: usize, heads: usize, kv: usize, vocab: usize, tied: bool| {
        let config = ModelConfig::from_json(&json!({
            "model_type": "qwen2_5_vl", "hidden_size": d, "intermediate_size": inner, "num_hidden_layers": layers,
            "num_attention_heads": heads, "num_key_value_heads": kv, "vocab_size": vocab, "tie_word_embeddings": tied,
            "rope_theta": 1e6, "rms_norm_eps": 1e-6, "max_position_embeddings": 128000,
            "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]}, "image_token_id": 151655,
            "vision_config": {
                "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": d,
                "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112,
                "fullatt_block_indexes": [7, 15, 23, 31], "in_chans": 3
            }
        }));
        let specs = Layout::new(&config.unwrap()).1;
        let tensors: usize = specs.iter().map(|spec| spec.parts.len()).sum();
        (specs.iter().map(StorageSpec::num_elements).sum::<usize>(), tensors)
    };
    assert_eq!(published(2048, 11008, 36, 16, 2, 151936, true), (3_754_622_976, 824));
    assert_eq!(published(3584, 18944, 28, 28, 4, 152064, false), (8_292_166_656, 729));
}

#[test]
fn freezing_the_tower_leaves_merger_and_language_model_trained() {
    let mut params = params(true);
    freeze(&mut params, &["visual.patch_embed.*", "visual.blocks.*"]).unwrap();
    let [vision, merger, language] = params.counts();
    assert_eq!((vision.group, vision.trainable), (Group::Vision, 0));
    assert!(vision.total > 0 && merger.total > 0 && language.total > 0);
    assert_eq!((merger.trainable, language.trainable), (merger.total, language.total));
    assert!(params.trainable().all(|t| t.part.group != Group::Vision));
    freeze(&mut params, &[]).unwrap();
    assert_eq!(params.counts()[0].trainable, params.counts()[0].total);
}

#[test]
fn a_part_of_a_fused_storage_can_be_frozen_alone() {
    let mut params = params(true);
    freeze(&mut params, &["*.k_proj.weight"]).unwrap();
    let id = params.find("model.layers.0.self_attn.k_proj.weight").unwrap().id;
    assert!(params.is_trainable(id));
    let trained: Vec<&str> = params.trainable().filter(|t| t.part.id == id).map(|t| t.part.name).collect();
    assert_eq!(trained, ["model.layers.0.self_attn.q_proj.weight", "model.layers.0.self_attn.v_proj.weight"]);
}

#[test]
fn a_frozen_pattern_that_matches_nothing_is_an_error_with_near_names_and_changes_nothing() {
    let mut params = params(true);
    let error = freeze(&mut params, &["visual.*", "visual.block.*"]).unwrap_err();
    assert_eq!(error.code(), "E_CONFIG");
    let message = error.to_string();
    assert!(message.contains("\"visual.block.*\"") && message.contains("visual.blocks.0."), "{message}");
    assert!(params.parts().all(|part| part.trainable));
}

#[test]
fn decay_applies_to_tensors_with_two_dimensions_or_more() {
    let params = params(true);
    let decays = |name: &str| params.find(name).unwrap().decays();
    assert!(decays("visual.patch_embed.proj.weight") && decays("model.embed_tokens.weight"));
    assert!(!decays("model.norm.weight") && !decays("visual.blocks.0.attn.qkv.bias"));
}

#[test]
fn a_gradient_exists_once_something_contributed() {
    let mut params = params(true);
    let id = params.find("model.norm.weight").unwrap().id;
    assert!(params.hub_grad("model.norm.weight").is_none());
    assert!(params.acc(id).unwrap().first);
    assert!(!params.acc(id).unwrap().first);
    assert!(params.hub_grad("model.norm.weight").is_some());
    params.zero_grad();
    assert!(params.hub_grad("model.norm.weight").is_none());
    assert!(params.acc(id).unwrap().first);
}

#[test]
fn a_copy_keeps_its_values_when_the_original_changes() {
    let params = params(true);
    let copy = params.copy().unwrap();
    let value = params.value(params.find("model.norm.weight").unwrap().id);
    coldstart_kernels::access::write("test", ("value", value), |v: &mut [f32]| v[0] = -1.0).unwrap();
    let first = |params: &Params| params.hub_value("model.norm.weight").unwrap().to_vec1::<f32>().unwrap()[0];
    assert_eq!(first(&params), -1.0);
    assert!(first(&copy) > 0.0);
}
