//! Arithmetic on mantissas: arrays of `N` words, least significant first, without allocation.

/// The most words of a number.
pub(super) const MOST: usize = 8;

pub(super) fn add_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(u64::from(carry));
    (sum, first || second)
}

pub(super) fn sub_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(u64::from(borrow));
    (difference, first || second)
}

/// `words / 2^by`, and the word below the last place.
pub(super) fn shift_down<const N: usize>(words: &[u64; N], by: usize) -> ([u64; N], u64) {
    let (skip, bits) = (by / 64, by % 64);
    let at = |i: usize| words.get(i).copied().unwrap_or(0);
    // The word at index i of the result, counted from `below` at index 0.
    let shifted = |i: usize| {
        let low = (i + skip).checked_sub(1);
        let low_word = low.map_or(0, at);
        if bits == 0 { low_word } else { low_word >> bits | at(low.map_or(0, |low| low + 1)) << (64 - bits) }
    };
    if skip > N {
        return ([0; N], 0);
    }
    (std::array::from_fn(|i| shifted(i + 1)), shifted(0))
}

/// The upper `N` words of a product, and the word below them.
pub(super) fn product<const N: usize>(a: &[u64; N], b: &[u64; N]) -> ([u64; N], u64) {
    let mut wide = [0; 2 * MOST];
    for i in 0..N {
        let mut carry = 0;
        for j in 0..N {
            let sum = u128::from(a[i]) * u128::from(b[j]) + u128::from(wide[i + j]) + carry;
            wide[i + j] = sum as u64;
            carry = sum >> 64;
        }
        wide[i + N] = carry as u64;
    }
    (std::array::from_fn(|i| wide[N + i]), wide[N - 1])
}

/// `(high · 2^(64N) + low · 2^(64(N-1))) / divisor`, cut off. `high < divisor`, and the top bit of `divisor` is set; `N ≥ 2`.
///
/// Long division in words (Knuth, The Art of Computer Programming 2, 4.3.1 D).
pub(super) fn quotient<const N: usize>(high: &[u64; N], low: u64, divisor: &[u64; N]) -> [u64; N] {
    let mut rest = [0; 2 * MOST];
    rest[N..2 * N].copy_from_slice(high);
    rest[N - 1] = low;
    let (first, second) = (u128::from(divisor[N - 1]), u128::from(divisor[N - 2]));
    let mut result = [0; N];
    for place in (0..N).rev() {
        // Two words by one: the guess is at most two too large, and the third word corrects nearly all of that.
        let top = u128::from(rest[place + N]) << 64 | u128::from(rest[place + N - 1]);
        let mut guess = (top / first).min(u128::from(u64::MAX));
        let mut left = top - guess * first;
        while left >> 64 == 0 && guess * second > (left << 64 | u128::from(rest[place + N - 2])) {
            guess -= 1;
            left += first;
        }
        let mut guess = guess as u64;
        let mut carry = 0;
        let mut borrow = false;
        for i in 0..N {
            let part = u128::from(guess) * u128::from(divisor[i]) + carry;
            carry = part >> 64;
            (rest[place + i], borrow) = sub_borrow(rest[place + i], part as u64, borrow);
        }
        (rest[place + N], borrow) = sub_borrow(rest[place + N], carry as u64, borrow);
        if borrow {
            guess -= 1;
            let mut carry = false;
            for i in 0..N {
                (rest[place + i], carry) = add_carry(rest[place + i], divisor[i], carry);
            }
            rest[place + N] = rest[place + N].wrapping_add(u64::from(carry));
        }
        result[place] = guess;
    }
    result
}

/// `1/(n+1)!` for each `n` from 0, as fixed point: the coefficients of `(e^x - 1)/x`. The first, one, does not fit and is left
/// zero.
static INVERSE_FACTORIALS: [[u64; MOST]; 48] = {
    let mut table = [[0; MOST]; 48];
    table[1][MOST - 1] = 1 << 63;
    let mut n = 2;
    while n < table.len() {
        // Long division of the entry before by n + 1, from the top.
        let mut rest = 0;
        let mut i = MOST;
        while i > 0 {
            i -= 1;
            let part = rest << 64 | table[n - 1][i] as u128;
            table[n][i] = (part / (n as u128 + 1)) as u64;
            rest = part % (n as u128 + 1);
        }
        n += 1;
    }
    table
};

/// `1/(n+1)!` to `N` words; `n ≥ 1`.
pub(super) fn inverse_factorial<const N: usize>(n: usize) -> [u64; N] {
    std::array::from_fn(|i| INVERSE_FACTORIALS[n][MOST - N + i])
}
