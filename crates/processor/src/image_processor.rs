//! The whole way from decoded pixels to patches, configured by `preprocessor_config.json`.

use serde_json::{Map, Value};

use crate::{
    Alpha, Error, PatchLayout, PixelLimits, PixelTable, Result, patchify, resize_bicubic, smart_resize, to_rgb,
};

/// Defaults for keys that the file leaves out: those of the reference processor class. Published checkpoints state
/// every one of them.
const DEFAULT_LIMITS: PixelLimits = PixelLimits { min_pixels: 56 * 56, max_pixels: 28 * 28 * 1280 };
const DEFAULT_LAYOUT: PatchLayout = PatchLayout { patch: 14, temporal: 2, merge: 2 };
const DEFAULT_MEAN: [f64; 3] = [0.48145466, 0.4578275, 0.40821073];
const DEFAULT_STD: [f64; 3] = [0.26862954, 0.26130258, 0.27577711];
/// Pillow's number for bicubic.
const BICUBIC: u64 = 3;

/// One image, ready for the vision tower.
#[derive(Clone, Debug, PartialEq)]
pub struct Processed {
    /// `[t·h·w, 3·temporal_patch_size·patch_size²]`, row-major.
    pub pixel_values: Vec<f32>,
    /// Frames (1), height and width in patches.
    pub grid_thw: [u32; 3],
}

/// Turns decoded images into patches.
///
/// ```
/// use coldstart_processor::ImageProcessor;
/// let config = serde_json::json!({ "min_pixels": 3136, "max_pixels": 1_003_520 });
/// let processor = ImageProcessor::from_json(&config)?;
/// let image = processor.process(&[128; 3 * 60 * 80], 80, 60, 3)?;
/// assert_eq!(image.grid_thw, [1, 4, 6]);
/// assert_eq!(image.pixel_values.len(), 24 * 1176);
/// # Ok::<(), coldstart_processor::Error>(())
/// ```
pub struct ImageProcessor {
    config: Map<String, Value>,
    limits: PixelLimits,
    layout: PatchLayout,
    table: PixelTable,
    alpha: Alpha,
}

impl ImageProcessor {
    /// Reads a parsed `preprocessor_config.json`. Limits are `min_pixels` and `max_pixels`, or `size` with
    /// `shortest_edge` and `longest_edge` (areas too, in spite of the names); the former win when both are there.
    /// Unknown keys are kept for [`to_json`](Self::to_json).
    ///
    /// Errors: `E_MODEL` naming the key, what it may be and what it is.
    pub fn from_json(config: &Value) -> Result<Self> {
        let config = config.as_object().ok_or_else(|| Error::Config(format!("expected an object, got {config}")))?;
        for step in ["do_resize", "do_rescale", "do_normalize"] {
            if config.get(step) == Some(&Value::Bool(false)) {
                return Err(Error::Config(format!("{step} is false; only true is supported")));
            }
        }
        if let Some(resample) = integer(config, "resample")?
            && resample != BICUBIC
        {
            return Err(Error::Config(format!("resample is {resample}; only {BICUBIC} (bicubic) is supported")));
        }
        let layout = PatchLayout {
            patch: patch_count(config, "patch_size", DEFAULT_LAYOUT.patch)?,
            temporal: patch_count(config, "temporal_patch_size", DEFAULT_LAYOUT.temporal)?,
            merge: patch_count(config, "merge_size", DEFAULT_LAYOUT.merge)?,
        };
        let mean = triple(config, "image_mean", DEFAULT_MEAN, |v| v.is_finite())?;
        let std = triple(config, "image_std", DEFAULT_STD, |v| v.is_finite() && v > 0.0)?;
        let scale = match config.get("rescale_factor") {
            None | Some(Value::Null) => 1.0 / 255.0,
            Some(value) => value
                .as_f64()
                .filter(|v| *v > 0.0)
                .ok_or_else(|| Error::Config(format!("rescale_factor: expected a positive number, got {value}")))?,
        };
        let processor = Self {
            limits: DEFAULT_LIMITS,
            layout,
            table: PixelTable::new(scale, mean, std),
            alpha: Alpha::default(),
            config: config.clone(),
        };
        let no_size = Map::new();
        let size = config.get("size").and_then(Value::as_object).unwrap_or(&no_size);
        let min_pixels = integer(config, "min_pixels")?.or(integer(size, "shortest_edge")?);
        let max_pixels = integer(config, "max_pixels")?.or(integer(size, "longest_edge")?);
        processor.with_pixel_limits(min_pixels, max_pixels)
    }

