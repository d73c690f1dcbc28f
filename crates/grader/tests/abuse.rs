//! What a policy might try instead of answering. Responses are graded as the accuracy reward does: last box, then `grade`.

mod common;

use coldstart_grader::{Profile, extract_boxed};
use common::verdict;

fn reward(response: &str, gold: &str) -> [bool; 2] {
    let answer = extract_boxed(response);
    [Profile::Mathruler, Profile::Lenient]
        .map(|profile| answer.is_some_and(|answer| verdict(answer, gold, profile).correct))
}

const WRONG: [bool; 2] = [false; 2];
const RIGHT: [bool; 2] = [true; 2];

#[test]
fn of_two_boxes_the_last_counts() {
    assert_eq!(reward(r"\boxed{7} no, \boxed{8}", "7"), WRONG);
    assert_eq!(reward(r"\boxed{7} no, \boxed{8}", "8"), RIGHT);
    assert_eq!(reward(r"\boxed{8} and \boxed{7", "8"), WRONG);
}

#[test]
fn a_box_inside_the_thought_counts_if_none_follows() {
    assert_eq!(reward(r"<think>\boxed{7}</think> seven", "7"), RIGHT);
    assert_eq!(reward(r"<think>\boxed{7}</think> \boxed{8}", "7"), WRONG);
}

#[test]
fn naming_every_option_is_wrong() {
    for answer in ["A, B, C, D", "ABCD", "A or B", "A B C D", "(A)(B)(C)(D)", "A/B", r"\{A,B,C,D\}"] {
        assert_eq!(reward(&format!(r"\boxed{{{answer}}}"), "B"), WRONG, "{answer}");
    }
}

#[test]
fn an_empty_or_missing_box_is_wrong() {
    for response in [r"\boxed{}", r"\boxed{ }", r"\boxed{$$}", "the number 12 of the question is 12", r"\fbox{12}", ""]
    {
        assert_eq!(reward(response, "12"), WRONG, "{response}");
    }
}

#[test]
fn look_alike_letters_are_other_letters() {
    assert_eq!(reward("\\boxed{\u{410}}", "A"), WRONG);
    assert_eq!(reward("\\boxed{\u{ff21}}", "A"), WRONG);
}

#[test]
fn words_of_programs_mean_nothing() {
    for answer in
        ["None", "nan", "inf", "undefined", "null", "True", "0/0", "x", "gold", "__import__('os')", "1 if 1 else 0"]
    {
        for gold in ["12", "C", r"\frac{1}{2}"] {
            assert_eq!(reward(&format!(r"\boxed{{{answer}}}"), gold), WRONG, "{answer} {gold}");
        }
    }
}

#[test]
fn an_answer_cannot_cancel_the_gold_one() {
    // Texts that would leave their parentheses, or that no calculation finishes.
    for answer in ["1)*(0", "0)+(12", "12)-(12)+(12", "0*(", "x-x", "1/0", "0^0^0", "12=12=12x", "12%0"] {
        let [mathruler, _] = reward(&format!(r"\boxed{{{answer}}}"), "12");
        assert!(!mathruler, "{answer}");
        assert_eq!(reward(&format!(r"\boxed{{{answer}}}"), "35"), WRONG, "{answer}");
    }
}
