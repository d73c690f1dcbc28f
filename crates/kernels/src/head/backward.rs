//! Second sweep: recomputes the logits tile by tile and turns them into gradients.

use candle_core::Tensor;
use coldstart_gemm::{Mat, MatMut, Rhs, gemm};

use super::HeadStats;
use super::rows::{Call, clamped_difference, for_logit_rows};
use crate::access::{self, Element, uninit_vec};
use crate::{Acc, Error, Result, check, for_dtype};

/// Coefficients of a distinct row, summed over its entries: they share p.
#[derive(Clone, Copy, Default)]
struct Coefficients {
    lse: f64,
    entropy: f64,
    c: f64,
    b: f64,
}

pub(super) fn run(
    call: &Call,
    stats: &HeadStats,
    c: &[f64],
    b: &[f64],
    dh_out: &Tensor,
    dw: Option<Acc>,
) -> Result<()> {
    let lists =
        [("c", c.len()), ("b", b.len()), ("stats.lse", stats.lse.len()), ("stats.entropy", stats.entropy.len())];
    for (name, len) in lists {
        if len != call.rows.len() {
            let expected = format!("[{}] like rows", call.rows.len());
            return Err(Error::Shape { op: call.op, name, got: vec![len], expected });
        }
    }
    check::shape(call.op, ("dh_out", dh_out), call.h.dims(), ("h", call.h))?;
    if let Some(dw) = dw {
        check::shape(call.op, ("dw", dw.grad), call.weight.value().dims(), ("weight", call.weight.value()))?;
    }
    let mut rows = vec![Coefficients::default(); call.distinct.len()];
    for (entry, &place) in call.place.iter().enumerate() {
        let row = &mut rows[place as usize];
        row.lse = stats.lse[entry];
        row.entropy = stats.entropy[entry];
        row.c += c[entry];
        row.b += b[entry];
    }
    let reads = [("h", call.h), ("weight", call.weight.value())];
    for_dtype!(call.op, call.h, T => match dw {
        Some(dw) => access::with::<T, 2, 2, _>(call.op, reads, [("dh_out", dh_out), ("dw", dw.grad)], |[h, w], [dh, grad]| {
            sweep(call, &mut rows, c, h, w, dh, Some((grad, dw.first)));
        }),
        None => access::with::<T, 2, 1, _>(call.op, reads, [("dh_out", dh_out)], |[h, w], [dh]| {
            sweep(call, &mut rows, c, h, w, dh, None);
        }),
    })
}

fn sweep<T: Element>(
    call: &Call,
    rows: &mut [Coefficients],
    c: &[f64],
    h: &[T],
    w: &[T],
    dh_out: &mut [T],
    mut dw: Option<(&mut [T], bool)>,
) {
    let d = call.hidden();
    let h = call.gather(h);
    let by_target = call.entries_by_target();
    let precision = call.weight.precision();
    let inv_temperature = 1.0 / call.temperature;
    let chunks = call.chunks();
    if let (Some((grad, true)), true) = (&mut dw, chunks.is_empty()) {
        grad.fill(T::ZERO);
    }
    let largest = call.tiles().first().map_or(0, |tile| tile.len()) * chunks.first().map_or(0, |chunk| chunk.len());
    // SAFETY: each product overwrites the part that is then read.
    let (mut logits, mut dh) = unsafe { (uninit_vec::<T>(largest), uninit_vec::<T>(h.len())) };
    for tile in call.tiles() {
        let w = Mat::new(&w[tile.start * d..], tile.len(), d);
        for chunk in &chunks {
            let (m, n) = (chunk.len(), tile.len());
            let dz = &mut logits[..m * n];
            let h = Mat::new(&h[chunk.start * d..], m, d);
            gemm(h, Rhs::Plain(w.t()), MatMut::new(dz, m, n), false, None, precision);
            let banned = call.banned_in(&tile);
            for_logit_rows(
                dz,
                n,
                &mut rows[chunk.clone()],
                #[inline(always)]
                |_, z, row| {
                    gradient(z, row, inv_temperature);
                    for id in banned.clone() {
                        z[id] = T::ZERO;
                    }
                },
            );
            for &entry in call.entries_in(&by_target, &tile) {
                let place = call.place[entry as usize] as usize;
                let target = call.rows.target[entry as usize];
                if chunk.contains(&place) && call.banned.binary_search(&target).is_err() {
                    let dz = &mut dz[(place - chunk.start) * n + target as usize - tile.start];
                    *dz += T::from_f64(c[entry as usize] * inv_temperature);
                }
            }
            let dz = Mat::new(dz, m, n);
            let dh = MatMut::new(&mut dh[chunk.start * d..chunk.end * d], m, d);
            gemm(dz, Rhs::Plain(w), dh, tile.start > 0, None, precision);
            if let Some((grad, first)) = &mut dw {
                let grad = MatMut::new(&mut grad[tile.start * d..tile.end * d], n, d);
                gemm(dz.t(), Rhs::Plain(h), grad, !*first || chunk.start > 0, None, precision);
            }
        }
    }
    for (dh, &row) in dh.chunks_exact(d).zip(&call.distinct) {
        for (out, &dh) in dh_out[row as usize * d..][..d].iter_mut().zip(dh) {
            *out += dh;
        }
    }
}

/// Replaces logits by [b·p·(z − ℓ + H) − c·p] / τ: the gradient but for the targets' own term.
#[inline(always)]
fn gradient<T: Element>(z: &mut [T], row: &Coefficients, inv_temperature: f64) {
    let scale = T::from_f64(inv_temperature);
    let lse = T::from_f64(row.lse);
    let b = T::from_f64(row.b * inv_temperature);
    let constant = T::from_f64((row.b * row.entropy - row.c) * inv_temperature);
    for z in z {
        let log_p = clamped_difference(*z * scale, lse);
        *z = log_p.fast_exp() * (b * log_p + constant);
    }
}
