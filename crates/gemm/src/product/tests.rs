//! Every kernel that this processor can run against sums in f64, over shapes that reach every edge of every tile.

use super::*;
use crate::scalar::Element;

/// Uniform in [-1, 1).
pub(super) struct Values(u64);

impl Values {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    }

    fn take<T: Scalar>(&mut self, n: usize) -> Vec<T> {
        (0..n).map(|_| T::from_f64(self.next())).collect()
    }
}

/// An operand `[rows, cols]` in one of the layouts that models use.
#[derive(Clone, Copy, Debug)]
enum Layout {
    Rows,
    Columns,
    /// A column range of a wider row-major matrix.
    Part,
    /// Neither direction is contiguous.
    Spread,
}

const LAYOUTS: [Layout; 4] = [Layout::Rows, Layout::Columns, Layout::Part, Layout::Spread];

impl Layout {
    fn size(self, rows: usize, cols: usize) -> usize {
        match self {
            Layout::Rows | Layout::Columns => rows * cols,
            Layout::Part => rows * (cols + 5),
            Layout::Spread => rows * (3 * cols + 1),
        }
    }

    fn view<T>(self, data: &[T], rows: usize, cols: usize) -> Mat<'_, T> {
        match self {
            Layout::Rows => Mat::new(data, rows, cols),
            Layout::Columns => Mat::new(data, cols, rows).t(),
            Layout::Part => Mat::strided(data, rows, cols, cols + 5, 1),
            Layout::Spread => Mat::strided(data, rows, cols, 3 * cols + 1, 3),
        }
    }
}

fn at<T: Scalar>(m: &Mat<T>, i: usize, j: usize) -> f64 {
    assert!(i < m.rows() && j < m.cols());
    // SAFETY: inside the view.
    unsafe { *m.as_ptr().add(i * m.row_stride() + j * m.col_stride()) }.to_f64()
}

/// Nearest bf16, ties to even: written from the definition, by the two neighbours.
fn bf16(x: f64) -> f64 {
    let x = x as f32;
    let below = f32::from_bits(x.to_bits() & 0xffff_0000);
    let above = f32::from_bits((x.to_bits() & 0xffff_0000) + 0x1_0000);
    let (down, up) = ((x - below).abs(), (above - x).abs());
    let even = below.to_bits() & 0x1_0000 == 0;
    f64::from(if down < up || (down == up && even) { below } else { above })
}

fn round(precision: Precision, x: f64) -> f64 {
    if precision == Precision::Bf16 { bf16(x) } else { x }
}

struct Case {
    m: usize,
    k: usize,
    n: usize,
    layouts: (Layout, Layout),
    accumulate: bool,
    bias: bool,
}

/// Checks one product against f64 and the plain right-hand side against the packed one.
fn check_case<T: Scalar + Element>(kernel: &'static Kernel<T>, precision: Precision, case: &Case) {
    let &Case { m, k, n, layouts: (a_layout, b_layout), accumulate, bias } = case;
    let mut values = Values((m * 10007 + k * 101 + n) as u64);
    let a: Vec<T> = values.take(a_layout.size(m, k));
    let b: Vec<T> = values.take(b_layout.size(k, n));
    let (a, b) = (a_layout.view(&a, m, k), b_layout.view(&b, k, n));
    let bias: Option<Vec<T>> = bias.then(|| values.take(n));
    let stride = n + 3;
    let before: Vec<T> = if accumulate { values.take(m * stride) } else { vec![T::NAN; m * stride] };
    let mut c = before.clone();
    multiply(kernel, a, b, MatMut::strided(&mut c, m, n, stride), accumulate, bias.as_deref(), pool::threads());
    let name = kernel.name;
    let error = if size_of::<T>() == 8 { 1e-15 } else { 2e-7 };
    for i in 0..m {
        for j in 0..n {
            let mut sum = if accumulate { before[i * stride + j].to_f64() } else { 0.0 };
            let mut size = sum.abs() + 1.0;
            sum += bias.as_ref().map_or(0.0, |bias| bias[j].to_f64());
            for d in 0..k {
                let term = round(precision, at(&a, i, d)) * round(precision, at(&b, d, j));
                sum += term;
                size += term.abs();
            }
            let got = c[i * stride + j].to_f64();
            let allowed = error * size * (4.0 + k as f64).sqrt();
            assert!(
                (got - sum).abs() <= allowed,
                "{name}, {precision:?}, [{m}, {k}]·[{k}, {n}], {a_layout:?}·{b_layout:?}: C[{i}, {j}] = {got}, expected {sum} ± {allowed}"
            );
        }
        for j in n..stride {
            let (was, is) = (before[i * stride + j].to_f64(), c[i * stride + j].to_f64());
            assert!(was == is || was.is_nan() && is.is_nan(), "{name}: wrote beyond row {i}");
        }
    }
    let packed = Packed::for_kernel(kernel, b);
    let mut again = before;
    gemm(a, Rhs::Packed(&packed), MatMut::strided(&mut again, m, n, stride), accumulate, bias.as_deref(), precision);
    assert!(same_bits(&c, &again), "{name}: plain and packed differ at [{m}, {k}]·[{k}, {n}]");
}

