//! The numeric identity test: two expressions that agree to 30 digits at random points are the same function, as far as
//! answers go.

use super::complex::{COMPLEX_ROOT, Complex, Context, DIVISION};
use super::evaluate::Order;
use super::real::Real;
use crate::algebra::Stop;
use crate::algebra::arena::{Arena, Id};
use crate::algebra::number::Rational;
use crate::{Budget, Refusal};

/// Points at poles or outside a domain are drawn again, this often in all.
const DRAWS: usize = 10;
/// Bits that may cancel at 192 before the point is evaluated at 384.
const MAY_CANCEL: i64 = 60;

/// Whether `|a-b| ≤ 10^-digits · (1+|a|+|b|)` at every point.
pub(crate) fn agree(arena: &Arena, a: Id, b: Id, digits: u32, seed: u64, budget: &mut Budget) -> Result<bool, Refusal> {
    let order = Order::new(arena, &[a, b], budget)?;
    let tolerance = Rational::integer(10).power(-i64::from(digits), budget)?.unwrap_or(Rational::ZERO);
    let test = Test { arena, order, a, b, tolerance };
    let points = match (test.order.symbols.is_empty(), arena.has_real_symbols()) {
        (true, _) => 1,
        (false, true) => 3,
        // Identities of real numbers only, such as sqrt(x⁴) = x², need points off the axis.
        (false, false) => 5,
    };
    let mut random = Random(seed);
    let (mut draws, mut point) = (0, 0);
    while point < points {
        let failure = match test.holds_at(&test.draw(point, &mut random), budget) {
            Ok(true) => {
                point += 1;
                continue;
            }
            Ok(false) => return Ok(false),
            Err(Stop::Refused(refusal)) if refusal != Refusal::Big => return Err(refusal),
            Err(failure) => failure,
        };
        // A pole, or an exponent that this point makes too large: another point may do.
        draws += 1;
        if draws == DRAWS || test.order.symbols.is_empty() {
            return match failure {
                Stop::Undefined => Ok(false),
                Stop::Refused(refusal) => Err(refusal),
            };
        }
    }
    Ok(true)
}

/// The value of an expression without symbols, to 192 bits. Undefined if there are any.
pub(crate) fn value(arena: &Arena, id: Id, budget: &mut Budget) -> Result<Complex<4>, Stop> {
    let order = Order::new(arena, &[id], budget)?;
    let mut context = Context { budget, lost: 0 };
    let first = order.evaluate::<4>(arena, &[], &mut context);
    if context.lost <= MAY_CANCEL {
        return Ok(order.find(id, &first?));
    }
    Ok(order.find(id, &order.evaluate::<7>(arena, &[], &mut context)?).narrow())
}

struct Test<'a> {
    arena: &'a Arena,
    order: Order,
    a: Id,
    b: Id,
    tolerance: Rational,
}

impl Test<'_> {
    /// Real and imaginary part for each symbol, neither zero in the points off the axis.
    ///
    /// Signs are dealt, not drawn: all negative, then alternating both ways. Where a branch of a root or logarithm matters some
    /// factor is negative, and three draws would miss that too often. Off the axis the imaginary part is the larger one, so
    /// that squares lie to the left of zero.
    fn draw(&self, point: usize, random: &mut Random) -> Vec<[Rational; 2]> {
        let mut part = |negative: bool, from: i64, to: i64| {
            let numerator = from + random.below(to - from + 1);
            let value = Rational::new(if negative { -numerator } else { numerator }, 301 + random.below(199));
            value.unwrap_or(Rational::ONE)
        };
        let draw_one = |place: usize| {
            let (negative, other) = ((place + point).is_multiple_of(2), place.is_multiple_of(2));
            match point {
                0 => [part(true, 1, 700), Rational::ZERO],
                1 | 2 => [part(negative, 1, if negative { 700 } else { 900 }), Rational::ZERO],
                _ => [part(negative, 1, 300), part(other, 500, 900)],
            }
        };
        (0..self.order.symbols.len()).map(draw_one).collect()
    }

    fn holds_at(&self, point: &[[Rational; 2]], budget: &mut Budget) -> Result<bool, Stop> {
        let mut context = Context { budget, lost: 0 };
        let first = self.compare::<4>(point, &mut context);
        if context.lost <= MAY_CANCEL || matches!(first, Err(Stop::Refused(_))) {
            return first;
        }
        // With more bits a pole may be none, and a difference of neighbours a value.
        self.compare::<7>(point, &mut context)
    }

    fn compare<const N: usize>(&self, point: &[[Rational; 2]], context: &mut Context) -> Result<bool, Stop> {
        // Two divisions for each symbol, and three absolute values.
        context.charge::<N>(3 * COMPLEX_ROOT + 2 * DIVISION * point.len())?;
        let point: Vec<Complex<N>> =
            point.iter().map(|[re, im]| Complex { re: Real::rational(re), im: Real::rational(im) }).collect();
        let values = self.order.evaluate(self.arena, &point, context)?;
        let (a, b) = (self.order.find(self.a, &values), self.order.find(self.b, &values));
        let scale = Real::ONE.add(a.abs()).add(b.abs());
        let error = a.plus(b.neg()).abs();
        Ok(error.compare_abs(&Real::rational(&self.tolerance).mul(scale)).is_le())
    }
}

/// splitmix64 (Steele, Lea and Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number from zero to below `bound`.
    fn below(&mut self, bound: i64) -> i64 {
        (self.next() % bound.unsigned_abs()) as i64
    }
}
