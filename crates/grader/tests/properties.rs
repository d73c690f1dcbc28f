//! What holds for every pair of texts.

mod common;

use coldstart_grader::{
    Limits, Path, Profile, answer_tag, easyr1_squeeze, extract_boxed, format_answer, format_think,
    mathvision_string_form,
};
use common::{PIECES, verdict};
use proptest::prelude::*;

const PROFILES: [Profile; 2] = [Profile::Mathruler, Profile::Lenient];

fn answer() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..14).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_visible_answer_equals_itself(text in answer()) {
        prop_assume!(text.chars().any(|c| !c.is_whitespace() && !c.is_control()));
        for profile in PROFILES {
            prop_assert!(verdict(&text, &text, profile).correct, "{profile:?}");
        }
    }

    #[test]
    fn a_verdict_is_bounded_and_the_same_every_time(given in answer(), gold in answer()) {
        for profile in PROFILES {
            let first = verdict(&given, &gold, profile);
            prop_assert_eq!(first, verdict(&given, &gold, profile));
            prop_assert!(first.steps <= Limits::default().steps);
            prop_assert_eq!(first.correct, !matches!(first.path, Path::Unequal | Path::Refused(_)));
        }
    }

    #[test]
    fn mathruler_is_symmetric(given in answer(), gold in answer()) {
        let (one, other) = (verdict(&given, &gold, Profile::Mathruler), verdict(&gold, &given, Profile::Mathruler));
        prop_assert_eq!(one.correct, other.correct);
    }

    #[test]
    fn an_extracted_answer_is_a_trimmed_part_of_the_response(text in answer()) {
        let response = format!(r"so \boxed{{{text}}} it is");
        for part in [extract_boxed(&response), Some(answer_tag(&response))].into_iter().flatten() {
            prop_assert!(response.contains(part));
            prop_assert_eq!(part, part.trim());
        }
    }

    #[test]
    fn text_helpers_take_any_text(text in answer()) {
        let _ = (format_think(&text), format_answer(&text), mathvision_string_form(&text));
        let squeezed = easyr1_squeeze(&text);
        prop_assert_eq!(&easyr1_squeeze(&squeezed), &squeezed);
    }
}
