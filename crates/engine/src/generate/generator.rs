//! The scheduler: which prompts are in the cache, which samples decode, and what each has drawn.

use super::attend::{Decode, Prefill};
use super::request::{Event, Finish, Request, banned_tokens};
use crate::batch::{Item, Packed};
use crate::qwen2_5_vl::buffers::Buffers;
use crate::qwen2_5_vl::rope::Position;
use crate::{Cancel, Error, Model, Result};
use candle_core::Tensor;
use coldstart_kernels::embedding;
use coldstart_kernels::kv_cache::{KvCache, PromptId, SequenceId};
use coldstart_kernels::rng::{Key, Purpose};
use coldstart_kernels::rope::Angles;
use coldstart_kernels::sampling::{Draw, Sampled, sample_rows, sample_rows_into};
use std::collections::VecDeque;

/// Bounds on what runs at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Samples that decode together.
    pub max_rows: usize,
    /// Memory for keys and values. It is taken block by block as tokens are drawn.
    pub max_cache_bytes: usize,
    /// Prompt tokens computed together; a longer prompt is computed alone.
    pub prefill_tokens: usize,
}

impl Default for Limits {
    /// 128 rows; half of the memory that is free now, or 1 GiB where the system does not tell; 8,192 prompt tokens.
    fn default() -> Self {
        let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let available = meminfo
            .lines()
            .find_map(|line| line.strip_prefix("MemAvailable:")?.trim().strip_suffix("kB")?.trim().parse().ok());
        let max_cache_bytes = available.map_or(1 << 30, |kib: usize| kib * 1024 / 2);
        Self { max_rows: 128, max_cache_bytes, prefill_tokens: 8192 }
    }
}

/// A prompt in the cache with samples still to start.
struct Started {
    request: usize,
    prompt: PromptId,
    next_position: u32,
    /// Logits after the prompt, `[1, V]`: every sample's first token is drawn from them.
    logits: Tensor,
    next_sample: usize,
}

/// A sample that decodes.
struct Row {
    request: usize,
    sample: usize,
    sequence: SequenceId,
    /// Position of the newest token.
    position: u32,
    /// Prompt and drawn ids, for the repetition penalty; empty when there is none.
    seen: Vec<u32>,
    ids: Vec<u32>,
    /// Drawn since the last event.
    logprobs: Vec<f64>,
    kept_mass: Vec<f64>,
}

/// Draws samples for a list of requests. Dropping it ends them.
pub struct Generator {
    requests: Vec<Request>,
    /// For each request the ids that may not be drawn.
    banned: Vec<Vec<u32>>,
    waiting: VecDeque<usize>,
    started: VecDeque<Started>,
    rows: Vec<Row>,
    cache: KvCache,
    limits: Limits,
    /// Events of samples that have ended, until `step` returns.
    ended: Vec<Event>,
    kept: Kept,
}

/// What one decoded token leaves for the next to write over, so that decoding allocates nothing.
#[derive(Default)]
struct Kept {
    sequences: Vec<SequenceId>,
    ids: Vec<u32>,
    positions: Vec<Position>,
    sampled: Vec<Sampled>,
    angles: Option<Angles>,
    /// Tensors for as many rows as decoded last.
    buffers: Buffers,
}

impl Generator {
    /// Checks every request against the model and the limits.
    ///
    /// # Errors
    /// `E_TOKEN_COUNT`, `E_TOO_LONG` or `E_USAGE`, naming the request by its index.
    pub fn new(model: &Model, requests: Vec<Request>, limits: &Limits) -> Result<Self> {
        let config = model.config();
        let layers = config.text.num_hidden_layers;
        let probe = KvCache::new(model.params().dtype(), model.precision(), layers, *model.heads(), 0)?;
        let max_blocks = limits.max_cache_bytes / probe.block_bytes();
        for (index, request) in requests.iter().enumerate() {
            request.check(config).map_err(|error| error.of_request(index))?;
            let needed = prompt_blocks(request) + row_blocks(request);
            if needed > max_blocks {
                let error = Error::TooLong(format!(
                    "{} prompt tokens and max_new_tokens {} need {} bytes of cache, but at most {} are allowed",
                    request.ids.len(),
                    request.settings.max_new_tokens,
                    needed * probe.block_bytes(),
                    limits.max_cache_bytes
                ));
                return Err(error.of_request(index));
            }
        }
        if limits.max_rows == 0 {
            return Err(Error::Usage("expected max_rows of at least 1, got 0".into()));
        }
        Ok(Self {
            banned: requests.iter().map(|request| banned_tokens(config, &request.settings.banned)).collect(),
            waiting: (0..requests.len()).filter(|&i| requests[i].num_samples > 0).collect(),
            requests,
            started: VecDeque::new(),
            rows: vec![],
            cache: KvCache::new(model.params().dtype(), model.precision(), layers, *model.heads(), max_blocks)?,
            limits: limits.clone(),
            ended: vec![],
            kept: Kept::default(),
        })
    }

