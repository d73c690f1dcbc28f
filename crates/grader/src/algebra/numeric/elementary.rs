//! Trigonometric and hyperbolic functions of complex numbers and their inverses, principal branches.

use super::complex::{ARCTAN, COMPLEX_ROOT, Complex, Context, PRODUCT, ROOT, SINH_COSH, SINH_COSH_SERIES};
use super::real::Real;
use crate::algebra::Stop;

impl<const N: usize> Complex<N> {
    pub(super) fn sin_cos(self, context: &mut Context) -> Result<(Self, Self), Stop> {
        let (sin, cos) = context.sin_cos(self.re)?;
        let (sin, cos) = if self.is_real() {
            (Self::real(sin), Self::real(cos))
        } else {
            let (sinh, cosh) = self.im.sinh_cosh_within(context)?;
            (Self { re: sin.mul(cosh), im: cos.mul(sinh) }, Self { re: cos.mul(cosh), im: sin.mul(sinh).neg() })
        };
        if self.re.exponent() < 0 {
            return Ok((sin, cos));
        }
        // The argument was reduced: next to a zero only the bits by which it differs from one are left.
        Ok((context.cancelled(self.re.exponent(), sin), context.cancelled(self.re.exponent(), cos)))
    }

    /// From `sinh z = -i·sin(iz)` and `cosh z = cos(iz)`.
    pub(super) fn sinh_cosh(self, context: &mut Context) -> Result<(Self, Self), Stop> {
        if self.is_real() {
            let (sinh, cosh) = self.re.sinh_cosh_within(context)?;
            return Ok((Self::real(sinh), Self::real(cosh)));
        }
        let (sin, cos) = self.times_i().sin_cos(context)?;
        Ok((sin.times_i().neg(), cos))
    }

    pub(super) fn arcsin(self, context: &mut Context) -> Result<Self, Stop> {
        context.charge::<N>(ROOT + PRODUCT)?;
        if let Some(cosine) = self.other_leg() {
            context.charge::<N>(ARCTAN)?;
            return Ok(Self::real(self.re.atan2(cosine)));
        }
        // -i·ln(iz + sqrt(1-z²))
        context.charge::<N>(COMPLEX_ROOT + PRODUCT)?;
        let z = self.on_axis();
        let root = Self::ONE.sub(z.mul(z), context).sqrt();
        Ok(z.times_i().add(root, context).ln(context)?.times_i().neg())
    }

    pub(super) fn arccos(self, context: &mut Context) -> Result<Self, Stop> {
        context.charge::<N>(ROOT + PRODUCT)?;
        if let Some(sine) = self.other_leg() {
            context.charge::<N>(ARCTAN)?;
            return Ok(Self::real(sine.atan2(self.re)));
        }
        Ok(Self::real(Real::HALF_PI).sub(self.arcsin(context)?, context))
    }

    /// `sqrt(1-x²)` for real `x` in [-1, 1].
    fn other_leg(self) -> Option<Real<N>> {
        let rest = Real::ONE.sub(self.re).mul(Real::ONE.add(self.re));
        (self.is_real() && !rest.is_negative()).then(|| rest.sqrt())
    }

    pub(super) fn arctan(self, context: &mut Context) -> Result<Self, Stop> {
        context.charge::<N>(ARCTAN)?;
        if self.is_real() {
            return Ok(Self::real(self.re.atan()));
        }
        // -i·artanh(iz)
        Ok(self.times_i().artanh(context)?.times_i().neg())
    }

    pub(super) fn arsinh(self, context: &mut Context) -> Result<Self, Stop> {
        if self.re.is_negative() {
            // Odd, and on this side the sum below would cancel.
            return Ok(self.neg().arsinh(context)?.neg());
        }
        context.charge::<N>(COMPLEX_ROOT + PRODUCT)?;
        let root = self.mul(self).add(Self::ONE, context).sqrt();
        self.add(root, context).ln(context)
    }

    pub(super) fn arcosh(self, context: &mut Context) -> Result<Self, Stop> {
        context.charge::<N>(2 * COMPLEX_ROOT + PRODUCT)?;
        let root = self.add(Self::ONE, context).sqrt().mul(self.sub(Self::ONE, context).sqrt());
        self.add(root, context).ln(context)
    }

    pub(super) fn artanh(self, context: &mut Context) -> Result<Self, Stop> {
        let above = Self::ONE.add(self, context).ln(context)?;
        let below = Self::ONE.sub(self, context).ln(context)?;
        Ok(above.sub(below, context).scale(-1))
    }
}

impl<const N: usize> Real<N> {
    fn sinh_cosh_within(self, context: &mut Context) -> Result<(Self, Self), Stop> {
        context.limit_exponent(self)?;
        context.charge::<N>(if self.exponent() < -2 { SINH_COSH_SERIES } else { SINH_COSH })?;
        Ok(self.sinh_cosh())
    }
}
