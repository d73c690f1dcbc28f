//! What is asked of a generator and what it answers.

use crate::batch::{Image, Item, Packed};
use crate::{Error, ModelConfig, Result};
use coldstart_kernels::sampling::SampleParams;
use std::sync::Arc;

/// How to continue a prompt.
#[derive(Clone, Debug)]
pub struct Settings {
    pub sampling: SampleParams,
    /// Tokens per sample at most, at least 1.
    pub max_new_tokens: usize,
    /// A sample ends with the first of these ids, which it includes.
    pub eos: Vec<u32>,
    /// Ids never drawn, besides the model's vision tokens.
    pub banned: Vec<u32>,
    /// Seed of the run: with the request's key it fixes every draw.
    pub seed: u64,
}

/// A prompt to be continued `num_samples` times.
#[derive(Clone, Debug)]
pub struct Request {
    /// Names the request in the random stream: requests of one run must differ in it for their draws to be independent.
    pub key: u64,
    /// The prompt, image placeholders expanded.
    pub ids: Vec<u32>,
    pub images: Vec<Arc<Image>>,
    pub num_samples: usize,
    pub settings: Arc<Settings>,
}

/// Why a sample ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finish {
    /// An end token.
    Stop,
    /// `max_new_tokens` were drawn.
    Length,
}

/// Tokens of one sample since its last event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Index in the list of requests.
    pub request: usize,
    /// Index among the request's samples.
    pub sample: usize,
    pub ids: Vec<u32>,
    pub logprobs: Vec<f64>,
    pub kept_mass: Vec<f64>,
    /// Set on the sample's last event.
    pub finish: Option<Finish>,
}

/// `extra` and the model's vision tokens, sorted: ids that are never drawn. A trainer must leave the same ids out of its softmax for
/// its log-probabilities to be those of the sampler.
pub fn banned_tokens(config: &ModelConfig, extra: &[u32]) -> Vec<u32> {
    let vision = [config.video_token_id, config.vision_start_token_id, config.vision_end_token_id];
    let mut banned: Vec<u32> =
        extra.iter().copied().chain([config.image_token_id]).chain(vision.into_iter().flatten()).collect();
    banned.sort_unstable();
    banned.dedup();
    banned
}

impl Request {
    pub(super) fn item(&self) -> Item {
        Item { ids: self.ids.clone(), images: self.images.clone(), ..Item::default() }
    }

    /// Everything that could go wrong with the request later.
    pub(super) fn check(&self, config: &ModelConfig) -> Result<()> {
        let settings = &self.settings;
        let usage = |expected: &str, got: String| Err(Error::Usage(format!("expected {expected}, got {got}")));
        Packed::check(&self.item(), config)?;
        if settings.max_new_tokens == 0 {
            return usage("max_new_tokens of at least 1", "0".into());
        }
        let longest = self.ids.len().saturating_add(settings.max_new_tokens);
        if longest > config.text.max_position_embeddings {
            let limit = config.text.max_position_embeddings;
            return Err(Error::TooLong(format!(
                "expected at most {limit} tokens, got {} of the prompt and max_new_tokens {}",
                self.ids.len(),
                settings.max_new_tokens
            )));
        }
        let p = &settings.sampling;
        let in_unit = |x: f64| (0.0..=1.0).contains(&x);
        if !(p.temperature >= 0.0 && p.temperature.is_finite()) {
            return usage("temperature ≥ 0", p.temperature.to_string());
        }
        if !in_unit(p.top_p) || !in_unit(p.min_p) {
            return usage("top_p and min_p in [0, 1]", format!("{} and {}", p.top_p, p.min_p));
        }
        if !(p.repetition_penalty > 0.0 && p.repetition_penalty.is_finite()) {
            return usage("repetition_penalty > 0", p.repetition_penalty.to_string());
        }
        let banned = banned_tokens(config, &settings.banned);
        if (0..config.text.vocab_size as u32).all(|id| banned.binary_search(&id).is_ok()) {
            return usage("an id that is not banned", format!("all {} banned", config.text.vocab_size));
        }
        Ok(())
    }
}

impl Settings {
    /// Whether a sample with these tokens has ended.
    pub(super) fn finish(&self, ids: &[u32]) -> Option<Finish> {
        if ids.last().is_some_and(|id| self.eos.contains(id)) {
            return Some(Finish::Stop);
        }
        (ids.len() >= self.max_new_tokens).then_some(Finish::Length)
    }
}
