//! Reading `preprocessor_config.json` and refusing what cannot be followed.

use coldstart_processor::{ImageProcessor, PixelLimits};
use serde_json::{Value, json};

fn limits(config: Value) -> PixelLimits {
    ImageProcessor::from_json(&config).unwrap().limits()
}

fn refusal(config: Value) -> String {
    let error = ImageProcessor::from_json(&config).err().expect("refused");
    assert_eq!(error.code(), "E_MODEL");
    error.to_string()
}

#[test]
fn limits_are_read_from_either_layout_and_plain_keys_win() {
    let wanted = PixelLimits { min_pixels: 3136, max_pixels: 12_845_056 };
    assert_eq!(limits(json!({ "min_pixels": 3136, "max_pixels": 12_845_056 })), wanted);
    assert_eq!(limits(json!({ "size": { "shortest_edge": 3136, "longest_edge": 12_845_056 } })), wanted);
    let both =
        json!({ "min_pixels": 3136, "max_pixels": null, "size": { "shortest_edge": 1, "longest_edge": 12_845_056 } });
    assert_eq!(limits(both), wanted);
    assert_eq!(limits(json!({})), PixelLimits { min_pixels: 3136, max_pixels: 1_003_520 });
}

#[test]
fn limits_can_be_overridden_one_by_one() {
    let processor = ImageProcessor::from_json(&json!({})).unwrap().with_pixel_limits(None, Some(50_176)).unwrap();
    assert_eq!(processor.limits(), PixelLimits { min_pixels: 3136, max_pixels: 50_176 });
    assert_eq!(processor.num_tokens(1000, 1000).unwrap(), 64);
}

#[test]
fn impossible_limits_are_refused() {
    for (min, max) in [(0, 10), (11, 10)] {
        let refused = ImageProcessor::from_json(&json!({ "min_pixels": min, "max_pixels": max })).err().unwrap();
        assert_eq!(refused.code(), "E_MODEL");
    }
}

#[test]
fn a_key_that_cannot_be_followed_is_refused_by_name() {
    for (key, value) in [
        ("do_resize", json!(false)),
        ("do_normalize", json!(false)),
        ("resample", json!(2)),
        ("patch_size", json!(0)),
        ("merge_size", json!("two")),
        ("min_pixels", json!(-1)),
        ("image_mean", json!([0.5, 0.5])),
        ("image_std", json!([0.5, 0.0, 0.5])),
        ("rescale_factor", json!("1/255")),
    ] {
        let message = refusal(json!({ key: value }));
        assert!(message.contains(key), "{message}");
    }
    refusal(json!([1, 2]));
}

#[test]
fn unknown_keys_are_written_back_with_the_limits_in_force() {
    let config = json!({ "min_pixels": 3136, "max_pixels": 12_845_056, "processor_class": "Qwen2_5_VLProcessor" });
    let processor = ImageProcessor::from_json(&config).unwrap().with_pixel_limits(None, Some(1_204_224)).unwrap();
    let wanted = json!({ "min_pixels": 3136, "max_pixels": 1_204_224, "processor_class": "Qwen2_5_VLProcessor" });
    assert_eq!(processor.to_json(), wanted);
}

#[test]
fn what_is_written_back_reads_as_the_same_limits_in_every_layout() {
    for config in [
        json!({}),
        json!({ "min_pixels": 784 }),
        json!({ "size": { "shortest_edge": 784, "longest_edge": 10_000, "other": 1 } }),
        json!({ "min_pixels": null, "max_pixels": null, "size": { "shortest_edge": 784 } }),
        json!({ "size": null }),
    ] {
        let processor = ImageProcessor::from_json(&config).unwrap().with_pixel_limits(Some(1000), Some(9000)).unwrap();
        assert_eq!(limits(processor.to_json()), processor.limits(), "{config}");
    }
}

#[test]
fn patch_sizes_come_from_the_file() {
    let config = json!({ "patch_size": 16, "merge_size": 2, "temporal_patch_size": 1, "min_pixels": 1024 });
    let image = ImageProcessor::from_json(&config).unwrap().process(&[0; 3 * 64 * 32], 64, 32, 3).unwrap();
    assert_eq!(image.grid_thw, [1, 2, 4]);
    assert_eq!(image.pixel_values.len(), 8 * 3 * 16 * 16);
}

#[test]
fn images_that_cannot_be_are_refused_with_their_code() {
    let processor = ImageProcessor::from_json(&json!({})).unwrap();
    let code = |raw: &[u8], w, h, c| processor.process(raw, w, h, c).unwrap_err().code();
    assert_eq!(code(&[0; 603], 201, 1, 3), "E_IMAGE_LIMIT");
    assert_eq!(code(&[], 0, 0, 3), "E_IMAGE_LIMIT");
    assert_eq!(code(&[0; 5], 1, 1, 5), "E_IMAGE_MODE");
    assert_eq!(code(&[0; 5], 2, 1, 3), "E_IMAGE_DECODE");
}
