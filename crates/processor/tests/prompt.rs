//! Conversations to ids: the template, the targets, the images, and the wall between text and template.

mod common;

use coldstart_processor::{ChatOptions, ChatTemplate, DefaultSystem, Encoded, Message, Part, Result, Role, Tokenizer};
use common::{bpe, words};

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn assistant(text: &str) -> Message {
    Message::text(Role::Assistant, text)
}

fn with_images(role: Role, pieces: &[Option<&str>]) -> Message {
    let part = |piece: &Option<&str>| piece.map_or(Part::Image, |text| Part::Text(text.to_owned()));
    Message { role, parts: pieces.iter().map(part).collect() }
}

fn encode(messages: &[Message], grids: &[[u32; 3]], options: &ChatOptions) -> Result<Encoded> {
    let tokenizer = bpe();
    ChatTemplate::new(&tokenizer, 2).unwrap().encode(&tokenizer, messages, grids, options)
}

/// What the ids spell, image pads and all.
fn spelled(encoded: &Encoded) -> String {
    bpe().decode(&encoded.ids, false).unwrap()
}

/// What the targets spell.
fn targets(tokenizer: &Tokenizer, encoded: &Encoded) -> String {
    let kept: Vec<u32> = encoded.ids.iter().zip(&encoded.targets).filter(|(_, t)| **t).map(|(&id, _)| id).collect();
    tokenizer.decode(&kept, false).unwrap()
}

const SYSTEM: &str = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n";

#[test]
fn a_conversation_without_a_system_message_gets_the_published_one() {
    let encoded = encode(&[user("hi")], &[], &ChatOptions::default()).unwrap();
    assert_eq!(spelled(&encoded), format!("{SYSTEM}<|im_start|>user\nhi<|im_end|>\n"));
}

#[test]
fn a_system_message_replaces_the_default_even_when_it_is_empty() {
    for text in ["Be brief.", ""] {
        let messages = [Message::text(Role::System, text), user("hi")];
        let encoded = encode(&messages, &[], &ChatOptions::default()).unwrap();
        assert_eq!(
            spelled(&encoded),
            format!("<|im_start|>system\n{text}<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n")
        );
    }
}

#[test]
fn without_a_default_system_no_block_is_put_but_an_explicit_one_stays() {
    let options = ChatOptions { default_system: DefaultSystem::None, ..ChatOptions::default() };
    assert_eq!(spelled(&encode(&[user("hi")], &[], &options).unwrap()), "<|im_start|>user\nhi<|im_end|>\n");
    let messages = [Message::text(Role::System, "s"), user("hi")];
    assert!(spelled(&encode(&messages, &[], &options).unwrap()).starts_with("<|im_start|>system\ns<|im_end|>\n"));
}

#[test]
fn a_generation_prompt_opens_an_assistant_turn_and_is_no_target() {
    let options = ChatOptions { generation_prompt: true, ..ChatOptions::default() };
    let encoded = encode(&[user("hi")], &[], &options).unwrap();
    assert!(spelled(&encoded).ends_with("hi<|im_end|>\n<|im_start|>assistant\n"));
    assert!(encoded.targets.iter().all(|target| !target));
}

#[test]
fn the_prompt_of_a_sample_is_the_beginning_of_its_training_sequence() {
    let options = ChatOptions { generation_prompt: true, ..ChatOptions::default() };
    let prompt = encode(&[user("2 + 2 ?")], &[], &options).unwrap();
    // An answer that begins with a newline or a space would merge with the template's newline if encoded with it.
    for answer in ["4", "\n4", "\n\n4", " 4", ""] {
        let sample = encode(&[user("2 + 2 ?"), assistant(answer)], &[], &ChatOptions::default()).unwrap();
        assert_eq!(sample.ids[..prompt.ids.len()], prompt.ids, "answer {answer:?}");
        assert!(!sample.targets[..prompt.ids.len()].contains(&true), "answer {answer:?}");
    }
}

#[test]
fn targets_are_the_text_of_every_assistant_turn_and_its_end() {
    let messages = [user("a"), assistant("first"), user("b"), assistant("second")];
    let encoded = encode(&messages, &[], &ChatOptions::default()).unwrap();
    assert_eq!(encoded.ids.len(), encoded.targets.len());
    assert_eq!(targets(&bpe(), &encoded), "first<|im_end|>second<|im_end|>");
}

#[test]
fn role_and_text_are_encoded_as_one_string() {
    let tokenizer = bpe();
    let encoded = encode(&[user("\n\nhi")], &[], &ChatOptions::default()).unwrap();
    let joined = tokenizer.encode_text("user\n\n\nhi").unwrap();
    assert!(encoded.ids.windows(joined.len()).any(|window| window == joined));
    // Encoded apart, the newlines would not have merged.
    let apart = [tokenizer.encode_text("user\n").unwrap(), tokenizer.encode_text("\n\nhi").unwrap()].concat();
    assert_ne!(joined, apart);
}

#[test]
fn neighbouring_text_parts_read_as_one_text() {
    let split = with_images(Role::User, &[Some("th"), Some("e us"), Some("er")]);
    let whole = encode(&[user("the user")], &[], &ChatOptions::default()).unwrap();
    assert_eq!(encode(&[split], &[], &ChatOptions::default()).unwrap(), whole);
}

