//! Drawing one token from one row of logits.
//!
//! Order, as in transformers: repetition penalty, bans, temperature, top-k, top-p, min-p; each truncation sees the survivors of
//! the one before. Two departures, both only on exact ties: top-k keeps exactly k tokens (transformers keeps every token equal
//! to the k-th), and of equal logits the lower id ranks first everywhere.
//!
//! No sort of the vocabulary: truncations find their cut in a histogram of max − z and sort one bucket of it.

use std::cell::RefCell;

use candle_core::Tensor;
use coldstart_gemm::pool;

use crate::access;
use crate::attention::softmax;
use crate::pieces::Pieces;
use crate::scratch::{self, Scratch};
use crate::simd::widest;
use crate::{Error, Result, check, for_dtype};

/// How to draw. The default draws from the model's own distribution: temperature 1, everything else off.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleParams {
    /// Divides the logits. 0 means greedy: the largest logit, the lowest id among equals.
    pub temperature: f64,
    /// Keeps the k most likely tokens; 0 keeps all.
    pub top_k: usize,
    /// Keeps the most likely tokens up to the first that brings their mass to `top_p`; 1 keeps all. At least one survives.
    pub top_p: f64,
    /// Drops tokens less likely than `min_p` times the most likely one; 0 keeps all.
    pub min_p: f64,
    /// Logits of seen ids are divided by this if positive, multiplied if negative; 1 is off.
    pub repetition_penalty: f64,
}

impl Default for SampleParams {
    fn default() -> Self {
        Self { temperature: 1.0, top_k: 0, top_p: 1.0, min_p: 0.0, repetition_penalty: 1.0 }
    }
}

/// A drawn token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampled {
    pub id: u32,
    /// log-softmax of the row at the temperature (at 1 for greedy) over the ids that are not banned, before penalty and
    /// truncation: the number a trainer computes for this token. NaN if the row holds a NaN, +∞, or no id that is allowed.
    pub logp: f64,
    /// Probability mass, under penalty and temperature, of the tokens that survived truncation; 1 without truncation and for greedy.
    pub kept_mass: f64,
}

/// One draw from row `row` of a matrix of logits; the rest as in [`sample_row`].
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    pub row: usize,
    pub params: &'a SampleParams,
    pub banned: &'a [u32],
    pub seen: &'a [u32],
    pub uniform: f64,
}

/// Draws tokens from `logits` `[rows, V]`, which stay as they are, in parallel. A row may serve several draws.
///
/// Errors: a row beyond the matrix.
pub fn sample_rows(logits: &Tensor, draws: &[Draw]) -> Result<Vec<Sampled>> {
    let mut sampled = vec![];
    sample_rows_into(logits, draws.len(), |i| draws[i], &mut sampled)?;
    Ok(sampled)
}

/// As [`sample_rows`] for `draw(0)` to `draw(count - 1)`, whose results replace what is in `sampled`.
pub fn sample_rows_into<'a>(
    logits: &Tensor,
    count: usize,
    draw: impl Fn(usize) -> Draw<'a> + Sync,
    sampled: &mut Vec<Sampled>,
) -> Result<()> {
    const OP: &str = "sampling";
    let (rows, width) = check::matrix(OP, ("logits", logits))?;
    if let Some((position, draw)) = (0..count).map(|i| (i, draw(i))).find(|(_, draw)| draw.row >= rows) {
        return Err(Error::Index { op: OP, name: "row", position, index: draw.row, len: rows });
    }
    sampled.clear();
    sampled.resize(count, Sampled { id: 0, logp: f64::NAN, kept_mass: f64::NAN });
    let results = Pieces::new(sampled);
    for_dtype!(OP, logits, T => access::read::<T, _>(OP, ("logits", logits), |logits| {
        pool::run(count, &|i| {
            let draw = draw(i);
            let row = &logits[draw.row * width..][..width];
            let result = sample_row(row, draw.params, draw.banned, draw.seen, draw.uniform);
            // SAFETY: each draw has one task.
            let to = unsafe { results.piece(i, 1) };
            to[0] = result;
        });
    }))
}

/// Draws one token by inverse CDF in id order. `logits`: one row. `banned` ids are never drawn; `seen` ids (any
/// order, repetitions count once) get the penalty; ids beyond the row are ignored. `uniform` in [0, 1).
pub fn sample_row<T: Scratch>(
    logits: &[T],
    params: &SampleParams,
    banned: &[u32],
    seen: &[u32],
    uniform: f64,
) -> Sampled {
    let width = logits.len();
    scratch::with([width, width], |[allowed, exps]: [&mut [T]; 2]| {
        allowed.copy_from_slice(logits);
        for &id in banned {
            if let Some(z) = allowed.get_mut(id as usize) {
                *z = T::NEG_INFINITY;
            }
        }
        scratch::with([width.div_ceil(BLOCK)], |[block_sums]: [&mut [f64]; 1]| {
            draw(Row::new(allowed, exps, block_sums, params), logits, params, seen, uniform)
        })
    })
}