    /// Replaces the limits that are given, in pixels of the resized image.
    ///
    /// Errors: `E_MODEL` when the smallest area is zero or above the largest.
    pub fn with_pixel_limits(mut self, min_pixels: Option<u64>, max_pixels: Option<u64>) -> Result<Self> {
        self.limits.min_pixels = min_pixels.unwrap_or(self.limits.min_pixels);
        self.limits.max_pixels = max_pixels.unwrap_or(self.limits.max_pixels);
        let PixelLimits { min_pixels, max_pixels } = self.limits;
        if min_pixels == 0 || min_pixels > max_pixels {
            return Err(Error::Config(format!(
                "min_pixels must be above 0 and at most max_pixels, got {min_pixels} and {max_pixels}"
            )));
        }
        Ok(self)
    }

    /// Chooses what happens to transparency.
    pub fn with_alpha(mut self, alpha: Alpha) -> Self {
        self.alpha = alpha;
        self
    }

    /// The configuration as it was read, with the limits in force: what a checkpoint of this run must carry.
    pub fn to_json(&self) -> Value {
        let mut config = self.config.clone();
        let PixelLimits { min_pixels, max_pixels } = self.limits;
        let mut has_size = false;
        if let Some(Value::Object(size)) = config.get_mut("size") {
            size.insert("shortest_edge".into(), min_pixels.into());
            size.insert("longest_edge".into(), max_pixels.into());
            has_size = true;
        }
        // `size` alone is a layout of its own and stays one.
        if !has_size || config.contains_key("min_pixels") || config.contains_key("max_pixels") {
            config.insert("min_pixels".into(), min_pixels.into());
            config.insert("max_pixels".into(), max_pixels.into());
        }
        Value::Object(config)
    }

    pub fn limits(&self) -> PixelLimits {
        self.limits
    }

    pub fn layout(&self) -> PatchLayout {
        self.layout
    }

    /// Frames, height and width in patches of an image of `height`×`width` pixels. Errors: `E_IMAGE_LIMIT`.
    pub fn grid(&self, height: u32, width: u32) -> Result<[u32; 3]> {
        let (h, w) = self.target(height, width)?;
        let patch = self.layout.patch as u32;
        Ok([1, h / patch, w / patch])
    }

    /// Image tokens in the prompt for an image of `height`×`width` pixels. Errors: `E_IMAGE_LIMIT`.
    pub fn num_tokens(&self, height: u32, width: u32) -> Result<usize> {
        let [t, h, w] = self.grid(height, width)?.map(|n| n as usize);
        Ok(t * h * w / (self.layout.merge * self.layout.merge))
    }

    /// `raw`: `[height, width, channels]`, 8 bits each; see [`to_rgb`] for the layouts. Single-threaded: callers run
    /// one image per thread.
    ///
    /// Errors: `E_IMAGE_LIMIT`, `E_IMAGE_MODE`, `E_IMAGE_DECODE`.
    pub fn process(&self, raw: &[u8], width: u32, height: u32, channels: usize) -> Result<Processed> {
        let (h, w) = self.target(height, width)?;
        let rgb = to_rgb(raw, width, height, channels, self.alpha)?;
        let resized = resize_bicubic(&rgb, (width as usize, height as usize), (w as usize, h as usize));
        let mut pixel_values = Vec::new();
        patchify(&resized, h as usize, w as usize, self.layout, &self.table, &mut pixel_values);
        let patch = self.layout.patch as u32;
        Ok(Processed { pixel_values, grid_thw: [1, h / patch, w / patch] })
    }

    /// Height and width after resizing.
    fn target(&self, height: u32, width: u32) -> Result<(u32, u32)> {
        smart_resize(height, width, (self.layout.patch * self.layout.merge) as u32, self.limits)
    }
}

fn integer(object: &Map<String, Value>, key: &str) -> Result<Option<u64>> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_u64()
            .map(Some)
            .ok_or_else(|| Error::Config(format!("{key}: expected a whole number, got {value}"))),
    }
}

/// A size in patches or pixels; anything above 1024 is a damaged file and would overflow the arithmetic.
fn patch_count(config: &Map<String, Value>, key: &str, default: usize) -> Result<usize> {
    match integer(config, key)? {
        None => Ok(default),
        Some(n @ 1..=1024) => Ok(n as usize),
        Some(n) => Err(Error::Config(format!("{key}: expected 1 to 1024, got {n}"))),
    }
}

fn triple(config: &Map<String, Value>, key: &str, default: [f64; 3], valid: fn(f64) -> bool) -> Result<[f64; 3]> {
    let Some(value) = config.get(key).filter(|v| !v.is_null()) else {
        return Ok(default);
    };
    let numbers: Option<Vec<f64>> =
        value.as_array().and_then(|list| list.iter().map(|v| v.as_f64().filter(|v| valid(*v))).collect());
    numbers
        .and_then(|list| list.try_into().ok())
        .ok_or_else(|| Error::Config(format!("{key}: expected three numbers in range, got {value}")))
}
