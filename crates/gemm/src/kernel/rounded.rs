//! bf16 products on processors without bf16 instructions: the operands are rounded while they are packed, the f32 kernels do
//! the rest. Costs what f32 costs and gives what bf16 gives.

use super::{Kernel, portable};
use crate::pack::rounded;

#[cfg(target_arch = "x86_64")]
pub(super) static AVX512: Kernel<f32> = Kernel {
    name: "avx512-f32-rounded",
    pack_a: rounded::avx512::<{ super::fma::AVX512_F32.mr }>,
    pack_b: rounded::avx512::<{ super::fma::AVX512_F32.nr }>,
    ..super::fma::AVX512_F32
};

#[cfg(target_arch = "x86_64")]
pub(super) static AVX2: Kernel<f32> = Kernel {
    name: "avx2-f32-rounded",
    pack_a: rounded::avx2::<{ super::fma::AVX2_F32.mr }>,
    pack_b: rounded::avx2::<{ super::fma::AVX2_F32.nr }>,
    ..super::fma::AVX2_F32
};

pub(super) static PORTABLE: Kernel<f32> = Kernel {
    name: "portable-rounded",
    pack_a: rounded::panel::<{ portable::F32.mr }>,
    pack_b: rounded::panel::<{ portable::F32.nr }>,
    ..portable::F32
};
