//! Random updates, and the losses written out naively for comparison.

pub mod naive;

use coldstart_objective::{Advantage, Row};

/// A response with everything an objective may read.
#[derive(Debug, Clone)]
pub struct Response {
    pub logp: Vec<f64>,
    pub old: Vec<f64>,
    pub reference: Vec<f64>,
    pub sampler: Vec<f64>,
    pub entropy: Vec<f64>,
    pub advantage: f64,
    pub mask: Vec<bool>,
    pub truncated: bool,
}

/// SplitMix64: a few lines, and the same numbers everywhere.
pub struct Random(pub u64);

impl Random {
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        low + (high - low) * ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn response(&mut self) -> Response {
        let len = self.uniform(1.0, 6.0) as usize;
        let logp: Vec<f64> = (0..len).map(|_| self.uniform(-4.0, -0.1)).collect();
        let near = |random: &mut Random, spread: f64| {
            logp.iter().map(|l| l + random.uniform(-spread, spread)).collect::<Vec<f64>>()
        };
        let (old, reference) = (near(self, 0.6), near(self, 1.0));
        let sampler = old.iter().map(|o| o + self.uniform(-0.3, 0.3)).collect();
        Response {
            entropy: (0..len).map(|_| self.uniform(0.0, 3.0)).collect(),
            advantage: self.uniform(-2.0, 2.0),
            mask: (0..len).map(|_| self.uniform(0.0, 1.0) < 0.8).collect(),
            truncated: self.uniform(0.0, 1.0) < 0.2,
            logp,
            old,
            reference,
            sampler,
        }
    }

    pub fn update(&mut self, rows: usize) -> Vec<Response> {
        (0..rows).map(|_| self.response()).collect()
    }
}

pub fn rows(update: &[Response]) -> Vec<Row<'_>> {
    update
        .iter()
        .enumerate()
        .map(|(index, r)| Row {
            index,
            logp: &r.logp,
            old: &r.old,
            reference: Some(&r.reference),
            sampler: Some(&r.sampler),
            entropy: Some(&r.entropy),
            advantage: Advantage::Row(r.advantage),
            mask: Some(&r.mask),
            truncated: r.truncated,
        })
        .collect()
}
