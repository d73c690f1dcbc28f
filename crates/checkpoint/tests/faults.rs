//! Death, failing disks and power loss at every operation of a save.

mod common;

use coldstart_checkpoint::{RunLock, Storage, Store};
use common::fault::{Fault, FaultFs};
use common::memory::MemoryFs;
use common::{Random, SIZE, latest_step, save};

const ROOT: &str = "/checkpoints";

/// A disk with checkpoints of steps 10 and 20.
fn disk() -> MemoryFs {
    let disk = MemoryFs::new();
    let store = Store::with_storage(ROOT, Box::new(disk.clone())).unwrap();
    save(&store, 10).unwrap();
    save(&store, 20).unwrap();
    disk
}

/// Saves step 30 on a copy of the disk with a fault at operation `at`. Says how many operations it took, and what came of it.
fn attempt(disk: &MemoryFs, at: usize, fault: Fault) -> (usize, coldstart_checkpoint::Result<()>) {
    let fs = FaultFs::new(disk.clone(), at, fault);
    let store = Store::with_storage(ROOT, Box::new(fs.clone()));
    let result = store.and_then(|store| {
        save(&store, 30)?;
        store.retain(2).map(|_| ())
    });
    (fs.count(), result)
}

fn operations() -> usize {
    attempt(&disk(), usize::MAX, Fault::Death).0
}

#[test]
fn death_at_any_operation_leaves_a_complete_checkpoint() {
    let total = operations();
    assert!(total > 20, "the count covers a whole save: {total}");
    let mut committed = 0;
    for at in 1..=total {
        let disk = disk();
        let result = attempt(&disk, at, Fault::Death).1;
        let step = latest_step(disk, ROOT).expect("a checkpoint was there");
        assert!(step == 30 || (step == 20 && result.is_err()), "death at operation {at} left step {step}");
        committed += usize::from(step == 30);
    }
    assert!(committed > 0 && committed < total, "the commit lies between the first and the last operation");
}

#[test]
fn an_error_at_any_operation_is_reported_or_harmless_and_the_next_save_succeeds() {
    for code in [libc::EIO, libc::ENOSPC, libc::EDQUOT, libc::EMFILE] {
        for at in 1..=operations() {
            for fault in [Fault::Once(code), Fault::From(code)] {
                let disk = disk();
                let result = attempt(&disk, at, fault).1;
                let step = latest_step(disk.clone(), ROOT).expect("a checkpoint was there");
                assert!(step == 20 || step == 30, "error {code} at operation {at} left step {step}");
                assert!(result.is_err() || step == 30, "success was reported at operation {at} without a checkpoint");
                if result.is_ok() {
                    let after = disk.after_power_loss(&mut || false);
                    assert_eq!(latest_step(after, ROOT), Some(30), "success was reported at operation {at} too soon");
                }
                if let Err(error) = result {
                    assert!(["E_CKPT_SAVE", "E_PATH"].contains(&error.code()), "{error}");
                }
                let store = Store::with_storage(ROOT, Box::new(disk.clone())).unwrap();
                save(&store, 40).unwrap();
                assert_eq!(latest_step(disk, ROOT), Some(40));
            }
        }
    }
}

#[test]
fn an_interrupted_call_is_repeated_or_reported() {
    for at in 1..=operations() {
        let disk = disk();
        let result = attempt(&disk, at, Fault::Once(libc::EINTR)).1;
        let step = latest_step(disk, ROOT).unwrap();
        assert!(step == 30 || (step == 20 && result.is_err()), "operation {at}");
    }
}

#[test]
fn a_full_disk_leaves_no_temporary_directory_once_it_reports() {
    for at in 1..=operations() {
        let disk = disk();
        if attempt(&disk, at, Fault::From(libc::ENOSPC)).1.is_err_and(|e| e.code() == "E_CKPT_SAVE") {
            assert!(!disk.files().iter().any(|file| file.contains(".tmp-")), "operation {at}: {:?}", disk.files());
        }
    }
}

#[test]
fn nothing_is_deleted_before_the_new_checkpoint_is_committed() {
    for at in 1..=operations() {
        let disk = disk();
        let _ = attempt(&disk, at, Fault::Death);
        let steps = Store::with_storage(ROOT, Box::new(disk)).unwrap().steps().unwrap();
        assert!(steps.contains(&30) || steps == [20, 10], "death at operation {at} left {steps:?}");
    }
}

/// Loses power after each operation of a save, several times with other luck. Counts states, and those without an intact checkpoint or
/// with a damaged one under a committed name.
fn power_losses(forget: bool) -> (usize, usize) {
    let mut random = Random(11);
    let (mut states, mut damaged) = (0, 0);
    for at in 1..=operations() {
        for _ in 0..25 {
            let disk = disk();
            // Two layers: syncs that do nothing (the control), below them the death of the process.
            let below = FaultFs::new(disk.clone(), if forget { 1 } else { usize::MAX }, Fault::ForgetSyncs);
            let fs = FaultFs::new(below, at, Fault::Death);
            if let Ok(store) = Store::with_storage(ROOT, Box::new(fs)) {
                let _ = save(&store, 30);
            }
            let after = disk.after_power_loss(&mut || random.coin());
            let store = Store::with_storage(ROOT, Box::new(after.clone())).unwrap();
            states += 1;
            damaged += usize::from(!store.latest().is_ok_and(|found| found.is_some_and(|c| c.rejected.is_empty())));
        }
    }
    (states, damaged)
}

