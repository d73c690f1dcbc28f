//! Any accepted pixel layout to interleaved 8-bit RGB, as Pillow does it.

use std::borrow::Cow;

use crate::{Error, Result};

/// What happens to transparency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alpha {
    /// The image is put on opaque white, as transformers does since 5.23: a transparent drawing with black lines stays
    /// readable.
    #[default]
    White,
    /// Alpha is ignored, as in Pillow's `convert("RGB")` and transformers up to 5.18.
    Drop,
}

/// `raw`: `[height, width, channels]`, 8 bits each, 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha) channels,
/// alpha not premultiplied. Returns `[height, width, 3]`; RGB is passed through without a copy.
///
/// Errors: `E_IMAGE_MODE` for another number of channels, `E_IMAGE_DECODE` when the length does not fit the size.
pub fn to_rgb(raw: &[u8], width: u32, height: u32, channels: usize, alpha: Alpha) -> Result<Cow<'_, [u8]>> {
    if !(1..=4).contains(&channels) {
        return Err(Error::ImageMode { channels });
    }
    let expected = u64::from(width) * u64::from(height) * channels as u64;
    if raw.len() as u64 != expected {
        return Err(Error::ImageBytes { width, height, channels, expected, got: raw.len() });
    }
    Ok(match (channels, alpha) {
        (1, _) => Cow::Owned(raw.iter().flat_map(|&v| [v; 3]).collect()),
        (2, Alpha::Drop) => Cow::Owned(raw.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect()),
        (2, Alpha::White) => Cow::Owned(raw.chunks_exact(2).flat_map(|p| [on_white(p[0], p[1]); 3]).collect()),
        (4, Alpha::Drop) => Cow::Owned(raw.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()),
        (4, Alpha::White) => {
            Cow::Owned(raw.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]].map(|v| on_white(v, p[3]))).collect())
        }
        _ => Cow::Borrowed(raw),
    })
}

/// One channel composited on opaque white with Pillow's integer arithmetic: weights with 7 fractional bits, and a
/// division by 255 done as two shifts.
fn on_white(value: u8, alpha: u8) -> u8 {
    let (v, a) = (u32::from(value), u32::from(alpha));
    let sum = 128 * (v * a + 255 * (255 - a)) + (128 << 7);
    (((sum >> 8) + sum) >> 8 >> 7) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_pixels_keep_their_value_and_clear_ones_become_white() {
        for v in 0..=255 {
            assert_eq!(on_white(v, 255), v);
            assert_eq!(on_white(v, 0), 255);
        }
    }

    #[test]
    fn compositing_is_within_half_a_level_of_the_exact_blend() {
        for v in 0..=255u8 {
            for a in 0..=255u8 {
                let exact = (f64::from(v) * f64::from(a) + 255.0 * (255.0 - f64::from(a))) / 255.0;
                assert!((f64::from(on_white(v, a)) - exact).abs() <= 0.51, "value {v}, alpha {a}");
            }
        }
    }

    #[test]
    fn every_channel_count_gives_the_documented_rgb() {
        let rgb = |raw: &[u8], channels, alpha| to_rgb(raw, 1, 1, channels, alpha).unwrap().into_owned();
        assert_eq!(rgb(&[7], 1, Alpha::White), [7, 7, 7]);
        assert_eq!(rgb(&[7, 0], 2, Alpha::Drop), [7, 7, 7]);
        assert_eq!(rgb(&[7, 0], 2, Alpha::White), [255; 3]);
        assert_eq!(rgb(&[1, 2, 3], 3, Alpha::White), [1, 2, 3]);
        assert_eq!(rgb(&[1, 2, 3, 0], 4, Alpha::Drop), [1, 2, 3]);
        assert_eq!(rgb(&[1, 2, 3, 0], 4, Alpha::White), [255; 3]);
    }

    #[test]
    fn another_number_of_channels_is_refused() {
        for channels in [0, 5] {
            assert_eq!(to_rgb(&[0; 5], 1, 1, channels, Alpha::White).unwrap_err().code(), "E_IMAGE_MODE");
        }
    }

    #[test]
    fn a_buffer_of_the_wrong_length_is_refused_with_both_lengths() {
        let error = to_rgb(&[0; 11], 2, 2, 3, Alpha::White).unwrap_err();
        assert_eq!(error.code(), "E_IMAGE_DECODE");
        assert!(error.to_string().contains("12") && error.to_string().contains("11"), "{error}");
    }
}
