//! Functions of integers.

use num_bigint::{BigInt, BigUint};

use super::number::Rational;
use crate::{Budget, Refusal, budget::cost};

/// Trial divisors of numbers of one word are the primes below this.
const DIVISORS_BELOW: usize = 10_000;
/// Of longer numbers so many primes are tried, those below 1000.
const DIVISORS_OF_LONG: usize = 168;

/// Factors of [`factor`] below this are prime.
pub(super) const PROVEN_PRIME: u64 = (DIVISORS_BELOW * DIVISORS_BELOW) as u64;

/// What a root of a long number is charged, for itself and for each word; a product of its words comes on top.
const ROOT: usize = 80;
const ROOT_WORD: usize = 30;

static PRIMES: [u16; 1229] = primes();

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
///
/// More divisors would find more primes, but no more verdicts: what is left over is compared by the numeric test.
pub(super) fn factor(value: BigInt, budget: &mut Budget) -> Result<Vec<(BigInt, u32)>, Refusal> {
    let mut rest = value.into_parts().1;
    let mut factors = Vec::new();
    let mut times = 1;
    if rest.bits() > 64 {
        small_factors(&mut rest, &mut factors, budget)?;
    }
    if rest.bits() > 64 {
        (rest, times) = perfect_root(rest, budget)?;
    }
    match u64::try_from(&rest) {
        Ok(rest) => factor_word(rest, times, &mut factors, budget)?,
        Err(_) => factors.push((rest.into(), times)),
    }
    Ok(factors)
}

/// Adds the factors of a number of one word, each so many times.
fn factor_word(value: u64, times: u32, factors: &mut Vec<(BigInt, u32)>, budget: &mut Budget) -> Result<(), Refusal> {
    let mut rest = value;
    let mut tried = 0;
    for prime in PRIMES.iter().map(|prime| u64::from(*prime)) {
        if prime * prime > rest {
            break;
        }
        tried += 1;
        let mut count = 0;
        while rest.is_multiple_of(prime) {
            rest /= prime;
            count += 1;
        }
        if count > 0 {
            factors.push((prime.into(), count * times));
        }
    }
    // After the work, which is bounded: about 1,300 divisions.
    budget.step(1 + 2 * tried + value.checked_ilog2().unwrap_or(0) as usize)?;
    if rest >= PROVEN_PRIME {
        let (root, power) = perfect_root(rest.into(), budget)?;
        factors.push((root.into(), power * times));
    } else if rest > 1 {
        factors.push((rest.into(), times));
    }
    Ok(())
}

/// Divides a number of several words by the smallest primes.
fn small_factors(rest: &mut BigUint, factors: &mut Vec<(BigInt, u32)>, budget: &mut Budget) -> Result<(), Refusal> {
    let mut primes = PRIMES[..DIVISORS_OF_LONG].iter().map(|prime| u64::from(*prime)).peekable();
    while let Some(first) = primes.next() {
        // One remainder of all words for as many primes as fit a word together.
        let (mut group, mut product) = (vec![first], first);
        while let Some((prime, larger)) = primes.peek().and_then(|prime| Some((*prime, product.checked_mul(*prime)?))) {
            product = larger;
            group.push(prime);
            primes.next();
        }
        let words = rest.iter_u64_digits().len();
        budget.step(cost::ALLOCATION + 4 * words + 2 * group.len())?;
        let remainder = remainder(rest, product);
        for prime in group.into_iter().filter(|prime| remainder.is_multiple_of(*prime)) {
            factors.push((prime.into(), divide_out(rest, prime, budget)?));
        }
    }
    Ok(())
}

/// Divides by a prime as often as it goes: by the largest power of it that fits a word first.
fn divide_out(rest: &mut BigUint, prime: u64, budget: &mut Budget) -> Result<u32, Refusal> {
    let most = u64::MAX.ilog(prime);
    let mut count = 0;
    for exponent in [most, 1] {
        let divisor = prime.pow(exponent);
        loop {
            budget.step(cost::ALLOCATION + 8 * rest.iter_u64_digits().len())?;
            if remainder(rest, divisor) != 0 {
                break;
            }
            *rest /= divisor;
            count += exponent;
        }
    }
    Ok(count)
}

/// `(r, k)` with `r^k = value` and `k` as large as small primes make it.
fn perfect_root(mut value: BigUint, budget: &mut Budget) -> Result<(BigUint, u32), Refusal> {
    let mut power = 1;
    let mut degrees = [2, 3, 5, 7].into_iter();
    let mut degree = degrees.next();
    while let Some(k) = degree {
        let words = 1 + value.bits() as usize / 64;
        budget.step(ROOT + ROOT_WORD * words + words * words / 4)?;
        let root = value.nth_root(k);
        if root.pow(k) == value {
            value = root;
            power *= k;
        } else {
            degree = degrees.next();
        }
    }
    Ok((value, power))
}

fn remainder(value: &BigUint, divisor: u64) -> u64 {
    let fold = |rest: u64, word: u64| ((u128::from(rest) << 64 | u128::from(word)) % u128::from(divisor)) as u64;
    value.iter_u64_digits().rev().fold(0, fold)
}

/// The primes below [`DIVISORS_BELOW`], by the sieve of Eratosthenes.
const fn primes() -> [u16; 1229] {
    let mut composite = [false; DIVISORS_BELOW];
    let mut primes = [0; 1229];
    let (mut count, mut n) = (0, 2);
    while n < DIVISORS_BELOW {
        if !composite[n] {
            primes[count] = n as u16;
            count += 1;
            let mut multiple = n * n;
            while multiple < DIVISORS_BELOW {
                composite[multiple] = true;
                multiple += n;
            }
        }
        n += 1;
    }
    primes
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
        for value in
            (1..2000).chain([9_973 * 10_007, 2i64.pow(62), 30_030 * 30_030, 10_007 * 10_007 * 7, 9_973 * 9_973 * 9_973])
        {
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
    fn long_numbers_are_divided_by_small_primes_and_by_what_they_are_powers_of() {
        let mut budget = Budget::new(&Limits::default());
        let factors = factor(BigInt::from(10).pow(999), &mut budget).unwrap();
        assert_eq!(factors, [(2.into(), 999), (5.into(), 999)]);
        // Neither prime is among the divisors of long numbers.
        let factors = factor(BigInt::from(1009 * 1013).pow(8), &mut budget).unwrap();
        assert_eq!(factors, [(1009.into(), 8), (1013.into(), 8)]);
    }

    #[test]
    fn factoring_stops_at_its_budget_of_divisions() {
        let mut budget = Budget::new(&Limits::default());
        let hard = (BigInt::from(1) << 4000) + 1;
        factor(hard, &mut budget).unwrap();
        assert!(budget.steps() < 30_000, "{}", budget.steps());
        let mut few = Budget::new(&Limits { steps: 100, ..Limits::default() });
        assert_eq!(factor(BigInt::from(999_999_999_989i64), &mut few), Err(Refusal::Steps));
    }
}
