//! Every order of the steps of several tasks, one after the other.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Tasks that cannot go on before another one has done something.
pub(crate) type Waiting = Arc<Mutex<BTreeSet<usize>>>;

/// Goes through all orders, depth first: those in which a task is interrupted at most `preemptions` times while it could go
/// on, or all there are.
///
/// Most mistakes need one or two interruptions at the right moment, and the number of orders grows with each.
#[derive(Debug)]
pub(crate) struct Orders {
    preemptions: Option<usize>,
    waiting: Waiting,
    /// The choices of the present order, as far as there was one.
    choices: Vec<Choice>,
    /// How many of them have been taken in this execution.
    depth: usize,
    used: usize,
    begun: bool,
}

#[derive(Debug)]
struct Choice {
    options: Vec<TaskId>,
    chosen: usize,
}

impl Orders {
    pub(crate) fn new(preemptions: Option<usize>, waiting: Waiting) -> Self {
        Self { preemptions, waiting, choices: Vec::new(), depth: 0, used: 0, begun: false }
    }
}

impl Scheduler for Orders {
    fn new_execution(&mut self) -> Option<Schedule> {
        while let Some(last) = self.choices.last()
            && last.chosen + 1 == last.options.len()
        {
            self.choices.pop();
        }
        match self.choices.last_mut() {
            Some(last) => last.chosen += 1,
            None if self.begun => return None,
            None => self.begun = true,
        }
        (self.depth, self.used) = (0, 0);
        self.waiting.lock().unwrap().clear();
        Some(Schedule::new(0))
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, _is_yielding: bool) -> Option<TaskId> {
        let runnable: Vec<TaskId> = runnable.iter().map(|task| task.id()).collect();
        // The task that starts the others and waits for their end has no part in this.
        let main = TaskId::from(0);
        if runnable.contains(&main) {
            return Some(main);
        }
        let waiting = self.waiting.lock().unwrap();
        let mut options: Vec<TaskId> =
            runnable.into_iter().filter(|&task| !waiting.contains(&usize::from(task))).collect();
        assert!(!options.is_empty(), "everyone waits for ever");
        let goes_on = current.filter(|current| options.contains(current));
        if let Some(current) = goes_on {
            if self.preemptions.is_some_and(|most| self.used >= most) {
                return Some(current);
            }
            options.sort_by_key(|&task| task != current);
        }
        if options.len() == 1 {
            return options.pop();
        }
        if self.depth == self.choices.len() {
            self.choices.push(Choice { options: options.clone(), chosen: 0 });
        }
        let choice = &self.choices[self.depth];
        assert_eq!(choice.options, options, "the same steps must lead to the same choices");
        self.depth += 1;
        let next = choice.options[choice.chosen];
        self.used += usize::from(goes_on.is_some_and(|current| current != next));
        Some(next)
    }

    fn next_u64(&mut self) -> u64 {
        panic!("nothing here is left to chance")
    }
}
