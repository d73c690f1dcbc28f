//! Inputs made to be expensive: each ends within its budget, by a verdict or a refusal.

use proptest::prelude::*;

use super::parse::parse;
use crate::algebra::{Arena, Func, Id, Rational, agree, equal, monomials, value};
use crate::{Budget, Limits, Refusal};

/// The refusal of comparing `a` with `1`, and the steps it took.
fn refusal(a: &str) -> (Option<Refusal>, u32) {
    let (mut arena, mut budget) = (Arena::new(), Budget::new(&Limits::default()));
    let verdict = parse(&mut arena, a, &mut budget).and_then(|a| {
        let one = arena.number(Rational::ONE, &mut budget)?;
        equal(&mut arena, a, one, 1, &mut budget)
    });
    (verdict.err(), budget.steps())
}

#[test]
fn numbers_beyond_the_limit_are_refused_before_they_are_built() {
    for text in [
        "9^9^9^9",
        "9^(9^(9^9))",
        "10^(10^8)",
        "10^(-10^8)",
        "(1/3)^(10^8)",
        "2^5000",
        "2^4000*2^4000",
        "1/3^3000+1/7^3000",
        "99999999!",
        "201!",
        "5!!!",
        "binomial(1000,500)",
        "2^(10^40)",
        "sqrt(2)^100000",
        "2^(100001/2)",
        "sin(x)^3001",
        "sin(x)^(-3001)",
        "exp(10^10*sqrt(2))",
        "exp(exp(exp(exp(10))))",
        "sin(10^1000)",
        "cosh(10^5)",
        "sin(10^5*I)",
        "(1/10^9+sqrt(2))^3001",
    ] {
        let (refused, steps) = refusal(text);
        assert_eq!(refused, Some(Refusal::Big), "{text}");
        assert!(steps < 20_000, "{text} took {steps} steps");
    }
}

#[test]
fn integers_up_to_the_limit_are_not_refused() {
    for text in ["2^4095", "200!", "binomial(200,100)", "1/3^2000", "x^3000", "(x+y)^3000", "exp(3000)", "exp(-3000)"] {
        assert_eq!(refusal(text).0, None, "{text}");
    }
}

#[test]
fn literals_of_many_digits_are_refused_unread() {
    let mut budget = Budget::new(&Limits::default());
    let digits = "7".repeat(1_000_000);
    assert_eq!(Arena::new().integer(&digits, &mut budget), Err(Refusal::Big));
    assert_eq!(Arena::new().decimal(&format!("0.{digits}"), &mut budget), Err(Refusal::Big));
    assert_eq!(Arena::new().decimal("1e99999999999999999999", &mut budget), Err(Refusal::Big));
    assert_eq!(Arena::new().decimal("1e-99999", &mut budget), Err(Refusal::Big));
}

#[test]
fn deep_nests_are_refused_by_size() {
    let nest = |open: &str, depth: usize| format!("{}2{}", open.repeat(depth), ")".repeat(depth));
    for open in ["sqrt(", "ln(3+", "1/(1+", "abs(sin("] {
        let closers = open.matches('(').count();
        let text = |depth: usize| nest(open, depth / closers).replace(')', &")".repeat(closers));
        assert_eq!(refusal(&text(100)).0, Some(Refusal::Size), "{open}");
        assert_eq!(refusal(&text(20)).0, None, "{open}");
    }
    // Long is not deep.
    assert_eq!(refusal(&vec!["x"; 800].join("+")).0, None);
}

#[test]
fn many_symbols_are_refused_only_by_the_numeric_test() {
    let names: Vec<String> = (0..300).map(|i| format!("x{i}")).collect();
    let (mut arena, mut budget) = (Arena::new(), Budget::new(&Limits::default()));
    let sum = parse(&mut arena, &names.join("+"), &mut budget).unwrap();
    let turned: Vec<String> = names.into_iter().rev().collect();
    let turned = parse(&mut arena, &turned.join("+"), &mut budget).unwrap();
    assert!(equal(&mut arena, sum, turned, 1, &mut budget).unwrap().is_some());
    assert_eq!(refusal("sin(a+b+c+d+f+g)").0, Some(Refusal::Symbols));
    assert_eq!(refusal("sin(a+b+c+d+f)").0, None);
}

#[test]
fn expensive_expansions_end_by_their_steps_or_a_verdict() {
    let sums: Vec<String> = (0..60).map(|i| format!("(a+b*{i}+c^{})", i % 7)).collect();
    for text in [
        sums.join("*"),
        sums.join("/"),
        format!("1/({})", sums.join("+1/")),
        "(a+b+c+d)^100/(a-b)^99".into(),
        "((((a+b)^9+c)^9+d)^9+1)^9".into(),
        "sqrt(10^1200+7)*sqrt(10^1200+9)*sqrt(10^1200+11)".into(),
        vec!["sin(x)^3*exp(y)"; 250].join("+tan(x)/"),
    ] {
        let (refused, steps) = refusal(&text);
        assert!(matches!(refused, None | Some(Refusal::Steps | Refusal::Big | Refusal::Size)), "{text}: {refused:?}");
        assert!(steps <= 200_000);
    }
}

