use super::*;
use serde_json::json;

fn flat() -> Value {
    json!({
        "model_type": "qwen2_5_vl", "hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36,
        "num_attention_heads": 16, "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": true,
        "rope_theta": 1000000.0, "rms_norm_eps": 1e-6, "max_position_embeddings": 128000, "hidden_act": "silu",
        "use_sliding_window": false, "sliding_window": 32768, "max_window_layers": 70, "attention_dropout": 0.0,
        "rope_scaling": {"type": "mrope", "mrope_section": [16, 24, 24]},
        "image_token_id": 151655, "video_token_id": 151656, "eos_token_id": 151645, "torch_dtype": "bfloat16",
        "unknown_key": {"kept": true}, "layer_types": vec!["full_attention"; 36],
        "vision_config": {
            "depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 2048,
            "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 112,
            "fullatt_block_indexes": [7, 15, 23, 31], "in_chans": 3, "hidden_act": "silu"
        }
    })
}

/// The same model as transformers writes it since the language model's fields moved into `text_config`.
fn nested() -> Value {
    let mut root = flat();
    let mut text = serde_json::Map::new();
    for key in [
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "vocab_size",
        "rms_norm_eps",
        "max_position_embeddings",
        "hidden_act",
        "use_sliding_window",
        "attention_dropout",
    ] {
        text.insert(key.into(), root.as_object_mut().unwrap().shift_remove(key).unwrap());
    }
    let root_map = root.as_object_mut().unwrap();
    root_map.shift_remove("rope_scaling");
    root_map.shift_remove("rope_theta");
    root_map.shift_remove("tie_word_embeddings");
    text.insert("tie_word_embeddings".into(), json!(true));
    text.insert("model_type".into(), json!("qwen2_5_vl_text"));
    text.insert("eos_token_id".into(), Value::Null);
    text.insert(
        "rope_parameters".into(),
        json!({"rope_type": "default", "mrope_section": [16, 24, 24], "rope_theta": 1e6}),
    );
    root["text_config"] = Value::Object(text);
    root
}

/// Sets `path` (dots descend) to `value` in the flat configuration and returns the message it is refused with.
fn refusal(path: &str, value: Value) -> String {
    let mut raw = flat();
    let mut at = &mut raw;
    for key in path.split('.') {
        at = &mut at[key];
    }
    *at = value;
    ModelConfig::from_json(&raw).expect_err(path).to_string()
}

#[test]
fn both_layouts_read_as_the_same_model() {
    let (a, b) = (ModelConfig::from_json(&flat()).unwrap(), ModelConfig::from_json(&nested()).unwrap());
    assert_eq!(a.text, b.text);
    assert_eq!(a.vision, b.vision);
    assert_eq!(a.eos_token_ids, b.eos_token_ids);
    assert_eq!(a.text.head_dim, 128);
    assert_eq!(a.vision.window_cells(), 4);
    assert_eq!(a.vision.patch_len(), 1176);
}

#[test]
fn text_config_wins_over_the_root() {
    let mut raw = nested();
    raw["num_hidden_layers"] = json!(1);
    assert_eq!(ModelConfig::from_json(&raw).unwrap().text.num_hidden_layers, 36);
}

/// What the flat configuration reads as after `change`.
fn read_with(change: impl FnOnce(&mut Value)) -> ModelConfig {
    let mut raw = flat();
    change(&mut raw);
    ModelConfig::from_json(&raw).unwrap()
}

#[test]
fn the_tower_turns_by_the_stated_base_wherever_it_is_stated() {
    assert_eq!(read_with(|_| ()).vision.rope_theta, 10_000.0);
    let stated = json!({"rope_type": "axial", "rope_theta": 50.0});
    assert_eq!(read_with(|raw| raw["vision_config"]["rope_parameters"] = stated).vision.rope_theta, 50.0);
    assert_eq!(read_with(|raw| raw["vision_config"]["rope_theta"] = json!(70.0)).vision.rope_theta, 70.0);
}

