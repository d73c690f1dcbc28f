//! The tower runs once per image while its weights stand still.

mod common;

use coldstart_engine::{Item, Model, Packed, Precision, Save};
use common::*;

fn hidden(model: &Model, items: &[Item]) -> Vec<f64> {
    flat(&model.forward(&Packed::new(items, model.config()).unwrap(), Save::None).unwrap().hidden)
}

#[test]
fn remembered_images_give_the_same_bits_in_any_company() {
    for precision in [Precision::F64, Precision::F32, Precision::Bf16] {
        let (fresh, warm) = (model(true, 61, precision), model(true, 61, precision));
        let images = [1, 2, 3].map(|seed| image(fresh.config(), seed, [1, 4, 2 * seed as u32 + 2]));
        let item = |order: &[usize]| prompt(1, &order.iter().map(|&i| images[i].clone()).collect::<Vec<_>>(), 3);
        hidden(&warm, &[item(&[1])]);
        hidden(&warm, &[item(&[2, 1])]);
        assert_eq!(warm.cached_images(), 2);
        assert!(hidden(&warm, &[item(&[2, 0, 1])]) == hidden(&fresh, &[item(&[2, 0, 1])]), "{precision:?}");
        assert_eq!(warm.cached_images(), 3);
        // A forward that keeps everything for the backward goes through the tower itself.
        let packed = Packed::new(&[item(&[2, 0, 1])], warm.config()).unwrap();
        let kept = warm.forward(&packed, Save::All).unwrap();
        assert!(flat(&kept.hidden) == hidden(&warm, &[item(&[2, 0, 1])]), "{precision:?}");
    }
}

#[test]
fn an_image_is_forgotten_with_its_last_owner() {
    let model = model(true, 62, Precision::F32);
    let item = prompt(1, &[image(model.config(), 1, [1, 4, 4])], 3);
    hidden(&model, std::slice::from_ref(&item));
    assert_eq!(model.cached_images(), 1);
    drop(item);
    assert_eq!(model.cached_images(), 0);
}

#[test]
fn a_changed_tower_forgets_all_images() {
    let model = model(true, 63, Precision::F64);
    let item = [prompt(1, &[image(model.config(), 1, [1, 4, 4])], 3)];
    let before = hidden(&model, &item);
    let part = model.params().find("visual.blocks.0.norm1.weight").unwrap();
    write_value(model.params().value(part.id), 0, 3.0);
    model.params().changed(part.id);
    assert!(hidden(&model, &item) != before);
}

#[test]
fn a_frozen_tower_runs_once_for_training_too_with_the_same_gradients() {
    let mut model = model(true, 64, Precision::F64);
    model.params_mut().freeze(&["visual.blocks.*".to_string(), "visual.patch_embed.*".to_string()]).unwrap();
    let items = [with_targets(prompt(1, &[image(model.config(), 1, [1, 4, 6])], 5), 4)];
    let first = (accumulate(&model, &items, Save::All, |_| 1.0), gradients(&model));
    assert_eq!(model.cached_images(), 1);
    model.params_mut().zero_grad();
    assert!(first == (accumulate(&model, &items, Save::All, |_| 1.0), gradients(&model)));
}