/// `raw`: the logits before penalty and bans.
fn draw<T: Scratch>(mut row: Row<T>, raw: &[T], params: &SampleParams, seen: &[u32], uniform: f64) -> Sampled {
    let raw_lse = row.lse();
    if raw_lse.is_nan() {
        return Sampled { id: row.argmax(), logp: f64::NAN, kept_mass: f64::NAN };
    }
    row.penalise(raw, seen, params.repetition_penalty);
    let (id, kept_mass) = if params.temperature == 0.0 {
        (row.argmax(), 1.0)
    } else {
        let kept_mass = row.truncate(params);
        (row.draw(uniform), kept_mass)
    };
    Sampled { id, logp: raw[id as usize].to_f64() * row.inv_temperature.to_f64() - raw_lse, kept_mass }
}

/// Entries of a block share one partial sum: the walk of the inverse CDF goes over blocks first.
const BLOCK: usize = 256;
const LANES: usize = 16;
/// Histogram resolution: 32 buckets per unit of max − z over 64 units; beyond, e^−64 of the maximum, all share the last bucket.
const BUCKETS: usize = 2048;
const BUCKETS_PER_UNIT: f64 = 32.0;

thread_local! {
    /// Entries of one bucket, kept between calls.
    static MEMBERS: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// A row with the exponentials of its scaled logits.
struct Row<'a, T> {
    logits: &'a mut [T],
    inv_temperature: T,
    max: T,
    /// exp((z − max) / temperature); 0 once dropped by a truncation.
    exps: &'a mut [T],
    /// One entry for each `BLOCK` of `exps`.
    block_sums: &'a mut [f64],
}

impl<'a, T: Scratch> Row<'a, T> {
    fn new(logits: &'a mut [T], exps: &'a mut [T], block_sums: &'a mut [f64], params: &SampleParams) -> Self {
        let temperature = if params.temperature == 0.0 { 1.0 } else { params.temperature };
        let inv_temperature = T::from_f64(1.0 / temperature);
        let mut row = Self { logits, inv_temperature, max: T::ZERO, exps, block_sums };
        row.exponentiate();
        row
    }

    fn exponentiate(&mut self) {
        let (logits, exps, inv_temperature) = (&*self.logits, &mut *self.exps, self.inv_temperature);
        self.max = widest(
            #[inline(always)]
            || {
                let max = softmax::maximum(logits);
                for (e, &z) in exps.iter_mut().zip(logits) {
                    *e = ((z - max) * inv_temperature).fast_exp();
                }
                max
            },
        );
        self.sum_blocks();
    }

    fn sum_blocks(&mut self) {
        let (sums, exps) = (&mut *self.block_sums, &*self.exps);
        widest(
            #[inline(always)]
            || {
                for (sum, block) in sums.iter_mut().zip(exps.chunks(BLOCK)) {
                    *sum = block_sum(block);
                }
            },
        );
    }

    fn mass(&self) -> f64 {
        self.block_sums.iter().sum()
    }

    fn lse(&self) -> f64 {
        self.max.to_f64() * self.inv_temperature.to_f64() + self.mass().ln()
    }

    /// Lowest id of the largest logit; 0 if no logit compares.
    fn argmax(&self) -> u32 {
        self.logits.iter().position(|&z| z == self.max).unwrap_or(0) as u32
    }

    /// Applies the penalty to the raw logits of `seen` ids that are not banned: an id seen twice gets it once.
    fn penalise(&mut self, raw: &[T], seen: &[u32], penalty: f64) {
        if penalty == 1.0 || seen.is_empty() {
            return;
        }
        for &id in seen {
            let (Some(z), Some(raw)) = (self.logits.get_mut(id as usize), raw.get(id as usize)) else { continue };
            if *z > T::NEG_INFINITY {
                let value = raw.to_f64();
                *z = T::from_f64(if value > 0.0 { value / penalty } else { value * penalty });
            }
        }
        self.exponentiate();
    }

