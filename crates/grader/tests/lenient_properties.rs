//! What holds for every lenient comparison.

mod common;

use coldstart_grader::{Limits, Profile, constant_value, extract_answer};
use common::verdict;
use proptest::prelude::*;

const PIECES: [&str; 40] = [
    "1",
    "20",
    "0.5",
    "1,234",
    "x",
    "e",
    "i",
    "\\pi",
    "+",
    "-",
    "\\pm ",
    "/",
    ":",
    "^",
    "_",
    "!",
    "%",
    "=",
    "<",
    "\\le ",
    "\\cup ",
    ",",
    ";",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\\{",
    "\\}",
    "|",
    "\\frac",
    "\\sqrt",
    "\\sin ",
    "\\log",
    "\\text{",
    "$",
    "answer is ",
    " ",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..20).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => any::<String>()]
}

fn equal(gold: &str, given: &str) -> bool {
    verdict(given, gold, Profile::Lenient).correct
}

fn joined(numbers: &[i32]) -> String {
    numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(", ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn an_extracted_answer_is_a_part_of_the_response_that_fits_the_limits(response in text()) {
        let limits = Limits::default();
        if let Some(answer) = extract_answer(&response, &limits) {
            prop_assert!(response.contains(answer));
        }
    }

    #[test]
    fn a_constant_is_finite_and_twice_it_is_twice_as_much(latex in text()) {
        let limits = Limits::default();
        if let Some(value) = constant_value(&latex, &limits) {
            prop_assert!(value.is_finite());
            let twice = constant_value(&format!("2\\cdot({latex})"), &limits);
            // Text that was cut or stripped at its ends no longer stands there.
            prop_assert!(twice.is_none_or(|twice| (twice - 2.0 * value).abs() <= 1e-9 * value.abs()), "{latex}");
        }
    }

    #[test]
    fn the_order_of_a_set_does_not_matter_and_that_of_a_tuple_does(
        (numbers, shuffled) in prop::collection::hash_set(-99..99, 3..7).prop_flat_map(|numbers| {
            let numbers: Vec<i32> = numbers.into_iter().collect();
            (Just(numbers.clone()), Just(numbers).prop_shuffle())
        })
    ) {
        let (a, b) = (joined(&numbers), joined(&shuffled));
        let set = format!("\\{{{a}\\}}");
        let bare = b.replace(", ", " or ");
        prop_assert!(equal(&set, &b) && equal(&a, &bare));
        let (a, b) = (format!("({a})"), format!("({b})"));
        prop_assert_eq!(equal(&a, &b), numbers == shuffled);
    }

    #[test]
    fn a_value_is_equal_however_it_is_written_and_its_neighbour_is_not(n in -999_i64..999, d in 2_i64..60, k in 2_i64..9) {
        let gold = format!("\\frac{{{n}}}{{{d}}}");
        for given in [format!("{n}/{d}"), format!("\\dfrac{{{}}}{{{}}}", n * k, d * k), format!("x = {:.9}", n as f64 / d as f64)] {
            prop_assert!(equal(&gold, &given), "{given}");
        }
        let percent = format!("{}\\%", 100 * n / d);
        prop_assert_eq!(equal(&gold, &percent), 100 * n % d == 0);
        let neighbour = format!("{}/{d}", n + 1);
        prop_assert!(!equal(&gold, &neighbour));
    }

    #[test]
    fn a_turned_or_multiplied_inequality_is_the_same(a in 1_i64..30, b in -30_i64..30, k in 1_i64..9) {
        let gold = format!("{a}x > {b}");
        for given in [format!("{b} < {a}x"), format!("{}x > {}", a * k, b * k), format!("{}x < {}", -a * k, -b * k)] {
            prop_assert!(equal(&gold, &given), "{given}");
        }
        for given in [format!("{a}x < {b}"), format!("{a}x \\ge {b}"), format!("{}x > {}", -a * k, -b * k)] {
            prop_assert!(!equal(&gold, &given), "{given}");
        }
        let set = format!("(\\frac{{{b}}}{{{a}}}, \\infty)");
        prop_assert!(equal(&gold, &set));
    }
}
