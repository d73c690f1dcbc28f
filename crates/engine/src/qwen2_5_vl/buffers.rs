//! Tensors that a forward without a backward uses again and again.

use candle_core::Tensor;

/// A free list of tensors by shape. Whoever gives a tensor back must hold no other handle to it: the next operation that takes it
/// writes over it.
///
/// Training keeps its activations and gives nothing back, so its operations always make new tensors.
#[derive(Default)]
pub struct Buffers {
    free: Vec<Tensor>,
}

impl Buffers {
    /// A tensor of this shape to write over, if there is one.
    pub(crate) fn take(&mut self, shape: &[usize]) -> Option<Tensor> {
        let at = self.free.iter().position(|tensor| tensor.dims() == shape)?;
        Some(self.free.swap_remove(at))
    }

    pub(crate) fn give<const N: usize>(&mut self, tensors: [Tensor; N]) {
        self.free.extend(tensors);
    }

    /// Forgets every tensor, when the shapes to come are others.
    pub fn clear(&mut self) {
        self.free.clear();
    }
}
