//! A disk that loses what was not synced: files in memory, with what is on the medium told apart from what the
//! page cache shows, and every call that touches it written down.
//!
//! [`Disk::cut`] is what a power cut leaves: what was synced, and of the rest either nothing or a random part,
//! torn in sectors. [`Disk::fail`] makes the n-th call fail. SQLite reaches it through [`vfs`].

pub mod folder;
mod random;
pub mod vfs;

pub use random::Random;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

/// What a medium writes whole.
pub const SECTOR: usize = 512;

/// What was asked of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    /// The file was not there, and now is.
    Create,
    Write {
        at: usize,
        octets: Vec<u8>,
    },
    Truncate(usize),
    Sync,
    /// The medium refused: what the file had unsynced is in the page cache, and nobody will write it again
    /// (Linux marks such pages clean).
    SyncFailed,
    /// `durably`: and the folder was synced.
    Delete {
        durably: bool,
    },
    /// Another file, with these octets and synced, takes its name; the sync that follows is the folder's.
    Replace(Vec<u8>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    pub file: String,
    pub call: Call,
}

/// How a call fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// EIO from whatever the call is.
    Io,
    /// ENOSPC, where the call needs room; else nothing.
    NoRoom,
    /// Half of a write arrives, then EIO.
    Short,
}

/// What a power cut leaves of what was not synced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// Nothing.
    Dropped,
    /// A random half, torn in sectors.
    Torn,
}

#[derive(Debug, Default)]
struct State {
    /// As the page cache shows them.
    files: BTreeMap<String, Vec<u8>>,
    /// What the medium held when the steps began.
    medium: BTreeMap<String, Vec<u8>>,
    steps: Vec<Step>,
    calls: u64,
    /// From which call on, for how many calls, what happens.
    fault: Option<(u64, u64, Fault)>,
    failed: u64,
}

/// One disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Disk(Arc<Mutex<State>>);

/// A call that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed(pub Fault);

impl Disk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("nobody panics with it")
    }

    /// Steps so far; a place to cut at.
    pub fn at(&self) -> usize {
        self.state().steps.len()
    }

    pub fn steps(&self) -> Vec<Step> {
        self.steps_from(0)
    }

    /// The steps from a place on.
    pub fn steps_from(&self, from: usize) -> Vec<Step> {
        self.state().steps.get(from..).unwrap_or_default().to_vec()
    }

    /// Calls so far that can fail.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Lets `many` calls fail, the first of them the `nth` from now, counted from 1.
    pub fn fail(&self, nth: u64, many: u64, fault: Fault) {
        let mut state = self.state();
        state.fault = Some((state.calls.saturating_add(nth), many, fault));
    }

    /// The disk is well again. How many calls failed.
    pub fn heal(&self) -> u64 {
        let mut state = self.state();
        state.fault = None;
        std::mem::take(&mut state.failed)
    }

    /// Octets written to a file, in it still, and not synced since.
    pub fn unsynced(&self, file: &str) -> usize {
        let mut left = 0;
        for step in self.state().steps.iter().rev().filter(|step| step.file == file) {
            match &step.call {
                Call::Write { octets, .. } => left += octets.len(),
                Call::Sync | Call::Create | Call::Delete { .. } | Call::Replace(_) | Call::Truncate(0) => {
                    break;
                }
                Call::Truncate(_) | Call::SyncFailed => {}
            }
        }
        left
    }

    /// What the page cache shows: what a process that starts again on the same machine finds.
    pub fn seen(&self) -> Disk {
        let state = self.state();
        Disk::of(state.files.clone(), state.files.clone())
    }

    /// What the page cache showed after so many steps.
    pub fn seen_at(&self, at: usize) -> Disk {
        let state = self.state();
        let mut files = state.medium.clone();
        state.steps.iter().take(at).for_each(|step| apply(&mut files, &step.file, &step.call));
        Disk::of(files.clone(), files)
    }

    fn of(files: BTreeMap<String, Vec<u8>>, medium: BTreeMap<String, Vec<u8>>) -> Disk {
        Disk(Arc::new(Mutex::new(State { files, medium, ..State::default() })))
    }

    /// What the machine finds that starts after a power cut, after so many steps.
    pub fn cut(&self, at: usize, left: Left, random: &mut Random) -> Disk {
        let state = self.state();
        cut(&state.medium, state.steps.get(..at).unwrap_or(&state.steps), left, random)
    }

    /// The same disk, had its steps been these: for a disk, or an order of syncs, that nobody ought to have.
    pub fn had_it_been(&self, steps: Vec<Step>) -> Disk {
        let state = self.state();
        let made = Disk::of(state.files.clone(), state.medium.clone());
        made.state().steps = steps;
        made
    }

    /// One call. `Err`: it did not happen, or only half.
    fn call(&self, file: &str, call: Call) -> Result<(), Failed> {
        let mut state = self.state();
        state.calls += 1;
        let fault = match state.fault {
            Some((from, many, fault)) if (from..from.saturating_add(many)).contains(&state.calls) => {
                let needs_room = matches!(call, Call::Create | Call::Write { .. });
                (fault != Fault::NoRoom || needs_room).then_some(fault)
            }
            _ => None,
        };
        let call = match (fault, call) {
            (None, call) => call,
            (Some(fault), call) => {
                state.failed += 1;
                let half = match (fault, call) {
                    (_, Call::Sync) => Some(Call::SyncFailed),
                    (Fault::Short, Call::Write { at, mut octets }) => {
                        octets.truncate(octets.len() / 2);
                        Some(Call::Write { at, octets })
                    }
                    _ => None,
                };
                if let Some(call) = half {
                    apply(&mut state.files, file, &call);
                    state.steps.push(Step { file: file.to_owned(), call });
                }
                return Err(Failed(fault));
            }
        };
        apply(&mut state.files, file, &call);
        state.steps.push(Step { file: file.to_owned(), call });
        Ok(())
    }
}

