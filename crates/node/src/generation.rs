//! Generation for JavaScript: started, advanced in slices of time, cancelled.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use coldstart_engine::generate::{Event, Finish, Generator, Limits, Request, Settings};
use coldstart_engine::{Image, SampleParams};
use napi::bindgen_prelude::{Float32Array, Uint32Array};
use napi_derive::napi;

use crate::failure::Failure;
use crate::number::{whole, wholes};
use crate::processor::{PreparedImage, triple};
use crate::session::Session;

/// A prompt to complete and how.
#[napi(object)]
pub struct GenerateRequest {
    pub ids: Uint32Array,
    pub images: Vec<PreparedImage>,
    /// Names the request's random numbers.
    pub key: f64,
    pub seed: f64,
    pub num_samples: f64,
    pub max_new_tokens: f64,
    pub temperature: f64,
    pub top_k: f64,
    pub top_p: f64,
    pub min_p: f64,
    pub repetition_penalty: f64,
    pub stop_ids: Vec<f64>,
    pub banned_ids: Vec<f64>,
}

/// New tokens of one sample.
#[napi(object)]
pub struct GenerationEvent {
    /// Index of the request and of the sample.
    pub request: u32,
    pub sample: u32,
    pub ids: Uint32Array,
    pub log_probs: Float32Array,
    /// Share of the probability that truncated sampling kept, a token.
    pub kept_mass: Float32Array,
    /// `stop` or `length` on the last event of a sample.
    pub finish_reason: Option<String>,
}

#[napi(object)]
pub struct GenerationSlice {
    pub events: Vec<GenerationEvent>,
    pub finished: bool,
}

/// Pictures of a sample, from what the processor made.
pub fn images(prepared: Vec<PreparedImage>) -> Result<Vec<Arc<Image>>, Failure> {
    prepared
        .into_iter()
        .map(|image| Ok(Arc::new(Image { pixel_values: image.pixel_values.to_vec(), grid: triple(&image.grid_thw)? })))
        .collect()
}

impl GenerateRequest {
    fn build(self) -> Result<Request, Failure> {
        let settings = Settings {
            sampling: SampleParams {
                temperature: self.temperature,
                top_k: whole("topK", self.top_k)?,
                top_p: self.top_p,
                min_p: self.min_p,
                repetition_penalty: self.repetition_penalty,
            },
            max_new_tokens: whole("maxNewTokens", self.max_new_tokens)?,
            eos: wholes("stopIds", &self.stop_ids)?,
            banned: wholes("bannedIds", &self.banned_ids)?,
            seed: whole("seed", self.seed)?,
        };
        Ok(Request {
            key: whole("key", self.key)?,
            ids: self.ids.to_vec(),
            images: images(self.images)?,
            num_samples: whole::<u32>("numSamples", self.num_samples)? as usize,
            settings: Arc::new(settings),
        })
    }
}

pub fn start(session: &mut Session, requests: Vec<GenerateRequest>) -> Result<u32, Failure> {
    let requests = requests
        .into_iter()
        .enumerate()
        .map(|(index, request)| request.build().map_err(|failure| Failure { request: Some(index as u32), ..failure }))
        .collect::<Result<Vec<_>, _>>()?;
    let generator = Generator::new(session.model()?, requests, &Limits::default())?;
    let id = session.next_generation;
    session.next_generation += 1;
    session.generations.insert(id, generator);
    Ok(id)
}

/// Works for about `millis` milliseconds, at least one token of every row.
pub fn step(session: &mut Session, id: f64, millis: f64) -> Result<GenerationSlice, Failure> {
    let id = whole("id", id)?;
    let slice = Duration::from_millis(whole::<u32>("millis", millis)?.into());
    let mut generator = session
        .generations
        .remove(&id)
        .ok_or_else(|| Failure::new("E_CLOSED", format!("generation {id} has ended or was cancelled")))?;
    let deadline = Instant::now() + slice;
    let mut events: Vec<Event> = Vec::new();
    loop {
        events.extend(generator.step(session.model()?, 1, &*session.abort)?);
        if generator.is_done() || Instant::now() >= deadline || session.abort.load(Ordering::Relaxed) {
            break;
        }
    }
    let finished = generator.is_done();
    if !finished {
        session.generations.insert(id, generator);
    }
    Ok(GenerationSlice { events: merged(events), finished })
}

/// Forgets a generation; false when it has ended.
pub fn cancel(session: &mut Session, id: f64) -> Result<bool, Failure> {
    Ok(session.generations.remove(&whole("id", id)?).is_some())
}

/// One event a sample for a slice: fewer objects for JavaScript to make.
fn merged(events: Vec<Event>) -> Vec<GenerationEvent> {
    let mut merged: Vec<Event> = Vec::new();
    let mut place = std::collections::HashMap::new();
    for event in events {
        match place.get(&(event.request, event.sample)) {
            None => {
                place.insert((event.request, event.sample), merged.len());
                merged.push(event);
            }
            Some(&at) => {
                let earlier: &mut Event = &mut merged[at];
                earlier.ids.extend(event.ids);
                earlier.logprobs.extend(event.logprobs);
                earlier.kept_mass.extend(event.kept_mass);
                earlier.finish = event.finish.or(earlier.finish);
            }
        }
    }
    merged.into_iter().map(GenerationEvent::from).collect()
}

impl From<Event> for GenerationEvent {
    fn from(event: Event) -> Self {
        let floats = |values: Vec<f64>| Float32Array::new(values.into_iter().map(|v| v as f32).collect());
        Self {
            request: event.request as u32,
            sample: event.sample as u32,
            ids: Uint32Array::new(event.ids),
            log_probs: floats(event.logprobs),
            kept_mass: floats(event.kept_mass),
            finish_reason: event.finish.map(|finish| match finish {
                Finish::Stop => "stop".to_owned(),
                Finish::Length => "length".to_owned(),
            }),
        }
    }
}
