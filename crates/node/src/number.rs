//! Whole numbers from JavaScript. napi would read an integer modulo 2³² and NaN as 0, so every count comes as `f64` and is checked here.

use crate::failure::Failure;

/// The largest integer below which JavaScript has all of them.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// `value` as an integer of type `T`, or `E_USAGE` calling it `name`.
pub fn whole<T: TryFrom<u64>>(name: &str, value: f64) -> Result<T, Failure> {
    let exact = (0.0..=MAX_SAFE).contains(&value) && value.fract() == 0.0;
    exact.then(|| T::try_from(value as u64).ok()).flatten().ok_or_else(|| {
        let max = if size_of::<T>() == 4 { f64::from(u32::MAX) } else { MAX_SAFE };
        Failure::new("E_USAGE", format!("{name}: expected a whole number from 0 to {max}, got {value}"))
    })
}

/// Every value, or `E_USAGE` naming the first that is none.
pub fn wholes<T: TryFrom<u64>>(name: &str, values: &[f64]) -> Result<Vec<T>, Failure> {
    values.iter().enumerate().map(|(i, &value)| whole(&format!("{name}[{i}]"), value)).collect()
}