    /// Whether every sample has ended and been reported.
    pub fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.started.is_empty() && self.rows.is_empty() && self.ended.is_empty()
    }

    /// Draws at most `max_tokens` tokens for each running sample and returns what is new, ended samples first.
    ///
    /// `model` must be the one the generator was made for, with the same weights until all samples have ended. `cancel` is read before
    /// each token.
    ///
    /// # Errors
    /// `E_ABORTED` when `cancel` is raised; nothing drawn is lost, and a further call goes on. `E_DIVERGED` when logits are not finite.
    pub fn step(&mut self, model: &Model, max_tokens: usize, cancel: &dyn Cancel) -> Result<Vec<Event>> {
        for row in &mut self.rows {
            let left = self.requests[row.request].settings.max_new_tokens - row.ids.len();
            row.reserve(left.min(max_tokens));
        }
        for _ in 0..max_tokens {
            cancel.check()?;
            self.fill(model)?;
            if self.rows.is_empty() {
                break;
            }
            self.decode(model)?;
        }
        let mut events = std::mem::take(&mut self.ended);
        events.extend(self.rows.iter_mut().filter(|row| !row.logprobs.is_empty()).map(|row| row.event(None)));
        Ok(events)
    }

    /// Gives free rows to waiting samples until the limits are reached. A first token that ends its sample leaves the row free.
    fn fill(&mut self, model: &Model) -> Result<()> {
        loop {
            self.start_samples()?;
            let full = self.rows.len() >= self.limits.max_rows || !self.started.is_empty();
            if full || !self.prefill(model)? {
                // Neighbours in the batch share a prompt's keys.
                self.rows.sort_unstable_by_key(|row| (row.request, row.sample));
                return Ok(());
            }
        }
    }

    /// Draws first tokens for samples of prompts in the cache while rows and blocks are free.
    fn start_samples(&mut self) -> Result<()> {
        loop {
            let spare_blocks = self.spare_blocks();
            let Some(group) = self.started.front_mut() else {
                return Ok(());
            };
            let request = &self.requests[group.request];
            let affordable = spare_blocks.checked_div(row_blocks(request)).unwrap_or(usize::MAX);
            let left = request.num_samples - group.next_sample;
            let count = left.min(affordable).min(self.limits.max_rows - self.rows.len());
            if count == 0 {
                return Ok(());
            }
            let seen = if request.settings.sampling.repetition_penalty == 1.0 { vec![] } else { request.ids.clone() };
            let samples = group.next_sample..group.next_sample + count;
            let draws: Vec<Draw> =
                samples.clone().map(|sample| draw(request, &self.banned[group.request], sample, 0, &seen, 0)).collect();
            let sampled = sample_rows(&group.logits, &draws)?;
            for (sample, sampled) in samples.zip(sampled) {
                check_finite(&sampled, group.request, sample, 0)?;
                let sequence = self.cache.add_sequence(group.prompt)?;
                let mut row = Row {
                    request: group.request,
                    sample,
                    sequence,
                    position: group.next_position,
                    seen: seen.clone(),
                    ids: vec![],
                    logprobs: vec![],
                    kept_mass: vec![],
                };
                row.push(&sampled);
                match request.settings.finish(&row.ids) {
                    None => self.rows.push(row),
                    Some(finish) => {
                        self.ended.push(row.event(Some(finish)));
                        self.cache.remove_sequence(sequence)?;
                    }
                }
            }
            group.next_sample += count;
            if group.next_sample == request.num_samples {
                self.cache.release_prompt(group.prompt)?;
                self.started.pop_front();
            }
        }
    }

    /// Blocks that neither hold anything nor are needed to bring the running rows to their end: taking no more than these, decoding
    /// cannot run out.
    fn spare_blocks(&self) -> usize {
        let still_needed: usize = self
            .rows
            .iter()
            .map(|row| row_blocks(&self.requests[row.request]) - KvCache::blocks_for(row.ids.len() - 1))
            .sum();
        self.cache.free_blocks() - still_needed
    }

    /// Computes the next waiting prompts, as many as fit; false if none does.
    fn prefill(&mut self, model: &Model) -> Result<bool> {
        let mut chosen = vec![];
        let (mut tokens, mut rows, mut blocks, mut largest_row) = (0, self.rows.len(), 0, 0);
        while let Some(&index) = self.waiting.front() {
            let request = &self.requests[index];
            tokens += request.ids.len();
            blocks += prompt_blocks(request);
            largest_row = row_blocks(request).max(largest_row);
            let too_long = tokens > self.limits.prefill_tokens && !chosen.is_empty();
            // One sample at a time must fit beside the prompts, or nothing would ever end.
            if too_long || rows >= self.limits.max_rows || blocks + largest_row > self.spare_blocks() {
                break;
            }
            rows += request.num_samples;
            chosen.push(index);
            self.waiting.pop_front();
        }
        if chosen.is_empty() {
            return Ok(false);
        }
        let items: Vec<Item> = chosen.iter().map(|&index| self.requests[index].item()).collect();
        let packed = Packed::new(&items, model.config())?;
        let mut prompts = vec![];
        for span in &packed.spans {
            prompts.push((self.cache.add_prompt(span.prompt.len())?, span.prompt.start));
        }
        let angles = model.angles(&packed.positions, None)?;
        let x = model.embed(&packed)?;
        // Of their own: the layers share them, and the tensors of prompts are not kept for longer.
        let mut buffers = Buffers::default();
        let mut attend =
            Prefill { cache: &mut self.cache, plan: &packed.plan, precision: model.precision(), prompts: &prompts };
        let hidden = model.run(x, &angles, &mut attend, &mut buffers)?;
        let last: Vec<u32> = packed.spans.iter().map(|span| span.prompt.end as u32 - 1).collect();
        let logits = model.logits(embedding::gather_rows(&hidden, &last)?, &mut buffers)?;
        for (i, (&request, span)) in chosen.iter().zip(&packed.spans).enumerate() {
            let logits = logits.narrow(0, i, 1)?;
            let (prompt, next_position) = (prompts[i].0, span.next_position);
            self.started.push_back(Started { request, prompt, next_position, logits, next_sample: 0 });
        }
        Ok(true)
    }

    /// One token for every row.
    fn decode(&mut self, model: &Model) -> Result<()> {
        let Self { requests, banned, rows, cache, kept, .. } = self;
        let Kept { sequences, ids, positions, sampled, angles: old_angles, buffers } = kept;
        if sequences.len() != rows.len() {
            buffers.clear();
        }
        refill(sequences, rows.iter().map(|row| row.sequence));
        // Rows hold at least the token they started with.
        refill(ids, rows.iter().filter_map(|row| row.ids.last().copied()));
        refill(positions, rows.iter().map(|row| [row.position; 3]));
        cache.advance(sequences)?;
        let x = model.embed_ids(ids, buffers)?;
        let angles = model.angles(positions, old_angles.take())?;
        let hidden = model.run(x, &angles, &mut Decode { cache, sequences }, buffers)?;
        *old_angles = Some(angles);
        let logits = model.logits(hidden, buffers)?;
        let next = |i: usize| {
            let row = &rows[i];
            draw(&requests[row.request], &banned[row.request], row.sample, row.ids.len(), &row.seen, i)
        };
        sample_rows_into(&logits, rows.len(), next, sampled)?;
        buffers.give([logits]);
        for (row, sampled) in rows.iter_mut().zip(&*sampled) {
            check_finite(sampled, row.request, row.sample, row.ids.len())?;
            row.push(sampled);
            row.position += 1;
        }
        self.retire()
    }

    /// Takes out the rows that have ended.
    fn retire(&mut self) -> Result<()> {
        let Self { requests, rows, cache, ended, .. } = self;
        let finish = |row: &Row| requests[row.request].settings.finish(&row.ids);
        for mut row in rows.extract_if(.., |row| finish(row).is_some()) {
            ended.push(row.event(finish(&row)));
            cache.remove_sequence(row.sequence)?;
        }
        Ok(())
    }
}

