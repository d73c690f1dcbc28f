use super::*;
use crate::config::ModelConfig;
use crate::{Error, Result};
use coldstart_kernels::attention::Segment;
use serde_json::json;

const PAD: u32 = 90;

fn config() -> ModelConfig {
    ModelConfig::from_json(&json!({
        "model_type": "qwen2_5_vl", "hidden_size": 8, "intermediate_size": 6, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 100, "tie_word_embeddings": true,
        "rope_theta": 1e4, "rms_norm_eps": 1e-6, "max_position_embeddings": 30,
        "rope_scaling": {"type": "mrope", "mrope_section": [1, 1, 0]}, "image_token_id": PAD, "video_token_id": 91,
        "vision_config": {
            "depth": 1, "hidden_size": 8, "intermediate_size": 5, "num_heads": 2, "out_hidden_size": 8, "patch_size": 2,
            "spatial_merge_size": 2, "temporal_patch_size": 2, "window_size": 8, "fullatt_block_indexes": [], "in_channels": 3
        }
    }))
    .unwrap()
}

fn image(grid: [u32; 3]) -> Arc<Image> {
    Arc::new(Image { pixel_values: vec![0.5; grid.iter().product::<u32>() as usize * 24], grid })
}

fn pack(items: &[Item]) -> Result<Packed> {
    Packed::new(items, &config())
}

fn segment(q0: usize, q_len: usize, prefix_k0: usize, prefix_len: usize) -> Segment {
    Segment { q0, q_len, prefix_k0, prefix_len }
}

#[test]
fn branches_follow_their_prompt_see_it_as_prefix_and_start_at_its_next_position() {
    let first = Item { ids: vec![1, 2, 3], branches: vec![vec![4, 5], vec![], vec![6]], ..Item::default() };
    let second = Item { ids: vec![7, 8], branches: vec![vec![9]], ..Item::default() };
    let packed = pack(&[first, second]).unwrap();
    assert_eq!(packed.ids, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(packed.positions.iter().map(|p| p[0]).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 3, 0, 1, 2]);
    let expected =
        [segment(0, 3, 0, 0), segment(3, 2, 0, 3), segment(5, 1, 0, 3), segment(6, 2, 0, 0), segment(8, 1, 6, 2)];
    assert_eq!(packed.plan.segments, expected);
    assert!(packed.plan.causal);
}

#[test]
fn the_last_prompt_row_predicts_the_first_token_of_every_branch() {
    let item = Item { ids: vec![1, 2, 3], branches: vec![vec![4, 5], vec![], vec![6]], ..Item::default() };
    let packed = pack(&[item]).unwrap();
    assert_eq!(packed.head.row, [2, 3, 2]);
    assert_eq!(packed.head.target, [4, 5, 6]);
    let entry = |branch, token| Entry { item: 0, branch: Some(branch), token };
    assert_eq!(packed.entries, [entry(0, 0), entry(0, 1), entry(2, 0)]);
    assert_eq!(packed.spans[0].branches, [3..5, 5..5, 5..6]);
}

#[test]
fn a_target_is_predicted_by_the_row_before_it() {
    let other = Item { ids: vec![1, 2], ..Item::default() };
    let item = Item { ids: vec![5, 6, 7, 8], targets: vec![false, false, true, true], ..Item::default() };
    let packed = pack(&[other, item]).unwrap();
    assert_eq!(packed.head.row, [3, 4]);
    assert_eq!(packed.head.target, [7, 8]);
    assert_eq!(packed.entries, [2, 3].map(|token| Entry { item: 1, branch: None, token }));
    assert_eq!(packed.spans[0].entries, 0..0);
    assert_eq!(packed.spans[1].entries, 0..2);
}

