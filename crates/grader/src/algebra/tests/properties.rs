//! Laws over random expressions.

use proptest::prelude::*;

use crate::algebra::{Arena, Func, How, Id, Rational, equal, monomials};
use crate::{Budget, Limits, Refusal};

/// An expression to build in any arena.
#[derive(Debug, Clone)]
enum Tree {
    Number(i64, i64),
    Symbol(u8),
    Pi,
    Add(Vec<Tree>),
    Mul(Vec<Tree>),
    Div(Box<Tree>, Box<Tree>),
    Power(Box<Tree>, i64),
    Sqrt(Box<Tree>),
    Call(Func, Box<Tree>),
}

impl Tree {
    fn build(&self, arena: &mut Arena, budget: &mut Budget) -> Result<Id, Refusal> {
        let list = |trees: &[Tree], arena: &mut Arena, budget: &mut Budget| {
            trees.iter().map(|tree| tree.build(arena, budget)).collect::<Result<Vec<_>, _>>()
        };
        match self {
            Tree::Number(n, d) => arena.number(Rational::new(*n, *d).unwrap(), budget),
            Tree::Symbol(name) => arena.symbol(&format!("x{name}"), budget),
            Tree::Pi => arena.pi(budget),
            Tree::Add(terms) => {
                let terms = list(terms, arena, budget)?;
                arena.add(terms, budget)
            }
            Tree::Mul(factors) => {
                let factors = list(factors, arena, budget)?;
                arena.mul(factors, budget)
            }
            Tree::Div(a, b) => {
                let (a, b) = (a.build(arena, budget)?, b.build(arena, budget)?);
                arena.div(a, b, budget)
            }
            Tree::Power(base, exponent) => {
                let base = base.build(arena, budget)?;
                let exponent = arena.number(Rational::integer(*exponent), budget)?;
                arena.pow(base, exponent, budget)
            }
            Tree::Sqrt(x) => {
                let x = x.build(arena, budget)?;
                arena.call(Func::Sqrt, vec![x], budget)
            }
            Tree::Call(func, x) => {
                let x = x.build(arena, budget)?;
                arena.call(*func, vec![x], budget)
            }
        }
    }

    /// The value of a rational function at integers, by plain recursion. `None` at a pole.
    fn at(&self, point: &[i64], budget: &mut Budget) -> Option<Rational> {
        match self {
            Tree::Number(n, d) => Rational::new(*n, *d),
            Tree::Symbol(name) => Some(Rational::integer(point[usize::from(*name)])),
            Tree::Add(terms) => terms.iter().try_fold(Rational::ZERO, |sum, term| {
                let term = term.at(point, budget)?;
                Some(sum.add(&term, budget).unwrap())
            }),
            Tree::Mul(factors) => factors.iter().try_fold(Rational::ONE, |product, factor| {
                let factor = factor.at(point, budget)?;
                Some(product.mul(&factor, budget).unwrap())
            }),
            Tree::Div(a, b) => {
                let (a, b) = (a.at(point, budget)?, b.at(point, budget)?);
                a.div(&b, budget).unwrap()
            }
            Tree::Power(base, exponent) => base.at(point, budget)?.power(*exponent, budget).unwrap(),
            Tree::Pi | Tree::Sqrt(_) | Tree::Call(..) => panic!("not a rational function"),
        }
    }

    /// The same function written differently: terms and factors turned round, powers and quotients spelt out.
    fn rewritten(&self) -> Tree {
        match self {
            Tree::Add(terms) => Tree::Add(terms.iter().rev().map(Tree::rewritten).collect()),
            Tree::Mul(factors) => Tree::Mul(factors.iter().rev().map(Tree::rewritten).collect()),
            Tree::Div(a, b) => Tree::Mul(vec![Tree::Power(Box::new(b.rewritten()), -1), a.rewritten()]),
            Tree::Power(base, exponent @ 2..=3) => Tree::Mul(vec![base.rewritten(); *exponent as usize]),
            Tree::Power(base, exponent) => Tree::Power(Box::new(base.rewritten()), *exponent),
            Tree::Sqrt(x) => Tree::Sqrt(Box::new(x.rewritten())),
            Tree::Call(func, x) => Tree::Call(*func, Box::new(x.rewritten())),
            Tree::Number(..) | Tree::Symbol(_) | Tree::Pi => self.clone(),
        }
    }
}

