//! Functions of integers.

use num_bigint::{BigInt, BigUint};

use super::number::Rational;
use crate::{Budget, Refusal};

/// The greatest trial divisor of one-word numbers; longer ones get fewer, so that the work stays alike.
const MOST_DIVISOR: u64 = 1_000_000;
/// Divisions of a word that one step pays for.
const DIVISIONS_PER_STEP: usize = 16;

/// Factors of [`factor`] below this are prime.
pub(super) const PROVEN_PRIME: u64 = MOST_DIVISOR * MOST_DIVISOR;

/// `n!`. `None` for negative `n`.
pub(crate) fn factorial(n: i64, budget: &mut Budget) -> Result<Option<Rational>, Refusal> {
    let Ok(count) = usize::try_from(n) else { return Ok(None) };
    budget.factorial(count)?;
    let mut product = Rational::ONE;
    for factor in 2..=n {
        product = product.mul(&Rational::integer(factor), budget)?;
    }
    Ok(Some(product))
}

/// The number of ways to choose `k` of `n`; zero if there are fewer. `None` for negative `n`.
pub(crate) fn binomial(n: i64, k: i64, budget: &mut Budget) -> Result<Option<Rational>, Refusal> {
    let Ok(count) = usize::try_from(n) else { return Ok(None) };
    budget.factorial(count)?;
    if !(0..=n).contains(&k) {
        return Ok(Some(Rational::ZERO));
    }
    let mut ways = Rational::ONE;
    for i in 1..=k.min(n - k) {
        let Some(ratio) = Rational::new(n - i + 1, i) else { return Ok(None) };
        ways = ways.mul(&ratio, budget)?;
    }
    Ok(Some(ways))
}

/// The greatest common divisor, not negative; of zero and zero, zero.
pub(crate) fn gcd(a: i64, b: i64) -> i64 {
    num_integer::gcd(a.saturating_abs(), b.saturating_abs())
}

/// The factors of a positive integer, by size, and how often each divides it: primes, and at most one larger number that trial
/// division left over. None for one.
pub(super) fn factor(value: BigInt, budget: &mut Budget) -> Result<Vec<(BigInt, u32)>, Refusal> {
    let mut rest = value.into_parts().1;
    let mut factors = Vec::new();
    let mut divisors = Divisors::default();
    while rest.bits() > 64 {
        let words = rest.bits().div_ceil(64) as usize;
        let divisor = divisors.advance(words, budget)?;
        if divisor > MOST_DIVISOR / (4 * words as u64) {
            factors.push(perfect_root(rest, budget)?);
            return Ok(factors);
        }
        let mut count = 0;
        while remainder(&rest, divisor) == 0 {
            budget.step(1 + words / 4)?;
            rest /= divisor;
            count += 1;
        }
        if count > 0 {
            factors.push((divisor.into(), count));
        }
    }
    let mut rest = u64::try_from(rest).unwrap_or(1);
    loop {
        let divisor = divisors.advance(1, budget)?;
        if divisor > MOST_DIVISOR || divisor * divisor > rest {
            break;
        }
        let mut count = 0;
        while rest % divisor == 0 {
            rest /= divisor;
            count += 1;
        }
        if count > 0 {
            factors.push((divisor.into(), count));
        }
    }
    if rest >= PROVEN_PRIME {
        factors.push(perfect_root(rest.into(), budget)?);
    } else if rest > 1 {
        factors.push((rest.into(), 1));
    }
    Ok(factors)
}

/// `(r, k)` with `r^k = value` and `k` as large as small primes make it.
fn perfect_root(mut value: BigUint, budget: &mut Budget) -> Result<(BigInt, u32), Refusal> {
    let mut power = 1;
    let mut degrees = [2, 3, 5, 7].into_iter();
    let mut degree = degrees.next();
    while let Some(k) = degree {
        let words = 1 + value.bits() as usize / 64;
        budget.step(1 + words * words / 8)?;
        let root = value.nth_root(k);
        if root.pow(k) == value {
            value = root;
            power *= k;
        } else {
            degree = degrees.next();
        }
    }
    Ok((value.into(), power))
}