#[test]
fn an_image_shared_by_items_is_encoded_once_and_placed_in_each() {
    let (a, b) = (image([1, 4, 4]), image([1, 2, 4]));
    let pads = |n: usize| vec![PAD; n];
    let first =
        Item { ids: [vec![1], pads(4), vec![2], pads(2)].concat(), images: vec![a.clone(), b], ..Item::default() };
    let second = Item { ids: [vec![3], pads(4)].concat(), images: vec![a], ..Item::default() };
    let packed = pack(&[first, second]).unwrap();
    let images = packed.images.unwrap();
    assert_eq!(images.images.len(), 2);
    assert_eq!(images.plan.num_cells(), 6);
    assert_eq!(images.rows, [1, 2, 3, 4, 6, 7, 9, 10, 11, 12]);
    assert_eq!(images.features, [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]);
    let is_image: Vec<u32> = (0..13).filter(|&i| packed.is_image[i as usize]).collect();
    assert_eq!(is_image, images.rows);
}

#[test]
fn text_after_an_image_continues_past_its_longer_side() {
    let item = Item {
        ids: vec![1, PAD, PAD, PAD, 2],
        images: vec![image([1, 2, 6])],
        branches: vec![vec![3]],
        ..Item::default()
    };
    let packed = pack(&[item]).unwrap();
    assert_eq!(packed.positions, [[0, 0, 0], [1, 1, 1], [1, 1, 2], [1, 1, 3], [4, 4, 4], [5, 5, 5]]);
    assert_eq!(packed.spans[0].next_position, 5);
}

#[test]
fn faults_name_the_item_and_carry_their_code() {
    let ok = Item { ids: vec![1], ..Item::default() };
    let with = |ids: Vec<u32>, images: Vec<Arc<Image>>| Item { ids, images, ..Item::default() };
    let short = Arc::new(Image { pixel_values: vec![0.0; 23], grid: [1, 2, 2] });
    let huge = Arc::new(Image { pixel_values: vec![], grid: [u32::MAX - 1; 3] });
    let cases: Vec<(Item, &str, &str)> = vec![
        (with(vec![], vec![]), "E_TOKEN_COUNT", "expected at least one token"),
        (with(vec![1, 100], vec![]), "E_TOKEN_COUNT", "token 1: expected an id below 100, got 100"),
        (with(vec![1, 91], vec![]), "E_TOKEN_COUNT", "token 1 is a video placeholder"),
        (with(vec![PAD], vec![]), "E_TOKEN_COUNT", "expected image tokens for 0 images, got more at token 0"),
        (
            with(vec![1], vec![image([1, 2, 2])]),
            "E_TOKEN_COUNT",
            "image 0 of grid [1, 2, 2] expects 1 image tokens, got none",
        ),
        (
            with(vec![1, PAD], vec![image([1, 2, 4])]),
            "E_TOKEN_COUNT",
            "expects 2 image tokens in a row, got 1 at token 1",
        ),
        (with(vec![PAD, PAD], vec![image([1, 2, 2])]), "E_TOKEN_COUNT", "for 1 images, got more at token 1"),
        (with(vec![PAD], vec![image([1, 2, 3])]), "E_TOKEN_COUNT", "multiples of 2, got [1, 2, 3]"),
        (with(vec![PAD], vec![image([0, 2, 2])]), "E_TOKEN_COUNT", "at least one frame"),
        (with(vec![PAD], vec![short]), "E_TOKEN_COUNT", "image 0: expected 96 pixel values for grid [1, 2, 2], got 23"),
        (with(vec![PAD], vec![huge]), "E_TOKEN_COUNT", "pixel values"),
        (
            Item { branches: vec![vec![2], vec![3, PAD]], ..ok.clone() },
            "E_TOKEN_COUNT",
            "branch 1: token 1 is an image placeholder",
        ),
        (
            Item { branches: vec![vec![100]], ..ok.clone() },
            "E_TOKEN_COUNT",
            "branch 0: token 0: expected an id below 100",
        ),
        (Item { branches: vec![vec![2; 30]], ..ok.clone() }, "E_TOO_LONG", "expected at most 30 tokens, got 31"),
        (Item { targets: vec![false, true], ..ok.clone() }, "E_USAGE", "expected 1 target flags, one per token, got 2"),
        (Item { targets: vec![true], ..ok.clone() }, "E_USAGE", "token 0 is a target"),
    ];
    for (item, code, text) in cases {
        let error: Error = pack(&[ok.clone(), item]).map(|_| text).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        let message = error.to_string();
        assert!(message.contains("item 1") && message.contains(text), "{text}: {message}");
    }
}
