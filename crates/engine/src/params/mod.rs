//! The parameter store: values and gradients of every parameter, fused as the kernels want them, named as the hub names them.

mod freeze;
mod layout;
#[cfg(test)]
mod tests;

use crate::Result;
use candle_core::{DType, Device, Tensor};
use coldstart_gemm::Precision;
use coldstart_kernels::{Acc, Weight};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub use layout::{BlockIds, Layout, LinearIds, MergerIds, PartSpec, StorageSpec};

/// The three parts of the model that are trained or frozen, and given learning rates, apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Patch embedding and blocks of the vision tower.
    Vision,
    /// The merger from the tower to the language model.
    Merger,
    /// Embeddings, blocks, final norm and head.
    Language,
}

impl Group {
    /// All groups in forward order.
    pub const ALL: [Group; 3] = [Group::Vision, Group::Merger, Group::Language];

    /// Lower-case name for messages and reports.
    pub fn name(self) -> &'static str {
        match self {
            Group::Vision => "vision",
            Group::Merger => "merger",
            Group::Language => "language",
        }
    }
}

/// Names a storage of [`Params`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ParamId(pub(crate) usize);

/// How many numbers a group has, and how many of them are trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupCount {
    /// The group.
    pub group: Group,
    /// Parameters in it.
    pub total: usize,
    /// Those not frozen.
    pub trainable: usize,
}

/// A published tensor of the store.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// The storage that holds it.
    pub id: ParamId,
    /// Name on the hub.
    pub name: &'a str,
    /// Shape on the hub.
    pub shape: &'a [usize],
    /// Rows of the storage.
    pub rows: &'a Range<usize>,
    /// Tower, merger or language model.
    pub group: Group,
    /// Whether it is trained.
    pub trainable: bool,
}

impl Part<'_> {
    /// Whether weight decay applies: to tensors with two or more dimensions on the hub, not to norms and biases.
    pub fn decays(&self) -> bool {
        self.shape.len() >= 2
    }
}

/// A trainable published tensor with what an optimizer needs.
///
/// `value` and `grad` are the whole storage; the step applies to `part.rows` of its first dimension.
#[derive(Clone, Copy, Debug)]
pub struct Trainable<'a> {
    /// Name, rows, group and decay.
    pub part: Part<'a>,
    /// Master values.
    pub value: &'a Tensor,
    /// The gradient, or `None` when nothing contributed to it since [`Params::zero_grad`].
    pub grad: Option<&'a Tensor>,
}

enum Value {
    Matrix(Weight),
    Vector(Tensor),
}

struct Storage {
    spec: StorageSpec,
    value: Value,
    /// One flag per part.
    trainable: Vec<bool>,
    /// Allocated by the first contribution, so that inference pays for none.
    grad: OnceLock<Tensor>,
    /// The next contribution overwrites. Kept here, because a tied table has two writers.
    first: AtomicBool,
}

impl Storage {
    fn tensor(&self) -> &Tensor {
        match &self.value {
            Value::Matrix(weight) => weight.value(),
            Value::Vector(tensor) => tensor,
        }
    }
}

/// Every parameter of a model.
///
/// Values and gradients are f32, or f64 under [`Precision::F64`]; gradients accumulate in place. Tensors that the engine multiplies
/// together (q, k, v; gate, up) share one storage, and every operation that a user names them by works on the published tensor.
pub struct Params {
    storages: Vec<Storage>,
    by_name: HashMap<String, (usize, usize)>,
    precision: Precision,
    /// How often a value of each group was written, in the order of [`Group::ALL`].
    versions: [AtomicU64; 3],
}

