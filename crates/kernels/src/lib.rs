//! Fused operations on candle tensors, forward and backward. Knows no model.
//!
//! Every operation is a plain function over contiguous CPU tensors of f32 or f64; candle is the container and takes no
//! part in the arithmetic. Offset views are welcome (every parameter is a view into a flat buffer). Results have the
//! same bits for any number of threads: each sum has an order fixed by the shapes alone.
//!
//! Gradients of parameters are accumulated through [`Acc`]; gradients of activations are returned.
//!
//! ```
//! use candle_core::{Device, Tensor};
//! use coldstart_kernels::{Acc, Precision, Weight, linear};
//!
//! let weight = Weight::new(Tensor::new(&[[1f32, 2.], [3., 4.]], &Device::Cpu)?, Precision::F32)?;
//! let x = Tensor::new(&[[1f32, 10.]], &Device::Cpu)?;
//! let y = linear::forward(&x, &weight, None)?;
//! assert_eq!(y.to_vec2::<f32>()?, [[21., 43.]]);
//!
//! let dw = weight.value().zeros_like()?;
//! linear::backward_weight(&y, &x, Acc { grad: &dw, first: true }, Precision::F32)?;
//! assert_eq!(dw.to_vec2::<f32>()?, [[21., 210.], [43., 430.]]);
//! # Ok::<(), coldstart_kernels::Error>(())
//! ```

pub mod access;
pub mod adamw;
pub mod attention;
mod check;
pub mod embedding;
mod error;
pub mod gelu;
pub mod grad_norm;
pub mod head;
pub mod kv_cache;
pub mod linear;
pub mod math;
mod pieces;
mod reduce;
pub mod rms_norm;
pub mod rng;
pub mod rope;
pub mod rows;
pub mod sampling;
mod scratch;
pub mod simd;
pub mod swiglu;
pub mod weight;

pub use coldstart_gemm::Precision;
pub use error::{Error, Result};
pub use weight::{Acc, Weight};
