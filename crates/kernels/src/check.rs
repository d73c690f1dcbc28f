//! Checks of shapes and indices, phrased so that an error names both sides.

use std::ops::Range;

use candle_core::Tensor;

use crate::{Error, Result};

/// An operand and the name its errors use.
pub(crate) type Named<'a> = (&'static str, &'a Tensor);

/// Rows and columns of a matrix.
pub(crate) fn matrix(op: &'static str, (name, t): Named) -> Result<(usize, usize)> {
    match t.dims() {
        &[rows, cols] => Ok((rows, cols)),
        _ => Err(Error::Shape { op, name, got: t.dims().to_vec(), expected: "two dimensions [rows, columns]".into() }),
    }
}

/// `t` must have exactly the shape `want`, which follows from the operand `from`.
pub(crate) fn shape(op: &'static str, (name, t): Named, want: &[usize], from: Named) -> Result<()> {
    if t.dims() == want {
        return Ok(());
    }
    Err(Error::Shape {
        op,
        name,
        got: t.dims().to_vec(),
        expected: format!("{want:?} because {} has shape {:?}", from.0, from.1.dims()),
    })
}

/// `t` must have the dtype of `from`.
pub(crate) fn same_dtype(op: &'static str, (name, t): Named, from: Named) -> Result<()> {
    if t.dtype() == from.1.dtype() {
        return Ok(());
    }
    Err(Error::DType { op, name, got: t.dtype(), expected: from.1.dtype() })
}

/// A list that must have one entry per row of `from`.
pub(crate) fn length(op: &'static str, name: &'static str, got: usize, want: usize, from: Named) -> Result<()> {
    if got == want {
        return Ok(());
    }
    Err(Error::Shape {
        op,
        name,
        got: vec![got],
        expected: format!("[{want}] because {} has shape {:?}", from.0, from.1.dims()),
    })
}

/// Every index must be below `len`.
pub(crate) fn indices(op: &'static str, name: &'static str, indices: &[u32], len: usize) -> Result<()> {
    match indices.iter().position(|&i| i as usize >= len) {
        None => Ok(()),
        Some(position) => Err(Error::Index { op, name, position, index: indices[position] as usize, len }),
    }
}

/// The elements of the rows `rows` of the leading dimension.
pub(crate) fn leading(op: &'static str, (name, t): Named, rows: &Range<usize>) -> Result<Range<usize>> {
    let len = t.dims().first().copied().unwrap_or(1);
    if rows.start > rows.end || rows.end > len {
        return Err(Error::Value {
            op,
            name: "rows",
            got: format!("{rows:?}"),
            expected: format!("a range within 0..{len} because {name} has shape {:?}", t.dims()),
        });
    }
    let width = t.elem_count() / len.max(1);
    Ok(rows.start * width..rows.end * width)
}
