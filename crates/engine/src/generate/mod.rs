//! Generation: continuous batching over a key-value cache.
//!
//! A [`Generator`] takes prompts with images and gives back sampled tokens with their log-probabilities. Each prompt is computed once for
//! all of its samples, by the same forward that training uses; a fixed number of rows decodes together and a finished row's place goes to
//! the next sample. What is drawn depends on the request alone (its key, seed, sample and token index), not on what else is in the batch.

mod attend;
mod generator;
mod request;

pub use generator::{Generator, Limits};
pub use request::{Event, Finish, Request, Settings, banned_tokens};

use crate::{Cancel, Model, Result};

/// One finished sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// Drawn tokens, with the end token that ended them.
    pub ids: Vec<u32>,
    /// Log-probability of each token at the temperature, over the ids that are not banned, before truncation.
    pub logprobs: Vec<f64>,
    /// Probability mass that survived top-k, top-p and min-p at each token.
    pub kept_mass: Vec<f64>,
    pub finish: Finish,
}

/// Runs all requests to their end: `result[request][sample]`.
///
/// # Errors
/// As [`Generator::new`] and [`Generator::step`]; `E_ABORTED` when `cancel` is raised.
pub fn generate(
    model: &Model,
    requests: Vec<Request>,
    limits: &Limits,
    cancel: &dyn Cancel,
) -> Result<Vec<Vec<Completion>>> {
    let empty = Completion { ids: vec![], logprobs: vec![], kept_mass: vec![], finish: Finish::Length };
    let mut completions: Vec<Vec<Completion>> = requests.iter().map(|r| vec![empty.clone(); r.num_samples]).collect();
    let mut generator = Generator::new(model, requests, limits)?;
    while !generator.is_done() {
        for event in generator.step(model, usize::MAX, cancel)? {
            let completion = &mut completions[event.request][event.sample];
            completion.ids.extend(event.ids);
            completion.logprobs.extend(event.logprobs);
            completion.kept_mass.extend(event.kept_mass);
            completion.finish = event.finish.unwrap_or(completion.finish);
        }
    }
    Ok(completions)
}
