//! Which kernel computes what on this machine.

use std::sync::OnceLock;

use super::{Kernel, portable, rounded};
use crate::Precision;
use crate::scalar::Element;

impl Element for f32 {
    fn kernels(precision: Precision) -> Vec<&'static Kernel<f32>> {
        let bf16 = precision == Precision::Bf16;
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            use super::{amx, dot, fma};
            if bf16 && amx::supported() {
                kernels.push(&amx::AMX_BF16);
            }
            if bf16 && dot::supported() {
                kernels.push(&dot::AVX512_BF16);
            }
            if is_x86_feature_detected!("avx512f") {
                kernels.push(if bf16 { &rounded::AVX512 } else { &fma::AVX512_F32 });
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kernels.push(if bf16 { &rounded::AVX2 } else { &fma::AVX2_F32 });
            }
        }
        kernels.push(if bf16 { &rounded::PORTABLE } else { &portable::F32 });
        kernels
    }

    fn kernel(precision: Precision) -> &'static Kernel<f32> {
        static F32: OnceLock<&Kernel<f32>> = OnceLock::new();
        static BF16: OnceLock<&Kernel<f32>> = OnceLock::new();
        let slot = if precision == Precision::Bf16 { &BF16 } else { &F32 };
        slot.get_or_init(|| preferred(Self::kernels(precision)))
    }
}

impl Element for f64 {
    fn kernels(_: Precision) -> Vec<&'static Kernel<f64>> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                kernels.push(&super::fma::AVX512_F64);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                kernels.push(&super::fma::AVX2_F64);
            }
        }
        kernels.push(&portable::F64);
        kernels
    }

    fn kernel(precision: Precision) -> &'static Kernel<f64> {
        static F64: OnceLock<&Kernel<f64>> = OnceLock::new();
        F64.get_or_init(|| preferred(Self::kernels(precision)))
    }
}

/// The kernel for `T` at this precision.
pub(crate) fn select<T: Element>(precision: Precision) -> &'static Kernel<T> {
    T::kernel(precision)
}

/// Checks `COLDSTART_KERNEL`: fails, naming what there is, when it is the beginning of no kernel that this machine has.
pub fn check_forced() -> Result<(), String> {
    let wanted = std::env::var("COLDSTART_KERNEL").unwrap_or_default();
    let names = |precision| f32::kernels(precision).into_iter().map(|kernel| kernel.name);
    let mut all: Vec<&str> = names(Precision::F32).chain(names(Precision::Bf16)).collect();
    all.extend(f64::kernels(Precision::F64).into_iter().map(|kernel| kernel.name));
    if all.iter().any(|name| name.starts_with(wanted.trim())) {
        return Ok(());
    }
    Err(format!("COLDSTART_KERNEL: expected the beginning of one of {}, got {}", all.join(", "), wanted.trim()))
}

/// The first of `kernels` (best first, never empty) whose name begins with `COLDSTART_KERNEL`, else the first. `avx2` forces
/// `avx2-f32`, `avx2-f64` and, for bf16, `avx2-f32-rounded`.
fn preferred<T>(kernels: Vec<&'static Kernel<T>>) -> &'static Kernel<T> {
    let wanted = std::env::var("COLDSTART_KERNEL").unwrap_or_default();
    kernels.iter().find(|kernel| kernel.name.starts_with(wanted.trim())).unwrap_or(&kernels[0])
}
