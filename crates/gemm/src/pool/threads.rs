//! How many threads the pool has.

use std::sync::OnceLock;

pub(super) fn count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| {
        ["COLDSTART_NUM_THREADS", "RAYON_NUM_THREADS"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok()?.trim().parse().ok().filter(|&n| n > 0))
            .unwrap_or_else(usable_cores)
    })
}

/// Cores that affinity and cgroup quota allow, at most one thread a physical core: two threads of one core share its
/// vector units, and products gain nothing from the second.
fn usable_cores() -> usize {
    let allowed = std::thread::available_parallelism().map_or(1, usize::from);
    physical_cores().map_or(allowed, |cores| allowed.min(cores)).max(1)
}

/// Physical cores that have at least one CPU in this process's affinity mask.
#[cfg(target_os = "linux")]
fn physical_cores() -> Option<usize> {
    // SAFETY: the set is plain data, and the call writes at most its size.
    let allowed = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &raw mut set) != 0 {
            return None;
        }
        set
    };
    let mut cores = std::collections::HashSet::new();
    for cpu in 0..libc::CPU_SETSIZE as usize {
        // SAFETY: the index is below the size of the set.
        if unsafe { libc::CPU_ISSET(cpu, &allowed) } {
            let path = format!("/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list");
            cores.insert(std::fs::read_to_string(path).ok()?);
        }
    }
    (!cores.is_empty()).then_some(cores.len())
}

#[cfg(not(target_os = "linux"))]
fn physical_cores() -> Option<usize> {
    None
}
