//! AMX: products of bf16 tiles, sixteen rows of 32 by 32 columns of sixteen, summed in f32 tiles.
//!
//! C is 2 × 2 tiles, so that each loaded tile of A and B serves two products. Rust has no stable AMX intrinsics; the
//! instructions are written out.

use std::arch::asm;
use std::arch::x86_64::*;

use super::{Cut, Kernel, Out};
use crate::pack;

/// Rows and columns of two tiles side by side.
const WIDTH: usize = pack::bf16::AMX_WIDTH;
/// Bytes of a tile and of a step of a panel: 32 lanes by 32 of depth.
const TILE_BYTES: usize = 1024;
const STEP_BYTES: usize = 2 * TILE_BYTES;

/// Shapes of the eight tile registers: sixteen rows of 64 bytes.
#[repr(C, align(64))]
struct Config {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

static CONFIG: Config = Config {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Shapes the tile registers of this thread.
unsafe fn begin() {
    // SAFETY: AMX is there and permitted when this kernel is in use.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIG, options(nostack, readonly)) };
}

/// Lets go of them: the system saves 8 KiB at each context switch of a thread with tiles in use.
unsafe fn end() {
    // SAFETY: as above.
    unsafe {
        asm!("tilerelease", options(nostack, nomem));
        super::fence();
    }
}

#[repr(C, align(64))]
struct Sums([f32; WIDTH * WIDTH]);

/// # Safety
/// Between `begin` and `end`; panels and output are valid for the depth and shape.
#[target_feature(enable = "avx512f")]
unsafe fn tile(depth: usize, a: *const u8, b: *const u8, ahead: *const u8, out: &Out<f32>) {
    let steps = depth.div_ceil(32);
    let Cut { sums, first, last } = out.cut;
    if last {
        out.fetch(WIDTH);
    }
    let mut own = std::mem::MaybeUninit::<Sums>::uninit();
    let own: *mut f32 = own.as_mut_ptr().cast();
    // SAFETY: the panels hold `steps` steps; the sums two tiles by two, and so does the output where the tile is whole.
    unsafe {
        if !(first && last) {
            let begun = if first { std::ptr::null() } else { sums.cast_const() };
            if last && out.is_plain() {
                return four_tiles(steps, a, b, ahead, begun, out.to, out.to_stride);
            }
            four_tiles(steps, a, b, ahead, begun, sums, WIDTH);
            if last {
                out.write_avx512(sums, WIDTH);
            }
            return;
        }
        match (out.rows > 16, out.cols > 16) {
            (true, _) if out.is_plain() => {
                return four_tiles(steps, a, b, ahead, std::ptr::null(), out.to, out.to_stride);
            }
            (true, _) => four_tiles(steps, a, b, ahead, std::ptr::null(), own, WIDTH),
            (false, true) => upper_tiles(steps, a, b, own),
            (false, false) => one_tile(steps, a, b, own),
        }
        out.write_avx512(own, WIDTH);
    }
}

impl Out<f32> {
    /// Whether just the tile is written, all of it, so that the registers can be stored there.
    fn is_plain(&self) -> bool {
        self.rows == WIDTH && self.cols == WIDTH && self.from.is_null() && self.bias.is_null() && !self.stream
    }
}

/// Goes on from the sums at `begun`, `WIDTH` apart, or from zero where it is null. Stores four tiles at `out`, rows `stride` elements apart.
#[inline]
unsafe fn four_tiles(
    steps: usize,
    a: *const u8,
    b: *const u8,
    ahead: *const u8,
    begun: *const f32,
    out: *mut f32,
    stride: usize,
) {
    // SAFETY: promised by the caller.
    unsafe {
        asm!(
            "test {begun}, {begun}",
            "jnz 3f",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "jmp 2f",
            "3:",
            "tileloadd tmm0, [{begun} + {wide}]",
            "tileloadd tmm1, [{begun} + {wide} + 64]",
            "tileloadd tmm2, [{begun} + {wide} + 2048]",
            "tileloadd tmm3, [{begun} + {wide} + 2112]",
            "2:",
            "tileloadd tmm6, [{b} + {wide}]",
            "tileloadd tmm4, [{a} + {narrow}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "prefetcht1 [{ahead} + 0]",
            "tileloadd tmm7, [{b} + {wide} + 64]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "prefetcht1 [{ahead} + 64]",
            "tileloadd tmm5, [{a} + {narrow} + 1024]",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "prefetcht1 [{ahead} + 128]",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "prefetcht1 [{ahead} + 192]",
            "add {a}, {step}",
            "add {b}, {step}",
            "add {ahead}, 256",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{out} + {stride}], tmm0",
            "tilestored [{out} + {stride} + 64], tmm1",
            "tilestored [{lower} + {stride}], tmm2",
            "tilestored [{lower} + {stride} + 64], tmm3",
            a = inout(reg) a => _,
            b = inout(reg) b => _,
            ahead = inout(reg) ahead => _,
            steps = inout(reg) steps => _,
            begun = in(reg) begun,
            out = in(reg) out,
            lower = in(reg) out.wrapping_add(16 * stride),
            stride = in(reg) stride * size_of::<f32>(),
            wide = in(reg) 128usize,
            narrow = in(reg) 64usize,
            step = const STEP_BYTES,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _, out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        );
    }
}

/// At most sixteen rows.
#[inline]
unsafe fn upper_tiles(steps: usize, a: *const u8, b: *const u8, sums: *mut f32) {
    // SAFETY: promised by the caller.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "2:",
            "tileloadd tmm6, [{b} + {wide}]",
            "tileloadd tmm4, [{a} + {narrow}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm7, [{b} + {wide} + 64]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "add {a}, {step}",
            "add {b}, {step}",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {wide}], tmm0",
            "tilestored [{sums} + {wide} + 64], tmm1",
            a = inout(reg) a => _,
            b = inout(reg) b => _,
            steps = inout(reg) steps => _,
            sums = in(reg) sums,
            wide = in(reg) 128usize,
            narrow = in(reg) 64usize,
            step = const STEP_BYTES,
            out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm6") _, out("tmm7") _,
            options(nostack)
        );
    }
}