    /// Drops what top-k, top-p and min-p drop; returns the mass of the rest as a share of the whole.
    fn truncate(&mut self, params: &SampleParams) -> f64 {
        let whole = self.mass();
        let mut cut = None;
        if params.top_k > 0 && params.top_k < self.logits.len() {
            cut = self.find_cut(None, params.top_k as f64, |_| 1.0);
        }
        if params.top_p < 1.0 {
            let survivors = match cut {
                None => whole,
                Some(cut) => self.survivors(cut).map(|id| self.exps[id].to_f64()).sum(),
            };
            cut = self.find_cut(cut, params.top_p * survivors, |e| e).or(cut);
        }
        let min_exp = if params.min_p > 0.0 { params.min_p.min(1.0) } else { 0.0 };
        if cut.is_none() && min_exp == 0.0 {
            return 1.0;
        }
        for (id, e) in self.exps.iter_mut().enumerate() {
            let dropped = cut.is_some_and(|cut: Cut<T>| !cut.keeps(self.logits[id], id));
            if dropped || e.to_f64() < min_exp {
                *e = T::ZERO;
            }
        }
        self.sum_blocks();
        self.mass() / whole
    }

    fn survivors(&self, cut: Cut<T>) -> impl Iterator<Item = usize> + '_ {
        (0..self.logits.len()).filter(move |&id| cut.keeps(self.logits[id], id))
    }

    /// The last entry, ranking by logit then id, whose predecessors weigh less than `limit`; `None` if that is every entry
    /// within `within`. The weight of an entry follows from its exponential.
    fn find_cut(&self, within: Option<Cut<T>>, limit: f64, weight: impl Fn(f64) -> f64) -> Option<Cut<T>> {
        let inside = |id: usize| {
            self.logits[id].to_f64() > f64::NEG_INFINITY && within.is_none_or(|cut| cut.keeps(self.logits[id], id))
        };
        let mut weights = [0f64; BUCKETS];
        for id in (0..self.logits.len()).filter(|&id| inside(id)) {
            weights[self.bucket(id)] += weight(self.exps[id].to_f64());
        }
        let mut before = 0.0;
        let crossing = weights.iter().position(|w| {
            let crosses = before + w >= limit;
            if !crosses {
                before += w;
            }
            crosses
        })?;
        MEMBERS.with_borrow_mut(|members| {
            members.clear();
            members.extend((0..self.logits.len()).filter(|&id| inside(id) && self.bucket(id) == crossing));
            let logit = |id: usize| self.logits[id].to_f64();
            members.sort_unstable_by(|&a, &b| logit(b).total_cmp(&logit(a)).then(a.cmp(&b)));
            let mut last = None;
            for &id in members.iter() {
                // The first member is kept even when its predecessors already reach the limit by rounding of the bucket's sum.
                if last.is_some() && before >= limit {
                    break;
                }
                before += weight(self.exps[id].to_f64());
                last = Some(Cut { logit: self.logits[id], id });
            }
            last
        })
    }

    fn bucket(&self, id: usize) -> usize {
        let below = (self.max.to_f64() - self.logits[id].to_f64()) * self.inv_temperature.to_f64();
        // Saturating cast: a huge distance lands in the last bucket.
        ((below * BUCKETS_PER_UNIT) as usize).min(BUCKETS - 1)
    }

    /// The first id whose cumulative mass exceeds `uniform` of the whole.
    fn draw(&self, uniform: f64) -> u32 {
        let target = uniform * self.mass();
        let mut before = 0.0;
        let mut block = 0;
        while block + 1 < self.block_sums.len() && before + self.block_sums[block] <= target {
            before += self.block_sums[block];
            block += 1;
        }
        let start = block * BLOCK;
        for (offset, e) in self.exps[start..].iter().enumerate() {
            before += e.to_f64();
            if before > target && e.to_f64() > 0.0 {
                return (start + offset) as u32;
            }
        }
        // Rounding left the target at or above the sum: the last token with mass.
        self.exps.iter().rposition(|e| e.to_f64() > 0.0).unwrap_or(0) as u32
    }
}

/// The last entry that survives, ranking by logit (descending), then id.
#[derive(Clone, Copy)]
struct Cut<T> {
    logit: T,
    id: usize,
}

impl<T: Scratch> Cut<T> {
    fn keeps(&self, logit: T, id: usize) -> bool {
        logit > self.logit || (logit == self.logit && id <= self.id)
    }
}

#[inline(always)]
fn block_sum<T: Scratch>(block: &[T]) -> f64 {
    let mut lanes = [0.0; LANES];
    for part in block.chunks(LANES) {
        for (lane, e) in lanes.iter_mut().zip(part) {
            *lane += e.to_f64();
        }
    }
    lanes.into_iter().sum()
}
