//! What a generator draws, against whole forwards of the same model.

mod generate_common;

use coldstart_engine::generate::{Completion, Limits, Request, Settings, banned_tokens};
use coldstart_engine::{Item, Model, Packed, Precision, Save};
use coldstart_kernels::head;
use coldstart_kernels::sampling::SampleParams;
use generate_common::*;

/// Statistics of every drawn token by one packed forward over prompts and completions, in the order of the samples.
fn full_forward(
    model: &Model,
    requests: &[Request],
    completions: &[Vec<Completion>],
    temperature: f64,
) -> head::HeadStats {
    let items: Vec<Item> = requests
        .iter()
        .zip(completions)
        .map(|(r, samples)| Item {
            ids: r.ids.clone(),
            images: r.images.clone(),
            branches: samples.iter().map(|s| s.ids.clone()).collect(),
            ..Item::default()
        })
        .collect();
    let packed = Packed::new(&items, model.config()).unwrap();
    let hidden = model.forward(&packed, Save::None).unwrap().hidden;
    let banned = banned_tokens(model.config(), &requests[0].settings.banned);
    head::forward(&hidden, model.head(), &packed.head, temperature, &banned).unwrap()
}

#[test]
fn cached_decoding_equals_the_full_forward() {
    for (precision, tolerance) in [(Precision::F64, 1e-10), (Precision::F32, 1e-4), (Precision::Bf16, 0.2)] {
        let model = model(precision);
        let requests = requests(&sampled());
        let completions = run(&model, requests.clone(), &Limits::default());
        let stats = full_forward(&model, &requests, &completions, 0.8);
        let logprobs = flat(&completions, |c| &c.logprobs);
        assert_eq!(logprobs.len(), stats.logp.len());
        for (i, (got, want)) in logprobs.iter().zip(&stats.logp).enumerate() {
            assert!(
                (got - want).abs() < tolerance,
                "{precision:?}, token {i}: {got} by the cache, {want} by the forward"
            );
        }
    }
}

#[test]
fn greedy_ids_are_the_argmax_of_the_full_forward() {
    let model = model(Precision::F64);
    let requests = requests(&greedy());
    let completions = run(&model, requests.clone(), &Limits::default());
    let stats = full_forward(&model, &requests, &completions, 1.0);
    assert_eq!(flat(&completions, |c| &c.ids), stats.argmax);
    assert!(completions[1].iter().all(|c| c == &completions[1][0]), "greedy samples of one prompt differ");
}

#[test]
fn results_do_not_depend_on_the_batch_the_slots_or_the_threads() {
    for precision in [Precision::F64, Precision::F32] {
        let model = model(precision);
        let together = run(&model, requests(&sampled()), &Limits::default());
        let ids = flat(&together, |c| &c.ids);
        assert!(ids.len() > 60, "too few tokens to tell: {}", ids.len());

        for max_rows in [1, 3] {
            let few = Limits { max_rows, prefill_tokens: 1, ..Limits::default() };
            assert_eq!(run(&model, requests(&sampled()), &few), together);
        }
        for (i, request) in requests(&sampled()).into_iter().enumerate() {
            assert_eq!(run(&model, vec![request], &Limits::default())[0], together[i]);
        }
        let one_thread =
            coldstart_gemm::pool::with_threads(1, || run(&model, requests(&sampled()), &Limits::default()));
        assert_eq!(one_thread, together);
    }
}

/// The first samples of a larger group are those of a smaller one: a sample's draws do not depend on how many there are.
#[test]
fn a_sample_does_not_depend_on_the_size_of_its_group() {
    let model = model(Precision::F64);
    let six = &run(&model, vec![with_image(9, 6, sampled())], &Limits::default())[0];
    let two = &run(&model, vec![with_image(9, 2, sampled())], &Limits::default())[0];
    assert_eq!(&six[..2], &two[..]);
    assert!(six.iter().any(|c| c.ids != six[0].ids), "all samples are alike");
}

#[test]
fn seed_and_key_choose_the_draws() {
    let model = model(Precision::F64);
    let ids =
        |key, seed| run(&model, vec![request(key, vec![7, 8], 4, Settings { seed, ..sampled() })], &Limits::default());
    assert_eq!(ids(1, 1), ids(1, 1));
    assert_ne!(ids(1, 1), ids(2, 1));
    assert_ne!(ids(1, 1), ids(1, 2));
}

#[test]
fn vision_tokens_and_banned_ids_are_never_drawn() {
    let model = model(Precision::F64);
    let settings = Settings {
        eos: vec![],
        max_new_tokens: 60,
        sampling: SampleParams { temperature: 3.0, ..Default::default() },
        ..sampled()
    };
    let ids = flat(&run(&model, vec![with_image(1, 20, settings)], &Limits::default()), |c| &c.ids);
    let mut drawn: Vec<u32> = ids.clone();
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn, (2..36).collect::<Vec<u32>>(), "every other id should occur in {} draws", ids.len());
}

#[test]
fn a_penalty_on_prompt_and_output_changes_greedy_choices_but_not_their_log_probabilities() {
    let model = model(Precision::F64);
    let strong = SampleParams { temperature: 0.0, repetition_penalty: 1e6, ..Default::default() };
    let prompt = vec![7, 8, 9];
    let requests = vec![request(1, prompt.clone(), 1, Settings { sampling: strong, eos: vec![], ..sampled() })];
    let completions = run(&model, requests.clone(), &Limits::default());
    let stats = full_forward(&model, &requests, &completions, 1.0);
    let c = &completions[0][0];
    c.logprobs.iter().zip(&stats.logp).for_each(|(got, want)| assert!((got - want).abs() < 1e-10));
    // Positive logits shrink to nothing and negative ones to the bottom: with half the vocabulary positive, nothing repeats.
    let all = [prompt, c.ids.clone()].concat();
    assert!((1..all.len()).all(|i| !all[..i].contains(&all[i])), "{all:?} repeats");
}

#[test]
fn truncated_draws_report_the_mass_they_were_drawn_from() {
    let model = model(Precision::F64);
    let sampling = SampleParams { top_p: 0.5, ..Default::default() };
    let c = &run(&model, vec![request(1, vec![7], 1, Settings { sampling, ..sampled() })], &Limits::default())[0][0];
    assert!(c.kept_mass.iter().all(|m| (0.5..1.0).contains(m)), "{:?}", c.kept_mass);
    let c = &run(&model, vec![request(1, vec![7], 1, sampled())], &Limits::default())[0][0];
    assert!(c.kept_mass.iter().all(|&m| m == 1.0));
}
