//! The size an image is resized to: both sides multiples of one factor, the area within limits.

use crate::{Error, Result};

/// One side may be at most this many times the other.
const MAX_ASPECT: f64 = 200.0;

/// Smallest and largest area of a resized image, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelLimits {
    pub min_pixels: u64,
    pub max_pixels: u64,
}

/// The `(height, width)` that an image of `height`×`width` is resized to: multiples of `factor` (patch size × merge
/// size) close to the original, with an area between the limits where the aspect ratio allows it.
///
/// Sides are rounded to the nearest multiple with **ties to even**, as Python's `round` does; rounding half up differs
/// on one side in fifty. An area raised to `min_pixels` is not tested against `max_pixels` again, as in transformers.
///
/// Errors: `E_IMAGE_LIMIT` for a side of zero and for an aspect ratio above 200.
///
/// ```
/// use coldstart_processor::{PixelLimits, smart_resize};
/// let limits = PixelLimits { min_pixels: 3136, max_pixels: 1_003_520 };
/// assert_eq!(smart_resize(70, 42, 28, limits).unwrap(), (56, 56)); // 2.5 → 2 and 1.5 → 2
/// ```
pub fn smart_resize(height: u32, width: u32, factor: u32, limits: PixelLimits) -> Result<(u32, u32)> {
    let refuse = |reason| Err(Error::ImageLimit { width, height, reason });
    if height == 0 || width == 0 {
        return refuse("a side is zero");
    }
    let (h, w, f) = (f64::from(height), f64::from(width), f64::from(factor));
    if h.max(w) / h.min(w) > MAX_ASPECT {
        return refuse("one side is more than 200 times the other");
    }
    let (min, max) = (limits.min_pixels as f64, limits.max_pixels as f64);

    // A side below half a factor becomes 0 here; the area is then 0 too, and the second branch repairs it.
    let mut out_h = (h / f).round_ties_even() * f;
    let mut out_w = (w / f).round_ties_even() * f;
    // The divisions stay in this order: they are rounded, and the reference does them one after the other.
    if out_h * out_w > max {
        let shrink = (h * w / max).sqrt();
        out_h = f.max((h / shrink / f).floor() * f);
        out_w = f.max((w / shrink / f).floor() * f);
    } else if out_h * out_w < min {
        let grow = (min / (h * w)).sqrt();
        out_h = (h * grow / f).ceil() * f;
        out_w = (w * grow / f).ceil() * f;
    }
    if out_h > f64::from(u32::MAX) || out_w > f64::from(u32::MAX) {
        return refuse("the resized image would be too large");
    }
    Ok((out_h as u32, out_w as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WIDE: PixelLimits = PixelLimits { min_pixels: 1, max_pixels: u64::MAX };

    fn size(h: u32, w: u32, limits: PixelLimits) -> (u32, u32) {
        smart_resize(h, w, 28, limits).unwrap()
    }

    #[test]
    fn a_side_halfway_between_two_multiples_goes_to_the_even_one() {
        for k in 0..200 {
            let tie = 28 * k + 14;
            let even = 28 * (k + k % 2);
            if k > 0 {
                assert_eq!(size(tie, tie, WIDE), (even, even), "side {tie}");
            }
        }
    }

    #[test]
    fn a_side_that_rounds_to_zero_is_repaired_by_the_lower_limit() {
        let limits = PixelLimits { min_pixels: 3136, max_pixels: 1_003_520 };
        assert_eq!(size(14, 14, limits), (56, 56));
        assert_eq!(size(1, 200, limits), (28, 812));
    }

    #[test]
    fn an_aspect_ratio_above_200_is_refused_and_200_is_not() {
        assert!(smart_resize(10, 2000, 28, WIDE).is_ok());
        for (h, w) in [(10, 2001), (2001, 10), (1, 201)] {
            assert_eq!(smart_resize(h, w, 28, WIDE).unwrap_err().code(), "E_IMAGE_LIMIT", "{h}×{w}");
        }
    }

    #[test]
    fn an_image_without_pixels_is_refused() {
        for (h, w) in [(0, 10), (10, 0), (0, 0)] {
            assert_eq!(smart_resize(h, w, 28, WIDE).unwrap_err().code(), "E_IMAGE_LIMIT");
        }
    }

    proptest! {
        #[test]
        fn sides_are_positive_multiples_of_the_factor(h in 1u32..4000, w in 1u32..4000, min in 1u64..300_000, more in 0u64..2_000_000) {
            prop_assume!(h.max(w) <= 200 * h.min(w));
            let (oh, ow) = size(h, w, PixelLimits { min_pixels: min, max_pixels: min + more });
            prop_assert!(oh > 0 && ow > 0 && oh % 28 == 0 && ow % 28 == 0);
        }

        #[test]
        fn the_area_stays_below_the_upper_limit_unless_a_side_is_one_factor(h in 28u32..4000, w in 28u32..4000, max in 784u64..2_000_000) {
            prop_assume!(h.max(w) <= 200 * h.min(w));
            let (oh, ow) = size(h, w, PixelLimits { min_pixels: 1, max_pixels: max });
            prop_assert!(u64::from(oh) * u64::from(ow) <= max || oh == 28 || ow == 28);
        }

        #[test]
        fn the_area_reaches_the_lower_limit(h in 1u32..4000, w in 1u32..4000, min in 1u64..2_000_000) {
            prop_assume!(h.max(w) <= 200 * h.min(w));
            let (oh, ow) = size(h, w, PixelLimits { min_pixels: min, max_pixels: u64::MAX });
            prop_assert!(u64::from(oh) * u64::from(ow) >= min);
        }

        #[test]
        fn height_and_width_are_treated_alike(h in 1u32..4000, w in 1u32..4000, max in 3136u64..2_000_000) {
            prop_assume!(h.max(w) <= 200 * h.min(w));
            let limits = PixelLimits { min_pixels: 3136, max_pixels: max };
            let (a, b) = size(h, w, limits);
            prop_assert_eq!(size(w, h, limits), (b, a));
        }

        #[test]
        fn a_size_within_the_limits_is_its_own_target(h in 1u32..60, w in 1u32..60) {
            prop_assume!(h.max(w) <= 200 * h.min(w));
            prop_assert_eq!(size(28 * h, 28 * w, WIDE), (28 * h, 28 * w));
        }
    }
}
