//! What can be wrong with the operands of a kernel.

use candle_core::DType;

/// `Result` of every kernel.
pub type Result<T> = std::result::Result<T, Error>;

/// A call that cannot be computed. Each message names the operation, the operand, what was expected and what came.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The shape of one operand does not fit that of another.
    #[error("{op}: {name} has shape {got:?}, expected {expected}")]
    Shape {
        op: &'static str,
        name: &'static str,
        got: Vec<usize>,
        /// The wanted shape and the operand it follows from.
        expected: String,
    },
    /// Two operands of different dtypes.
    #[error("{op}: {name} is {got:?}, expected {expected:?} like the other operands")]
    DType { op: &'static str, name: &'static str, got: DType, expected: DType },
    /// A dtype no kernel computes in.
    #[error("{op}: {got:?} tensors are not supported, only f32 and f64")]
    UnsupportedDType { op: &'static str, got: DType },
    /// A view whose elements are not adjacent in row-major order.
    #[error("{op}: {name} of shape {shape:?} has strides {stride:?}, expected a contiguous tensor")]
    NotContiguous { op: &'static str, name: &'static str, shape: Vec<usize>, stride: Vec<usize> },
    /// A tensor that is not in host memory.
    #[error("{op}: {name} is on {got}, expected the CPU")]
    Device { op: &'static str, name: &'static str, got: String },
    /// A tensor to be written lives in the same storage as another operand. Locking it twice would wait for ever.
    #[error("{op}: {left} and {right} share one storage, and {left} is written")]
    Aliased { op: &'static str, left: &'static str, right: &'static str },
    /// An index beyond the rows it selects from.
    #[error("{op}: {name}[{position}] = {index}, expected less than {len}")]
    Index { op: &'static str, name: &'static str, position: usize, index: usize, len: usize },
    /// A number outside the range an operation is defined on.
    #[error("{op}: {name} = {got}, expected {expected}")]
    Value { op: &'static str, name: &'static str, got: String, expected: String },
    /// An error of the tensor library.
    #[error(transparent)]
    Candle(#[from] candle_core::Error),
}
