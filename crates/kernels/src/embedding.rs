//! Rows selected by index: token embeddings, image rows put in their place, and the gradients of both.
//!
//! Sums over a row that is named several times run in the order in which the names appear, by one thread.

use std::ops::Range;

use candle_core::Tensor;
use coldstart_gemm::{Scalar, pool};

use crate::access::{Element, output, with};
use crate::pieces::Pieces;
use crate::rows::{for_rows, min_rows};
use crate::{Acc, Result, check, for_dtype};

/// Rows `ids` of `table`. `table`: `[vocabulary, d]`; returns `[ids.len(), d]`.
pub fn gather(table: &Tensor, ids: &[u32]) -> Result<Tensor> {
    gather_into(table, ids, None)
}

/// As [`gather`], into `old` if its shape fits. The caller must hold no other handle to it.
pub fn gather_into(table: &Tensor, ids: &[u32], old: Option<Tensor>) -> Result<Tensor> {
    gather_named("embedding.gather", ("table", table), "ids", ids, old)
}

/// Rows `rows` of `x`, which may repeat. `x`: `[n, d]`; returns `[rows.len(), d]`.
pub fn gather_rows(x: &Tensor, rows: &[u32]) -> Result<Tensor> {
    gather_named("embedding.gather_rows", ("x", x), "rows", rows, None)
}

/// `x[rows[i]] = src[i]`, in place. `x`: `[n, d]`, `src`: `[rows.len(), d]`. Of a row named twice the later source
/// stays.
pub fn replace_rows(x: &Tensor, rows: &[u32], src: &Tensor) -> Result<()> {
    into_rows("embedding.replace_rows", x, rows, src, Into::Replace)
}

/// `x[rows[i]] += src[i]`, in place, in the order of i. `x`: `[n, d]`, `src`: `[rows.len(), d]`.
pub fn scatter_add_rows(x: &Tensor, rows: &[u32], src: &Tensor) -> Result<()> {
    into_rows("embedding.scatter_add_rows", x, rows, src, Into::Add)
}

/// `dE[ids[i]] += dx[i]` for every i not in `skip`. `dx`: `[ids.len(), d]`, gradient `[vocabulary, d]`.
///
/// `skip` marks rows that were replaced after the lookup (images): their gradient belongs to the replacement. With
/// `first` the rows of ids that do not occur become zero.
pub fn backward(dx: &Tensor, ids: &[u32], skip: &[bool], grad: Acc) -> Result<()> {
    const OP: &str = "embedding.backward";
    let (n, d) = check::matrix(OP, ("dx", dx))?;
    let (vocabulary, _) = check::matrix(OP, ("grad", grad.grad))?;
    check::shape(OP, ("grad", grad.grad), &[vocabulary, d], ("dx", dx))?;
    check::length(OP, "ids", ids.len(), n, ("dx", dx))?;
    check::length(OP, "skip", skip.len(), n, ("dx", dx))?;
    check::indices(OP, "ids", ids, vocabulary)?;
    let groups = Groups::new(ids, |i| !skip[i]);
    for_dtype!(OP, dx, T => with(OP, [("dx", dx)], [("grad", grad.grad)], |[dx]: [&[T]; 1], [grad_data]| {
        if grad.first {
            let min = min_rows(d * size_of::<T>());
            for_rows(vocabulary, min, [&mut *grad_data], #[inline(always)] |_, [rows]| rows.fill(T::ZERO));
        }
        groups.apply(grad_data, d, dx, Into::Add);
    }))
}

fn gather_named(
    op: &'static str,
    x: check::Named,
    index_name: &'static str,
    indices: &[u32],
    old: Option<Tensor>,
) -> Result<Tensor> {
    let (n, d) = check::matrix(op, x)?;
    check::indices(op, index_name, indices, n)?;
    for_dtype!(op, x.1, T => {
        // SAFETY: every row is written below.
        let out = unsafe { output::<T>(old, &[indices.len(), d])? };
        with(op, [x], [("out", &out)], |[x]: [&[T]; 1], outputs| {
            for_rows(indices.len(), min_rows(2 * d * size_of::<T>()), outputs, #[inline(always)] |range, [out]| {
                for (i, &index) in indices[range].iter().enumerate() {
                    out[i * d..][..d].copy_from_slice(&x[index as usize * d..][..d]);
                }
            });
        })?;
        Ok(out)
    })
}

fn into_rows(op: &'static str, x: &Tensor, rows: &[u32], src: &Tensor, how: Into) -> Result<()> {
    let (n, d) = check::matrix(op, ("x", x))?;
    let (m, _) = check::matrix(op, ("src", src))?;
    check::shape(op, ("src", src), &[m, d], ("x", x))?;
    check::length(op, "rows", rows.len(), m, ("src", src))?;
    check::indices(op, "rows", rows, n)?;
    let groups = Groups::new(rows, |_| true);
    for_dtype!(op, x, T => with(op, [("src", src)], [("x", x)], |[src]: [&[T]; 1], [x]| groups.apply(x, d, src, how)))
}

/// What happens to the row that a source row meets.
#[derive(Clone, Copy, PartialEq)]
enum Into {
    Replace,
    Add,
}

/// The positions of a list of row numbers, gathered by row.
struct Groups {
    /// Positions sorted by row, then by position.
    order: Vec<u32>,
    /// Distinct rows in rising order, with their part of `order`.
    rows: Vec<(u32, Range<usize>)>,
}

impl Groups {
    fn new(rows: &[u32], keep: impl Fn(usize) -> bool) -> Self {
        let mut order: Vec<u32> = (0..rows.len()).filter(|&i| keep(i)).map(|i| i as u32).collect();
        order.sort_unstable_by_key(|&i| (rows[i as usize], i));
        let mut start = 0;
        let rows = order
            .chunk_by(|&a, &b| rows[a as usize] == rows[b as usize])
            .map(|group| {
                let range = start..start + group.len();
                start = range.end;
                (rows[group[0] as usize], range)
            })
            .collect();
        Self { order, rows }
    }

    /// Adds or copies row i of `src` to the row of `x` that position i names.
    fn apply<T: Element>(&self, x: &mut [T], d: usize, src: &[T], how: Into) {
        let x = Pieces::new(x);
        pool::rows(self.rows.len(), min_rows(3 * d * size_of::<T>()), &|range| {
            for (row, group) in &self.rows[range] {
                let start = *row as usize * d;
                // SAFETY: the rows of different groups are distinct, and `x` is borrowed throughout.
                let row = unsafe { x.piece(start, d) };
                for &i in &self.order[group.clone()] {
                    let src = &src[i as usize * d..][..d];
                    match how {
                        Into::Replace => row.copy_from_slice(src),
                        Into::Add => row.iter_mut().zip(src).for_each(|(x, &s)| *x += s),
                    }
                }
            }
        });
    }
}
