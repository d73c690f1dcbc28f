//! Positions, features, hidden states, logits, log-probabilities and greedy text of one case.

use super::case::Case;
use super::report::{Check, Limits as Deviations, flat, max_difference, relative_norm};
use crate::batch::{Item, Packed};
use crate::generate::{Limits, Request, Settings, banned_tokens, generate};
use crate::qwen2_5_vl::{Activations, Model, Save};
use crate::{Precision, Result};
use coldstart_kernels::head::{self, Rows};
use coldstart_kernels::sampling::SampleParams;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(super) fn check(model: &Model, case: &Case) -> Result<Vec<Check>> {
    let item = case.item("", &model.config().vision)?;
    let packed = Packed::new(std::slice::from_ref(&item), model.config())?;
    let activations = model.forward(&packed, Save::Inputs)?;
    let mut checks = vec![positions(case, &packed)?];
    checks.extend(states(model, case, &activations)?);
    checks.push(logits(model, case, &activations)?);
    checks.extend(log_probs(model, case, &item, &activations)?);
    checks.push(greedy(model, case, &item)?);
    checks.push(cached_greedy(model, case, &item)?);
    Ok(checks)
}

fn positions(case: &Case, packed: &Packed) -> Result<Check> {
    let Some(expected) = case.ints("position_ids")? else {
        return Ok(Check::absent(&case.name, "position_ids"));
    };
    let axes = (0..3).flat_map(|axis| packed.positions.iter().map(move |p| i64::from(p[axis])));
    let wrong = axes.clone().zip(&expected).filter(|(a, b)| a != *b).count() + axes.count().abs_diff(expected.len());
    Ok(Check::new(&case.name, "position_ids", "positions that differ", wrong as f64, 0.0))
}

/// Image features and the inputs of all blocks; the last state is the one after the final norm.
fn states(model: &Model, case: &Case, activations: &Activations) -> Result<Vec<Check>> {
    let mut found = Vec::new();
    if let Some(features) = &activations.image_features {
        found.push(("image_embeds".to_string(), flat(features)?));
    }
    let inputs = activations.saved.as_ref().map_or(Vec::new(), |saved| saved.block_inputs());
    for (i, state) in inputs.into_iter().chain([&activations.hidden]).enumerate() {
        found.push((format!("hidden.{i}"), flat(state)?));
    }
    let limit = Deviations::of(model.precision()).state;
    found.into_iter().map(|(name, values)| compare(case, &name, &values, limit)).collect()
}

fn compare(case: &Case, name: &str, values: &[f64], limit: f64) -> Result<Check> {
    Ok(match case.floats(name)? {
        Some(expected) => Check::new(&case.name, name, "of the norm", relative_norm(values, &expected), limit),
        None => Check::absent(&case.name, name),
    })
}

fn logits(model: &Model, case: &Case, activations: &Activations) -> Result<Check> {
    let limit = Deviations::of(model.precision()).logits;
    let values = flat(&head::logits(&activations.hidden, model.head())?)?;
    if model.precision() != Precision::F32 {
        return compare(case, "logits", &values, limit);
    }
    Ok(match case.floats("logits")? {
        Some(expected) => Check::new(&case.name, "logits", "absolute", max_difference(&values, &expected), limit),
        None => Check::absent(&case.name, "logits"),
    })
}

/// Log-probabilities of every next token at two temperatures, entropies, and the mean loss over the labelled tokens.
fn log_probs(model: &Model, case: &Case, item: &Item, activations: &Activations) -> Result<Vec<Check>> {
    let next = item.ids.len() as u32 - 1;
    let rows = Rows { row: (0..next).collect(), target: item.ids[1..].to_vec() };
    let plain = head::forward(&activations.hidden, model.head(), &rows, 1.0, &[])?;
    let warm = head::forward(&activations.hidden, model.head(), &rows, 0.7, &[])?;
    let labelled: Vec<f64> =
        plain.logp.iter().zip(&item.targets[1..]).filter(|(_, t)| **t).map(|(logp, _)| *logp).collect();
    let loss = -labelled.iter().sum::<f64>() / labelled.len() as f64;
    let limit = Deviations::of(model.precision()).state;
    [("logprobs", plain.logp), ("logprobs_t0.7", warm.logp), ("entropy_t0.7", warm.entropy), ("loss", vec![loss])]
        .iter()
        .map(|(name, values)| compare(case, name, values, limit))
        .collect()
}

