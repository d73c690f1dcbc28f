//! Which rows predict which tokens, and how the work is cut.

use candle_core::Tensor;
use coldstart_gemm::{Scalar, pool};

use crate::access::Element;
use crate::pieces::Pieces;
use crate::simd::widest;
use crate::{Error, Result, Weight, check};

/// Entries (row of h, target id). A row may occur several times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    pub row: Vec<u32>,
    pub target: Vec<u32>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.row.len()
    }

    pub fn is_empty(&self) -> bool {
        self.row.is_empty()
    }

    pub fn push(&mut self, row: u32, target: u32) {
        self.row.push(row);
        self.target.push(target);
    }
}

/// A vocabulary up to this size is one tile.
const ONE_TILE: usize = 8192;
/// Columns of a tile of a larger vocabulary.
const TILE: usize = 4096;
/// Elements of a tile's logits: 16 MB in f32.
const TILE_ELEMENTS: usize = 4 << 20;

/// Checked operands of one call.
pub(super) struct Call<'a> {
    pub op: &'static str,
    pub h: &'a Tensor,
    pub weight: &'a Weight,
    pub rows: &'a Rows,
    pub temperature: f64,
    /// Sorted, within the vocabulary.
    pub banned: Vec<u32>,
    /// Distinct rows of h, ascending.
    pub distinct: Vec<u32>,
    /// For each entry its place in `distinct`.
    pub place: Vec<u32>,
}

impl<'a> Call<'a> {
    pub fn new(
        op: &'static str,
        h: &'a Tensor,
        weight: &'a Weight,
        rows: &'a Rows,
        temperature: f64,
        banned: &[u32],
    ) -> Result<Self> {
        let (n, _) = check::matrix(op, ("h", h))?;
        check::shape(op, ("h", h), &[n, weight.in_features()], ("weight", weight.value()))?;
        check::same_dtype(op, ("h", h), ("weight", weight.value()))?;
        check::indices(op, "row", &rows.row, n)?;
        check::indices(op, "target", &rows.target, weight.out_features())?;
        if rows.row.len() != rows.target.len() {
            let expected = format!("[{}] like row", rows.row.len());
            return Err(Error::Shape { op, name: "target", got: vec![rows.target.len()], expected });
        }
        if !(temperature > 0.0 && temperature.is_finite()) {
            let got = temperature.to_string();
            return Err(Error::Value { op, name: "temperature", got, expected: "a positive number".into() });
        }
        let mut banned: Vec<u32> = banned.iter().copied().filter(|&id| (id as usize) < weight.out_features()).collect();
        banned.sort_unstable();
        banned.dedup();
        let mut distinct = rows.row.clone();
        distinct.sort_unstable();
        distinct.dedup();
        // Every row is in the list made from them one line above.
        let place = rows.row.iter().map(|row| distinct.partition_point(|r| r < row) as u32).collect();
        Ok(Self { op, h, weight, rows, temperature, banned, distinct, place })
    }

    pub fn vocabulary(&self) -> usize {
        self.weight.out_features()
    }

    pub fn hidden(&self) -> usize {
        self.weight.in_features()
    }

    /// The distinct rows of h, densely.
    pub fn gather<T: Element>(&self, h: &[T]) -> Vec<T> {
        let d = self.hidden();
        let mut gathered = Vec::with_capacity(self.distinct.len() * d);
        for &row in &self.distinct {
            gathered.extend_from_slice(&h[row as usize * d..][..d]);
        }
        gathered
    }

    /// Ranges of the vocabulary.
    pub fn tiles(&self) -> Vec<std::ops::Range<usize>> {
        let vocabulary = self.vocabulary();
        let width = if vocabulary <= ONE_TILE { vocabulary } else { TILE };
        (0..vocabulary).step_by(width.max(1)).map(|v0| v0..(v0 + width).min(vocabulary)).collect()
    }

    /// Ranges of distinct rows whose logits for one tile are held at once.
    pub fn chunks(&self) -> Vec<std::ops::Range<usize>> {
        let widest = self.vocabulary().min(if self.vocabulary() <= ONE_TILE { ONE_TILE } else { TILE });
        let len = TILE_ELEMENTS / widest.max(1);
        (0..self.distinct.len()).step_by(len).map(|r0| r0..(r0 + len).min(self.distinct.len())).collect()
    }

    /// Banned ids within a tile, relative to it.
    pub fn banned_in(&self, tile: &std::ops::Range<usize>) -> impl Iterator<Item = usize> + Clone + '_ {
        let from = self.banned.partition_point(|&id| (id as usize) < tile.start);
        let to = self.banned.partition_point(|&id| (id as usize) < tile.end);
        let start = tile.start;
        self.banned[from..to].iter().map(move |&id| id as usize - start)
    }

    /// Entries by tile: indices into `rows`, sorted by target.
    pub fn entries_by_target(&self) -> Vec<u32> {
        let mut entries: Vec<u32> = (0..self.rows.len() as u32).collect();
        entries.sort_by_key(|&entry| self.rows.target[entry as usize]);
        entries
    }

    /// The part of `entries_by_target` whose targets lie in a tile.
    pub fn entries_in<'e>(&self, by_target: &'e [u32], tile: &std::ops::Range<usize>) -> &'e [u32] {
        let target = |entry: &u32| self.rows.target[*entry as usize] as usize;
        let from = by_target.partition_point(|entry| target(entry) < tile.start);
        let to = by_target.partition_point(|entry| target(entry) < tile.end);
        &by_target[from..to]
    }
}

/// Runs `f(row, logits of the row, state of the row)` over the rows of a tile of logits, in parallel.
pub(super) fn for_logit_rows<T: Element, S: Send>(
    logits: &mut [T],
    width: usize,
    states: &mut [S],
    f: impl Fn(usize, &mut [T], &mut S) + Sync,
) {
    let rows = states.len();
    let (logits, states) = (Pieces::new(logits), Pieces::new(states));
    pool::rows(rows, crate::rows::min_rows(width * size_of::<T>()), &|range| {
        for row in range {
            // SAFETY: `pool::rows` hands out each row once.
            let (z, state) = unsafe { (logits.piece(row * width, width), states.piece(row, 1)) };
            widest(
                #[inline(always)]
                || f(row, z, &mut state[0]),
            );
        }
    });
}

/// Difference that keeps NaN and turns −∞ into a number whose exponential is 0, so that 0·(z − m) is 0 for banned ids.
#[inline(always)]
pub(super) fn clamped_difference<T: Scalar>(z: T, m: T) -> T {
    let difference = z - m;
    let floor = T::from_f64(-1.0e4);
    if difference < floor { floor } else { difference }
}
