//! The processor for JavaScript: a tokenizer that answers at once, and an image worker that answers later.

use std::sync::{Arc, OnceLock};

use coldstart_processor::{
    Alpha, ChatOptions, ChatTemplate, DefaultSystem, ImageProcessor, Message, Part, Role, Tokenizer,
};
use napi::Env;
use napi::bindgen_prelude::{Float32Array, Object, Uint8Array, Uint32Array};
use napi_derive::napi;

use crate::failure::{Failure, Outcome, guarded, outcome};
use crate::number::{whole, wholes};
use crate::worker::Worker;

/// An image cut into patches.
#[napi(object)]
pub struct PreparedImage {
    /// `[t·h·w, patch]`, row-major.
    pub pixel_values: Float32Array,
    /// Frames, height and width in patches.
    pub grid_thw: Vec<f64>,
}

/// Decoded 8-bit pixels, `channels` interleaved values a pixel.
#[napi(object)]
pub struct RawPixels {
    pub data: Uint8Array,
    pub width: f64,
    pub height: f64,
    pub channels: f64,
}

/// One turn; a part without text is the place of the next image.
#[napi(object)]
pub struct ChatTurn {
    pub role: String,
    pub parts: Vec<ChatPart>,
}

#[napi(object)]
pub struct ChatPart {
    pub text: Option<String>,
}

#[napi(object)]
pub struct EncodeSettings {
    pub add_generation_prompt: bool,
    /// System turn for conversations without one.
    pub system_message: Option<String>,
    /// No system turn at all.
    pub no_system: bool,
    pub max_length: Option<f64>,
}

#[napi(object)]
pub struct EncodedChat {
    pub ids: Uint32Array,
    /// 1 where the loss applies, else 0.
    pub targets: Uint8Array,
}

#[napi(object)]
pub struct PixelSettings {
    pub min_pixels: Option<f64>,
    pub max_pixels: Option<f64>,
    /// `white` or `drop`.
    pub alpha: String,
}

struct Loaded {
    tokenizer: Tokenizer,
    template: ChatTemplate,
    images: ImageProcessor,
}

/// Tokenizer, chat template and image preprocessing.
#[napi]
pub struct NativeProcessor {
    worker: Worker<()>,
    loaded: Arc<OnceLock<Loaded>>,
}

#[napi]
impl NativeProcessor {
    #[napi(constructor)]
    pub fn new() -> napi::Result<Self> {
        Ok(Self { worker: Worker::spawn("coldstart-images", || ())?, loaded: Arc::default() })
    }

