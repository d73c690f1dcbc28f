//! The value of an expression at a point.

use super::complex::{Complex, Context, DIVISION, EXP, PRODUCT, QUOTIENT};
use super::real::Real;
use crate::algebra::Stop;
use crate::algebra::arena::{Arena, Func, Id, Node, Symbol};
use crate::algebra::integer;
use crate::algebra::number::Rational;
use crate::{Budget, Refusal, budget::cost};

/// Values stay below `2^LARGEST` and above its inverse; no answer needs more, and exponents cannot overflow.
const LARGEST: i64 = 1 << 32;

/// Everything below some expressions, children before parents: the order to evaluate in.
#[derive(Debug)]
pub(crate) struct Order {
    ids: Vec<Id>,
    /// Where in `ids` a node is, by [`Id::index`]; anything for the nodes that are not.
    places: Vec<u32>,
    /// The symbols that occur, by name: their values do not depend on which expression was read first.
    pub symbols: Vec<Symbol>,
}

impl Order {
    /// # Errors
    /// [`Refusal::Symbols`] for too many symbols.
    pub fn new(arena: &Arena, roots: &[Id], budget: &mut Budget) -> Result<Self, Refusal> {
        const WANTED: u32 = 1;
        let size = roots.iter().map(|id| id.index() + 1).max().unwrap_or(0);
        budget.step(cost::BIG + size / cost::BYTES)?;
        let mut order = Self { ids: Vec::new(), places: vec![0; size], symbols: Vec::new() };
        let mut left = 0_usize;
        let want =
            |places: &mut [u32], id: Id| usize::from(std::mem::replace(&mut places[id.index()], WANTED) != WANTED);
        for root in roots {
            left += want(&mut order.places, *root);
        }
        // A node is made after its children, so one pass down finds everything.
        for id in arena.ids_below(size).rev() {
            if left == 0 {
                break;
            }
            budget.step(1)?;
            if order.places[id.index()] != WANTED {
                continue;
            }
            left -= 1;
            order.ids.push(id);
            for child in arena.node(id).children() {
                budget.step(2)?;
                left += want(&mut order.places, child);
            }
            if let Node::Symbol(symbol) = arena.node(id)
                && !order.symbols.contains(symbol)
            {
                order.symbols.push(*symbol);
                budget.symbols(order.symbols.len())?;
            }
        }
        order.ids.reverse();
        for (place, id) in (0..).zip(&order.ids) {
            order.places[id.index()] = place;
        }
        order.symbols.sort_unstable_by_key(|symbol| arena.name(*symbol));
        Ok(order)
    }

    /// Of the values of [`Order::evaluate`], the one of a node.
    pub(super) fn find<const N: usize>(&self, id: Id, values: &[Complex<N>]) -> Complex<N> {
        values[self.places[id.index()] as usize]
    }

    /// The values at a point (a value for each of `symbols`), in the order of the nodes.
    pub(super) fn evaluate<const N: usize>(
        &self,
        arena: &Arena,
        point: &[Complex<N>],
        context: &mut Context,
    ) -> Result<Vec<Complex<N>>, Stop> {
        context.budget.step(cost::ALLOCATION + self.ids.len())?;
        let mut values = Vec::with_capacity(self.ids.len());
        for &id in &self.ids {
            let value = match arena.node(id) {
                Node::Symbol(symbol) => {
                    let place = self.symbols.iter().position(|other| other == symbol);
                    *place.and_then(|place| point.get(place)).ok_or(Stop::Undefined)?
                }
                node => evaluate_node(arena, node, |id| self.find(*id, &values), context)?,
            };
            if value.exponent() > LARGEST {
                return Err(Refusal::Big.into());
            }
            // Underflow; zero itself lies far below.
            values.push(if value.exponent() < -LARGEST { Complex::ZERO } else { value });
        }
        Ok(values)
    }
}

/// The double nearest to a function of real numbers; `None` if its value is not real.
pub(crate) fn real_call(func: Func, args: &[Rational], budget: &mut Budget) -> Result<Option<f64>, Stop> {
    let args: Vec<_> = args.iter().map(|arg| Complex::<4>::real(Real::rational(arg))).collect();
    let value = call(func, &args, &mut Context { budget, lost: 0 })?.on_axis();
    Ok(value.is_real().then(|| value.re.to_f64()))
}

/// The double nearest to a real power; `None` if it is not real.
pub(crate) fn real_power(base: &Rational, exponent: &Rational, budget: &mut Budget) -> Result<Option<f64>, Stop> {
    let [base, exponent] = [base, exponent].map(|value| Complex::<4>::real(Real::rational(value)));
    let value = base.pow(exponent, &mut Context { budget, lost: 0 })?.on_axis();
    Ok(value.is_real().then(|| value.re.to_f64()))
}

