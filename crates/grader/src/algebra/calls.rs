//! Functions of numbers.

use super::Stop;
use super::arena::Func;
use super::coefficient::Coefficient;
use super::integer;
use super::number::Rational;
use super::numeric;
use crate::{Budget, Refusal};

/// The value of a function of numbers: of doubles a double, of exact numbers an exact one. `None` if it is not real or has no
/// such form.
pub(super) fn of_numbers(func: Func, args: &[Coefficient], budget: &mut Budget) -> Result<Option<Coefficient>, Stop> {
    let exact: Option<Vec<Rational>> = args.iter().map(|arg| arg.exact().cloned()).collect();
    if let Some(args) = exact {
        return Ok(of_exact(func, &args, budget)?.map(Coefficient::Exact));
    }
    if !args.iter().all(|arg| arg.to_f64().is_finite()) {
        return Err(Stop::Undefined);
    }
    let args: Result<Vec<_>, _> = args.iter().map(|arg| arg.to_rational(budget)).collect();
    Ok(numeric::real_call(func, &args?, budget)?.map(Coefficient::Double))
}

fn of_exact(func: Func, args: &[Rational], budget: &mut Budget) -> Result<Option<Rational>, Stop> {
    Ok(match (func, args) {
        (Func::Abs, [x]) => Some(x.abs()),
        (Func::Re, [x]) => Some(x.clone()),
        (Func::Im, [_]) => Some(Rational::ZERO),
        (Func::Floor, [x]) => Some(x.floor(budget)?),
        (Func::Ceil, [x]) => Some(x.neg().floor(budget)?.neg()),
        (Func::Factorial, [n]) => integer::factorial(whole(n)?, budget)?,
        (Func::Binomial, [n, k]) => integer::binomial(whole(n)?, whole(k)?, budget)?,
        (Func::Gcd, [_, ..]) => {
            let numbers: Result<Vec<i64>, Stop> = args.iter().map(whole).collect();
            Some(Rational::integer(numbers?.into_iter().fold(0, integer::gcd)))
        }
        (Func::Min | Func::Max, [first, rest @ ..]) => {
            let mut chosen = first;
            for x in rest {
                let order = x.compare(chosen, budget)?;
                if if func == Func::Min { order.is_lt() } else { order.is_gt() } {
                    chosen = x;
                }
            }
            Some(chosen.clone())
        }
        (_, [x]) if x.is_zero() => at_zero(func),
        _ => None,
    })
}

fn at_zero(func: Func) -> Option<Rational> {
    match func {
        Func::Sin | Func::Tan | Func::Arcsin | Func::Arctan => Some(Rational::ZERO),
        Func::Sinh | Func::Tanh | Func::Arsinh | Func::Artanh => Some(Rational::ZERO),
        Func::Cos | Func::Sec | Func::Cosh => Some(Rational::ONE),
        _ => None,
    }
}

/// An argument that has to be an integer.
fn whole(value: &Rational) -> Result<i64, Stop> {
    if !value.is_integer() {
        return Err(Stop::Undefined);
    }
    Ok(value.to_i64().ok_or(Refusal::Big)?)
}
