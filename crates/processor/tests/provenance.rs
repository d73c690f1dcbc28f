//! Text from data never becomes a template token, whatever it spells; and otherwise segments give the same ids as the
//! rendered template.

mod common;

use std::sync::LazyLock;

use coldstart_processor::{ChatOptions, ChatTemplate, Encoded, Message, Part, Role, Tokenizer};
use common::{bpe, words};
use proptest::prelude::*;

static BPE: LazyLock<Tokenizer> = LazyLock::new(bpe);
static WORDS: LazyLock<Tokenizer> = LazyLock::new(words);

/// Added tokens, pieces of them, and look-alikes.
const HOSTILE: [&str; 40] = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|object_ref_start|>",
    "<|object_ref_end|>",
    "<|box_start|>",
    "<|box_end|>",
    "<|quad_start|>",
    "<|quad_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
    "<tool_call>",
    "</tool_call>",
    "<|fim_prefix|>",
    "<|fim_middle|>",
    "<|fim_suffix|>",
    "<|fim_pad|>",
    "<|repo_name|>",
    "<|file_sep|>",
    "<tool>",
    "<|im",
    "_end|>",
    "<|",
    "|>",
    "＜|im_end|＞",
    "<|im\u{200b}_end|>",
    "<|i\u{212a}_end|>",
    "<|im_end|>\u{338}",
    "\u{301}",
    "<image>",
    "<unk>",
    "\n",
    " ",
    "assistant\n",
    "user",
    "system",
    "what",
];

fn hostile_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![3 => prop::sample::select(&HOSTILE[..]).prop_map(str::to_owned), 1 => "\\PC{0,4}"];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn message(role: Role) -> impl Strategy<Value = Message> {
    let part = prop_oneof![4 => hostile_text().prop_map(Part::Text), 1 => Just(Part::Image)];
    prop::collection::vec(part, 0..4).prop_map(move |parts| Message { role, parts })
}

/// A system message or none, then user and assistant turns.
fn conversation() -> impl Strategy<Value = Vec<Message>> {
    let turns = prop::collection::vec((message(Role::User), message(Role::Assistant)), 1..3);
    (prop::option::of(message(Role::System)), turns).prop_map(|(system, turns)| {
        system.into_iter().chain(turns.into_iter().flat_map(|(user, assistant)| [user, assistant])).collect()
    })
}

fn num_images(messages: &[Message]) -> usize {
    messages.iter().flat_map(|message| &message.parts).filter(|part| **part == Part::Image).count()
}

/// Counts every special id and compares it with what the structure of the conversation asks for.
fn check(tokenizer: &Tokenizer, messages: &[Message], encoded: &Encoded) -> Result<(), TestCaseError> {
    let images = num_images(messages);
    let blocks = messages.len() + usize::from(messages[0].role != Role::System);
    let wanted = |token: &str| match token {
        "<|im_start|>" | "<|im_end|>" => Some(blocks),
        "<|vision_start|>" | "<|vision_end|>" => Some(images),
        "<|image_pad|>" => Some(6 * images),
        // Text that a word vocabulary does not know.
        "<unk>" => None,
        _ => Some(0),
    };
    for token in HOSTILE {
        let Some(id) = tokenizer.id(token).filter(|&id| tokenizer.is_special(id) || id >= 1280) else {
            continue;
        };
        let got = encoded.ids.iter().filter(|&&other| other == id).count();
        if let Some(wanted) = wanted(token) {
            prop_assert_eq!(got, wanted, "{}", token);
        }
    }
    prop_assert_eq!(encoded.image_positions.len(), images);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_text_of_any_role_produces_a_template_id(messages in conversation(), add_vision_id: bool) {
        let grids = vec![[1, 4, 6]; num_images(&messages)];
        let options = ChatOptions { add_vision_id, ..ChatOptions::default() };
        for tokenizer in [&*BPE, &*WORDS] {
            let encoded = ChatTemplate::new(tokenizer, 2).unwrap().encode(tokenizer, &messages, &grids, &options).unwrap();
            check(tokenizer, &messages, &encoded)?;
        }
    }
}

/// The template as a string, one pad an image.
fn rendered(messages: &[Message]) -> String {
    let mut text = String::new();
    if messages[0].role != Role::System {
        text += "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n";
    }
    for message in messages {
        text += &format!("<|im_start|>{}\n", message.role.name());
        for part in &message.parts {
            match part {
                Part::Text(part) => text += part,
                Part::Image => text += "<|vision_start|><|image_pad|><|vision_end|>",
            }
        }
        text += "<|im_end|>\n";
    }
    text
}

fn harmless_conversation() -> impl Strategy<Value = Vec<Message>> {
    let text = "[a-zA-Z0-9é漢🙂 .,?!\\n\\\\{}<>|]{0,20}";
    let user = prop_oneof![3 => text.prop_map(Part::Text), 1 => Just(Part::Image)];
    let user = prop::collection::vec(user, 0..4).prop_map(|parts| Message { role: Role::User, parts });
    // Encoded apart from the newline before it, an answer that begins with white space has ids of its own.
    let assistant =
        "[a-z0-9\\\\][a-zA-Z0-9é漢🙂 .,?!\\n{}]{0,20}".prop_map(|text| Message::text(Role::Assistant, text));
    prop::collection::vec((user, assistant), 1..3)
        .prop_map(|turns| turns.into_iter().flat_map(|(user, assistant)| [user, assistant]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn segments_give_the_ids_of_the_rendered_template(messages in harmless_conversation()) {
        let text = rendered(&messages);
        prop_assume!(BPE.encode_text(&text).is_ok());
        let grids = vec![[1, 2, 2]; num_images(&messages)];
        let options = ChatOptions::default();
        let encoded = ChatTemplate::new(&BPE, 2).unwrap().encode(&BPE, &messages, &grids, &options).unwrap();
        prop_assert_eq!(encoded.ids, BPE.encode_with_added(&text).unwrap());
    }
}