fn apply(files: &mut BTreeMap<String, Vec<u8>>, file: &str, call: &Call) {
    match call {
        Call::Create => _ = files.entry(file.to_owned()).or_default(),
        Call::Delete { .. } => _ = files.remove(file),
        Call::Replace(octets) => _ = files.insert(file.to_owned(), octets.clone()),
        Call::Write { at, octets } => write(files.entry(file.to_owned()).or_default(), *at, octets),
        Call::Truncate(length) => files.entry(file.to_owned()).or_default().truncate(*length),
        Call::Sync | Call::SyncFailed => {}
    }
}

fn write(content: &mut Vec<u8>, at: usize, octets: &[u8]) {
    let end = at + octets.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(octets);
}

/// A file between two syncs.
#[derive(Clone, Debug, Default)]
struct Between<'a> {
    /// On the medium under this name: an earlier file may still be, whose deletion was not made durable.
    medium: Option<Vec<u8>>,
    /// What the file that has the name now has there: none before its first sync.
    synced: Option<Vec<u8>>,
    deleted: bool,
    /// What has the name on the medium until the folder is synced.
    replaced: Option<Option<Vec<u8>>>,
    pending: Vec<&'a Call>,
}

fn cut(medium: &BTreeMap<String, Vec<u8>>, steps: &[Step], left: Left, random: &mut Random) -> Disk {
    let mut files: BTreeMap<&str, Between<'_>> = medium
        .iter()
        .map(|(name, content)| {
            let there = Some(content.clone());
            (name.as_str(), Between { medium: there.clone(), synced: there, ..Between::default() })
        })
        .collect();
    for Step { file, call } in steps {
        let between = files.entry(file).or_default();
        match call {
            Call::Create => {
                // Another file of the same name: the medium keeps the first one's until this one is synced.
                *between = Between { medium: between.medium.take(), ..Between::default() };
            }
            Call::Delete { durably } => {
                let medium = between.medium.take().filter(|_| !durably);
                *between = Between { medium, deleted: true, ..Between::default() };
            }
            Call::Replace(octets) => {
                let replaced = between.replaced.take().unwrap_or_else(|| {
                    let mut old = between.synced.take();
                    if let (Some(old), Left::Torn) = (&mut old, left) {
                        tear(old, &between.pending, random);
                    }
                    old.or(between.medium.take())
                });
                *between =
                    Between { synced: Some(octets.clone()), replaced: Some(replaced), ..Between::default() };
            }
            Call::Write { .. } | Call::Truncate(_) => between.pending.push(call),
            Call::SyncFailed => {
                let given_up = std::mem::take(&mut between.pending);
                if left == Left::Torn {
                    tear(between.synced.get_or_insert_default(), &given_up, random);
                }
            }
            Call::Sync => {
                let mut content = between.synced.take().unwrap_or_default();
                for call in between.pending.drain(..) {
                    change(&mut content, call);
                }
                between.synced = Some(content.clone());
                between.replaced = None;
                // The first sync of a new file makes its name durable, too.
                between.medium = Some(content);
            }
        }
    }
    let mut kept: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (name, between) in files {
        let Between { medium, synced, deleted, replaced, pending } = between;
        let torn = left == Left::Torn;
        let content = match (replaced, medium, synced) {
            (Some(old), ..) if !torn || random.coin() => old,
            (_, Some(_), None) if deleted && torn && random.coin() => None,
            // The name of a new file is on the medium by chance.
            (_, old, None) if !deleted && torn && random.coin() => {
                let mut content = vec![];
                tear(&mut content, &pending, random);
                if pending.is_empty() { old } else { Some(content) }
            }
            (_, old, None) => old,
            (_, _, Some(mut content)) => {
                if torn {
                    tear(&mut content, &pending, random);
                }
                Some(content)
            }
        };
        if let Some(content) = content {
            kept.insert(name.to_owned(), content);
        }
    }
    Disk::of(kept.clone(), kept)
}

