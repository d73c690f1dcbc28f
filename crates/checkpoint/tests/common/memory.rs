//! A file system in memory with volatile and durable state.
//!
//! A file's data are durable as of its last sync. A directory's names are durable as of its last sync; a power loss may or may not keep
//! each change of a name made since. A file never synced comes back with any part of its data.

use std::collections::BTreeMap;
use std::io::{self, Cursor, ErrorKind, Read, Write};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex};

use coldstart_checkpoint::{Entry, Output, Storage};

#[derive(Clone, Debug)]
enum Node {
    File { data: Vec<u8>, durable: Vec<u8> },
    Dir { names: BTreeMap<String, usize>, durable: BTreeMap<String, usize> },
}

#[derive(Clone, Debug)]
struct Disk {
    nodes: Vec<Node>,
}

/// Clones share the disk. Node 0 is the root directory.
#[derive(Clone)]
pub struct MemoryFs(Arc<Mutex<Disk>>);

impl MemoryFs {
    pub fn new() -> Self {
        let root = Node::Dir { names: BTreeMap::new(), durable: BTreeMap::new() };
        MemoryFs(Arc::new(Mutex::new(Disk { nodes: vec![root] })))
    }

    /// What a machine finds after losing power now. `choose` decides, for each change that was not synced, whether it reached the disk.
    pub fn after_power_loss(&self, choose: &mut dyn FnMut() -> bool) -> MemoryFs {
        let mut disk = self.0.lock().unwrap().clone();
        for node in &mut disk.nodes {
            match node {
                Node::File { data, durable } => {
                    // Files only grow here: all of what was not synced arrives, or half of it, or nothing.
                    let unsynced = data.len() - durable.len();
                    let arrived = if choose() { if choose() { unsynced } else { unsynced / 2 } } else { 0 };
                    *durable = data[..durable.len() + arrived].to_vec();
                    *data = durable.clone();
                }
                Node::Dir { names, durable } => {
                    lose_names(names, durable, choose);
                    *durable = names.clone();
                }
            }
        }
        MemoryFs(Arc::new(Mutex::new(disk)))
    }

    pub fn files(&self) -> Vec<String> {
        let disk = self.0.lock().unwrap();
        let mut found = Vec::new();
        disk.walk(0, "", &mut found);
        found
    }

