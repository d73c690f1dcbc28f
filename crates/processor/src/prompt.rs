//! Conversations to ids, built as segments: template tokens are put in by id and text is encoded apart from them, so
//! nothing in the data can open or close a turn or claim to be an image.

mod segments;

use std::ops::Range;

use crate::{Error, Result, Tokenizer};
use segments::{Segment, segments};

pub(crate) const IM_START: &str = "<|im_start|>";
pub(crate) const IM_END: &str = "<|im_end|>";
pub(crate) const VISION_START: &str = "<|vision_start|>";
pub(crate) const VISION_END: &str = "<|vision_end|>";
pub(crate) const IMAGE_PAD: &str = "<|image_pad|>";
/// Tokens that only the template may produce, whatever a tokenizer file says about them.
pub(crate) const TEMPLATE_TOKENS: [&str; 8] =
    ["<|endoftext|>", IM_START, IM_END, VISION_START, VISION_END, "<|vision_pad|>", IMAGE_PAD, "<|video_pad|>"];

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    /// The word in the template.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [Self::System, Self::User, Self::Assistant]
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| Error::Template(format!("role is {name:?}, expected system, user or assistant")))
    }
}

/// A piece of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Verbatim: never trimmed, never searched for markers.
    Text(String),
    /// The place of the next image.
    Image,
}

/// One turn. Neighbouring text parts read as one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
}

impl Message {
    /// A turn of text alone.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self { role, parts: vec![Part::Text(text.into())] }
    }
}

/// What is put first when the first message is not a system message. A system message, even an empty one, replaces it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DefaultSystem {
    /// "You are a helpful assistant.", as the published template does.
    #[default]
    Helpful,
    /// No system block at all. For small models whose vocabulary has no such words; a published checkpoint has never
    /// seen a conversation without one.
    None,
}

/// How a conversation is rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatOptions {
    /// Ends with `<|im_start|>assistant\n`, for a model to go on.
    pub generation_prompt: bool,
    /// Puts `Picture N: ` before each image, counting over the conversation.
    pub add_vision_id: bool,
    pub default_system: DefaultSystem,
    /// Recognises added tokens inside messages. Off, a literal `<|im_end|>` in a question stays text.
    pub parse_added_tokens: bool,
    /// Most ids allowed. A longer conversation is refused, never cut.
    pub max_length: Option<usize>,
}

/// A conversation as ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    pub ids: Vec<u32>,
    /// One per id: whether it is a target of supervised training, which is so for the text of every assistant turn and
    /// the `<|im_end|>` that closes it. The newline after it is not.
    pub targets: Vec<bool>,
    /// For each image in order, where its `<|image_pad|>` ids are in `ids`.
    pub image_positions: Vec<Range<usize>>,
}

/// The built-in chat template of Qwen2.5-VL with the ids of one tokenizer.
pub struct ChatTemplate {
    im_start: u32,
    im_end: u32,
    /// Start, pad and end; absent in a text-only vocabulary.
    vision: Option<[u32; 3]>,
    /// Patches that become one token.
    merge_area: usize,
}

impl ChatTemplate {
    /// Looks the template's tokens up. `merge_size` is the image processor's: merge_size² patches become one token.
    ///
    /// Errors: `E_TOKENIZER` when `<|im_start|>` or `<|im_end|>` is missing.
    pub fn new(tokenizer: &Tokenizer, merge_size: usize) -> Result<Self> {
        let vision = [VISION_START, IMAGE_PAD, VISION_END].map(|token| tokenizer.id(token));
        Ok(Self {
            im_start: tokenizer.require(IM_START)?,
            im_end: tokenizer.require(IM_END)?,
            vision: match vision {
                [Some(start), Some(pad), Some(end)] => Some([start, pad, end]),
                _ => None,
            },
            merge_area: merge_size * merge_size,
        })
    }

    /// Encodes `messages`, whose images have the grids `grid_thw` in order (frames, height, width in patches).
    ///
    /// Each stretch between template tokens is encoded as one string, role and text together, because a leading newline
    /// of the text merges with the template's. Only an assistant's text is encoded apart from `assistant\n`: there
    /// sampling begins, and training must cut at the same place.
    ///
    /// Errors: `E_TOKEN_COUNT` naming the message when images and places differ or a grid is not a whole number of
    /// tokens, `E_TOO_LONG`, `E_TOKENIZER`, and `E_TEMPLATE` for no message, or for an image with
    /// a text-only vocabulary.
    pub fn encode(
        &self,
        tokenizer: &Tokenizer,
        messages: &[Message],
        grid_thw: &[[u32; 3]],
        options: &ChatOptions,
    ) -> Result<Encoded> {
        check(messages, grid_thw)?;
        let mut encoded = Encoded::default();
        for segment in segments(messages, options) {
            match segment {
                Segment::Start => encoded.push(&[self.im_start], false),
                Segment::End { target } => encoded.push(&[self.im_end], target),
                Segment::Text { text, target } => {
                    let ids = if options.parse_added_tokens {
                        tokenizer.encode_with_added(&text)?
                    } else {
                        tokenizer.encode_text(&text)?
                    };
                    encoded.push(&ids, target);
                }
                Segment::Image { message, index } => {
                    let [start, pad, end] = self.vision.ok_or_else(|| {
                        Error::Template(format!("message {message} has an image, but the tokenizer has no {IMAGE_PAD}"))
                    })?;
                    encoded.push(&[start], false);
                    let from = encoded.ids.len();
                    encoded.push(&vec![pad; self.image_tokens(grid_thw[index], message, index)?], false);
                    encoded.image_positions.push(from..encoded.ids.len());
                    encoded.push(&[end], false);
                }
            }
        }
        if let Some(limit) = options.max_length
            && encoded.ids.len() > limit
        {
            return Err(Error::TooLong { got: encoded.ids.len(), limit });
        }
        Ok(encoded)
    }

    /// Tokens of an image: t·h·w / merge².
    fn image_tokens(&self, grid: [u32; 3], message: usize, index: usize) -> Result<usize> {
        let patches: usize = grid.iter().map(|&n| n as usize).product();
        if patches == 0 || !patches.is_multiple_of(self.merge_area) {
            return Err(Error::TokenCount {
                message,
                what: format!("patches of image {index} (grid {grid:?}) must be a multiple of the merge area"),
                expected: patches.next_multiple_of(self.merge_area).max(self.merge_area),
                got: patches,
            });
        }
        Ok(patches / self.merge_area)
    }
}

impl Encoded {
    fn push(&mut self, ids: &[u32], target: bool) {
        self.ids.extend_from_slice(ids);
        self.targets.resize(self.ids.len(), target);
    }
}

/// Counts places and images before anything is encoded. The message named is the first whose image is missing, or the
/// last one when images are left over.
fn check(messages: &[Message], grid_thw: &[[u32; 3]]) -> Result<()> {
    if messages.is_empty() {
        return Err(Error::Template("conversation has no message".to_owned()));
    }
    let places = |message: &Message| message.parts.iter().filter(|part| **part == Part::Image).count();
    let expected: usize = messages.iter().map(places).sum();
    if expected == grid_thw.len() {
        return Ok(());
    }
    let mut seen = 0;
    let missing = messages.iter().position(|message| {
        seen += places(message);
        seen > grid_thw.len()
    });
    Err(Error::TokenCount {
        message: missing.unwrap_or(messages.len() - 1),
        what: "number of images against image places of the conversation".to_owned(),
        expected,
        got: grid_thw.len(),
    })
}