#[test]
fn after_a_power_loss_every_committed_name_is_a_whole_checkpoint() {
    let (states, damaged) = power_losses(false);
    assert!(states >= 500, "{states} states");
    assert_eq!(damaged, 0, "of {states} states");
}

#[test]
fn a_reported_save_survives_any_power_loss() {
    let mut random = Random(12);
    for _ in 0..100 {
        let disk = disk();
        save(&Store::with_storage(ROOT, Box::new(disk.clone())).unwrap(), 30).unwrap();
        assert_eq!(latest_step(disk.after_power_loss(&mut || random.coin()), ROOT), Some(30));
    }
}

#[test]
fn without_syncs_a_power_loss_would_be_noticed() {
    assert!(power_losses(true).1 > 0);
}

#[test]
fn saving_a_step_again_never_leaves_it_missing() {
    let total = {
        let fs = FaultFs::new(disk(), usize::MAX, Fault::Death);
        save(&Store::with_storage(ROOT, Box::new(fs.clone())).unwrap(), 20).unwrap();
        fs.count()
    };
    for at in 1..=total {
        let disk = disk();
        if let Ok(store) = Store::with_storage(ROOT, Box::new(FaultFs::new(disk.clone(), at, Fault::Death))) {
            let _ = save(&store, 20);
        }
        assert_eq!(latest_step(disk, ROOT), Some(20), "death at operation {at}");
    }
}

#[test]
fn a_file_system_that_cannot_exchange_directories_renames_them() {
    let replaced = (1..=40).filter(|&at| {
        let disk = disk();
        let fs = FaultFs::new(disk.clone(), at, Fault::Once(libc::EOPNOTSUPP));
        let Ok(store) = Store::with_storage(ROOT, Box::new(fs)) else { return false };
        let result = store.save(20, 5, serde_json::Value::Null, &mut |writer| Ok(writer.file("state.bin", b"again")?));
        let store = Store::with_storage(ROOT, Box::new(disk)).unwrap();
        let state = store.latest().unwrap().unwrap().read("state.bin").unwrap();
        assert!(result.is_err() || state == b"again", "operation {at}");
        result.is_ok()
    });
    assert!(replaced.count() > 1, "at the exchange, and where no operation is left to fail");
}

#[test]
fn too_little_space_is_told_before_anything_is_written_and_the_save_is_made_up_for_later() {
    let disk = disk();
    let store = |free| Store::with_storage(ROOT, Box::new(FaultFs::new(disk.clone(), 0, Fault::Free(free)))).unwrap();
    let before = disk.files();
    let mut write = |_: &mut coldstart_checkpoint::Writer<'_>| panic!("nothing is to be written");
    let error = store(SIZE - 1).save(30, SIZE, serde_json::Value::Null, &mut write).unwrap_err();
    assert_eq!(error.code(), "E_CKPT_SAVE");
    assert!(error.to_string().contains("step 30 was not saved: /checkpoints: 1600 bytes are needed"), "{error}");
    assert!(error.to_string().contains("1599 are free"), "{error}");
    assert_eq!(disk.files(), before);
    save(&store(SIZE), 30).unwrap();
    assert_eq!(latest_step(disk, ROOT), Some(30));
}

#[test]
fn a_checkpoint_that_cannot_be_deleted_is_reported_and_keeps_none_of_the_others() {
    let mut left = std::collections::HashSet::new();
    for at in 1..=operations() {
        let disk = disk();
        let store = Store::with_storage(ROOT, Box::new(disk.clone())).unwrap();
        [30, 40, 50].iter().for_each(|&step| drop(save(&store, step).unwrap()));
        let fs = FaultFs::new(disk, at, Fault::Once(libc::EACCES));
        let Ok(store) = Store::with_storage(ROOT, Box::new(fs)) else { continue };
        if let Err(error) = store.retain(2) {
            assert!(error.to_string().contains(ROOT), "{error}");
            left.insert(store.steps().unwrap());
        }
    }
    for step in [30, 20, 10] {
        assert!(left.contains(&vec![50, 40, step]), "step {step} alone: {left:?}");
    }
}

#[test]
fn what_a_start_cannot_remove_keeps_none_of_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let lock = RunLock::acquire(folder.path()).unwrap();
    let mut left = std::collections::HashSet::new();
    for at in 1..=operations() {
        let disk = disk();
        for name in [".tmp-1", ".trash-2"] {
            let path = std::path::Path::new(ROOT).join(name);
            disk.create_dir(&path).unwrap();
            disk.create(&path.join("file")).unwrap();
        }
        let fs = FaultFs::new(disk.clone(), at, Fault::Once(libc::EACCES));
        let Ok(store) = Store::with_storage(ROOT, Box::new(fs)) else { continue };
        store.clean_up(&lock);
        left.insert(disk.files().into_iter().filter(|file| file.contains("/.")).collect::<Vec<_>>());
        assert_eq!(latest_step(disk, ROOT), Some(20));
    }
    for name in [".tmp-1", ".trash-2"] {
        assert!(left.contains(&vec![format!("{ROOT}/{name}/file")]), "{name} alone: {left:?}");
    }
}