    /// Flips one bit of the k-th byte stored under `path`.
    pub fn flip(&self, path: &str, bit: usize) {
        let mut disk = self.0.lock().unwrap();
        let index = disk.find(Path::new(path)).unwrap();
        if let Node::File { data, .. } = &mut disk.nodes[index] {
            data[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

/// A journalled rename is atomic, so the two halves of one move (same node, name gone and name there) share a fate.
fn lose_names(
    names: &mut BTreeMap<String, usize>,
    durable: &BTreeMap<String, usize>,
    choose: &mut dyn FnMut() -> bool,
) {
    let mut fates: BTreeMap<usize, bool> = BTreeMap::new();
    let mut survived = durable.clone();
    let all: Vec<String> = names.keys().chain(durable.keys()).cloned().collect();
    for name in all {
        let (now, before) = (names.get(&name).copied(), durable.get(&name).copied());
        if now == before {
            continue;
        }
        let node = now.or(before).unwrap();
        if *fates.entry(node).or_insert_with(&mut *choose) {
            match now {
                Some(node) => survived.insert(name, node),
                None => survived.remove(&name),
            };
        }
    }
    *names = survived;
}

impl Disk {
    fn find(&self, path: &Path) -> io::Result<usize> {
        let mut at = 0;
        for part in path.components() {
            let Component::Normal(name) = part else { continue };
            let Node::Dir { names, .. } = &self.nodes[at] else { return Err(ErrorKind::NotADirectory.into()) };
            at = *names.get(name.to_str().unwrap()).ok_or(ErrorKind::NotFound)?;
        }
        Ok(at)
    }

    fn names(&mut self, path: &Path) -> io::Result<&mut BTreeMap<String, usize>> {
        let at = self.find(path)?;
        match &mut self.nodes[at] {
            Node::Dir { names, .. } => Ok(names),
            Node::File { .. } => Err(ErrorKind::NotADirectory.into()),
        }
    }

    fn add(&mut self, path: &Path, node: Node) -> io::Result<usize> {
        let index = self.nodes.len();
        let (parent, name) = split(path);
        let names = self.names(parent)?;
        if names.contains_key(&name) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        names.insert(name, index);
        self.nodes.push(node);
        Ok(index)
    }

    fn walk(&self, at: usize, prefix: &str, found: &mut Vec<String>) {
        if let Node::Dir { names, .. } = &self.nodes[at] {
            for (name, &index) in names {
                match &self.nodes[index] {
                    Node::File { .. } => found.push(format!("{prefix}/{name}")),
                    Node::Dir { .. } => self.walk(index, &format!("{prefix}/{name}"), found),
                }
            }
        }
    }
}

fn split(path: &Path) -> (&Path, String) {
    (path.parent().unwrap(), path.file_name().unwrap().to_str().unwrap().to_string())
}

struct MemoryFile {
    disk: Arc<Mutex<Disk>>,
    index: usize,
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Node::File { data, .. } = &mut self.disk.lock().unwrap().nodes[self.index] {
            data.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for MemoryFile {
    fn sync(&mut self) -> io::Result<()> {
        if let Node::File { data, durable } = &mut self.disk.lock().unwrap().nodes[self.index] {
            durable.clone_from(data);
        }
        Ok(())
    }
}

impl Storage for MemoryFs {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        let dir = Node::Dir { names: BTreeMap::new(), durable: BTreeMap::new() };
        self.0.lock().unwrap().add(path, dir).map(|_| ())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn Output>> {
        let index = self.0.lock().unwrap().add(path, Node::File { data: Vec::new(), durable: Vec::new() })?;
        Ok(Box::new(MemoryFile { disk: self.0.clone(), index }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn Read>> {
        let disk = self.0.lock().unwrap();
        match &disk.nodes[disk.find(path)?] {
            Node::File { data, .. } => Ok(Box::new(Cursor::new(data.clone()))),
            Node::Dir { .. } => Err(ErrorKind::IsADirectory.into()),
        }
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let index = self.0.lock().unwrap().find(path)?;
        MemoryFile { disk: self.0.clone(), index }.sync()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        let index = disk.find(path)?;
        if let Node::Dir { names, durable } = &mut disk.nodes[index] {
            durable.clone_from(names);
        }
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut disk = self.0.lock().unwrap();
        let names = disk.names(path)?.clone();
        let entry = |(name, index): (String, usize)| match &disk.nodes[index] {
            Node::File { data, .. } => Entry { name, is_dir: false, bytes: data.len() as u64 },
            Node::Dir { .. } => Entry { name, is_dir: true, bytes: 0 },
        };
        Ok(names.into_iter().map(entry).collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        if disk.find(to).is_ok() {
            return Err(ErrorKind::DirectoryNotEmpty.into());
        }
        let ((from, old), (to, new)) = (split(from), split(to));
        let index = disk.names(from)?.remove(&old).ok_or(ErrorKind::NotFound)?;
        disk.names(to)?.insert(new, index);
        Ok(())
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        let (first, second) = (disk.find(a)?, disk.find(b)?);
        let ((dir_a, name_a), (dir_b, name_b)) = (split(a), split(b));
        disk.names(dir_a)?.insert(name_a, second);
        disk.names(dir_b)?.insert(name_b, first);
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let (parent, name) = split(path);
        self.0.lock().unwrap().names(parent)?.remove(&name).map(|_| ()).ok_or(ErrorKind::NotFound.into())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        if self.list(path)?.is_empty() { self.remove_file(path) } else { Err(ErrorKind::DirectoryNotEmpty.into()) }
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(1 << 20)
    }
}
