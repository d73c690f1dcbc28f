//! First sweep: log-sum-exp, log-probability, entropy.

use coldstart_gemm::{Mat, MatMut, Rhs, gemm};

use super::HeadStats;
use super::rows::{Call, clamped_difference, for_logit_rows};
use crate::access::{self, Element, uninit_vec};
use crate::{Result, for_dtype};

/// Running sums of a row over the tiles so far, relative to the largest logit so far.
#[derive(Clone)]
struct Running {
    max: f64,
    argmax: u32,
    /// Σ exp(z − max).
    sum: f64,
    /// Σ (z − max)·exp(z − max).
    weighted: f64,
}

pub(super) fn run(call: &Call) -> Result<HeadStats> {
    let start = Running { max: f64::NEG_INFINITY, argmax: 0, sum: 0.0, weighted: 0.0 };
    let mut running = vec![start; call.distinct.len()];
    let mut target_logit = vec![f64::NAN; call.rows.len()];
    for_dtype!(call.op, call.h, T => {
        access::with::<T, 2, 0, _>(call.op, [("h", call.h), ("weight", call.weight.value())], [], |[h, w], []| {
            sweep(call, h, w, &mut running, &mut target_logit);
        })
    })?;

    let mut stats = HeadStats::default();
    for (entry, &place) in call.place.iter().enumerate() {
        let row = &running[place as usize];
        let log_sum = row.sum.ln();
        let lse = row.max + log_sum;
        stats.lse.push(lse);
        stats.logp.push(target_logit[entry] - lse);
        stats.entropy.push(log_sum - row.weighted / row.sum);
        stats.argmax.push(row.argmax);
    }
    Ok(stats)
}

fn sweep<T: Element>(call: &Call, h: &[T], w: &[T], running: &mut [Running], target_logit: &mut [f64]) {
    let d = call.hidden();
    let h = call.gather(h);
    let by_target = call.entries_by_target();
    let inv_temperature = T::from_f64(1.0 / call.temperature);
    let largest =
        call.tiles().first().map_or(0, |tile| tile.len()) * call.chunks().first().map_or(0, |chunk| chunk.len());
    // SAFETY: each product overwrites the part that is then read.
    let mut logits = unsafe { uninit_vec::<T>(largest) };
    for tile in call.tiles() {
        let w = Mat::new(&w[tile.start * d..], tile.len(), d).t();
        for chunk in call.chunks() {
            let logits = &mut logits[..chunk.len() * tile.len()];
            let h = Mat::new(&h[chunk.start * d..], chunk.len(), d);
            gemm(h, Rhs::Plain(w), MatMut::new(logits, chunk.len(), tile.len()), false, None, call.weight.precision());
            let banned = call.banned_in(&tile);
            for_logit_rows(
                logits,
                tile.len(),
                &mut running[chunk.clone()],
                #[inline(always)]
                |_, z, running| {
                    for id in banned.clone() {
                        z[id] = T::NEG_INFINITY;
                    }
                    absorb(running, z, tile.start, inv_temperature);
                },
            );
            for &entry in call.entries_in(&by_target, &tile) {
                let place = call.place[entry as usize] as usize;
                if chunk.contains(&place) {
                    let column = call.rows.target[entry as usize] as usize - tile.start;
                    target_logit[entry as usize] = logits[(place - chunk.start) * tile.len() + column].to_f64();
                }
            }
        }
    }
}

/// Elements that share partial sums in the tensor's own type before they move to f64.
const BLOCK: usize = 512;
const LANES: usize = 16;

/// Scales the logits by 1/τ in place and adds them to the running sums.
#[inline(always)]
fn absorb<T: Element>(running: &mut Running, z: &mut [T], first_id: usize, inv_temperature: T) {
    let mut maxima = [T::NEG_INFINITY; LANES];
    for block in z.chunks_mut(LANES) {
        for (max, z) in maxima.iter_mut().zip(block) {
            *z *= inv_temperature;
            *max = if *z > *max { *z } else { *max };
        }
    }
    let max = maxima.iter().copied().fold(T::NEG_INFINITY, |max, z| if z > max { z } else { max });
    if max.to_f64() > running.max {
        let shift = running.max - max.to_f64();
        if running.sum > 0.0 {
            let factor = shift.exp();
            running.weighted = factor * (running.weighted + running.sum * shift);
            running.sum *= factor;
        }
        running.max = max.to_f64();
        running.argmax = (first_id + z.iter().position(|&z| z == max).unwrap_or(0)) as u32;
    }
    let max = T::from_f64(running.max);
    for block in z.chunks(BLOCK) {
        let (mut sums, mut weighted) = ([T::ZERO; LANES], [T::ZERO; LANES]);
        for lanes in block.chunks(LANES) {
            for ((sum, weighted), &z) in sums.iter_mut().zip(&mut weighted).zip(lanes) {
                let difference = clamped_difference(z, max);
                let e = difference.fast_exp();
                *sum += e;
                *weighted += e * difference;
            }
        }
        running.sum += sums.iter().map(|s| s.to_f64()).sum::<f64>();
        running.weighted += weighted.iter().map(|s| s.to_f64()).sum::<f64>();
    }
}