/// The continuation by plain argmax: given the reference's tokens so far, each next one must be the most likely.
///
/// bf16 may swap tokens whose logits are closer than its rounding, and after one swap nothing is comparable. There the reference's token
/// must lie as near the best one as four times the tolerated logit deviation allows, in units of the row's root mean square.
fn greedy(model: &Model, case: &Case, item: &Item) -> Result<Check> {
    let (Some(expected), Some(prompt_len)) = (case.ints("greedy")?, case.prompt_len()?) else {
        return Ok(Check::absent(&case.name, "greedy"));
    };
    let expected: Vec<u32> = expected.iter().map(|&id| id as u32).collect();
    let ids = [&item.ids[..prompt_len], &expected[..expected.len() - 1]].concat();
    let sequence = Item { ids, images: item.images.clone(), ..Item::default() };
    let hidden = model.forward(&Packed::new(&[sequence], model.config())?, Save::None)?.hidden;
    let rows = hidden.narrow(0, prompt_len - 1, expected.len())?;
    if model.precision() != Precision::Bf16 {
        let rows = Rows { row: (prompt_len as u32 - 1..).take(expected.len()).collect(), target: expected.clone() };
        let argmax = head::forward(&hidden, model.head(), &rows, 1.0, &[])?.argmax;
        let wrong = argmax.iter().zip(&expected).filter(|(a, b)| a != b).count();
        return Ok(Check::new(&case.name, "greedy", "tokens that differ", wrong as f64, 0.0));
    }
    let logits = flat(&head::logits(&rows, model.head())?)?;
    let deficit = |(row, &id): (&[f64], &u32)| {
        let best = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let scale = (row.iter().map(|z| z * z).sum::<f64>() / row.len() as f64).sqrt();
        (best - row[id as usize]) / scale
    };
    let worst = logits.chunks_exact(model.config().text.vocab_size).zip(&expected).map(deficit).fold(0.0, f64::max);
    let limit = 4.0 * Deviations::of(model.precision()).logits;
    Ok(Check::new(&case.name, "greedy", "deficit of the reference's token, of the rms logit", worst, limit))
}

/// The same continuation as the generator draws it, through the key-value cache.
fn cached_greedy(model: &Model, case: &Case, item: &Item) -> Result<Check> {
    let what = "greedy, cached";
    let (Some(expected), Some(prompt_len)) = (case.ints("greedy")?, case.prompt_len()?) else {
        return Ok(Check::absent(&case.name, what));
    };
    let banned = banned_tokens(model.config(), &[]);
    let never_drawn = expected.iter().any(|&id| banned.iter().any(|&ban| i64::from(ban) == id));
    if never_drawn || model.precision() == Precision::Bf16 {
        // The generator draws no vision tokens; bf16 may leave the reference's path, which the check above allows for.
        return Ok(Check::absent(&case.name, what));
    }
    let settings = Settings {
        sampling: SampleParams { temperature: 0.0, ..SampleParams::default() },
        max_new_tokens: expected.len(),
        eos: vec![],
        banned: vec![],
        seed: 0,
    };
    let request = Request {
        key: 0,
        ids: item.ids[..prompt_len].to_vec(),
        images: item.images.clone(),
        num_samples: 1,
        settings: Arc::new(settings),
    };
    let limits = Limits { max_rows: 1, ..Limits::default() };
    let found = generate(model, vec![request], &limits, &AtomicBool::new(false))?;
    let found = &found[0][0].ids;
    let wrong = found.iter().zip(&expected).filter(|(a, b)| i64::from(**a) != **b).count()
        + found.len().abs_diff(expected.len());
    Ok(Check::new(&case.name, what, "tokens that differ", wrong as f64, 0.0))
}