fn remainder(value: &BigUint, divisor: u64) -> u64 {
    let fold = |rest: u64, word: u64| ((u128::from(rest) << 64 | u128::from(word)) % u128::from(divisor)) as u64;
    value.iter_u64_digits().rev().fold(0, fold)
}

/// 2, 3, 5, then every number prime to 30, which all other primes are among.
#[derive(Default)]
struct Divisors {
    last: u64,
    place: usize,
    unpaid: usize,
}

impl Divisors {
    fn advance(&mut self, words: usize, budget: &mut Budget) -> Result<u64, Refusal> {
        const WHEEL: [u64; 8] = [4, 2, 4, 2, 4, 6, 2, 6];
        self.unpaid += words;
        if self.unpaid >= DIVISIONS_PER_STEP {
            budget.step(self.unpaid / DIVISIONS_PER_STEP)?;
            self.unpaid = 0;
        }
        self.last = match self.last {
            0 => 2,
            2 => 3,
            3 => 5,
            5 => 7,
            last => {
                let next = last + WHEEL[self.place];
                self.place = (self.place + 1) % WHEEL.len();
                next
            }
        };
        Ok(self.last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    #[test]
    fn binomials_are_quotients_of_factorials() {
        let mut budget = Budget::new(&Limits::default());
        let f = |n| factorial(n, &mut Budget::new(&Limits::default())).unwrap().unwrap();
        for (n, k) in [(0, 0), (6, 2), (10, 10), (200, 77)] {
            let ways = binomial(n, k, &mut budget).unwrap().unwrap();
            let product = ways.mul(&f(k), &mut budget).unwrap().mul(&f(n - k), &mut budget).unwrap();
            assert_eq!(product, f(n));
        }
    }

    #[test]
    fn choosing_more_than_there_are_is_impossible() {
        let mut budget = Budget::new(&Limits::default());
        assert_eq!(binomial(3, 4, &mut budget), Ok(Some(Rational::ZERO)));
        assert_eq!(binomial(3, -1, &mut budget), Ok(Some(Rational::ZERO)));
        assert_eq!(binomial(-3, 1, &mut budget), Ok(None));
    }

    #[test]
    fn arguments_beyond_the_limit_are_refused_before_any_product() {
        let mut budget = Budget::new(&Limits::default());
        assert_eq!(factorial(201, &mut budget), Err(Refusal::Big));
        assert_eq!(factorial(i64::MAX, &mut budget), Err(Refusal::Big));
        assert_eq!(binomial(201, 1, &mut budget), Err(Refusal::Big));
        assert_eq!(budget.steps(), 0);
    }

    #[test]
    fn factors_multiply_to_the_number_and_are_prime() {
        let mut budget = Budget::new(&Limits::default());
        for value in (1..2000).chain([1_000_003 * 999_983, 2i64.pow(62), 30_030 * 30_030, 999_983 * 999_983 * 7]) {
            let factors = factor(value.into(), &mut budget).unwrap();
            let product: BigInt = factors.iter().map(|(factor, count)| factor.pow(*count)).product();
            assert_eq!(product, value.into());
            for (factor, _) in &factors {
                let factor = i64::try_from(factor).unwrap();
                assert!((2..).take_while(|d| d * d <= factor).all(|d| factor % d != 0), "{value}: {factor}");
            }
        }
    }

    #[test]
    fn powers_of_large_primes_are_recognised() {
        let prime = BigInt::from(1_000_000_007u64);
        let factors = factor(BigInt::from(12) * prime.pow(6), &mut Budget::new(&Limits::default())).unwrap();
        assert_eq!(factors, [(2.into(), 2), (3.into(), 1), (prime, 6)]);
    }

    #[test]
    fn factoring_stops_at_its_budget_of_divisions() {
        let mut budget = Budget::new(&Limits::default());
        let hard = (BigInt::from(1) << 4000) + 1;
        factor(hard, &mut budget).unwrap();
        assert!(budget.steps() < 10_000, "{}", budget.steps());
        let mut few = Budget::new(&Limits { steps: 100, ..Limits::default() });
        assert_eq!(factor(BigInt::from(999_999_999_989i64), &mut few), Err(Refusal::Steps));
    }
}
