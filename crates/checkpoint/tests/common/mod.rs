//! File systems for tests: one in memory that knows what survives a power loss, and one that fails or stops at the n-th operation.
#![allow(dead_code)] // each test file uses a part

pub mod fault;
pub mod memory;

use coldstart_checkpoint::{Cause, Storage, Store, Writer};

/// Content of the test checkpoint of a step: two files, one in a directory, large enough for several writes.
pub fn content(step: u64) -> [(&'static str, Vec<u8>); 2] {
    let byte = |i: usize| (step as usize * 31 + i * 7) as u8;
    [("state.bin", (0..700).map(byte).collect()), ("model/weights.bin", (0..900).map(byte).rev().collect())]
}

pub fn write_content(step: u64) -> impl FnMut(&mut Writer<'_>) -> Result<(), Cause> {
    move |writer| {
        for (name, bytes) in content(step) {
            writer.stream(name, |out| bytes.chunks(300).try_for_each(|piece| out.write_all(piece)))?;
        }
        Ok(())
    }
}

/// Bytes of [`content`].
pub const SIZE: u64 = 1600;

pub fn save(store: &Store, step: u64) -> coldstart_checkpoint::Result<std::path::PathBuf> {
    store.save(step, SIZE, serde_json::json!({ "step": step }), &mut write_content(step))
}

/// The newest intact step, after checking that its content is that of the step.
pub fn latest_step(storage: impl Storage + 'static, root: &str) -> Option<u64> {
    let store = Store::with_storage(root, Box::new(storage)).unwrap();
    let checkpoint = store.latest().unwrap()?;
    for (name, bytes) in content(checkpoint.step()) {
        assert_eq!(checkpoint.read(name).unwrap(), bytes, "accepted step {} with a wrong {name}", checkpoint.step());
    }
    Some(checkpoint.step())
}

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn coin(&mut self) -> bool {
        self.next() >> 63 == 1
    }
}
