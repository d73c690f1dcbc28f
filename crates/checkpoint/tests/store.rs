//! What a store promises on a healthy disk, and on one whose bits rot.

mod common;

use std::fs;

use coldstart_checkpoint::{RunLock, Store};
use common::memory::MemoryFs;
use common::{Random, content, save};

#[test]
fn a_new_store_has_no_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join("a/b/checkpoints")).unwrap();
    assert!(store.latest().unwrap().is_none());
}

#[test]
fn what_was_saved_is_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let path = save(&store, 100).unwrap();
    assert_eq!(path, folder.path().join("step-000100"));
    let checkpoint = Store::open(folder.path()).unwrap();
    let checkpoint = checkpoint.latest().unwrap().unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(path.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["meta"]["step"], 100);
    for (name, bytes) in content(100) {
        assert_eq!(checkpoint.read(name).unwrap(), bytes);
    }
}

#[test]
fn files_written_past_the_writer_belong_to_the_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut write = |writer: &mut coldstart_checkpoint::Writer<'_>| {
        fs::create_dir(writer.dir().join("model"))?;
        Ok(fs::write(writer.dir().join("model/config.json"), "{}")?)
    };
    let path = store.save(1, 2, serde_json::Value::Null, &mut write).unwrap();
    assert_eq!(store.latest().unwrap().unwrap().read("model/config.json").unwrap(), b"{}");
    fs::write(path.join("model/config.json"), "[]").unwrap();
    assert_eq!(store.latest().unwrap_err().code(), "E_CKPT_CORRUPT");
}

#[test]
fn the_newest_step_wins_by_number() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for step in [999_999, 1_000_000, 5] {
        save(&store, step).unwrap();
    }
    assert_eq!(store.latest().unwrap().unwrap().step(), 1_000_000);
    assert_eq!(store.at_step(5).unwrap().step(), 5);
}

#[test]
fn a_failing_writer_leaves_nothing_and_its_reason_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let error = store.save(1, 0, serde_json::Value::Null, &mut |_| Err("no luck".into())).unwrap_err();
    assert_eq!(error.to_string(), "checkpoint of step 1 was not saved: no luck");
    assert_eq!(error.code(), "E_CKPT_SAVE");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn names_outside_the_checkpoint_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for name in ["../x", "/x", "manifest.json", ""] {
        assert!(
            store.save(1, 0, serde_json::Value::Null, &mut |writer| Ok(writer.file(name, b"")?)).is_err(),
            "{name}"
        );
    }
}

#[test]
fn one_flipped_bit_is_found_and_the_previous_checkpoint_chosen() {
    let mut random = Random(5);
    for _ in 0..1000 {
        let disk = MemoryFs::new();
        let store = Store::with_storage("/c", Box::new(disk.clone())).unwrap();
        save(&store, 1).unwrap();
        save(&store, 2).unwrap();
        let (name, bytes) = content(2)[random.next() as usize % 2].clone();
        disk.flip(&format!("/c/step-000002/{name}"), random.next() as usize % (bytes.len() * 8));
        let found = store.latest().unwrap().unwrap();
        assert_eq!(found.step(), 1);
        assert!(
            found.rejected[0].path.ends_with("step-000002") && found.rejected[0].reason.contains(name),
            "{:?}",
            found.rejected
        );
    }
}

#[test]
fn damage_is_named_and_nothing_intact_is_an_error_with_every_reason() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let paths: Vec<_> = (1..=4).map(|step| save(&store, step).unwrap()).collect();
    fs::remove_file(paths[0].join("state.bin")).unwrap();
    fs::write(paths[1].join("manifest.json"), "{ \"format\"").unwrap();
    fs::remove_file(paths[2].join("manifest.json")).unwrap();
    fs::write(paths[3].join("state.bin"), "short").unwrap();
    let error = store.latest().unwrap_err();
    assert_eq!(error.code(), "E_CKPT_CORRUPT");
    let text = error.to_string();
    for reason in [
        "state.bin is missing",
        "does not parse",
        "manifest.json cannot be read",
        "state.bin has 5 bytes, expected 700",
    ] {
        assert!(text.contains(reason), "{text}");
    }
}

#[test]
fn a_file_that_changes_after_verification_is_not_returned() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let path = save(&store, 1).unwrap();
    let checkpoint = store.latest().unwrap().unwrap();
    fs::write(path.join("state.bin"), vec![0; 700]).unwrap();
    assert_eq!(checkpoint.read("state.bin").unwrap_err().code(), "E_CKPT_CORRUPT");
}

#[test]
fn retention_keeps_the_newest_intact_ones() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    for step in [10, 20, 30, 40, 50] {
        save(&store, step).unwrap();
    }
    fs::write(folder.path().join("step-000040/state.bin"), "rotten").unwrap();
    let removed = store.retain(2).unwrap();
    assert_eq!(removed, [20, 10]);
    assert_eq!(store.steps().unwrap(), [50, 40, 30]);
}

#[test]
fn retention_never_deletes_the_checkpoint_written_last() {
    let folder = tempfile::tempdir().unwrap();
    for step in [40, 50] {
        save(&Store::open(folder.path()).unwrap(), step).unwrap();
    }
    let store = Store::open(folder.path()).unwrap();
    for step in [10, 11] {
        save(&store, step).unwrap();
        store.retain(2).unwrap();
        assert_eq!(store.steps().unwrap(), [50, 40, step]);
    }
}

#[test]
fn superseded_checkpoints_are_out_of_the_order_and_keep_their_content() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let lock = RunLock::acquire(folder.path()).unwrap();
    for round in ["superseded-000030", "superseded-000030-2"] {
        for step in [10, 20, 30] {
            save(&store, step).unwrap();
        }
        let moved = store.supersede_after(20, &lock).unwrap();
        assert_eq!(moved, [folder.path().join(round)]);
        assert!(moved[0].join("state.bin").exists());
        assert_eq!(store.latest().unwrap().unwrap().step(), 20);
        assert_eq!(store.steps().unwrap(), [20, 10]);
    }
    assert!(store.supersede_after(20, &lock).unwrap().is_empty());
}

#[test]
fn the_start_removes_what_a_crash_left_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    save(&store, 1).unwrap();
    for name in [".tmp-2-1-abc", ".trash-1-1-abc", "notes"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("file"), "x").unwrap();
    }
    store.clean_up(&RunLock::acquire(folder.path()).unwrap());
    let mut names: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["notes", "run.lock", "step-000001"]);
}

#[test]
fn saving_a_step_again_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    save(&store, 1).unwrap();
    store.save(1, 1, serde_json::Value::Null, &mut |writer| Ok(writer.file("only.bin", b"2")?)).unwrap();
    let checkpoint = store.latest().unwrap().unwrap();
    assert_eq!(checkpoint.read("only.bin").unwrap(), b"2");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}