    /// Takes the contents of `tokenizer.json`, `preprocessor_config.json` and `config.json`.
    #[napi(ts_return_type = "Promise<boolean | Failure>")]
    pub fn load<'env>(
        &self,
        env: &'env Env,
        tokenizer: Uint8Array,
        preprocessor: String,
        settings: PixelSettings,
    ) -> napi::Result<Object<'env>> {
        let loaded = Arc::clone(&self.loaded);
        self.worker.submit(env, move |()| {
            let tokenizer = Tokenizer::from_bytes("tokenizer.json", &tokenizer)?;
            let config = serde_json::from_str(&preprocessor)
                .map_err(|error| Failure::new("E_MODEL", format!("preprocessor_config.json: {error}")))?;
            let alpha = match settings.alpha.as_str() {
                "white" => Alpha::White,
                "drop" => Alpha::Drop,
                other => return Err(Failure::new("E_CONFIG", format!("alpha: expected white or drop, got {other}"))),
            };
            let images = ImageProcessor::from_json(&config)?
                .with_pixel_limits(limit("minPixels", settings.min_pixels)?, limit("maxPixels", settings.max_pixels)?)?
                .with_alpha(alpha);
            let template = ChatTemplate::new(&tokenizer, images.layout().merge)?;
            // A second load would change the processor under calls in flight; the first one stays.
            let fresh = loaded.set(Loaded { tokenizer, template, images }).is_ok();
            if fresh { Ok(true) } else { Err(Failure::new("E_USAGE", "this processor is already loaded")) }
        })
    }

    /// Conversation to ids; `grids` are those of its images in order.
    #[napi(ts_return_type = "EncodedChat | Failure")]
    pub fn encode(&self, turns: Vec<ChatTurn>, grids: Vec<Vec<f64>>, settings: EncodeSettings) -> Outcome<EncodedChat> {
        outcome(guarded(|| {
            let loaded = self.loaded()?;
            let mut messages = turns.into_iter().map(message).collect::<Result<Vec<_>, _>>()?;
            let grids = grids.iter().map(|grid| triple(grid)).collect::<Result<Vec<_>, _>>()?;
            if let (Some(text), Some(false)) =
                (settings.system_message, messages.first().map(|m| m.role == Role::System))
            {
                messages.insert(0, Message::text(Role::System, text));
            }
            let default_system = if settings.no_system { DefaultSystem::None } else { DefaultSystem::Helpful };
            let options = ChatOptions {
                generation_prompt: settings.add_generation_prompt,
                default_system,
                max_length: limit("maxLength", settings.max_length)?,
                ..ChatOptions::default()
            };
            let encoded = loaded.template.encode(&loaded.tokenizer, &messages, &grids, &options)?;
            Ok(EncodedChat {
                ids: Uint32Array::new(encoded.ids),
                targets: Uint8Array::new(encoded.targets.into_iter().map(u8::from).collect()),
            })
        }))
    }

    #[napi(ts_return_type = "string | Failure")]
    pub fn decode(&self, ids: Uint32Array, skip_special: bool) -> Outcome<String> {
        outcome(guarded(|| Ok(self.loaded()?.tokenizer.decode(&ids, skip_special)?)))
    }

    /// Frames, rows and columns of patches of an image of this size.
    #[napi(ts_return_type = "number[] | Failure")]
    pub fn grid_of(&self, width: f64, height: f64) -> Outcome<Vec<u32>> {
        outcome(guarded(|| Ok(self.loaded()?.images.grid(whole("height", height)?, whole("width", width)?)?.to_vec())))
    }

    /// Largest id plus one.
    #[napi(ts_return_type = "number | Failure")]
    pub fn vocabulary_size(&self) -> Outcome<u32> {
        outcome(guarded(|| Ok(self.loaded()?.tokenizer.vocab_size() as u32)))
    }

    /// Resizes images and cuts them into patches on the image worker and the pool.
    #[napi(ts_return_type = "Promise<PreparedImage[] | Failure>")]
    pub fn prepare_images<'env>(&self, env: &'env Env, images: Vec<RawPixels>) -> napi::Result<Object<'env>> {
        let loaded = Arc::clone(&self.loaded);
        self.worker.submit(env, move |()| {
            let loaded = loaded.get().ok_or_else(not_loaded)?;
            images
                .iter()
                .map(|image| {
                    let (width, height) = (whole("width", image.width)?, whole("height", image.height)?);
                    let done = loaded.images.process(&image.data, width, height, whole("channels", image.channels)?)?;
                    Ok(PreparedImage {
                        pixel_values: Float32Array::new(done.pixel_values),
                        grid_thw: done.grid_thw.map(f64::from).to_vec(),
                    })
                })
                .collect::<Result<Vec<_>, Failure>>()
        })
    }

    #[napi(ts_return_type = "Promise<boolean | Failure>")]
    pub fn close<'env>(&self, env: &'env Env) -> napi::Result<Object<'env>> {
        self.worker.close(env)
    }

    fn loaded(&self) -> Result<&Loaded, Failure> {
        self.loaded.get().ok_or_else(not_loaded)
    }
}

fn not_loaded() -> Failure {
    Failure::new("E_USAGE", "this processor is not loaded yet")
}

fn message(turn: ChatTurn) -> Result<Message, Failure> {
    let role = match turn.role.as_str() {
        "system" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        other => {
            return Err(Failure::new("E_TEMPLATE", format!("role: expected system, user or assistant, got {other}")));
        }
    };
    let parts = turn.parts.into_iter().map(|part| part.text.map_or(Part::Image, Part::Text)).collect();
    Ok(Message { role, parts })
}

/// Frames, height and width from a list of three numbers.
pub fn triple(grid: &[f64]) -> Result<[u32; 3], Failure> {
    wholes("gridThw", grid)?
        .try_into()
        .map_err(|_| Failure::new("E_USAGE", format!("gridThw: expected 3 numbers, got {}", grid.len())))
}

fn limit<T: TryFrom<u64>>(name: &str, value: Option<f64>) -> Result<Option<T>, Failure> {
    value.map(|value| whole(name, value)).transpose()
}