fn inner(leaf: BoxedStrategy<Tree>, any_function: bool) -> impl Strategy<Value = Tree> {
    leaf.prop_recursive(4, 24, 3, move |tree| {
        let boxed = || tree.clone().prop_map(Box::new);
        let rational = prop_oneof![
            prop::collection::vec(tree.clone(), 2..4).prop_map(Tree::Add),
            prop::collection::vec(tree.clone(), 2..4).prop_map(Tree::Mul),
            (boxed(), boxed()).prop_map(|(a, b)| Tree::Div(a, b)),
            (boxed(), -2i64..4).prop_map(|(base, exponent)| Tree::Power(base, exponent)),
        ];
        if !any_function {
            return rational.boxed();
        }
        let functions = [Func::Sin, Func::Cos, Func::Ln, Func::Exp, Func::Abs, Func::Arctan, Func::Tan, Func::Sinh];
        prop_oneof![
            3 => rational,
            1 => boxed().prop_map(Tree::Sqrt),
            1 => (prop::sample::select(functions.to_vec()), boxed()).prop_map(|(func, x)| Tree::Call(func, x)),
        ]
        .boxed()
    })
}

fn number() -> impl Strategy<Value = Tree> {
    (-6i64..7, 1i64..5).prop_map(|(n, d)| Tree::Number(n, d))
}

/// Rational functions of three symbols.
fn rational_function() -> impl Strategy<Value = Tree> {
    inner(prop_oneof![number(), (0u8..3).prop_map(Tree::Symbol)].boxed(), false)
}

fn any_expression() -> impl Strategy<Value = Tree> {
    inner(prop_oneof![2 => number(), 2 => (0u8..3).prop_map(Tree::Symbol), 1 => Just(Tree::Pi)].boxed(), true)
}

fn budget() -> Budget {
    Budget::new(&Limits::default())
}

fn verdict(a: &Tree, b: &Tree, seed: u64) -> Result<Option<How>, Refusal> {
    let (mut arena, mut budget) = (Arena::new(), budget());
    let (a, b) = (a.build(&mut arena, &mut budget)?, b.build(&mut arena, &mut budget)?);
    equal(&mut arena, a, b, seed, &mut budget)
}

/// The numeric test alone.
fn numeric_verdict(a: &Tree, b: &Tree, seed: u64) -> Result<bool, Refusal> {
    let (mut arena, mut budget) = (Arena::new(), budget());
    let (a, b) = (a.build(&mut arena, &mut budget)?, b.build(&mut arena, &mut budget)?);
    crate::algebra::agree(&arena, a, b, 30, seed, &mut budget)
}

