//! Decoding over cached keys and values, against attention over the whole sequence.

mod common;

use candle_core::{DType, Tensor};
use coldstart_kernels::Precision;
use coldstart_kernels::attention::{Heads, Plan, Segment, forward};
use coldstart_kernels::kv_cache::{BLOCK_LEN, KvCache, PromptId, SequenceId};
use common::*;

const HEADS: Heads = Heads { q: 4, kv: 2, dim: 6 };
const SCALE: f64 = 0.4;

fn cache(layers: usize, max_blocks: usize) -> KvCache {
    KvCache::new(DType::F64, Precision::F64, layers, HEADS, max_blocks).unwrap()
}

fn add_prompt(cache: &mut KvCache, qkv: &[Tensor], row0: usize, len: usize) -> PromptId {
    let prompt = cache.add_prompt(len).unwrap();
    for (layer, qkv) in qkv.iter().enumerate() {
        cache.write_prompt(prompt, layer, qkv, row0).unwrap();
    }
    prompt
}

/// One prompt with its samples as a packed plan, and the same tokens through the cache.
fn packed_and_cached(
    prompt_len: usize,
    samples: &[usize],
    heads: Heads,
    dtype: DType,
    precision: Precision,
) -> (Tensor, Tensor) {
    let rows = prompt_len + samples.iter().sum::<usize>();
    let qkv = random(1, &[rows, heads.width()]).to_dtype(dtype).unwrap();
    let plan = Plan { segments: Segment::with_responses(0, prompt_len, samples.iter().copied()), causal: true };
    let (packed, _) = forward(&qkv, &heads, &plan, SCALE, precision).unwrap();

    let mut cache = KvCache::new(dtype, precision, 1, heads, 100).unwrap();
    let prompt = add_prompt(&mut cache, std::slice::from_ref(&qkv), 0, prompt_len);
    let sequences: Vec<SequenceId> = samples.iter().map(|_| cache.add_sequence(prompt).unwrap()).collect();
    let starts: Vec<usize> = plan.segments[1..].iter().map(|s| s.q0).collect();
    let mut outputs = vec![vec![]; samples.len()];
    for t in 0..samples.iter().copied().max().unwrap_or(0) {
        let live: Vec<usize> = (0..samples.len()).filter(|&i| t < samples[i]).collect();
        let ids: Vec<SequenceId> = live.iter().map(|&i| sequences[i]).collect();
        let new: Vec<Tensor> = live.iter().map(|&i| qkv.narrow(0, starts[i] + t, 1).unwrap()).collect();
        cache.advance(&ids).unwrap();
        let o = cache.decode(0, &Tensor::cat(&new, 0).unwrap(), &ids, SCALE, None).unwrap();
        live.iter().enumerate().for_each(|(row, &i)| outputs[i].push(o.narrow(0, row, 1).unwrap()));
    }
    let packed = packed.narrow(0, prompt_len, rows - prompt_len).unwrap();
    (packed, Tensor::cat(&outputs.concat(), 0).unwrap())
}

#[test]
fn cached_decoding_equals_the_full_forward() {
    for (prompt_len, samples) in [(5, vec![3, 1, 4]), (BLOCK_LEN, vec![2, 2]), (BLOCK_LEN + 7, vec![BLOCK_LEN + 3, 40])]
    {
        for heads in [HEADS, Heads { q: 3, kv: 3, dim: 40 }, Heads { q: 6, kv: 1, dim: 32 }] {
            let (packed, cached) = packed_and_cached(prompt_len, &samples, heads, DType::F64, Precision::F64);
            assert_close(&cached, &packed, 1e-12);
        }
    }
}

#[test]
fn f32_and_bf16_follow_the_full_forward_within_their_rounding() {
    for (precision, tolerance) in [(Precision::F32, 1e-5), (Precision::Bf16, 2e-2)] {
        let (packed, cached) = packed_and_cached(40, &[30, 5], HEADS, DType::F32, precision);
        assert_close(&cached, &packed, tolerance);
    }
}