impl Params {
    /// Fills the storages `specs` from `source`, which is given each published tensor and its place.
    pub(crate) fn build(specs: Vec<StorageSpec>, precision: Precision, source: &mut dyn Source) -> Result<Self> {
        let mut storages = Vec::with_capacity(specs.len());
        let mut by_name = HashMap::new();
        for (s, spec) in specs.into_iter().enumerate() {
            for (p, part) in spec.parts.iter().enumerate() {
                by_name.insert(part.name.clone(), (s, p));
            }
            let tensor = fill(&spec, precision, source)?;
            let value = match spec.cols {
                Some(_) => Value::Matrix(Weight::new(tensor, precision)?),
                None => Value::Vector(tensor),
            };
            let trainable = vec![true; spec.parts.len()];
            storages.push(Storage { spec, value, trainable, grad: OnceLock::new(), first: AtomicBool::new(true) });
        }
        Ok(Self { storages, by_name, precision, versions: Default::default() })
    }

    /// The same values and the same parts trained, in memory of their own; no gradients.
    pub(crate) fn copy(&self) -> Result<Self> {
        let copy_storage = |storage: &Storage| -> Result<Storage> {
            let value = match &storage.value {
                Value::Matrix(weight) => Value::Matrix(Weight::new(weight.value().copy()?, self.precision)?),
                Value::Vector(tensor) => Value::Vector(tensor.copy()?),
            };
            let (spec, trainable) = (storage.spec.clone(), storage.trainable.clone());
            Ok(Storage { spec, value, trainable, grad: OnceLock::new(), first: AtomicBool::new(true) })
        };
        let storages = self.storages.iter().map(copy_storage).collect::<Result<_>>()?;
        Ok(Self { storages, by_name: self.by_name.clone(), precision: self.precision, versions: Default::default() })
    }

    /// Precision of matrix products.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Type of values and gradients.
    pub fn dtype(&self) -> DType {
        dtype_of(self.precision)
    }

    /// A matrix with its packed copies. Only for ids that [`Layout`] lists as matrices.
    pub(crate) fn weight(&self, id: ParamId) -> &Weight {
        match &self.storages[id.0].value {
            Value::Matrix(weight) => weight,
            Value::Vector(_) => unreachable!("the layout lists this id as a matrix"),
        }
    }

    /// The whole storage, `[rows, cols]` or `[rows]`.
    pub fn value(&self, id: ParamId) -> &Tensor {
        self.storages[id.0].tensor()
    }

