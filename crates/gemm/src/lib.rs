//! Dense matrix products and the thread pool of the CPU engine. Plain slices; knows no tensors.
//!
//! Everything here gives the same bits for any number of threads: a product never splits its inner dimension by the
//! number of threads, and every element of the result is summed in one fixed order.

mod buffer;
mod driver;
mod kernel;
mod mat;
mod pack;
pub mod pool;
mod product;
mod scalar;
mod scratch;

pub use kernel::check_forced;
pub use mat::{Mat, MatMut};
pub use product::{Packed, Rhs, gemm, gemm_serial, kernel_name};
pub use scalar::Scalar;

/// How the products of a model are computed. Everything that is not a product keeps the scalar type of its tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Precision {
    /// f64 scalars, f64 products. For tests and references.
    F64,
    /// f32 scalars, f32 products.
    F32,
    /// f32 scalars; the operands of a product are rounded to bf16 (nearest even), the sums stay f32.
    Bf16,
}
