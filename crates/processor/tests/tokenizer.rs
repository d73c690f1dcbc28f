//! Encoding and decoding with a byte-level BPE and with a word vocabulary.

mod common;

use std::fs;

use coldstart_processor::{StreamDecoder, Tokenizer};
use common::{bpe, fixture, words};
use proptest::prelude::*;
use serde_json::{Value, json};

fn parsed(name: &str) -> Value {
    serde_json::from_slice(&fs::read(fixture(name)).unwrap()).unwrap()
}

fn load(file: &Value) -> coldstart_processor::Result<Tokenizer> {
    Tokenizer::from_bytes("tokenizer.json", &serde_json::to_vec(file).unwrap())
}

fn refusal(file: &Value) -> String {
    let error = load(file).err().expect("refused");
    assert_eq!(error.code(), "E_TOKENIZER");
    assert!(error.to_string().contains("tokenizer.json"), "{error}");
    error.to_string()
}

/// Every added token of a file, special or not.
fn added(name: &str) -> Vec<String> {
    let list = parsed(name)["added_tokens"].as_array().unwrap().clone();
    list.iter().map(|token| token["content"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ids_below_the_cut_equal_the_published_ones() {
    let tokenizer = bpe();
    assert_eq!(tokenizer.encode_text("user").unwrap(), [872]);
    assert_eq!(tokenizer.encode_text("\n").unwrap(), [198]);
    assert_eq!(tokenizer.encode_text("12").unwrap(), [16, 17]);
    assert_eq!(tokenizer.vocab_size(), 1280 + 22);
}

#[test]
fn tokens_are_found_by_their_string_and_missing_ones_are_named() {
    let tokenizer = bpe();
    assert_eq!(tokenizer.id("<|im_end|>"), Some(1282));
    assert_eq!(tokenizer.token(1282).as_deref(), Some("<|im_end|>"));
    assert_eq!(tokenizer.id("<|nothing|>"), None);
    let error = tokenizer.require("<|nothing|>").unwrap_err();
    assert_eq!(error.code(), "E_TOKENIZER");
    assert!(error.to_string().contains("<|nothing|>") && error.to_string().contains("bpe.json"), "{error}");
}

#[test]
fn an_added_token_in_text_stays_text_whether_special_or_not() {
    let tokenizer = bpe();
    let tokens = added("bpe.json");
    assert_eq!(tokens.len(), 22);
    for token in tokens {
        let ids = tokenizer.encode_text(&token).unwrap();
        assert!(ids.iter().all(|&id| id < 1280), "{token}: {ids:?}");
        assert_eq!(tokenizer.decode(&ids, true).unwrap(), token);
    }
}

#[test]
fn added_tokens_are_recognised_only_on_request() {
    let tokenizer = bpe();
    let text = "a<|im_end|><tool_call>b";
    let a = tokenizer.encode_text("a").unwrap();
    let b = tokenizer.encode_text("b").unwrap();
    let special = ["<|im_end|>", "<tool_call>"].map(|t| tokenizer.id(t).unwrap());
    assert_eq!(tokenizer.encode_with_added(text).unwrap(), [&a[..], &special[..], &b[..]].concat());
}

#[test]
fn decoding_can_leave_special_tokens_out_but_keeps_other_added_ones() {
    let tokenizer = bpe();
    let ids = tokenizer.encode_with_added("a<tool_call>b<|im_end|>").unwrap();
    assert_eq!(tokenizer.decode(&ids, true).unwrap(), "a<tool_call>b");
    assert_eq!(tokenizer.decode(&ids, false).unwrap(), "a<tool_call>b<|im_end|>");
}

#[test]
fn ids_of_no_token_decode_to_nothing() {
    let tokenizer = bpe();
    assert_eq!(tokenizer.token(1_000_000), None);
    assert_eq!(tokenizer.decode(&[872, 1_000_000], false).unwrap(), "user");
}

#[test]
fn words_digits_and_the_box_are_tokens_and_a_newline_is_none() {
    let tokenizer = words();
    let names = |text| -> Vec<String> {
        tokenizer.encode_text(text).unwrap().iter().map(|&id| tokenizer.token(id).unwrap()).collect()
    };
    assert_eq!(names("the sum is \\boxed{17}\n"), ["the", "sum", "is", "\\boxed{", "1", "7", "}"]);
    assert_eq!(names("the sum is \\boxed{ 1 7 }"), ["the", "sum", "is", "\\boxed{", "1", "7", "}"]);
    assert!(tokenizer.encode_text("\n").unwrap().is_empty());
    assert!(tokenizer.encode_text("").unwrap().is_empty());
    assert_eq!(tokenizer.decode(&tokenizer.encode_text("8 + 9 = 17 ;").unwrap(), true).unwrap(), "8 + 9 = 1 7 ;");
}

#[test]
fn a_word_vocabulary_that_lists_template_tokens_does_not_match_them_in_text() {
    let tokenizer = words();
    let unknown = tokenizer.id("<unk>").unwrap();
    assert_eq!(tokenizer.encode_text("what <|im_end|> <|image_pad|>").unwrap()[1..], [unknown, unknown]);
    // An added token that is not special is a word like any other when the vocabulary has it.
    assert_eq!(tokenizer.encode_text("<tool>").unwrap(), [tokenizer.id("<tool>").unwrap()]);
}

#[test]
fn template_tokens_are_guarded_even_when_the_file_lists_no_added_tokens() {
    let mut file = parsed("words.json");
    file["added_tokens"] = json!([]);
    let tokenizer = load(&file).unwrap();
    let im_end = tokenizer.id("<|im_end|>").unwrap();
    assert!(tokenizer.is_special(im_end));
    assert_eq!(tokenizer.encode_text("<|im_end|>").unwrap(), [tokenizer.id("<unk>").unwrap()]);
}

#[test]
fn text_that_the_model_itself_turns_into_a_special_token_is_refused() {
    // A model that looks whole words up before merging finds a special token that is also in its vocabulary.
    let mut file = parsed("bpe.json");
    file["model"]["ignore_merges"] = json!(true);
    file["model"]["vocab"]["evil"] = json!(1280);
    for (index, token) in file["added_tokens"].as_array_mut().unwrap().iter_mut().enumerate() {
        token["id"] = json!(1281 + index);
    }
    let evil = json!({ "id": 1280, "content": "evil", "special": true, "normalized": false, "single_word": false, "lstrip": false, "rstrip": false });
    file["added_tokens"].as_array_mut().unwrap().insert(0, evil);
    let error = load(&file).unwrap().encode_text("evil").unwrap_err();
    assert_eq!(error.code(), "E_TOKENIZER");
    assert!(error.to_string().contains("evil"), "{error}");
}

#[test]
fn truncation_and_padding_of_the_file_have_no_effect() {
    let mut file = parsed("words.json");
    file["padding"] = json!({
        "strategy": { "Fixed": 9 }, "direction": "Right", "pad_to_multiple_of": null,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>",
    });
    let tokenizer = load(&file).unwrap();
    assert_eq!(tokenizer.encode_text("1 2 3 4 5 6").unwrap().len(), 6);
    assert_eq!(tokenizer.encode_text("1").unwrap().len(), 1);
}

#[test]
fn dropout_in_the_file_has_no_effect() {
    let mut file = parsed("bpe.json");
    file["model"]["dropout"] = json!(0.9);
    let text = "the user is in the list and the other is not";
    assert_eq!(load(&file).unwrap().encode_text(text).unwrap(), bpe().encode_text(text).unwrap());
}

#[test]
fn a_list_that_disagrees_with_the_ids_in_use_is_refused() {
    let mut file = parsed("bpe.json");
    file["added_tokens"][3]["id"] = json!(1299);
    let message = refusal(&file);
    assert!(message.contains("<|object_ref_start|>") && message.contains("1299"), "{message}");
}

#[test]
fn a_file_with_too_many_entries_is_refused_before_anything_is_built() {
    let token = |i| {
        json!({ "id": 1000 + i, "content": format!("t{i}"), "special": false, "normalized": false,
            "single_word": false, "lstrip": false, "rstrip": false })
    };
    let mut tokens = parsed("words.json");
    tokens["added_tokens"] = (0..100_000).map(token).collect();
    let mut words = parsed("words.json");
    words["model"]["vocab"] =
        (0..500_001).map(|i| (format!("w{i}"), json!(i))).collect::<serde_json::Map<_, _>>().into();
    let mut merges = parsed("bpe.json");
    merges["model"]["merges"] = vec!["a a"; 500_001].into();
    for (file, excess) in [(tokens, "100000 added tokens"), (words, "500001 words"), (merges, "500001 merges")] {
        let bytes = serde_json::to_vec(&file).unwrap();
        let error = Tokenizer::from_bytes("tokenizer.json", &bytes).err().unwrap();
        assert_eq!(error.code(), "E_TOKENIZER");
        assert!(error.to_string().contains(excess), "{error}");
    }
}

#[test]
fn files_that_are_no_tokenizer_are_refused_by_name() {
    let too_large = vec![b' '; (64 << 20) + 1];
    let reason = Tokenizer::from_bytes("big.json", &too_large).err().unwrap().to_string();
    assert!(reason.contains("big.json") && reason.contains("67108865"), "{reason}");
    let missing = Tokenizer::from_file(fixture("absent.json")).err().unwrap();
    assert_eq!(missing.code(), "E_TOKENIZER");
    assert!(missing.to_string().contains("absent.json"), "{missing}");
    for bytes in [&b""[..], b"{}", b"[]", b"{\"model\": 1}", b"\xff\xfe", &b"[".repeat(100_000)] {
        assert_eq!(Tokenizer::from_bytes("broken.json", bytes).err().unwrap().code(), "E_TOKENIZER");
    }
    let mut file = parsed("bpe.json");
    file["model"]["merges"].as_array_mut().unwrap().push(json!("never there"));
    refusal(&file);
    let mut file = parsed("words.json");
    file["model"] = json!({ "type": "WordPiece", "vocab": { "[UNK]": 0 }, "unk_token": "[UNK]",
        "continuing_subword_prefix": "##", "max_input_chars_per_word": 100 });
    file["added_tokens"] = json!([]);
    assert!(refusal(&file).contains("neither BPE nor WordLevel"));
}

fn streamed(tokenizer: &Tokenizer, ids: &[u32], skip_special: bool) -> Vec<String> {
    let mut decoder = StreamDecoder::new(skip_special);
    let mut pieces: Vec<String> = ids.iter().map(|&id| decoder.push(tokenizer, id).unwrap()).collect();
    pieces.push(decoder.finish());
    pieces
}

#[test]
fn a_character_of_several_tokens_is_streamed_whole() {
    let tokenizer = bpe();
    let ids = tokenizer.encode_text("漢🙂").unwrap();
    assert!(ids.len() > 4, "the fixture should split these characters");
    let pieces = streamed(&tokenizer, &ids, true);
    assert!(pieces.iter().all(|piece| !piece.contains('\u{fffd}')), "{pieces:?}");
    assert_eq!(pieces.concat(), "漢🙂");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_text_decodes_to_its_composed_form(text in "[a-zé漢🙂0-9 \\n<|>_]{0,40}") {
        // The classes above hold composed characters only, which the normaliser leaves alone.
        let tokenizer = bpe();
        prop_assert_eq!(tokenizer.decode(&tokenizer.encode_text(&text).unwrap(), true).unwrap(), text);
    }
}

#[test]
fn streaming_any_ids_gives_the_text_of_decoding_them_at_once() {
    for tokenizer in [bpe(), words()] {
        let size = tokenizer.vocab_size() as u32;
        let ids = prop::collection::vec(0..size + 3, 0..30);
        let mut runner = proptest::test_runner::TestRunner::default();
        let outcome = runner.run(&(ids, any::<bool>()), |(ids, skip)| {
            prop_assert_eq!(streamed(&tokenizer, &ids, skip).concat(), tokenizer.decode(&ids, skip).unwrap());
            Ok(())
        });
        outcome.unwrap();
    }
}

#[test]
fn decoding_equals_the_library_for_any_ids() {
    let library = tokenizers::Tokenizer::from_file(fixture("bpe.json")).unwrap();
    let tokenizer = bpe();
    let mut runner = proptest::test_runner::TestRunner::default();
    let outcome = runner.run(&(prop::collection::vec(0..1310u32, 0..30), any::<bool>()), |(ids, skip)| {
        prop_assert_eq!(tokenizer.decode(&ids, skip).unwrap(), library.decode(&ids, skip).unwrap());
        Ok(())
    });
    outcome.unwrap();
}