fn same_bits<T: Scalar>(x: &[T], y: &[T]) -> bool {
    x.iter().zip(y).all(|(x, y)| x.to_f64().to_bits() == y.to_f64().to_bits() || (x.is_nan() && y.is_nan()))
}

fn every_kernel(
    f32_case: impl Fn(&'static Kernel<f32>, Precision),
    f64_case: impl Fn(&'static Kernel<f64>, Precision),
) {
    for precision in [Precision::F32, Precision::Bf16] {
        for kernel in f32::kernels(precision) {
            f32_case(kernel, precision);
        }
    }
    for kernel in f64::kernels(Precision::F64) {
        f64_case(kernel, Precision::F64);
    }
}

/// One below, at and above the tile sizes in use, primes, and one block of depth crossed.
const EDGES: [usize; 14] = [1, 2, 3, 5, 7, 8, 13, 15, 16, 17, 31, 33, 47, 65];

#[test]
fn every_tile_edge_agrees_with_f64() {
    fn cases<T: Scalar>(kernel: &'static Kernel<T>, precision: Precision) {
        let mut turn = 0;
        for &m in &EDGES {
            for &n in &EDGES {
                for k in [1, 2, 3, 16, 31, 33, 70] {
                    turn += 1;
                    let layouts = (LAYOUTS[turn % 4], LAYOUTS[turn / 4 % 4]);
                    let case = Case { m, k, n, layouts, accumulate: turn % 3 == 0, bias: turn % 2 == 0 };
                    check_case(kernel, precision, &case);
                }
            }
        }
    }
    every_kernel(cases, cases);
}

#[test]
fn sums_longer_than_a_depth_block_agree_with_f64() {
    fn cases<T: Scalar>(kernel: &'static Kernel<T>, precision: Precision) {
        let block = kernel.depth_block;
        for (turn, k) in [block - 1, block, block + 1, 2 * block + 3].into_iter().enumerate() {
            for layouts in
                [(Layout::Rows, Layout::Columns), (Layout::Columns, Layout::Rows), (Layout::Part, Layout::Spread)]
            {
                check_case(
                    kernel,
                    precision,
                    &Case { m: 37, k, n: 53, layouts, accumulate: turn % 2 == 0, bias: turn > 1 },
                );
            }
        }
    }
    every_kernel(cases, cases);
}

#[test]
fn shapes_of_many_tasks_agree_with_f64() {
    fn cases<T: Scalar>(kernel: &'static Kernel<T>, precision: Precision) {
        for (m, k, n) in [(531, 97, 203), (7, 311, 1500), (1031, 40, 17)] {
            let layouts = (Layout::Rows, Layout::Columns);
            check_case(kernel, precision, &Case { m, k, n, layouts, accumulate: false, bias: true });
        }
    }
    every_kernel(cases, cases);
}

#[test]
fn a_result_too_large_for_the_caches_has_the_bits_of_its_parts() {
    fn case<T: Scalar>(kernel: &'static Kernel<T>, _: Precision) {
        // 8.5 MiB in f32, with a last row and column panel that is not whole; two passes of the longest block of depth.
        let (k, n) = (kernel.depth_block + 3, 2064);
        let m = (8 << 20) / (n * size_of::<T>()) + 41;
        let mut values = Values(23);
        let (a, b): (Vec<T>, Vec<T>) = (values.take(m * k), values.take(k * n));
        let bias: Vec<T> = values.take(n);
        let product = |rows: std::ops::Range<usize>, accumulate, bias| {
            // A cache line more, to begin at one, as allocators of large blocks do.
            let mut c = vec![T::ONE; rows.len() * n + 64 / size_of::<T>()];
            let start = c.as_ptr().align_offset(64);
            let c = &mut c[start..][..rows.len() * n];
            let (a, b) = (Mat::new(&a[rows.start * k..rows.end * k], rows.len(), k), Mat::new(&b, k, n));
            multiply(kernel, a, b, MatMut::new(c, rows.len(), n), accumulate, bias, 2);
            c.to_vec()
        };
        for (accumulate, bias) in [(false, None), (false, Some(&bias[..])), (true, None)] {
            let whole = product(0..m, accumulate, bias);
            for start in (0..m).step_by(97) {
                let rows = start..m.min(start + 97);
                let part = product(rows.clone(), accumulate, bias);
                assert!(
                    same_bits(&part, &whole[rows.start * n..rows.end * n]),
                    "{}: rows {rows:?}, accumulate {accumulate}, bias {}",
                    kernel.name,
                    bias.is_some()
                );
            }
        }
    }
    every_kernel(case, case);
}

#[test]
fn one_and_two_threads_give_the_same_bits() {
    fn case<T: Scalar>(kernel: &'static Kernel<T>, _: Precision) {
        for (m, k, n) in [(300, 700, 200), (5, 600, 900), (900, 64, 40)] {
            let mut values = Values(7);
            let (a, b): (Vec<T>, Vec<T>) = (values.take(m * k), values.take(k * n));
            let product = |threads| {
                let mut c = vec![T::NAN; m * n];
                let (a, b) = (Mat::new(&a, m, k), Mat::new(&b, k, n));
                multiply(kernel, a, b, MatMut::new(&mut c, m, n), false, None, threads);
                c
            };
            let one = product(1);
            // The grid of tasks follows the number asked for, also where the pool has fewer threads.
            for threads in [2, 3, 16] {
                assert!(
                    same_bits(&one, &product(threads)),
                    "{}: [{m}, {k}]·[{k}, {n}] on {threads} threads",
                    kernel.name
                );
            }
        }
    }
    every_kernel(case, case);
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_others() {
    fn case<T: Scalar>(kernel: &'static Kernel<T>, _: Precision) {
        let (m, k, n) = (70, 650, 90);
        let mut values = Values(11);
        let (a, b): (Vec<T>, Vec<T>) = (values.take(m * k), values.take(k * n));
        let mut all = vec![T::NAN; m * n];
        multiply(kernel, Mat::new(&a, m, k), Mat::new(&b, k, n), MatMut::new(&mut all, m, n), false, None, 2);
        for row in [0, 13, 69] {
            let mut one = vec![T::NAN; n];
            let a = Mat::new(&a[row * k..], 1, k);
            multiply(kernel, a, Mat::new(&b, k, n), MatMut::new(&mut one, 1, n), false, None, 2);
            assert!(same_bits(&one, &all[row * n..(row + 1) * n]), "{}: row {row}", kernel.name);
        }
    }
    every_kernel(case, case);
}

#[test]
fn operands_are_rounded_to_bf16_with_ties_to_even() {
    // Halfway between neighbours, just beside it, and the carry into the exponent.
    let bits =
        [0x3f80_8000u32, 0x3f81_8000, 0x3f80_7fff, 0x3f80_8001, 0x3fff_8000, 0xbf80_8000, 0xc2f7_c000, 0x3eaa_aaab];
    let x: Vec<f32> = bits.map(f32::from_bits).to_vec();
    let expected: Vec<f32> = x.iter().map(|&x| bf16(f64::from(x)) as f32).collect();
    assert_eq!(expected[0], 1.0);
    assert_eq!(expected[1].to_bits(), 0x3f82_0000);
    let one = [1.0f32];
    for kernel in f32::kernels(Precision::Bf16) {
        let (mut left, mut right) = (vec![f32::NAN; x.len()], vec![f32::NAN; x.len()]);
        multiply(kernel, Mat::new(&x, 8, 1), Mat::new(&one, 1, 1), MatMut::new(&mut left, 8, 1), false, None, 1);
        multiply(kernel, Mat::new(&one, 1, 1), Mat::new(&x, 1, 8), MatMut::new(&mut right, 1, 8), false, None, 1);
        assert_eq!(left, expected, "{}: A", kernel.name);
        assert_eq!(right, expected, "{}: B", kernel.name);
        // The same values along the depth, where packing takes other paths.
        let unit: Vec<f32> = (0..64).map(|i| f32::from(i % 9 == 0)).collect();
        let mut picked = vec![f32::NAN; 8];
        multiply(kernel, Mat::new(&x, 1, 8), Mat::new(&unit, 8, 8), MatMut::new(&mut picked, 1, 8), false, None, 1);
        assert_eq!(picked, expected, "{}: A along the depth", kernel.name);
        multiply(kernel, Mat::new(&unit, 8, 8), Mat::new(&x, 8, 1), MatMut::new(&mut picked, 8, 1), false, None, 1);
        assert_eq!(picked, expected, "{}: B along the depth", kernel.name);
    }
}

#[test]
fn nan_and_infinity_reach_exactly_their_rows_and_columns() {
    fn case<T: Scalar>(kernel: &'static Kernel<T>, _: Precision) {
        let (m, k, n) = (35, 37, 39);
        let mut a = vec![T::ONE; m * k];
        let mut b = vec![T::ONE; k * n];
        a[3 * k + 5] = T::NAN;
        a[34 * k + 36] = T::INFINITY;
        b[36 * n + 38] = T::NEG_INFINITY;
        let mut c = vec![T::ZERO; m * n];
        multiply(kernel, Mat::new(&a, m, k), Mat::new(&b, k, n), MatMut::new(&mut c, m, n), false, None, 1);
        for i in 0..m {
            for j in 0..n {
                let got = c[i * n + j].to_f64();
                let expected = match (i, j) {
                    (3, _) => f64::NAN,
                    (34, 38) => f64::NEG_INFINITY,
                    (34, _) => f64::INFINITY,
                    (_, 38) => f64::NEG_INFINITY,
                    _ => 37.0,
                };
                assert!(got == expected || got.is_nan() && expected.is_nan(), "{}: C[{i}, {j}] = {got}", kernel.name);
            }
        }
    }
    every_kernel(case, case);
}

#[test]
fn an_empty_inner_dimension_gives_zero_plus_bias_plus_c() {
    let bias = [1.0f32, 2.0];
    let mut c = [f32::NAN; 4];
    let (a, b) = (Mat::new(&[], 2, 0), Mat::new(&[], 0, 2));
    gemm(a, Rhs::Plain(b), MatMut::new(&mut c, 2, 2), false, Some(&bias), Precision::F32);
    assert_eq!(c, [1.0, 2.0, 1.0, 2.0]);
    gemm(a, Rhs::Plain(b), MatMut::new(&mut c, 2, 2), true, None, Precision::Bf16);
    assert_eq!(c, [1.0, 2.0, 1.0, 2.0]);
    gemm(a, Rhs::Packed(&Packed::new(b, Precision::F32)), MatMut::new(&mut c, 2, 2), false, None, Precision::F32);
    assert_eq!(c, [0.0; 4]);
}

#[test]
fn an_empty_result_touches_nothing() {
    let a = [1.0f32; 3];
    gemm(Mat::new(&a, 1, 3), Rhs::Plain(Mat::new(&[], 3, 0)), MatMut::new(&mut [], 1, 0), false, None, Precision::F32);
    gemm(Mat::new(&[], 0, 3), Rhs::Plain(Mat::new(&a, 3, 1)), MatMut::new(&mut [], 0, 1), false, None, Precision::F32);
}

#[test]
#[should_panic(expected = "A [2, 3], B [2, 2]")]
fn shapes_that_do_not_fit_are_named() {
    let x = [0.0f32; 6];
    gemm(
        Mat::new(&x, 2, 3),
        Rhs::Plain(Mat::new(&x, 2, 2)),
        MatMut::new(&mut [0.0; 4], 2, 2),
        false,
        None,
        Precision::F32,
    );
}

#[test]
fn serial_products_equal_parallel_ones() {
    let mut values = Values(5);
    let (m, k, n) = (64, 32, 61);
    let (a, b): (Vec<f32>, Vec<f32>) = (values.take(m * 3 * k), values.take(n * 3 * k));
    let (a, b) = (Mat::strided(&a, m, k, 3 * k, 1), Mat::strided(&b, n, k, 3 * k, 1).t());
    for precision in [Precision::F32, Precision::Bf16] {
        let (mut x, mut y) = (vec![0.0; m * n], vec![0.0; m * n]);
        gemm_serial(a, b, MatMut::new(&mut x, m, n), false, precision);
        gemm(a, Rhs::Plain(b), MatMut::new(&mut y, m, n), false, None, precision);
        assert!(same_bits(&x, &y), "{precision:?}");
    }
}
