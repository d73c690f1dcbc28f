//! The chat template as a list of segments.
//!
//! `<|im_start|>ROLE\nCONTENT<|im_end|>\n`, an image in CONTENT being `<|vision_start|><|image_pad|>…<|vision_end|>`.

use super::{ChatOptions, DefaultSystem, Message, Part, Role};

const HELPFUL: &str = "You are a helpful assistant.";

/// A template token, or text between two of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    Start,
    End {
        target: bool,
    },
    /// Never empty.
    Text {
        text: String,
        target: bool,
    },
    /// The `index`-th image of the conversation, in message `message`.
    Image {
        message: usize,
        index: usize,
    },
}

/// The segments of a conversation.
pub fn segments(messages: &[Message], options: &ChatOptions) -> Vec<Segment> {
    let mut builder = Builder::default();
    let system_first = messages.first().is_some_and(|message| message.role == Role::System);
    if !system_first && options.default_system == DefaultSystem::Helpful {
        builder.open(Role::System);
        builder.text.push_str(HELPFUL);
        builder.close(false);
    }
    for (index, message) in messages.iter().enumerate() {
        builder.message(index, message, options);
    }
    if options.generation_prompt {
        builder.open(Role::Assistant);
        builder.flush(false);
    }
    builder.segments
}

#[derive(Default)]
struct Builder {
    segments: Vec<Segment>,
    /// Text since the last template token.
    text: String,
    images: usize,
}

impl Builder {
    fn message(&mut self, index: usize, message: &Message, options: &ChatOptions) {
        let target = message.role == Role::Assistant;
        self.open(message.role);
        if target {
            self.flush(false);
        }
        for part in &message.parts {
            match part {
                Part::Text(text) => self.text.push_str(text),
                Part::Image => {
                    if options.add_vision_id {
                        self.text.push_str(&format!("Picture {}: ", self.images + 1));
                    }
                    self.flush(target);
                    self.segments.push(Segment::Image { message: index, index: self.images });
                    self.images += 1;
                }
            }
        }
        self.close(target);
    }

    fn open(&mut self, role: Role) {
        self.flush(false);
        self.segments.push(Segment::Start);
        self.text.push_str(role.name());
        self.text.push('\n');
    }

    fn close(&mut self, target: bool) {
        self.flush(target);
        self.segments.push(Segment::End { target });
        self.text.push('\n');
        self.flush(false);
    }

    fn flush(&mut self, target: bool) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.segments.push(Segment::Text { text, target });
        }
    }
}