fn refill<T>(kept: &mut Vec<T>, values: impl Iterator<Item = T>) {
    kept.clear();
    kept.extend(values);
}

impl Row {
    /// Makes room for `tokens` more, so that drawing them allocates nothing.
    fn reserve(&mut self, tokens: usize) {
        self.ids.reserve(tokens);
        self.logprobs.reserve(tokens);
        self.kept_mass.reserve(tokens);
        if !self.seen.is_empty() {
            self.seen.reserve(tokens);
        }
    }

    fn push(&mut self, sampled: &Sampled) {
        self.ids.push(sampled.id);
        self.logprobs.push(sampled.logp);
        self.kept_mass.push(sampled.kept_mass);
        if !self.seen.is_empty() {
            self.seen.push(sampled.id);
        }
    }

    /// What was drawn since the last event.
    fn event(&mut self, finish: Option<Finish>) -> Event {
        let new = self.logprobs.len();
        Event {
            request: self.request,
            sample: self.sample,
            ids: self.ids[self.ids.len() - new..].to_vec(),
            logprobs: std::mem::take(&mut self.logprobs),
            kept_mass: std::mem::take(&mut self.kept_mass),
            finish,
        }
    }
}

fn draw<'a>(
    request: &'a Request,
    banned: &'a [u32],
    sample: usize,
    token: usize,
    seen: &'a [u32],
    row: usize,
) -> Draw<'a> {
    let uniform = Key::new(request.settings.seed, Purpose::Sample).uniform(sample as u32, request.key, token as u32);
    Draw { row, params: &request.settings.sampling, banned, seen, uniform }
}

fn check_finite(sampled: &Sampled, request: usize, sample: usize, token: usize) -> Result<()> {
    if sampled.logp.is_finite() {
        return Ok(());
    }
    let error = Error::Diverged(format!("sample {sample}: the logits of token {token} are not finite"));
    Err(error.of_request(request))
}

fn prompt_blocks(request: &Request) -> usize {
    KvCache::blocks_for(request.ids.len())
}

/// Blocks of a sample's own tokens; the last token drawn is never read.
fn row_blocks(request: &Request) -> usize {
    KvCache::blocks_for(request.settings.max_new_tokens - 1)
}