fn evaluate_node<const N: usize>(
    arena: &Arena,
    node: &Node,
    at: impl Fn(&Id) -> Complex<N>,
    context: &mut Context,
) -> Result<Complex<N>, Stop> {
    context.charge::<N>(1)?;
    Ok(match node {
        Node::Number(value) | Node::Decimal(value, _) => {
            context.charge::<N>(if value.is_integer() { 1 } else { DIVISION })?;
            context.budget.step(if value.to_small().is_some() { 0 } else { cost::BIG + value.bits() / 8 })?;
            Complex::real(Real::rational(value))
        }
        Node::Pi => Complex::real(Real::PI),
        Node::E => {
            context.charge::<N>(EXP)?;
            Complex::real(Real::ONE.exp())
        }
        Node::I => Complex::I,
        Node::Infinity | Node::Symbol(_) => return Err(Stop::Undefined),
        Node::Add(terms) => {
            context.charge::<N>(2 * terms.len())?;
            let sum = terms.iter().fold(Complex::ZERO, |sum, term| sum.plus(at(term)));
            // Against the largest term, not one by one: `1 - 1 + x` loses nothing.
            let largest = terms.iter().map(|term| at(term).exponent()).max();
            largest.map_or(sum, |largest| context.cancelled(largest, sum))
        }
        Node::Mul(factors) => {
            context.charge::<N>(PRODUCT * factors.len())?;
            factors.iter().fold(Complex::ONE, |product, factor| product.mul(at(factor)))
        }
        Node::Pow(base, exponent) if *arena.node(*base) == Node::E => at(exponent).exp(context)?,
        Node::Pow(base, exponent) => at(base).pow(at(exponent), context)?,
        Node::Call(func, args) => {
            let args: Vec<_> = args.iter().map(&at).collect();
            call(*func, &args, context)?
        }
    })
}

fn call<const N: usize>(func: Func, args: &[Complex<N>], context: &mut Context) -> Result<Complex<N>, Stop> {
    context.budget.step(cost::ALLOCATION + args.len())?;
    context.charge::<N>(QUOTIENT)?;
    match *args {
        _ if func.is_variadic() => choose(func, args),
        [x] => call_with_one(func, x, context),
        [x, y] => call_with_two(func, x, y, context),
        _ => Err(Stop::Undefined),
    }
}

fn call_with_one<const N: usize>(func: Func, x: Complex<N>, context: &mut Context) -> Result<Complex<N>, Stop> {
    Ok(match func {
        Func::Ln => x.ln(context)?,
        Func::Exp => x.exp(context)?,
        Func::Sqrt => {
            context.charge::<N>(x.sqrt_cost())?;
            x.sqrt()
        }
        Func::Sin => x.sin_cos(context)?.0,
        Func::Cos => x.sin_cos(context)?.1,
        Func::Tan => quotient(x.sin_cos(context)?)?,
        Func::Cot => quotient(x.sin_cos(context)?)?.recip()?,
        Func::Sec => x.sin_cos(context)?.1.recip()?,
        Func::Csc => x.sin_cos(context)?.0.recip()?,
        Func::Arcsin => x.arcsin(context)?,
        Func::Arccos => x.arccos(context)?,
        Func::Arctan => x.arctan(context)?,
        Func::Sinh => x.sinh_cosh(context)?.0,
        Func::Cosh => x.sinh_cosh(context)?.1,
        Func::Tanh => quotient(x.sinh_cosh(context)?)?,
        Func::Arsinh => x.arsinh(context)?,
        Func::Arcosh => x.arcosh(context)?,
        Func::Artanh => x.artanh(context)?,
        Func::Abs => Complex::real(x.abs()),
        Func::Re => Complex::real(x.on_axis().re),
        Func::Im => Complex::real(x.on_axis().im),
        Func::Floor => Complex::real(x.floor()?),
        Func::Ceil => Complex::real(x.neg().floor()?.neg()),
        Func::Factorial => {
            let n = x.to_integer().ok_or(Stop::Undefined)?;
            exact(integer::factorial(n, context.budget)?)?
        }
        Func::Log | Func::Root | Func::Binomial | Func::Min | Func::Max | Func::Gcd => return Err(Stop::Undefined),
    })
}

fn call_with_two<const N: usize>(
    func: Func,
    x: Complex<N>,
    y: Complex<N>,
    context: &mut Context,
) -> Result<Complex<N>, Stop> {
    match func {
        Func::Log => x.ln(context)?.div(y.ln(context)?),
        Func::Root => x.pow(y.recip()?, context),
        Func::Binomial => {
            let (n, k) = (x.to_integer().ok_or(Stop::Undefined)?, y.to_integer().ok_or(Stop::Undefined)?);
            exact(integer::binomial(n, k, context.budget)?)
        }
        _ => Err(Stop::Undefined),
    }
}

/// The least, the greatest or the greatest common divisor of real numbers.
fn choose<const N: usize>(func: Func, args: &[Complex<N>]) -> Result<Complex<N>, Stop> {
    let args = args.iter().map(|x| x.on_axis());
    if func == Func::Gcd {
        let integers: Option<Vec<i64>> = args.map(Complex::to_integer).collect();
        let divisor = integers.ok_or(Stop::Undefined)?.into_iter().fold(0, integer::gcd);
        return Ok(Complex::real(Real::integer(divisor)));
    }
    let reals: Option<Vec<Real<N>>> = args.map(|x| x.is_real().then_some(x.re)).collect();
    let reals = reals.ok_or(Stop::Undefined)?.into_iter();
    let chosen = if func == Func::Min { reals.min_by(Real::compare) } else { reals.max_by(Real::compare) };
    chosen.map(Complex::real).ok_or(Stop::Undefined)
}

fn quotient<const N: usize>((numerator, denominator): (Complex<N>, Complex<N>)) -> Result<Complex<N>, Stop> {
    numerator.div(denominator)
}

fn exact<const N: usize>(value: Option<Rational>) -> Result<Complex<N>, Stop> {
    value.map(|value| Complex::real(Real::rational(&value))).ok_or(Stop::Undefined)
}