fn change(content: &mut Vec<u8>, call: &Call) {
    match call {
        Call::Write { at, octets } => write(content, *at, octets),
        Call::Truncate(length) => content.truncate(*length),
        Call::Create | Call::Sync | Call::SyncFailed | Call::Delete { .. } | Call::Replace(_) => {}
    }
}

/// Half of the calls arrive, and of a write half of its sectors.
fn tear(content: &mut Vec<u8>, pending: &[&Call], random: &mut Random) {
    for call in pending {
        if !random.coin() {
            continue;
        }
        let Call::Write { at, octets } = call else {
            change(content, call);
            continue;
        };
        let whole = random.coin();
        let mut from = 0;
        while from < octets.len() {
            let next = ((at + from) / SECTOR + 1) * SECTOR - at;
            let to = next.min(octets.len());
            if whole || random.coin() {
                write(content, at + from, &octets[from..to]);
            }
            from = to;
        }
    }
}

/// For SQLite, and for whoever looks at a disk.
impl Disk {
    pub fn content(&self, file: &str) -> Option<Vec<u8>> {
        self.state().files.get(file).cloned()
    }

    /// A copy of the file, synced, takes its name; of one that is empty or not there, nothing.
    pub fn write_again(&self, file: &str) {
        let Some(octets) = self.content(file).filter(|content| !content.is_empty()) else { return };
        let mut state = self.state();
        for call in [Call::Replace(octets), Call::Sync] {
            apply(&mut state.files, file, &call);
            state.steps.push(Step { file: file.to_owned(), call });
        }
    }

    pub fn has(&self, file: &str) -> bool {
        self.state().files.contains_key(file)
    }

    pub fn length(&self, file: &str) -> usize {
        self.state().files.get(file).map_or(0, Vec::len)
    }

    /// How many octets there were to read; the rest of `into` is zeros.
    fn read(&self, file: &str, at: usize, into: &mut [u8]) -> usize {
        let state = self.state();
        let there = state.files.get(file).and_then(|content| content.get(at..)).unwrap_or_default();
        let many = there.len().min(into.len());
        into[..many].copy_from_slice(&there[..many]);
        into[many..].fill(0);
        many
    }
}
