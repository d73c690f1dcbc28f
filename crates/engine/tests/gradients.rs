//! The backward against central differences, and the ways of computing it against each other.

mod common;

use coldstart_engine::{Item, Precision, Save};
use coldstart_gemm::pool;
use common::*;

/// Two samples, one with two different images, one with an image of two frames; targets of both.
fn samples(config: &coldstart_engine::ModelConfig) -> Vec<Item> {
    let images = [image(config, 1, [1, 4, 6]), image(config, 2, [1, 6, 10]), image(config, 3, [2, 4, 4])];
    vec![with_targets(prompt(1, &images[..2], 6), 5), with_targets(prompt(2, &images[2..], 4), 3)]
}

fn flat_weights(_: usize) -> f64 {
    1.0
}

/// (f(x + ε) − f(x − ε)) / 2ε at three entries of every parameter, chosen by the counter generator.
#[test]
fn every_gradient_equals_central_differences() {
    for tied in [true, false] {
        let model = model(tied, 5, Precision::F64);
        let items = samples(model.config());
        accumulate(&model, &items, Save::All, |i| 1.0 + 0.1 * i as f64);
        let found = gradients(&model);
        let key = coldstart_kernels::rng::Key::new(11, coldstart_kernels::rng::Purpose::Sample);
        for (p, part) in model.params().parts().enumerate() {
            let value = model.params().value(part.id);
            let cols: usize = value.dims()[1..].iter().product();
            let gradient = &found[part.name];
            let scale = (gradient.iter().map(|g| g * g).sum::<f64>() / gradient.len() as f64).sqrt();
            assert!(scale > 0.0, "{}: zero gradient", part.name);
            for sample in 0..3 {
                let at = (key.uniform(p as u32, sample, 0) * gradient.len() as f64) as usize;
                let place = part.rows.start * cols + at;
                let original = flat(value)[place];
                let epsilon = 1e-5 * original.abs().max(1.0);
                let shifted = |x: f64| {
                    write_value(value, place, x);
                    model.params().changed(part.id);
                    loss(&model, &items, |i| 1.0 + 0.1 * i as f64)
                };
                let difference = (shifted(original + epsilon) - shifted(original - epsilon)) / (2.0 * epsilon);
                shifted(original);
                // Central differences of a loss near 50 carry a rounding of 50·1e-16/1e-5 and a truncation of the order ε².
                let error = (difference - gradient[at]).abs();
                assert!(
                    error < 1e-6 * scale.max(gradient[at].abs()) + 2e-8,
                    "{}[{at}]: {} against {difference}",
                    part.name,
                    gradient[at]
                );
            }
        }
    }
}

#[test]
fn recomputation_gives_the_same_bits_as_keeping_everything() {
    for precision in [Precision::F64, Precision::F32, Precision::Bf16] {
        let mut model = model(true, 6, precision);
        let items = samples(model.config());
        let kept = (accumulate(&model, &items, Save::All, flat_weights), gradients(&model));
        model.params_mut().zero_grad();
        let recomputed = (accumulate(&model, &items, Save::Inputs, flat_weights), gradients(&model));
        assert!(kept == recomputed, "{precision:?}");
    }
}

#[test]
fn one_thread_and_two_give_the_same_bits() {
    for precision in [Precision::F64, Precision::F32, Precision::Bf16] {
        let run = |threads| {
            pool::with_threads(threads, || {
                let model = model(true, 7, precision);
                let loss = accumulate(&model, &samples(model.config()), Save::All, flat_weights);
                (loss, gradients(&model))
            })
        };
        assert!(run(1) == run(2), "{precision:?}");
    }
}

#[test]
fn splitting_a_batch_changes_only_rounding() {
    let mut model = model(false, 8, Precision::F64);
    let items = samples(model.config());
    accumulate(&model, &items, Save::All, flat_weights);
    let whole = gradients(&model);
    model.params_mut().zero_grad();
    for item in &items {
        accumulate(&model, std::slice::from_ref(item), Save::All, flat_weights);
    }
    assert_close(&gradients(&model), &whole, 1e-12);
}

#[test]
fn an_image_used_twice_collects_both_gradients() {
    let mut model = model(true, 9, Precision::F64);
    let shared = image(model.config(), 4, [1, 4, 4]);
    let copy = image(model.config(), 4, [1, 4, 4]);
    assert!(shared == copy && !std::sync::Arc::ptr_eq(&shared, &copy));
    let item = |images: &[_]| with_targets(prompt(3, images, 4), 4);
    accumulate(&model, &[item(&[shared.clone(), copy])], Save::All, flat_weights);
    let encoded_twice = gradients(&model);
    model.params_mut().zero_grad();
    accumulate(&model, &[item(&[shared.clone(), shared])], Save::All, flat_weights);
    assert_close(&gradients(&model), &encoded_twice, 1e-12);
}
