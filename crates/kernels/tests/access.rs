//! Access to tensors: views share a lock, a written storage is never locked twice, buffers are handed over without a
//! copy.

mod common;

use candle_core::{Device, Tensor};
use coldstart_kernels::access::{read, tensor_from, with, write};
use common::*;

const OP: &str = "test";

#[test]
fn a_view_shows_its_own_elements_only() {
    let buffer = Tensor::from_vec(vec![0f32, 1., 2., 3., 4., 5.], (3, 2), &Device::Cpu).unwrap();
    let view = buffer.narrow(0, 1, 1).unwrap();
    assert_eq!(read(OP, ("view", &view), |v: &[f32]| v.to_vec()).unwrap(), [2.0, 3.0]);
    write(OP, ("view", &view), |v: &mut [f32]| v.fill(9.0)).unwrap();
    assert_eq!(values(&buffer), [0., 1., 9., 9., 4., 5.]);
}

#[test]
fn views_of_one_storage_can_be_read_together() {
    let buffer = random(1, &[4, 2]);
    let (a, b) = (buffer.narrow(0, 0, 2).unwrap(), buffer.narrow(0, 2, 2).unwrap());
    let joined = with(OP, [("a", &a), ("b", &b)], [], |[a, b]: [&[f64]; 2], []| [a, b].concat()).unwrap();
    assert_eq!(joined, values(&buffer));
}

#[test]
fn writing_a_storage_that_is_also_read_is_an_error_not_a_deadlock() {
    let buffer = random(1, &[4, 2]);
    let (a, b) = (buffer.narrow(0, 0, 2).unwrap(), buffer.narrow(0, 2, 2).unwrap());
    let outcome = with(OP, [("source", &a)], [("target", &b)], |[_]: [&[f64]; 1], [_]| ());
    assert_names(&message(outcome), &["source", "target", "one storage"]);
    let outcome = with(OP, [], [("left", &a), ("right", &b)], |[]: [&[f64]; 0], [_, _]| ());
    assert_names(&message(outcome), &["left", "right", "one storage"]);
}

#[test]
fn a_failed_call_releases_its_locks() {
    let (a, b) = (random(1, &[3]), single(&random(2, &[3])));
    assert!(with(OP, [], [("a", &a), ("b", &b)], |[]: [&[f64]; 0], [_, _]| ()).is_err());
    write(OP, ("a", &a), |a: &mut [f64]| a.fill(1.0)).unwrap();
    assert_eq!(values(&a), [1.0; 3]);
}

#[test]
fn empty_tensors_can_be_read_and_written() {
    let empty = random(1, &[0, 5]);
    assert_eq!(read(OP, ("empty", &empty), |x: &[f64]| x.len()).unwrap(), 0);
    assert_eq!(write(OP, ("empty", &empty), |x: &mut [f64]| x.len()).unwrap(), 0);
}

#[test]
fn a_tensor_takes_its_vector_without_a_copy() {
    let data = vec![1f32, 2., 3., 4.];
    let address = data.as_ptr();
    let t = tensor_from(data, &[2, 2]).unwrap();
    assert_eq!(read(OP, ("t", &t), |t: &[f32]| t.as_ptr()).unwrap(), address);
    assert_names(&message(tensor_from(vec![1f32; 3], &[2, 2])), &["[3]", "[4]", "[2, 2]"]);
}