/// Sequences of two prompts, decoded together in one order, in another, and alone.
#[test]
fn a_row_has_the_same_bits_in_any_batch_and_for_any_threads() {
    let heads = Heads { q: 6, kv: 2, dim: 32 };
    let prompts = single(&random(2, &[150, heads.width()]));
    let new = single(&random(3, &[7, heads.width()]));
    let decode = |order: &[usize], threads: usize| -> Vec<Tensor> {
        let mut cache = KvCache::new(DType::F32, Precision::F32, 1, heads, 100).unwrap();
        let long = add_prompt(&mut cache, std::slice::from_ref(&prompts), 0, 140);
        let short = add_prompt(&mut cache, std::slice::from_ref(&prompts), 140, 10);
        let ids: Vec<SequenceId> =
            order.iter().map(|&i| cache.add_sequence(if i < 5 { long } else { short }).unwrap()).collect();
        let rows: Vec<Tensor> = order.iter().map(|&i| new.narrow(0, i, 1).unwrap()).collect();
        cache.advance(&ids).unwrap();
        let o = coldstart_gemm::pool::with_threads(threads, || {
            cache.decode(0, &Tensor::cat(&rows, 0).unwrap(), &ids, SCALE, None)
        })
        .unwrap();
        let row_of = |i: usize| order.iter().position(|&j| j == i);
        (0..7).filter_map(row_of).map(|row| o.narrow(0, row, 1).unwrap().contiguous().unwrap()).collect()
    };
    let together = decode(&[0, 1, 2, 3, 4, 5, 6], 1);
    for (order, threads) in [([0, 1, 2, 3, 4, 5, 6], 2), ([6, 0, 3, 5, 1, 4, 2], 1)] {
        decode(&order, threads).iter().zip(&together).for_each(|(a, b)| assert_same_bits(a, b));
    }
    for i in 0..7 {
        assert_same_bits(&decode(&[i], 1)[0], &together[i]);
    }
}

#[test]
fn layers_do_not_mix() {
    let layers = [random(4, &[9, HEADS.width()]), random(5, &[9, HEADS.width()])];
    let mut cache = cache(2, 10);
    let prompt = add_prompt(&mut cache, &layers, 0, 8);
    let id = [cache.add_sequence(prompt).unwrap()];
    cache.advance(&id).unwrap();
    let plan = Plan { segments: vec![Segment::new(0, 9)], causal: true };
    for (layer, qkv) in layers.iter().enumerate() {
        let o = cache.decode(layer, &qkv.narrow(0, 8, 1).unwrap(), &id, SCALE, None).unwrap();
        let (want, _) = forward(qkv, &HEADS, &plan, SCALE, Precision::F64).unwrap();
        assert_close(&o, &want.narrow(0, 8, 1).unwrap(), 1e-13);
    }
}

/// The blocks of a first sequence, full of NaN, serve the next one.
#[test]
fn recycled_blocks_carry_nothing_over() {
    let nan = (random(6, &[4, HEADS.width()]) * f64::NAN).unwrap();
    let qkv = random(7, &[4, HEADS.width()]);
    let run = |cache: &mut KvCache, qkv: &Tensor| {
        let prompt = add_prompt(cache, std::slice::from_ref(qkv), 0, 3);
        let id = cache.add_sequence(prompt).unwrap();
        cache.advance(&[id]).unwrap();
        let o = cache.decode(0, &qkv.narrow(0, 3, 1).unwrap(), &[id], SCALE, None).unwrap();
        cache.remove_sequence(id).unwrap();
        cache.release_prompt(prompt).unwrap();
        o
    };
    let mut used = cache(1, 2);
    run(&mut used, &nan);
    assert_same_bits(&run(&mut used, &qkv), &run(&mut cache(1, 2), &qkv));
}

#[test]
fn a_prompt_keeps_its_blocks_until_its_last_sequence_is_gone() {
    let mut cache = cache(1, 4);
    assert_eq!(cache.free_blocks(), 4);
    let prompt = cache.add_prompt(BLOCK_LEN + 1).unwrap();
    assert_eq!(cache.free_blocks(), 2);
    let ids = [cache.add_sequence(prompt).unwrap(), cache.add_sequence(prompt).unwrap()];
    cache.advance(&ids).unwrap();
    assert_eq!((cache.free_blocks(), cache.len(ids[0]).unwrap()), (0, BLOCK_LEN + 2));
    cache.release_prompt(prompt).unwrap();
    cache.remove_sequence(ids[0]).unwrap();
    assert_eq!(cache.free_blocks(), 1);
    cache.remove_sequence(ids[1]).unwrap();
    assert_eq!(cache.free_blocks(), 4);
}

#[test]
fn a_full_cache_and_unknown_sequences_are_errors() {
    let mut cache = cache(1, 1);
    assert_names(&message(cache.add_prompt(BLOCK_LEN + 1)), &["2 more", "at most 1"]);
    assert_eq!(cache.free_blocks(), 1);
    let prompt = cache.add_prompt(1).unwrap();
    let id = cache.add_sequence(prompt).unwrap();
    let row = random(8, &[1, HEADS.width()]);
    assert_names(&message(cache.decode(0, &row, &[id], SCALE, None)), &["advance"]);
    assert_names(&message(cache.advance(&[id])), &["blocks", "at most 0"]);
    assert_eq!(cache.len(id).unwrap(), 1);
    assert_names(&message(cache.decode(1, &row, &[id], SCALE, None)), &["layer", "less than 1"]);
    cache.remove_sequence(id).unwrap();
    assert_names(&message(cache.len(id)), &["sequence", "not in the cache"]);
}