/// Whether a rational function is defined at some of a few points, and whether two agree wherever both are.
fn agree_exactly(a: &Tree, b: &Tree) -> Option<bool> {
    let mut budget = Budget::new(&Limits { bits: 1 << 20, steps: u32::MAX, ..Limits::default() });
    let points = [[1009, 2003, -3001], [-4001, 5003, 6007], [7001, -8009, 9001], [10007, 11003, -12007]];
    let mut pairs = points.iter().filter_map(|point| Some((a.at(point, &mut budget)?, b.at(point, &mut budget)?)));
    let first = pairs.next()?;
    Some(std::iter::once(first).chain(pairs).all(|(a, b)| a == b))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn verdicts_on_rational_functions_are_those_of_exact_evaluation(
        a in rational_function(), b in rational_function(), seed in any::<u64>(),
    ) {
        if let (Some(same), Ok(got)) = (agree_exactly(&a, &b), verdict(&a, &b, seed)) {
            prop_assert_eq!(got.is_some(), same);
        }
    }

    #[test]
    fn a_rewritten_rational_function_is_equal(a in rational_function(), seed in any::<u64>()) {
        if let (Some(_), Ok(got)) = (agree_exactly(&a, &a), verdict(&a, &a.rewritten(), seed)) {
            prop_assert!(got.is_some());
        }
    }

    #[test]
    fn the_numeric_test_agrees_with_exact_evaluation(a in rational_function(), seed in any::<u64>()) {
        // Off by more than the tolerance wherever it is defined, however large or small the value: 1+a² is at least both.
        let square = Tree::Add(vec![Tree::Number(1, 1), Tree::Power(Box::new(a.clone()), 2)]);
        let error = Tree::Mul(vec![Tree::Number(1, 1_000_000_000), Tree::Symbol(0), square]);
        let near = Tree::Add(vec![a.clone(), error]);
        prop_assert_ne!(numeric_verdict(&a, &near, seed), Ok(true));
        if agree_exactly(&a, &a).is_some()
            && let Ok(got) = numeric_verdict(&a, &a.rewritten(), seed)
        {
            prop_assert!(got);
        }
    }

    #[test]
    fn every_expression_equals_itself_rewritten(a in any_expression(), seed in any::<u64>()) {
        // Undefined expressions equal nothing; what is defined stays equal under the laws of a ring.
        let ring = Tree::Add(vec![a.clone(), Tree::Number(0, 1)]);
        if let Ok(Some(_)) = verdict(&a, &a, seed) {
            prop_assert_eq!(verdict(&a, &ring, seed), Ok(Some(How::Exact)));
            if let Ok(got) = verdict(&a, &a.rewritten(), seed) {
                prop_assert!(got.is_some() || numeric_verdict(&a, &a, seed) != Ok(true));
            }
        }
    }

    #[test]
    fn equality_is_symmetric(a in any_expression(), b in any_expression(), seed in any::<u64>()) {
        prop_assert_eq!(verdict(&a, &b, seed).map(|how| how.is_some()), verdict(&b, &a, seed).map(|how| how.is_some()));
    }

    #[test]
    fn exact_equality_is_never_denied_numerically(a in any_expression(), b in any_expression(), seed in any::<u64>()) {
        for (a, b) in [(&a, &b), (&a, &a.rewritten())] {
            // Where both are defined somewhere: exactly, 1/(1/0) is 0.
            let defined = |tree| numeric_verdict(tree, tree, seed) == Ok(true);
            if verdict(a, b, seed) == Ok(Some(How::Exact))
                && defined(a)
                && defined(b)
                && let Ok(got) = numeric_verdict(a, b, seed)
            {
                prop_assert!(got, "{:?} against {:?}", a, b);
            }
        }
    }

    #[test]
    fn sums_and_products_obey_the_axioms_of_a_ring(
        a in any_expression(), b in any_expression(), c in any_expression(), seed in any::<u64>(),
    ) {
        let add = |a: &Tree, b: &Tree| Tree::Add(vec![a.clone(), b.clone()]);
        let mul = |a: &Tree, b: &Tree| Tree::Mul(vec![a.clone(), b.clone()]);
        let laws = [
            (add(&add(&a, &b), &c), add(&a, &add(&b, &c))),
            (add(&a, &b), add(&b, &a)),
            (mul(&mul(&a, &b), &c), mul(&a, &mul(&b, &c))),
            (mul(&a, &b), mul(&b, &a)),
            (mul(&a, &add(&b, &c)), add(&mul(&a, &b), &mul(&a, &c))),
        ];
        for (left, right) in laws {
            if let (Ok(Some(_)), Ok(got)) = (verdict(&left, &left, seed), verdict(&left, &right, seed)) {
                prop_assert!(got.is_some() || numeric_verdict(&left, &left, seed) != Ok(true), "{left:?} {right:?}");
            }
        }
    }

    #[test]
    fn doubles_are_not_involved_without_decimal_literals(a in any_expression()) {
        let difference = Tree::Add(vec![a.clone(), Tree::Mul(vec![Tree::Number(-1, 1), a])]);
        let (mut arena, mut budget) = (Arena::new(), budget());
        if let Ok(id) = difference.build(&mut arena, &mut budget)
            && let Ok(Some(sum)) = monomials(&mut arena, id, &mut budget)
        {
            prop_assert!(sum.is_zero());
        }
    }
}
