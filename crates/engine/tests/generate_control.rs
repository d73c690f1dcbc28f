//! How a generator is driven: ends of samples, slices of time, cancellation, limits, refusals.

mod generate_common;

use coldstart_engine::Precision;
use coldstart_engine::generate::{Completion, Event, Finish, Generator, Limits, Request, Settings};
use coldstart_kernels::sampling::SampleParams;
use generate_common::*;
use std::sync::atomic::AtomicBool;

#[test]
fn a_sample_ends_with_its_first_end_token_or_at_the_limit() {
    let model = model(Precision::F64);
    let eos: Vec<u32> = (2..5).collect();
    let request = request(1, vec![7, 8], 60, Settings { eos: eos.clone(), ..sampled() });
    let samples = &run(&model, vec![request], &Limits::default())[0];
    let mut seen = [false; 2];
    for c in samples {
        let first_eos = c.ids.iter().position(|id| eos.contains(id));
        match c.finish {
            Finish::Stop => assert_eq!(first_eos, Some(c.ids.len() - 1)),
            Finish::Length => assert_eq!((first_eos, c.ids.len()), (None, 12)),
        }
        assert_eq!((c.logprobs.len(), c.kept_mass.len()), (c.ids.len(), c.ids.len()));
        seen[usize::from(c.finish == Finish::Length)] = true;
    }
    assert_eq!(seen, [true, true], "the case must show both ends");
}

#[test]
fn one_token_is_drawn_from_the_prompt_alone() {
    let model = model(Precision::F64);
    let samples =
        &run(&model, vec![request(1, vec![7], 3, Settings { max_new_tokens: 1, ..sampled() })], &Limits::default())[0];
    assert!(samples.iter().all(|c| c.ids.len() == 1));
}

#[test]
fn slices_of_time_give_the_same_tokens_in_pieces() {
    let model = model(Precision::F64);
    let whole = run(&model, requests(&sampled()), &Limits::default());
    let mut generator =
        Generator::new(&model, requests(&sampled()), &Limits { max_rows: 4, ..Limits::default() }).unwrap();
    let mut pieces: Vec<Vec<Vec<Event>>> = whole.iter().map(|samples| vec![vec![]; samples.len()]).collect();
    while !generator.is_done() {
        for event in generator.step(&model, 2, &GO).unwrap() {
            assert!((1..=3).contains(&event.ids.len()), "a first token and two more at most");
            pieces[event.request][event.sample].push(event);
        }
    }
    for (pieces, whole) in pieces.iter().flatten().zip(whole.iter().flatten()) {
        assert_eq!(pieces.iter().flat_map(|e| e.ids.clone()).collect::<Vec<_>>(), whole.ids);
        assert_eq!(pieces.iter().flat_map(|e| e.logprobs.clone()).collect::<Vec<_>>(), whole.logprobs);
        let (last, before) = pieces.split_last().unwrap();
        assert_eq!(last.finish, Some(whole.finish));
        assert!(before.iter().all(|e| e.finish.is_none()));
    }
}

#[test]
fn a_raised_flag_aborts_and_a_later_call_goes_on() {
    let model = model(Precision::F64);
    let mut generator = Generator::new(&model, requests(&sampled()), &Limits::default()).unwrap();
    let mut ids = generator.step(&model, 3, &GO).unwrap().into_iter().map(|e| e.ids.len()).sum::<usize>();
    let aborted = generator.step(&model, 3, &AtomicBool::new(true)).unwrap_err();
    assert_eq!(aborted.code(), "E_ABORTED");
    while !generator.is_done() {
        ids += generator.step(&model, usize::MAX, &GO).unwrap().into_iter().map(|e| e.ids.len()).sum::<usize>();
    }
    assert_eq!(ids, flat(&run(&model, requests(&sampled()), &Limits::default()), |c| &c.ids).len());
}

/// Two blocks more than the largest request needs: samples wait for each other's memory and all of them end.
#[test]
fn a_small_cache_is_reused_and_gives_the_same_samples() {
    let model = model(Precision::F64);
    // 2 layers · 2 kv heads · keys and values · 8 dimensions · 128 tokens · 8 bytes.
    let block_bytes = 2 * 2 * 2 * 8 * 128 * 8;
    let tight = Limits { max_cache_bytes: 3 * block_bytes, ..Limits::default() };
    let many = || requests(&sampled()).into_iter().chain(requests(&sampled())).collect::<Vec<_>>();
    assert_eq!(run(&model, many(), &tight), run(&model, many(), &Limits::default()));
    let smaller = Limits { max_cache_bytes: 3 * block_bytes - 1, ..Limits::default() };
    let error = Generator::new(&model, many(), &smaller).err().unwrap();
    assert_eq!(error.code(), "E_TOO_LONG");
    assert!(error.to_string().starts_with("request 2: 150 prompt tokens"), "{error}");
}

#[test]
fn requests_that_cannot_run_are_refused_by_their_index() {
    let model = model(Precision::F64);
    let refused = |bad: Request| {
        let error =
            Generator::new(&model, vec![request(0, vec![7], 1, sampled()), bad], &Limits::default()).err().unwrap();
        (error.code(), error.to_string())
    };
    let cases = [
        (request(1, vec![], 1, sampled()), "E_TOKEN_COUNT", "at least one token"),
        (request(1, vec![VOCAB], 1, sampled()), "E_TOKEN_COUNT", "below 40"),
        (request(1, vec![IMAGE], 1, sampled()), "E_TOKEN_COUNT", "images"),
        (request(1, vec![7; 390], 1, sampled()), "E_TOO_LONG", "390"),
        (request(1, vec![7], 1, Settings { max_new_tokens: 0, ..sampled() }), "E_USAGE", "max_new_tokens"),
        (request(1, vec![7], 1, Settings { banned: (0..VOCAB).collect(), ..sampled() }), "E_USAGE", "banned"),
        (with(SampleParams { temperature: -1.0, ..Default::default() }), "E_USAGE", "temperature"),
        (with(SampleParams { top_p: 1.5, ..Default::default() }), "E_USAGE", "top_p"),
        (with(SampleParams { repetition_penalty: 0.0, ..Default::default() }), "E_USAGE", "repetition_penalty"),
    ];
    for (bad, code, word) in cases {
        let (got, message) = refused(bad);
        assert_eq!(got, code, "{message}");
        assert!(message.starts_with("request 1: ") && message.contains(word), "{message}");
    }
}

fn with(sampling: SampleParams) -> Request {
    request(1, vec![7], 1, Settings { sampling, ..sampled() })
}

#[test]
fn nothing_asked_is_done_at_once() {
    let model = model(Precision::F64);
    assert!(Generator::new(&model, vec![request(1, vec![7], 0, sampled())], &Limits::default()).unwrap().is_done());
    assert_eq!(run(&model, vec![], &Limits::default()), Vec::<Vec<Completion>>::new());
}
