//! Panels of whole elements, `[depth, width]`, in plain Rust.

use crate::Scalar;
use crate::kernel::Source;

/// Depth copied at a time when lanes have to be gathered: the part of the panel written stays in the L1 cache, and each
/// lane reads whole cache lines.
const DEPTH: usize = 16;

/// # Safety
/// `source` is valid for `lanes` by `depth`, `panel` for `depth` steps of `W`; `lanes <= W`.
pub(crate) unsafe fn panel<T: Scalar, const W: usize>(source: Source<T>, lanes: usize, depth: usize, panel: *mut u8) {
    let panel: *mut T = panel.cast();
    // SAFETY: all indices below are inside the promised areas.
    unsafe {
        if source.lane_stride == 1 && lanes == W {
            for d in 0..depth {
                let from: *const [T; W] = source.data.add(d * source.depth_stride).cast();
                *panel.add(d * W).cast() = *from;
            }
            return;
        }
        for start in (0..depth).step_by(DEPTH) {
            let len = DEPTH.min(depth - start);
            let out = panel.add(start * W);
            for lane in 0..lanes {
                let from = source.data.add(lane * source.lane_stride + start * source.depth_stride);
                for d in 0..len {
                    *out.add(d * W + lane) = *from.add(d * source.depth_stride);
                }
            }
            for lane in lanes..W {
                for d in 0..len {
                    *out.add(d * W + lane) = T::ZERO;
                }
            }
        }
    }
}
