//! Qwen2.5-VL: parameters, forward and backward, generation and training. Knows no JavaScript.

pub mod batch;
pub mod cancel;
pub mod config;
pub mod error;
pub mod generate;
pub mod golden;
pub mod params;
pub mod qwen2_5_vl;
pub mod train;

pub use batch::{Image, Item, Packed};
pub use cancel::Cancel;
pub use coldstart_gemm::Precision;
pub use coldstart_kernels::rng::permutation;
pub use coldstart_kernels::sampling::SampleParams;
pub use config::ModelConfig;
pub use error::{Error, Result};
pub use params::{Group, ParamId, Params};
pub use qwen2_5_vl::{Activations, Model, Save, SaveDtype};