#[test]
fn rotary_settings_may_be_repeated_if_they_are_equal() {
    let twice = |raw: &mut Value| {
        raw["rope_parameters"] = json!({"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]});
    };
    assert_eq!(read_with(twice).text, read_with(|_| ()).text);
}

#[test]
fn null_key_value_heads_are_as_many_as_query_heads_and_missing_ones_are_refused() {
    assert_eq!(read_with(|raw| raw["num_key_value_heads"] = Value::Null).text.num_key_value_heads, 16);
    let mut raw = flat();
    raw.as_object_mut().unwrap().shift_remove("num_key_value_heads");
    let message = ModelConfig::from_json(&raw).unwrap_err().to_string();
    assert_eq!(message, "config.json: num_key_value_heads is missing");
}

/// As transformers reads them: a layer number that never comes, and a side divided without remainder.
#[test]
fn indexes_beyond_the_depth_and_a_partly_filled_window_mean_what_they_mean_to_the_reference() {
    let vision = read_with(|raw| {
        raw["vision_config"]["fullatt_block_indexes"] = json!([7, 32]);
        raw["vision_config"]["window_size"] = json!(100);
    })
    .vision;
    assert_eq!(vision.fullatt_block_indexes, [7, 32]);
    assert_eq!(vision.window_cells(), 3);
}

#[test]
fn the_json_is_given_back_unchanged() {
    let raw = flat();
    let written = ModelConfig::from_json(&raw).unwrap().to_json();
    assert_eq!(serde_json::to_string(&written).unwrap(), serde_json::to_string(&raw).unwrap());
}

#[test]
fn refusals_name_the_field_what_was_expected_and_what_came() {
    let cases = [
        ("use_sliding_window", json!(true), "use_sliding_window: expected false, got true"),
        (
            "layer_types",
            json!(["full_attention", "sliding_attention"]),
            "layer_types: expected \"full_attention\" for every layer, got \"sliding_attention\"",
        ),
        ("layer_types", json!(["full_attention"]), "layer_types: expected an entry for each of 36 layers, got 1"),
        ("model_type", json!("qwen2_vl"), "model_type: expected \"qwen2_5_vl\", got \"qwen2_vl\""),
        ("hidden_act", json!("gelu"), "hidden_act: expected \"silu\", got \"gelu\""),
        ("attention_dropout", json!(0.1), "attention_dropout: expected 0, got 0.1"),
        ("hidden_size", json!(0), "hidden_size: expected a whole number from 1 to 134217728, got 0"),
        ("hidden_size", json!(2049), "hidden_size: expected a multiple of num_attention_heads 16, got 2049"),
        ("num_hidden_layers", json!(1_000_000_000), "num_hidden_layers: expected a whole number from 1 to 4096"),
        ("num_key_value_heads", json!(3), "num_attention_heads: expected a multiple of num_key_value_heads 3, got 16"),
        (
            "rope_scaling.mrope_section",
            json!([16, 24, 25]),
            "rope_scaling.mrope_section: expected three numbers with the sum 64",
        ),
        ("rope_scaling.type", json!("yarn"), "rope_scaling.type: expected \"mrope or default\", got \"yarn\""),
        ("image_token_id", json!(151936), "image_token_id: expected an id below vocab_size 151936, got 151936"),
        (
            "vision_config.out_hidden_size",
            json!(3584),
            "vision_config.out_hidden_size: expected the language model's hidden_size 2048, got 3584",
        ),
        (
            "vision_config.window_size",
            json!(27),
            "window_size: expected at least patch_size × spatial_merge_size 28, got 27",
        ),
        ("vision_config.head_dim", json!(64), "vision_config.head_dim: expected hidden_size / num_heads = 80, got 64"),
        (
            "vision_config.rope_parameters",
            json!({"rope_type": "dynamic", "rope_theta": 10000.0}),
            "vision_config.rope_parameters.rope_type: expected \"axial or default\", got \"dynamic\"",
        ),
        (
            "vision_config.rope_parameters",
            json!({"rope_type": "axial", "rope_theta": 0}),
            "vision_config.rope_parameters.rope_theta: expected a positive number, got 0",
        ),
        (
            "rope_scaling.rope_theta",
            json!(5e5),
            "rope_scaling.rope_theta: expected 1000000.0, which the same file states elsewhere, got 500000.0",
        ),
        (
            "rope_parameters",
            json!({"rope_type": "default", "rope_theta": 1e6, "mrope_section": [64, 0, 0]}),
            "rope_scaling.mrope_section: expected [64, 0, 0], which the same file states elsewhere, got [16, 24, 24]",
        ),
        ("vision_config", Value::Null, "vision_config is missing"),
        ("rms_norm_eps", json!("1e-6"), "rms_norm_eps: expected a positive number, got \"1e-6\""),
    ];
    for (path, value, expected) in cases {
        let message = refusal(path, value);
        assert!(message.contains(expected), "{path}: {message}");
    }
}

#[test]
fn a_quantised_checkpoint_and_one_with_code_are_refused() {
    let mut raw = flat();
    raw["quantization_config"] = json!({"bits": 4});
    assert_eq!(ModelConfig::from_json(&raw).unwrap_err().code(), "E_CONFIG");
    let mut raw = flat();
    raw["auto_map"] = json!({"AutoModel": "modeling.Model"});
    assert_eq!(ModelConfig::from_json(&raw).unwrap_err().code(), "E_MODEL_UNSAFE");
}
