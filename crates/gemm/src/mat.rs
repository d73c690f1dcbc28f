//! Views of matrices in slices. A view whose data is too short is a programming error and panics where it is made, so
//! the products can trust every view.

use std::marker::PhantomData;

/// A read-only matrix `[rows, cols]` whose element `(i, j)` is `data[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy)]
pub struct Mat<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> Mat<'a, T> {
    /// Dense and row-major. Panics unless `data.len() >= rows * cols`.
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols, 1)
    }

    /// Any strides, zero included (a broadcast). Panics when the last element lies outside `data`.
    pub fn strided(data: &'a [T], rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> Self {
        if rows > 0 && cols > 0 {
            let last = (rows - 1) * row_stride + (cols - 1) * col_stride;
            assert!(
                last < data.len(),
                "a [{rows}, {cols}] view with strides ({row_stride}, {col_stride}) needs {} elements, got {}",
                last + 1,
                data.len()
            );
        }
        Self { data, rows, cols, row_stride, col_stride }
    }

    /// The transposed view `[cols, rows]`; nothing is moved.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            data: self.data,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    pub fn col_stride(&self) -> usize {
        self.col_stride
    }

    pub(crate) fn as_ptr(&self) -> *const T {
        self.data.as_ptr()
    }
}

/// A matrix `[rows, cols]` to be written: element `(i, j)` is `data[i * row_stride + j]`.
pub struct MatMut<'a, T> {
    data: *mut T,
    rows: usize,
    cols: usize,
    row_stride: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

// SAFETY: a `MatMut` is an exclusive borrow of its elements, like `&mut [T]`.
unsafe impl<T: Send> Send for MatMut<'_, T> {}

impl<'a, T> MatMut<'a, T> {
    /// Dense and row-major. Panics unless `data.len() >= rows * cols`.
    pub fn new(data: &'a mut [T], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// Rows `row_stride` apart. Panics when rows overlap or the last element lies outside `data`.
    pub fn strided(data: &'a mut [T], rows: usize, cols: usize, row_stride: usize) -> Self {
        if rows > 0 && cols > 0 {
            assert!(rows == 1 || row_stride >= cols, "rows of {cols} elements overlap at a stride of {row_stride}");
            let needed = (rows - 1) * row_stride + cols;
            assert!(
                needed <= data.len(),
                "a [{rows}, {cols}] view with row stride {row_stride} needs {needed} elements, got {}",
                data.len()
            );
        }
        Self { data: data.as_mut_ptr(), rows, cols, row_stride, lifetime: PhantomData }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn cols(&self) -> usize {
        self.cols
    }

    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut T {
        self.data
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transposed_view_swaps_shape_and_strides() {
        let data = [0.0f32; 20];
        let view = Mat::strided(&data, 2, 3, 7, 2).t();
        assert_eq!((view.rows(), view.cols(), view.row_stride(), view.col_stride()), (3, 2, 2, 7));
    }

    #[test]
    fn a_view_may_end_with_the_data() {
        let _ = Mat::strided(&[0.0f32; 12], 2, 3, 7, 2);
        let _ = MatMut::strided(&mut [0.0f32; 10], 2, 3, 7);
    }

    #[test]
    #[should_panic(expected = "needs 12 elements, got 11")]
    fn a_view_beyond_the_data_is_refused() {
        let _ = Mat::strided(&[0.0f32; 11], 2, 3, 7, 2);
    }

    #[test]
    #[should_panic(expected = "needs 10 elements, got 9")]
    fn a_target_beyond_the_data_is_refused() {
        let _ = MatMut::strided(&mut [0.0f32; 9], 2, 3, 7);
    }

    #[test]
    #[should_panic(expected = "overlap")]
    fn overlapping_rows_cannot_be_written() {
        let _ = MatMut::strided(&mut [0.0f32; 9], 2, 3, 2);
    }
}
