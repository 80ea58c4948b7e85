//! A computer with a file system on a medium that keeps what was synced and, when the power is cut, some of the rest.
//!
//! Programs see what they have done. The medium has what was synced; of what came after, a cut leaves what the [`Model`]
//! of the file system allows.

mod content;
mod files;
mod history;
mod oracle;
mod signature;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::path::{Component, Path};

pub(crate) use self::content::Content;
use self::history::{Change, History};
pub(crate) use self::oracle::{Oracle, Question};

/// What a file system promises of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Model {
    /// Like ext4 with `data=ordered`: names and modes are kept in the order in which they changed, up to some moment, and
    /// every sync keeps all of them so far. Data that was not synced is there up to some block.
    Ordered,
    /// Like btrfs: each change of names is kept whole or not at all, in any order. Data as above.
    Reordering,
    /// What POSIX says and no more: each name by itself is as it was at some moment since its directory was synced, so
    /// that a rename can leave both names or none. Unsynced data can also be zeros or garbage of the right size.
    Weakest,
}

impl Model {
    pub(crate) const ALL: [Self; 3] = [Self::Ordered, Self::Reordering, Self::Weakest];
}

/// A file or a directory, for ever: numbers are not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct NodeId(usize);

const ROOT: NodeId = NodeId(0);

#[derive(Debug, Clone)]
enum Node {
    File(File),
    Dir(BTreeMap<String, History<Option<NodeId>>>),
}

#[derive(Debug, Clone)]
struct File {
    /// What programs see.
    content: Content,
    /// What was synced last.
    durable: Content,
    dirty: bool,
    /// A sync of it has failed: no later one says anything about what was written before.
    unconfirmed: bool,
    /// The sizes that it has had since.
    sizes: Vec<usize>,
    mode: History<u32>,
    modified: u64,
}

#[derive(Debug, Clone, Default)]
enum Lock {
    #[default]
    Free,
    Exclusive(u64),
    Shared(HashSet<u64>),
}

/// What stands at a path.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attributes {
    pub(crate) size: u64,
    /// Whether its mode lets nobody write to it. What else the mode says, programs do not look at.
    pub(crate) readonly: bool,
    pub(crate) modified: u64,
}

/// The machine. A clone of it is the same machine at the same moment.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    model: Model,
    nodes: Vec<Node>,
    session: u32,
    changes: u32,
    /// Whether changes of several names were kept, as far as it is known: what is true of one name is true of all.
    fates: HashMap<Change, bool>,
    locks: HashMap<NodeId, Lock>,
    /// What could not be synced, and has not changed since.
    failed: HashSet<NodeId>,
    clock: u64,
    pub(crate) oracle: Oracle,
}

