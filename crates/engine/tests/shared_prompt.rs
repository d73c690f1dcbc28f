//! A prompt shared by several responses equals the prompt repeated for each.

mod common;

use coldstart_engine::{Item, Packed, Precision, Save};
use common::*;

/// The same samples with the prompt written out before every response.
fn repeated(items: &[Item]) -> Vec<Item> {
    let mut out = Vec::new();
    for item in items {
        for branch in item.branches.iter().filter(|branch| !branch.is_empty()) {
            let ids = [&item.ids[..], branch].concat();
            out.push(with_targets(Item { ids, images: item.images.clone(), ..Item::default() }, branch.len()));
        }
    }
    out
}

/// Weights that name the response and the token, in the order in which both layouts list their entries.
fn weights(items: &[Item]) -> Vec<f64> {
    let mut weights = Vec::new();
    for (i, item) in items.iter().enumerate() {
        for (b, branch) in item.branches.iter().enumerate() {
            weights.extend((0..branch.len()).map(|t| weight_of(i as u32, b as u32, t as u32)));
        }
    }
    weights
}

fn assert_equal_to_repeated(items: &[Item], tied: bool) {
    let mut model = model(tied, 21, Precision::F64);
    let w = weights(items);
    let shared_loss = accumulate(&model, items, Save::All, |i| w[i]);
    let shared = gradients(&model);
    model.params_mut().zero_grad();
    let repeated_loss = accumulate(&model, &repeated(items), Save::All, |i| w[i]);
    assert!((shared_loss - repeated_loss).abs() <= 1e-10 * repeated_loss.abs());
    assert_close(&shared, &gradients(&model), 1e-10);
}

#[test]
fn ragged_responses_one_of_them_empty_equal_the_repeated_prompt() {
    let config = config(true);
    let image = image(&config, 1, [1, 4, 6]);
    let branches = vec![words(31, 5), vec![], words(32, 1), words(33, 9)];
    let item = Item { branches, ..prompt(4, &[image], 3) };
    assert_equal_to_repeated(std::slice::from_ref(&item), true);
    assert_equal_to_repeated(&[item], false);
}

#[test]
fn a_single_response_equals_the_repeated_prompt() {
    let image = image(&config(true), 2, [1, 4, 4]);
    assert_equal_to_repeated(&[Item { branches: vec![words(34, 6)], ..prompt(5, &[image], 2) }], true);
}

#[test]
fn two_images_and_several_groups_equal_the_repeated_prompts() {
    let config = config(true);
    let (a, b) = (image(&config, 3, [1, 6, 10]), image(&config, 4, [1, 4, 4]));
    let first = Item { branches: vec![words(35, 4), words(36, 7)], ..prompt(6, &[a.clone(), b], 2) };
    let second = Item { branches: vec![words(37, 3), words(38, 2), words(39, 3)], ..prompt(7, &[a], 1) };
    assert_equal_to_repeated(&[first, second], true);
}

#[test]
fn log_probabilities_of_a_response_have_the_same_bits_alone_and_in_a_group_of_others() {
    let model = model(true, 22, Precision::F32);
    let image = image(model.config(), 5, [1, 4, 4]);
    let group = Item { branches: vec![words(40, 5), words(41, 5), words(42, 5)], ..prompt(8, &[image], 2) };
    let log_probs = |item: &Item| {
        let packed = Packed::new(std::slice::from_ref(item), model.config()).unwrap();
        let hidden = model.forward(&packed, Save::None).unwrap().hidden;
        coldstart_kernels::head::forward(&hidden, model.head(), &packed.head, 1.0, &[]).unwrap().logp
    };
    let together = log_probs(&group);
    for (b, branch) in group.branches.iter().enumerate() {
        let alone = log_probs(&Item { branches: vec![branch.clone()], ..group.clone() });
        assert_eq!(alone, together[b * 5..(b + 1) * 5], "response {b}");
    }
}
