//! The peak that products are measured against: the kernel's instruction, its operands in registers.

use coldstart_gemm::{Precision, kernel_name, pool};

/// TFLOP/s of all threads together; NaN for kernels whose instruction is not measured here.
pub fn tflops(precision: Precision) -> f64 {
    let Some((spin, flops)) = spin(kernel_name(precision)) else { return f64::NAN };
    let (rounds, threads) = (100_000, pool::threads());
    let seconds = super::least(|| pool::run(threads, &|_| spin(rounds)));
    flops * rounds as f64 * threads as f64 / seconds / 1e12
}

/// A loop of the kernel's instruction and the floating-point operations of a round.
#[cfg(target_arch = "x86_64")]
fn spin(kernel: &str) -> Option<(fn(usize), f64)> {
    match kernel {
        "amx-bf16" => Some((x86::amx, 4.0 * 16.0 * 16.0 * 64.0)),
        "avx512-bf16" => Some((x86::dot, 12.0 * 64.0)),
        name if name.starts_with("avx512-f32") => Some((x86::fma, 12.0 * 32.0)),
        _ => None,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn spin(_kernel: &str) -> Option<(fn(usize), f64)> {
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::asm;

    /// Twelve independent chains hide the latency of one instruction.
    macro_rules! twelve {
        ($name:ident, $instruction:literal) => {
            pub fn $name(rounds: usize) {
                // SAFETY: chosen for a kernel that uses this instruction; only scratch registers change.
                unsafe {
                    asm!(
                        "2:",
                        concat!($instruction, " zmm0, zmm12, zmm13"), concat!($instruction, " zmm1, zmm12, zmm13"),
                        concat!($instruction, " zmm2, zmm12, zmm13"), concat!($instruction, " zmm3, zmm12, zmm13"),
                        concat!($instruction, " zmm4, zmm12, zmm13"), concat!($instruction, " zmm5, zmm12, zmm13"),
                        concat!($instruction, " zmm6, zmm12, zmm13"), concat!($instruction, " zmm7, zmm12, zmm13"),
                        concat!($instruction, " zmm8, zmm12, zmm13"), concat!($instruction, " zmm9, zmm12, zmm13"),
                        concat!($instruction, " zmm10, zmm12, zmm13"), concat!($instruction, " zmm11, zmm12, zmm13"),
                        "dec {rounds}",
                        "jnz 2b",
                        rounds = inout(reg) rounds => _,
                        out("zmm0") _, out("zmm1") _, out("zmm2") _, out("zmm3") _, out("zmm4") _, out("zmm5") _, out("zmm6") _,
                        out("zmm7") _, out("zmm8") _, out("zmm9") _, out("zmm10") _, out("zmm11") _, out("zmm12") _,
                        out("zmm13") _,
                        options(nomem, nostack)
                    );
                }
            }
        };
    }

    twelve!(fma, "vfmadd231ps");
    twelve!(dot, "vdpbf16ps");

    pub fn amx(rounds: usize) {
        // Palette 1, eight tiles of sixteen rows of 64 bytes.
        let mut config = [0u8; 64];
        config[0] = 1;
        for tile in 0..8 {
            config[16 + 2 * tile] = 64;
            config[48 + tile] = 16;
        }
        // SAFETY: the kernel in use is AMX, so the system has granted it; only tiles change.
        unsafe {
            asm!(
                "ldtilecfg [{config}]",
                "2:",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "dec {rounds}",
                "jnz 2b",
                "tilerelease",
                config = in(reg) config.as_ptr(),
                rounds = inout(reg) rounds => _,
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _,
                out("tmm7") _,
                options(nostack)
            );
        }
    }
}