const FUNCTIONS: [Func; 30] = [
    Func::Ln,
    Func::Log,
    Func::Exp,
    Func::Sqrt,
    Func::Root,
    Func::Sin,
    Func::Cos,
    Func::Tan,
    Func::Cot,
    Func::Sec,
    Func::Csc,
    Func::Arcsin,
    Func::Arccos,
    Func::Arctan,
    Func::Sinh,
    Func::Cosh,
    Func::Tanh,
    Func::Arsinh,
    Func::Arcosh,
    Func::Artanh,
    Func::Abs,
    Func::Re,
    Func::Im,
    Func::Floor,
    Func::Ceil,
    Func::Factorial,
    Func::Binomial,
    Func::Min,
    Func::Max,
    Func::Gcd,
];

/// What to push on a stack of expressions, or to do with its top.
#[derive(Debug, Clone)]
enum Step {
    Literal(&'static str),
    Symbol(u8),
    Constant(u8),
    Add(usize),
    Mul(usize),
    Pow,
    Neg,
    Div,
    Call(Func, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let literals = [
        "0",
        "1",
        "2",
        "3",
        "4",
        "7",
        "200",
        "3000",
        "3001",
        "0.1",
        "0.5",
        "2.0",
        "1e-9",
        "1e18",
        "1e300",
        "1e-300",
        "1e-330",
        "9223372036854775807",
        "9223372036854775808",
        "4611686018427387904",
        "1000000016000000063",
        "1e1200",
        "0.1234567890123456789",
        "18446744073709551616",
    ];
    prop_oneof![
        3 => prop::sample::select(literals.to_vec()).prop_map(Step::Literal),
        1 => (0u8..3).prop_map(Step::Symbol),
        1 => (0u8..4).prop_map(Step::Constant),
        1 => (1usize..4).prop_map(Step::Add),
        1 => (1usize..4).prop_map(Step::Mul),
        1 => Just(Step::Pow),
        1 => Just(Step::Neg),
        1 => Just(Step::Div),
        3 => (prop::sample::select(FUNCTIONS.to_vec()), 1usize..4).prop_map(|(func, count)| Step::Call(func, count)),
    ]
}

fn run(steps: &[Step], arena: &mut Arena, budget: &mut Budget) -> Result<Id, Refusal> {
    let mut stack = vec![arena.symbol("z", budget)?];
    for step in steps {
        let mut pop = |count: usize| stack.split_off(stack.len() - count.min(stack.len() - 1));
        let id = match step {
            Step::Literal(text) => arena.decimal(text, budget)?.unwrap(),
            Step::Symbol(name) => arena.symbol(&name.to_string(), budget)?,
            Step::Constant(0) => arena.pi(budget)?,
            Step::Constant(1) => arena.e(budget)?,
            Step::Constant(2) => arena.i(budget)?,
            Step::Constant(_) => arena.infinity(budget)?,
            Step::Add(count) => arena.add(pop(*count), budget)?,
            Step::Mul(count) => arena.mul(pop(*count), budget)?,
            Step::Call(func, count) => arena.call(*func, pop(*count), budget)?,
            Step::Neg => {
                let top = *stack.last().unwrap();
                arena.neg(top, budget)?
            }
            Step::Pow | Step::Div => {
                let pair = pop(2);
                let (a, b) = (*pair.first().unwrap_or(&stack[0]), *pair.last().unwrap_or(&stack[0]));
                if matches!(step, Step::Pow) { arena.pow(a, b, budget)? } else { arena.div(a, b, budget)? }
            }
        };
        stack.push(id);
    }
    Ok(*stack.last().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_expression_panics_or_exceeds_its_budget(
        a in prop::collection::vec(step(), 1..30), b in prop::collection::vec(step(), 1..10), seed in any::<u64>(),
    ) {
        let (mut arena, mut budget) = (Arena::new(), Budget::new(&Limits::default()));
        let built = run(&a, &mut arena, &mut budget).and_then(|a| Ok((a, run(&b, &mut arena, &mut budget)?)));
        if let Ok((a, b)) = built {
            let verdict = equal(&mut arena, a, b, seed, &mut budget);
            let mut fresh = Budget::new(&Limits::default());
            let turned = equal(&mut arena, b, a, seed, &mut fresh);
            let holds = |verdict: Result<Option<_>, _>| matches!(verdict, Ok(Some(_)));
            prop_assert_eq!(holds(turned), holds(verdict));
            for id in [a, b] {
                let mut budget = Budget::new(&Limits::default());
                if let Ok(Some(value)) = value(&mut arena, id, &mut budget) {
                    let _ = (value.round(6, &mut budget), value.to_f64(), value.compare(&value, &mut budget));
                }
                let _ = monomials(&mut arena, id, &mut Budget::new(&Limits::default()));
                let _ = agree(&arena, id, id, 15, seed, &mut Budget::new(&Limits::default()));
            }
        }
        prop_assert!(budget.steps() <= 200_000);
    }
}
