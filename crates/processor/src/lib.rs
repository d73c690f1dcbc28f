//! From decoded pixels and text to model inputs: resizing, patches, tokenizer, prompt segments.
//!
//! Everything here is exact: target sizes, resized bytes and patch values equal those of Pillow and of the reference
//! image processor bit for bit, and text from data never becomes a template token. Decoding image files is left to the
//! caller, which passes 8-bit pixels.

mod convert;
mod error;
mod image_processor;
mod patchify;
mod prompt;
mod resample;
mod smart_resize;
mod tokenizer;

pub use convert::{Alpha, to_rgb};
pub use error::{Error, Result};
pub use image_processor::{ImageProcessor, Processed};
pub use patchify::{PatchLayout, PixelTable, patchify};
pub use prompt::{ChatOptions, ChatTemplate, DefaultSystem, Encoded, Message, Part, Role};
pub use resample::resize_bicubic;
pub use smart_resize::{PixelLimits, smart_resize};
pub use tokenizer::{StreamDecoder, Tokenizer};
