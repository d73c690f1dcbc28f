//! One body compiled for several vector widths.
//!
//! The build targets plain x86-64, so that one binary runs everywhere; inner loops therefore pass through [`widest`],
//! which compiles the same closure for AVX-512, AVX2 and the baseline and picks once per process. No body uses fused
//! multiply-add or an order of sums that depends on the width, hence all three give the same bits.

#[cfg(target_arch = "x86_64")]
mod level {
    use std::sync::OnceLock;

    #[derive(Clone, Copy, PartialEq)]
    pub(super) enum Level {
        Baseline,
        Avx2,
        Avx512,
    }

    pub(super) fn detect() -> Level {
        static LEVEL: OnceLock<Level> = OnceLock::new();
        *LEVEL.get_or_init(|| {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512bw")
            {
                Level::Avx512
            } else if is_x86_feature_detected!("avx2") {
                Level::Avx2
            } else {
                Level::Baseline
            }
        })
    }

    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2")]
    pub(super) fn avx512<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn avx2<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
}

/// Runs `f` compiled for the widest vectors of this machine.
///
/// Mark the closure and everything it calls in its loops `#[inline(always)]`: only inlined code is compiled anew.
#[inline(always)]
pub fn widest<R>(f: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    match level::detect() {
        // SAFETY: `detect` found every feature the function is compiled for.
        level::Level::Avx512 => return unsafe { level::avx512(f) },
        // SAFETY: as above.
        level::Level::Avx2 => return unsafe { level::avx2(f) },
        level::Level::Baseline => {}
    }
    f()
}