/// At most sixteen rows and columns.
#[inline]
unsafe fn one_tile(steps: usize, a: *const u8, b: *const u8, sums: *mut f32) {
    // SAFETY: promised by the caller.
    unsafe {
        asm!(
            "tilezero tmm0",
            "2:",
            "tileloadd tmm6, [{b} + {wide}]",
            "tileloadd tmm4, [{a} + {narrow}]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "add {a}, {step}",
            "add {b}, {step}",
            "dec {steps}",
            "jnz 2b",
            "tilestored [{sums} + {wide}], tmm0",
            a = inout(reg) a => _,
            b = inout(reg) b => _,
            steps = inout(reg) steps => _,
            sums = in(reg) sums,
            wide = in(reg) 128usize,
            narrow = in(reg) 64usize,
            step = const STEP_BYTES,
            out("tmm0") _, out("tmm4") _, out("tmm6") _,
            options(nostack)
        );
    }
}

/// Whether the processor has AMX with bf16 and the system grants it. Asks for the permission, which holds for the process.
pub(super) fn supported() -> bool {
    super::dot::supported() && in_processor() && permitted()
}

fn in_processor() -> bool {
    const AMX_BF16: u32 = 1 << 22;
    const AMX_TILE: u32 = 1 << 24;
    let features = __cpuid_count(7, 0).edx;
    features & AMX_BF16 != 0 && features & AMX_TILE != 0
}

#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_REQ_XCOMP_PERM: libc::c_long = 0x1023;
    const XFEATURE_XTILEDATA: libc::c_long = 18;
    // SAFETY: asks for permission to use a processor feature; nothing is written.
    unsafe { libc::syscall(libc::SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0 }
}

/// Other systems have their own ways to grant tiles; without one the other kernels do.
#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

pub(super) static AMX_BF16: Kernel<f32> = Kernel {
    name: "amx-bf16",
    mr: WIDTH,
    nr: WIDTH,
    depth_block: 1024,
    depth_cut: 256,
    depth_step: 32,
    elem_bytes: 2,
    row_block: 256,
    left_bytes: 1 << 20,
    flops_per_us: 1_000_000,
    pack_a: pack::bf16::rows,
    pack_b: pack::bf16::pairs::<WIDTH, 32>,
    tile,
    streams: true,
    begin,
    end,
};