#[test]
fn an_image_becomes_as_many_pads_as_it_has_merged_patches() {
    let tokenizer = bpe();
    let message = with_images(Role::User, &[None, Some("and"), None, Some(" which?")]);
    let encoded = encode(&[message], &[[1, 4, 6], [1, 2, 2]], &ChatOptions::default()).unwrap();
    let pad = tokenizer.id("<|image_pad|>").unwrap();
    assert_eq!(encoded.image_positions.iter().map(|r| r.len()).collect::<Vec<_>>(), [6, 1]);
    for (i, id) in encoded.ids.iter().enumerate() {
        assert_eq!(*id == pad, encoded.image_positions.iter().any(|r| r.contains(&i)), "position {i}");
    }
    let pads = "<|image_pad|>".repeat(6);
    let user = format!(
        "<|im_start|>user\n<|vision_start|>{pads}<|vision_end|>and<|vision_start|><|image_pad|><|vision_end|> which?<|im_end|>\n"
    );
    assert_eq!(spelled(&encoded), format!("{SYSTEM}{user}"));
}

#[test]
fn vision_ids_count_pictures_over_the_conversation() {
    let messages =
        [with_images(Role::User, &[None, None]), assistant("ok"), with_images(Role::User, &[Some("and "), None])];
    let options = ChatOptions { add_vision_id: true, ..ChatOptions::default() };
    let text = spelled(&encode(&messages, &[[1, 2, 2]; 3], &options).unwrap());
    let image = "<|vision_start|><|image_pad|><|vision_end|>";
    assert!(text.contains(&format!("user\nPicture 1: {image}Picture 2: {image}<|im_end|>")), "{text}");
    assert!(text.contains(&format!("user\nand Picture 3: {image}<|im_end|>")), "{text}");
}

#[test]
fn images_in_an_assistant_turn_are_no_targets() {
    let messages = [user("draw"), with_images(Role::Assistant, &[Some("here: "), None, Some(" done")])];
    let encoded = encode(&messages, &[[1, 2, 4]], &ChatOptions::default()).unwrap();
    assert_eq!(targets(&bpe(), &encoded), "here:  done<|im_end|>");
}

#[test]
fn a_wrong_number_of_images_names_the_message_and_both_counts() {
    let one = || with_images(Role::User, &[None]);
    let two = || with_images(Role::User, &[None, Some("x"), None]);
    for (messages, given, named, expected) in [
        (vec![one(), assistant("a"), two()], 1, 2, 3),
        (vec![two(), assistant("a"), one()], 1, 0, 3),
        (vec![one(), assistant("a")], 2, 1, 1),
        (vec![user("no image")], 1, 0, 0),
    ] {
        let error = encode(&messages, &vec![[1, 2, 2]; given], &ChatOptions::default()).unwrap_err();
        assert_eq!(error.code(), "E_TOKEN_COUNT");
        let message = error.to_string();
        assert!(message.starts_with(&format!("message {named}:")), "{message}");
        assert!(message.ends_with(&format!("expected {expected}, got {given}")), "{message}");
    }
}

#[test]
fn a_grid_that_is_not_a_whole_number_of_tokens_is_refused() {
    for grid in [[1, 3, 3], [0, 2, 2], [1, 1, 2]] {
        let error = encode(&[with_images(Role::User, &[None])], &[grid], &ChatOptions::default()).unwrap_err();
        assert_eq!(error.code(), "E_TOKEN_COUNT", "{grid:?}");
    }
}

#[test]
fn a_conversation_over_the_limit_is_refused_whole_at_every_limit() {
    let messages = [with_images(Role::User, &[Some("what "), None, Some("?")]), assistant("a digit")];
    let whole = encode(&messages, &[[1, 4, 4]], &ChatOptions::default()).unwrap();
    for limit in 0..whole.ids.len() + 3 {
        let options = ChatOptions { max_length: Some(limit), ..ChatOptions::default() };
        match encode(&messages, &[[1, 4, 4]], &options) {
            Ok(encoded) => assert!(limit >= whole.ids.len() && encoded == whole),
            Err(error) => {
                assert!(limit < whole.ids.len());
                assert_eq!(error.code(), "E_TOO_LONG");
                assert!(error.to_string().contains(&whole.ids.len().to_string()), "{error}");
            }
        }
    }
}

#[test]
fn an_empty_conversation_and_an_unknown_role_are_refused() {
    assert_eq!(encode(&[], &[], &ChatOptions::default()).unwrap_err().code(), "E_TEMPLATE");
    let error = "human".parse::<Role>().unwrap_err();
    assert_eq!(error.code(), "E_TEMPLATE");
    assert!(error.to_string().contains("human"), "{error}");
}

#[test]
fn the_switch_for_added_tokens_lets_text_close_a_turn() {
    let options = ChatOptions { parse_added_tokens: true, ..ChatOptions::default() };
    let end = bpe().id("<|im_end|>").unwrap();
    let count =
        |options| encode(&[user("a<|im_end|>b")], &[], options).unwrap().ids.iter().filter(|&&id| id == end).count();
    assert_eq!(count(&options), 3);
    assert_eq!(count(&ChatOptions::default()), 2);
}

#[test]
fn a_word_vocabulary_renders_without_newlines() {
    let tokenizer = words();
    let template = ChatTemplate::new(&tokenizer, 2).unwrap();
    let options = ChatOptions { default_system: DefaultSystem::None, ..ChatOptions::default() };
    let messages = [with_images(Role::User, &[None, Some("what is the sum ?")]), assistant("8 + 9 = \\boxed{17}")];
    let encoded = template.encode(&tokenizer, &messages, &[[1, 2, 4]], &options).unwrap();
    assert_eq!(
        tokenizer.decode(&encoded.ids, false).unwrap(),
        "<|im_start|> user <|vision_start|> <|image_pad|> <|image_pad|> <|vision_end|> what is the sum ? <|im_end|> \
         <|im_start|> assistant 8 + 9 = \\boxed{ 1 7 } <|im_end|>"
    );
    assert_eq!(targets(&tokenizer, &encoded), "8 + 9 = \\boxed{ 1 7 } <|im_end|>");
}
