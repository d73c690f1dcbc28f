//! Freshly drawn weights.

use crate::Result;
use crate::params::{PartSpec, Source};
use coldstart_gemm::Scalar;
use coldstart_kernels::rng::{Key, Purpose};

/// Normal numbers for matrices and tables, zeros for biases, ones for norms.
///
/// Each tensor has a stream of its own, named by its hub name: its bits depend on the seed and the name alone.
pub(crate) struct RandomInit {
    pub seed: u64,
    /// Standard deviation of matrices.
    pub std: f64,
}

impl RandomInit {
    fn fill<T: Scalar>(&self, part: &PartSpec, out: &mut [T]) {
        if part.shape.len() > 1 {
            Key::new(self.seed ^ fnv1a(&part.name), Purpose::Init).fill_normal(0, self.std, out);
        } else if part.name.ends_with(".bias") {
            out.fill(T::ZERO);
        } else {
            out.fill(T::ONE);
        }
    }
}

impl Source for RandomInit {
    fn fill_f32(&mut self, part: &PartSpec, out: &mut [f32]) -> Result<()> {
        self.fill(part, out);
        Ok(())
    }

    fn fill_f64(&mut self, part: &PartSpec, out: &mut [f64]) -> Result<()> {
        self.fill(part, out);
        Ok(())
    }
}

/// The 64-bit FNV-1a hash.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
