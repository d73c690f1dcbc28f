//! Killed savers, racing trainers and readers beside a writer, as processes of their own.
#![cfg(unix)]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use coldstart_checkpoint::{RealFs, RunLock, Store};
use common::{Random, latest_step, save};

const FOLDER: &str = "COLDSTART_TEST_FOLDER";

/// A process that ends with the test, even one that fails.
struct Role(Child);

impl Role {
    fn is_running(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs `test` of this file in another process, where it plays its other role in `folder`.
fn spawn(test: &str, folder: &Path) -> Role {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(FOLDER, folder);
    Role(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

/// The folder, in a process started by [`spawn`].
fn folder_of_role() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

fn save_until_killed(folder: &Path) {
    let store = Store::open(folder).unwrap();
    let lock = RunLock::acquire(store.root()).unwrap();
    store.clean_up(&lock);
    let next = store.latest().unwrap().map_or(1, |checkpoint| checkpoint.step() + 1);
    for step in next.. {
        save(&store, step).unwrap();
        store.retain(2).unwrap();
    }
}

/// Refused: 7. Else holds the lock until a file tells it to let go.
fn take_the_lock_once(folder: &Path) -> ! {
    let lock = RunLock::acquire(folder);
    while lock.is_ok() && !folder.join("let-go").exists() {
        std::thread::sleep(Duration::from_millis(2));
    }
    std::process::exit(if lock.is_ok() { 0 } else { 7 });
}

#[test]
fn a_killed_saver_loses_at_most_its_last_step() {
    if let Some(folder) = folder_of_role() {
        return save_until_killed(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(3);
    let mut before = None;
    for _ in 0..50 {
        let mut child = spawn("a_killed_saver_loses_at_most_its_last_step", folder.path());
        let store = Store::open(folder.path()).unwrap();
        while store.steps().unwrap().first() == before.as_ref() && child.is_running() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(random.next() % 60));
        child.kill();
        let step = latest_step(RealFs, folder.path().to_str().unwrap());
        assert!(step >= before, "step {step:?} after {before:?}");
        before = step;
    }
    assert!(before >= Some(50), "the savers got somewhere: {before:?}");
    let store = Store::open(folder.path()).unwrap();
    store.clean_up(&RunLock::acquire(folder.path()).unwrap());
    // Without it there were one for each step saved; a kill just before it leaves one more.
    assert!(store.steps().unwrap().len() < 10, "retention went on through the kills: {:?}", store.steps());
}

#[test]
fn of_two_trainers_one_is_refused_at_once() {
    if let Some(folder) = folder_of_role() {
        take_the_lock_once(&folder);
    }
    for _ in 0..10 {
        let folder = tempfile::tempdir().unwrap();
        let mut children = [(); 3].map(|()| spawn("of_two_trainers_one_is_refused_at_once", folder.path()));
        let mut codes = Vec::new();
        while codes.len() < 2 {
            codes.extend(children.iter_mut().filter_map(|child| child.0.try_wait().unwrap()?.code()));
            assert!(codes.iter().all(|code| *code == 7), "refused while another holds it: {codes:?}");
            if codes.len() < 2 {
                codes.clear();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        std::fs::write(folder.path().join("let-go"), "").unwrap();
        let mut codes = children.map(|mut child| child.0.wait().unwrap().code());
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(7), Some(7)]);
    }
}

#[test]
fn the_lock_of_a_killed_trainer_is_free() {
    if let Some(folder) = folder_of_role() {
        take_the_lock_once(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = spawn("the_lock_of_a_killed_trainer_is_free", folder.path());
    while std::fs::read_to_string(folder.path().join("run.lock")).unwrap_or_default().is_empty() && child.is_running() {
        std::thread::sleep(Duration::from_millis(2));
    }
    let error = RunLock::acquire(folder.path()).unwrap_err();
    assert_eq!(error.code(), "E_BUSY");
    assert!(error.to_string().contains(&child.0.id().to_string()), "{error}");
    child.kill();
    RunLock::acquire(folder.path()).unwrap();
}

#[test]
fn a_lock_is_refused_within_the_same_process_and_released_by_dropping_it() {
    let folder = tempfile::tempdir().unwrap();
    let lock = RunLock::acquire(folder.path()).unwrap();
    assert_eq!(RunLock::acquire(folder.path()).unwrap_err().code(), "E_BUSY");
    drop(lock);
    // A child that another test is starting right now holds a copy of the file until it has become another program.
    let deadline = Instant::now() + Duration::from_secs(60);
    while RunLock::acquire(folder.path()).is_err() {
        assert!(Instant::now() < deadline, "the lock is free once dropped");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_reader_beside_a_saver_sees_whole_checkpoints() {
    if let Some(folder) = folder_of_role() {
        return save_until_killed(&folder);
    }
    let folder = tempfile::tempdir().unwrap();
    save(&Store::open(folder.path()).unwrap(), 0).unwrap();
    let mut child = spawn("a_reader_beside_a_saver_sees_whole_checkpoints", folder.path());
    let store = Store::open(folder.path()).unwrap();
    let (mut last, mut looks) = (0, 0);
    let deadline = Instant::now() + Duration::from_secs(60);
    while (looks < 300 || last < 5) && Instant::now() < deadline {
        looks += 1;
        // Retention may delete what is being verified; there is a newer one then.
        let found = store.latest().unwrap();
        let step = found.expect("a saved step never disappears before a newer one is there").step();
        assert!(step >= last);
        last = step;
    }
    child.kill();
    assert!(last >= 5, "the saver got somewhere");
}