    /// Where a backward adds its contribution, or `None` for a frozen storage.
    ///
    /// Taking it counts as contributing: the caller must write. A storage with some parts frozen gets gradients for all of them;
    /// those of frozen parts are never looked at.
    pub(crate) fn acc(&self, id: ParamId) -> Option<Acc<'_>> {
        let storage = &self.storages[id.0];
        if !self.is_trainable(id) {
            return None;
        }
        let shape = storage.spec.shape();
        // Host memory of a valid shape: zeros can only fail on devices.
        let grad = storage
            .grad
            .get_or_init(|| Tensor::zeros(shape, self.dtype(), &Device::Cpu).expect("zeros on the CPU cannot fail"));
        Some(Acc { grad, first: storage.first.swap(false, Ordering::Relaxed) })
    }

    /// Whether any part of the storage is trained.
    pub fn is_trainable(&self, id: ParamId) -> bool {
        self.storages[id.0].trainable.iter().any(|&t| t)
    }

    /// Starts a new sum: the next contribution to each gradient overwrites it.
    pub fn zero_grad(&mut self) {
        for storage in &self.storages {
            storage.first.store(true, Ordering::Relaxed);
        }
    }

    /// Tells the store that the value of `id`, matrix or vector, was written in place: packed copies and whatever was computed from it
    /// are stale.
    pub fn changed(&self, id: ParamId) {
        let storage = &self.storages[id.0];
        if let Value::Matrix(weight) = &storage.value {
            weight.changed();
        }
        self.versions[storage.spec.group as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// A number that grows with every change of a value in `group`.
    pub(crate) fn version(&self, group: Group) -> u64 {
        self.versions[group as usize].load(Ordering::Relaxed)
    }

    /// Every published tensor in forward order.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        self.storages
            .iter()
            .enumerate()
            .flat_map(move |(s, storage)| (0..storage.spec.parts.len()).map(move |p| self.part(s, p)))
    }

    /// The trainable tensors in forward order, for the optimizer.
    pub fn trainable(&self) -> impl Iterator<Item = Trainable<'_>> {
        self.parts().filter(|part| part.trainable).map(|part| {
            let storage = &self.storages[part.id.0];
            Trainable { part, value: storage.tensor(), grad: self.grad_of(storage) }
        })
    }

    /// The tensor a hub name stands for.
    pub fn find(&self, name: &str) -> Option<Part<'_>> {
        self.by_name.get(name).map(|&(s, p)| self.part(s, p))
    }

    /// The value of a published tensor in its published shape: a view, not a copy.
    pub fn hub_value(&self, name: &str) -> Option<Tensor> {
        let part = self.find(name)?;
        view(self.value(part.id), &part)
    }

    /// The gradient of a published tensor in its published shape, or `None` when nothing contributed to it.
    pub fn hub_grad(&self, name: &str) -> Option<Tensor> {
        let part = self.find(name)?;
        view(self.grad_of(&self.storages[part.id.0])?, &part)
    }

    /// Totals by group, in the order of [`Group::ALL`].
    pub fn counts(&self) -> [GroupCount; 3] {
        Group::ALL.map(|group| {
            let size = |p: Part| p.shape.iter().product::<usize>();
            let total = self.parts().filter(|p| p.group == group).map(size).sum();
            let trainable = self.parts().filter(|p| p.group == group && p.trainable).map(size).sum();
            GroupCount { group, total, trainable }
        })
    }

    fn part(&self, s: usize, p: usize) -> Part<'_> {
        let storage = &self.storages[s];
        let PartSpec { name, shape, rows } = &storage.spec.parts[p];
        Part { id: ParamId(s), name, shape, rows, group: storage.spec.group, trainable: storage.trainable[p] }
    }

    fn grad_of<'a>(&self, storage: &'a Storage) -> Option<&'a Tensor> {
        if storage.first.load(Ordering::Relaxed) { None } else { storage.grad.get() }
    }
}

/// Rows of a storage in the published shape. Leading rows of a contiguous tensor always reshape without a copy.
fn view(storage: &Tensor, part: &Part) -> Option<Tensor> {
    storage.narrow(0, part.rows.start, part.rows.len()).and_then(|t| t.reshape(part.shape)).ok()
}

pub(crate) fn dtype_of(precision: Precision) -> DType {
    match precision {
        Precision::F64 => DType::F64,
        Precision::F32 | Precision::Bf16 => DType::F32,
    }
}

/// Where the values of a store come from: a checkpoint, a random draw, or another store.
pub(crate) trait Source {
    fn fill_f32(&mut self, part: &PartSpec, out: &mut [f32]) -> Result<()>;
    fn fill_f64(&mut self, part: &PartSpec, out: &mut [f64]) -> Result<()>;
}

fn fill(spec: &StorageSpec, precision: Precision, source: &mut dyn Source) -> Result<Tensor> {
    let cols = spec.cols.unwrap_or(1);
    let span = |part: &PartSpec| part.rows.start * cols..part.rows.end * cols;
    if precision == Precision::F64 {
        let mut values = vec![0f64; spec.num_elements()];
        for part in &spec.parts {
            source.fill_f64(part, &mut values[span(part)])?;
        }
        Ok(Tensor::from_vec(values, spec.shape(), &Device::Cpu)?)
    } else {
        let mut values = vec![0f32; spec.num_elements()];
        for part in &spec.parts {
            source.fill_f32(part, &mut values[span(part)])?;
        }
        Ok(Tensor::from_vec(values, spec.shape(), &Device::Cpu)?)
    }
}