impl Machine {
    /// With an empty file system.
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            nodes: vec![Node::Dir(BTreeMap::new())],
            session: 0,
            changes: 0,
            fates: HashMap::new(),
            locks: HashMap::new(),
            failed: HashSet::new(),
            clock: 0,
            oracle: Oracle::default(),
        }
    }

    /// Cuts the power, and turns the machine on again. `oracle` will say what is left when somebody looks.
    pub(crate) fn cut(mut self, oracle: Oracle) -> Self {
        self.oracle = oracle;
        let (model, session) = (self.model, self.session);
        if model == Model::Ordered {
            let numbers: Vec<Change> = self.pending();
            let kept = self.oracle.ask(Question::Journal { session }, numbers.len() + 1);
            let last = kept.checked_sub(1).map(|last| numbers[last]);
            self.each_history(|history| history.settle_up_to(last));
        }
        for node in &mut self.nodes {
            if let Node::File(file) = node
                && file.dirty
            {
                file.content = file.content.torn(&file.durable, &file.sizes, model);
                file.synced();
            }
        }
        self.locks.clear();
        self.failed.clear();
        self.session += 1;
        self.changes = 0;
        self
    }

    /// Kills every process. What they did is there, durable or not.
    pub(crate) fn kill_all(mut self) -> Self {
        self.locks.clear();
        self
    }

    /// Makes everything durable.
    pub(crate) fn sync_all(&mut self) {
        let everything = self.pending().last().copied();
        self.each_history(|history| history.settle_up_to(everything));
        for node in &mut self.nodes {
            if let Node::File(file) = node {
                file.synced();
            }
        }
    }

    /// Makes durable that what is gone is gone.
    pub(crate) fn sync_removals(&mut self) {
        for node in &mut self.nodes {
            if let Node::Dir(names) = node {
                names.retain(|_, name| {
                    let gone = name.last().map_or(name.durable(), |(_, value)| value).is_none();
                    let asked = name.last().is_none_or(|(change, _)| change.session == self.session);
                    !(gone && asked)
                });
            }
        }
    }

    /// The numbers of the changes that are not durable, in order.
    fn pending(&self) -> Vec<Change> {
        let mut pending: Vec<Change> = Vec::new();
        for node in &self.nodes {
            match node {
                Node::File(file) => pending.extend(file.mode.changes()),
                Node::Dir(names) => names.values().for_each(|name| pending.extend(name.changes())),
            }
        }
        pending.sort_unstable();
        pending.dedup();
        pending
    }

    fn each_history(&mut self, mut action: impl FnMut(&mut dyn Settle)) {
        for node in &mut self.nodes {
            match node {
                Node::File(file) => action(&mut file.mode),
                Node::Dir(names) => names.values_mut().for_each(|name| action(name)),
            }
        }
    }

    /// In how many states a cut of the power now could leave the medium, at most: as a number of binary digits, because
    /// there are so many.
    pub(crate) fn states(&self) -> f64 {
        if self.model == Model::Ordered {
            let contents: f64 = self.nodes.iter().map(|node| node.contents(self.model)).sum();
            return contents + ((self.pending().len() + 1) as f64).log2();
        }
        let mut states: f64 = 0.0;
        let mut changes = HashSet::new();
        for node in &self.nodes {
            states += node.contents(self.model);
            let histories: Vec<(usize, Vec<Change>)> = match node {
                Node::File(file) => vec![(file.mode.values().len(), file.mode.changes().collect())],
                Node::Dir(names) => {
                    names.values().map(|name| (name.values().len(), name.changes().collect())).collect()
                }
            };
            for (values, of) in histories {
                match self.model {
                    Model::Weakest => states += (values as f64).log2(),
                    _ => changes.extend(of),
                }
            }
        }
        states + changes.len() as f64
    }

    fn next_change(&mut self) -> Change {
        self.changes += 1;
        Change { session: self.session, number: self.changes }
    }

    /// The change of one of several names that change in one call.
    fn joint_change(&mut self, first: Change) -> Change {
        if self.model == Model::Weakest { self.next_change() } else { first }
    }

    fn now(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl File {
    /// Its content is what the medium has.
    fn synced(&mut self) {
        self.durable = self.content.clone();
        self.dirty = false;
        self.unconfirmed = false;
        self.sizes.clear();
    }
}

impl Node {
    fn contents(&self, model: Model) -> f64 {
        match self {
            Node::File(file) if file.dirty => {
                (file.content.torn(&file.durable, &file.sizes, model).candidates().len() as f64).log2()
            }
            Node::File(file) => (file.content.candidates().len() as f64).log2(),
            Node::Dir(_) => 0.0,
        }
    }
}

/// What the journal does to a history, whatever it is of.
trait Settle {
    fn settle_up_to(&mut self, last: Option<Change>);
}

impl<T: Clone + PartialEq> Settle for History<T> {
    fn settle_up_to(&mut self, last: Option<Change>) {
        self.keep(|change| Some(change) <= last);
        self.lose(|_| true);
    }
}

/// Paths and names.
impl Machine {
    fn dir(&self, id: NodeId) -> &BTreeMap<String, History<Option<NodeId>>> {
        match &self.nodes[id.0] {
            Node::Dir(names) => names,
            Node::File(_) => panic!("a file is not looked into"),
        }
    }

    fn dir_mut(&mut self, id: NodeId) -> &mut BTreeMap<String, History<Option<NodeId>>> {
        match &mut self.nodes[id.0] {
            Node::Dir(names) => names,
            Node::File(_) => panic!("a file is not looked into"),
        }
    }

    fn file(&self, id: NodeId) -> &File {
        match &self.nodes[id.0] {
            Node::File(file) => file,
            Node::Dir(_) => panic!("a directory is not read"),
        }
    }

    fn file_mut(&mut self, id: NodeId) -> &mut File {
        match &mut self.nodes[id.0] {
            Node::File(file) => file,
            Node::Dir(_) => panic!("a directory is not written"),
        }
    }

    pub(crate) fn is_dir(&self, id: NodeId) -> bool {
        matches!(self.nodes[id.0], Node::Dir(_))
    }

    /// What a name stands for. Looking settles it, if a power cut has left it open.
    fn name(&mut self, dir: NodeId, name: &str) -> Option<NodeId> {
        let (model, session) = (self.model, self.session);
        let Node::Dir(names) = &mut self.nodes[dir.0] else { panic!("a file is not looked into") };
        let history = names.get_mut(name)?;
        let question = || Question::Name { dir, name: name.to_owned() };
        look(history, model, session, &mut self.fates, &mut self.oracle, question)
    }

    /// The directory that a path is in, and the last part of the path.
    fn parent<'a>(&mut self, path: &'a Path) -> io::Result<(NodeId, &'a str)> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidFilename)?;
        let parent = self.find(path.parent().ok_or(io::ErrorKind::InvalidFilename)?)?;
        if !self.is_dir(parent) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok((parent, name))
    }

    /// What stands at a path.
    pub(crate) fn find(&mut self, path: &Path) -> io::Result<NodeId> {
        let mut id = ROOT;
        for part in path.components() {
            let Component::Normal(name) = part else { continue };
            if !self.is_dir(id) {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            let name = name.to_str().ok_or(io::ErrorKind::InvalidFilename)?;
            id = self.name(id, name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(id)
    }

    /// A file at a path, made if there is none. Not looking whether there was one: if a power cut has left that open, it
    /// stays open, because whoever asks for it so goes on in the same way with an old one and with a new one.
    pub(crate) fn find_or_make(&mut self, path: &Path, mode: u32) -> io::Result<NodeId> {
        let (dir, name) = self.parent(path)?;
        let session = self.session;
        let open =
            self.dir(dir).get(name).filter(|name| name.last().is_some_and(|(change, _)| change.session != session));
        match open.and_then(|name| name.values().into_iter().flatten().next_back()) {
            Some(node) => {
                let change = self.next_change();
                self.set_name(change, dir, name, Some(node));
                Ok(node)
            }
            None => match self.name(dir, name) {
                Some(node) => Ok(node),
                None => self.make_file(path, mode),
            },
        }
    }

    fn set_name(&mut self, change: Change, dir: NodeId, name: &str, value: Option<NodeId>) {
        self.failed.remove(&dir);
        let names = self.dir_mut(dir);
        names.entry(name.to_owned()).or_insert_with(|| History::new(None)).change(change, value);
    }

    /// The names in a directory.
    pub(crate) fn list(&mut self, path: &Path) -> io::Result<Vec<String>> {
        let dir = self.find(path)?;
        if !self.is_dir(dir) {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        let names: Vec<String> = self.dir(dir).keys().cloned().collect();
        Ok(names.into_iter().filter(|name| self.name(dir, name).is_some()).collect())
    }

    pub(crate) fn make_dir(&mut self, path: &Path) -> io::Result<()> {
        self.make(path, Node::Dir(BTreeMap::new())).map(drop)
    }

    /// A new file.
    pub(crate) fn make_file(&mut self, path: &Path, mode: u32) -> io::Result<NodeId> {
        let modified = self.now();
        let (content, durable) = (Content::default(), Content::default());
        self.make(
            path,
            Node::File(File {
                content,
                durable,
                dirty: false,
                unconfirmed: false,
                sizes: Vec::new(),
                mode: History::new(mode),
                modified,
            }),
        )
    }

    fn make(&mut self, path: &Path, node: Node) -> io::Result<NodeId> {
        let (dir, name) = self.parent(path)?;
        if self.name(dir, name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = NodeId(self.nodes.len());
        self.nodes.push(node);
        let change = self.next_change();
        self.set_name(change, dir, name, Some(id));
        Ok(id)
    }

    pub(crate) fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let file = self.find(from)?;
        let (dir, name) = self.parent(to)?;
        if self.name(dir, name).is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let change = self.next_change();
        self.set_name(change, dir, name, Some(file));
        Ok(())
    }

    pub(crate) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let ((from_dir, from), (to_dir, to)) = (self.parent(from)?, self.parent(to)?);
        let file = self.name(from_dir, from).ok_or(io::ErrorKind::NotFound)?;
        // What stands there is replaced without being looked at.
        let change = self.next_change();
        self.set_name(change, to_dir, to, Some(file));
        let change = self.joint_change(change);
        self.set_name(change, from_dir, from, None);
        Ok(())
    }

    /// Removes a file, or an empty directory.
    pub(crate) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.parent(path)?;
        self.name(dir, name).ok_or(io::ErrorKind::NotFound)?;
        let change = self.next_change();
        self.set_name(change, dir, name, None);
        Ok(())
    }

    /// Every name that a directory may have, without looking which of them it has.
    pub(crate) fn possible_names(&self, path: &Path) -> Vec<String> {
        let dir = self.clone().find(path);
        dir.map_or_else(|_| Vec::new(), |dir| self.dir(dir).keys().cloned().collect())
    }

    /// Removes a name, whether there is anything or not, and without looking.
    pub(crate) fn remove_any(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.parent(path)?;
        let change = self.next_change();
        self.set_name(change, dir, name, None);
        Ok(())
    }

    /// Makes the names in a directory durable.
    pub(crate) fn sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find(path)?;
        self.expect_no_retry(dir);
        if self.model == Model::Ordered {
            self.commit_journal();
            return Ok(());
        }
        let session = self.session;
        let changes: Vec<Change> = self.dir(dir).values().flat_map(|name| name.changes()).collect();
        self.fates.extend(changes.into_iter().filter(|change| change.session == session).map(|change| (change, true)));
        for name in self.dir_mut(dir).values_mut() {
            name.keep(|change| change.session == session);
        }
        Ok(())
    }

    /// The medium does not confirm the names in a directory. They are seen, and may be lost.
    pub(crate) fn fail_to_sync_dir(&mut self, path: &Path) -> io::Result<()> {
        let dir = self.find(path)?;
        self.expect_no_retry(dir);
        self.failed.insert(dir);
        Ok(())
    }

    /// From now on somebody else may try to sync directories that could not be synced: nothing else can be done about
    /// them.
    pub(crate) fn end_of_operation(&mut self) {
        let Self { failed, nodes, .. } = self;
        failed.retain(|id| matches!(nodes[id.0], Node::File(_)));
    }

    fn expect_no_retry(&self, id: NodeId) {
        assert!(!self.failed.contains(&id), "a sync that failed was retried");
    }

    fn commit_journal(&mut self) {
        let session = self.session;
        for node in &mut self.nodes {
            match node {
                Node::File(file) => file.mode.keep(|change| change.session == session),
                Node::Dir(names) => {
                    names.values_mut().for_each(|name| name.keep(|change| change.session == session));
                }
            }
        }
    }
}

/// What something is now: what was done in this session is seen; what a power cut has left open is asked for.
fn look<T: Clone + PartialEq>(
    history: &mut History<T>,
    model: Model,
    session: u32,
    fates: &mut HashMap<Change, bool>,
    oracle: &mut Oracle,
    question: impl Fn() -> Question,
) -> T {
    if let Some((change, value)) = history.last()
        && change.session == session
    {
        return value.clone();
    }
    if model == Model::Weakest {
        let mut values = history.values();
        let value = values.swap_remove(oracle.ask(question(), values.len()));
        history.settle(value.clone());
        return value;
    }
    while let Some((change, value)) = history.last().cloned() {
        let Change { session, number } = change;
        let ask = || oracle.ask(Question::Change { session, number }, 2) == 1;
        if *fates.entry(change).or_insert_with(ask) {
            history.settle(value);
        } else {
            history.lose_last();
        }
    }
    history.durable().clone()
}

fn is_readonly(mode: u32) -> bool {
    mode & 0o222 == 0
}
