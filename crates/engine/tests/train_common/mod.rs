//! Samples, groups and options that the training tests share.
#![allow(dead_code)] // each test file uses its own part

use crate::common::{config, flat, image, model, prompt, with_targets, words};
use coldstart_engine::train::{OptimizerOptions, PolicyOptions, PromptGroup, Response, SftOptions, Trainer};
use coldstart_engine::{Item, Model, Precision, Save};
use coldstart_kernels::rng::{Key, Purpose};
use std::sync::atomic::AtomicBool;

pub static GO: AtomicBool = AtomicBool::new(false);

pub fn trainer() -> Trainer {
    Trainer::new(OptimizerOptions::default()).unwrap()
}

pub fn sft_options(max_tokens: usize) -> SftOptions {
    SftOptions { max_tokens, save: Save::All, group_token_mean: None }
}

pub fn policy_options(max_tokens: usize) -> PolicyOptions {
    PolicyOptions { temperature: 0.8, banned: vec![50, 51], max_tokens, save: Save::All }
}

/// Six samples of different lengths, most with an image, one without a target.
pub fn samples() -> Vec<Item> {
    let config = config(false);
    let grids = [[1, 4, 4], [1, 2, 6], [1, 6, 4], [1, 2, 2]];
    let mut items: Vec<Item> = (0..4)
        .map(|i| with_targets(prompt(i, &[image(&config, i, grids[i as usize])], 4 + 2 * i as usize), 2 + i as usize))
        .collect();
    items.push(with_targets(Item { ids: words(9, 7), ..Item::default() }, 3));
    items.push(prompt(7, &[image(&config, 7, [1, 2, 2])], 3));
    items
}

/// Three groups of responses to prompts with images; log-probabilities of old policy, reference and sampler near those of `model`.
pub fn groups(model: &Model) -> Vec<PromptGroup> {
    let config = config(false);
    let noise = Key::new(5, Purpose::Sample);
    let mut groups: Vec<PromptGroup> = (0..3u64)
        .map(|g| {
            let item = prompt(20 + g, &[image(&config, 20 + g, [1, 4, 2 + 2 * g as u32])], 2);
            let response = |r: u64| Response {
                ids: words(100 + 10 * g + r, 2 + ((g + 2 * r) % 5) as usize),
                advantage: Some(noise.normal(1, g, r as u32)),
                truncated: (g + r) % 4 == 3,
                ..Response::default()
            };
            PromptGroup { prompt: item.ids, images: item.images, responses: (0..3).map(response).collect() }
        })
        .collect();
    let logp = coldstart_engine::train::log_probs(model, &groups, &policy_options(1000), &GO).unwrap();
    for (g, group) in groups.iter_mut().enumerate() {
        for (r, response) in group.responses.iter_mut().enumerate() {
            let near = |kind: u32| {
                let key = |t: usize| noise.normal(kind, (g * 10 + r) as u64, t as u32);
                Some(logp[g][r].iter().enumerate().map(|(t, l)| l + 0.3 * key(t)).collect())
            };
            (response.ref_logp, response.old_logp, response.sampler_logp) = (near(2), near(3), near(4));
        }
    }
    groups
}

pub fn f64_model() -> Model {
    model(false, 3, Precision::F64)
}

/// Every weight, in one list.
pub fn weights(model: &Model) -> Vec<f64> {
    model.params().parts().flat_map(|part| flat(&model.params().hub_value(part.name).unwrap())).collect()
}
