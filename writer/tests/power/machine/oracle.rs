//! Chooses what a power cut has left of what was not durable.
//!
//! A choice is made when somebody looks, not when the power goes: what nobody ever looks at cannot matter to what is done,
//! so all states that differ in that alone are one case. Going through every answer to every question that is asked so
//! goes through every durable state.

use std::collections::HashMap;

use super::NodeId;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Question {
    /// How many of the changes since the last commit of its journal the file system has kept.
    Journal {
        session: u32,
    },
    /// Whether the file system has kept a change.
    Change {
        session: u32,
        number: u32,
    },
    /// What a name in a directory stands for.
    Name {
        dir: NodeId,
        name: String,
    },
    Mode(NodeId),
    Size(NodeId),
    Content(NodeId),
}

/// The answers in the order in which they were asked for first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oracle {
    asked: Vec<Asked>,
    /// Questions are told by what they are about, not by their order: threads may ask in another one the next time.
    known: HashMap<Question, usize>,
    random: Option<fastrand::Rng>,
}

#[derive(Debug, Clone)]
struct Asked {
    question: Question,
    answer: usize,
    answers: usize,
}

impl Oracle {
    /// Answers at random; the seed says everything.
    pub(crate) fn random(seed: u64) -> Self {
        Self { random: Some(fastrand::Rng::with_seed(seed)), ..Self::default() }
    }

    /// One of `answers` answers, from 0.
    pub(crate) fn ask(&mut self, question: Question, answers: usize) -> usize {
        if answers == 1 {
            return 0;
        }
        if let Some(&index) = self.known.get(&question) {
            let asked = &self.asked[index];
            assert_eq!(asked.answers, answers, "{question:?} was asked before, with other answers");
            return asked.answer;
        }
        let answer = self.random.as_mut().map_or(0, |random| random.usize(..answers));
        self.known.insert(question.clone(), self.asked.len());
        self.asked.push(Asked { question, answer, answers });
        answer
    }

    /// Goes on to the next answers; false when there are no others.
    pub(crate) fn advance(&mut self) -> bool {
        while let Some(mut asked) = self.asked.pop() {
            self.known.remove(&asked.question);
            if asked.answer + 1 < asked.answers {
                asked.answer += 1;
                self.known.insert(asked.question.clone(), self.asked.len());
                self.asked.push(asked);
                return true;
            }
        }
        false
    }

    /// Leaves out all that differs only in what was asked after some question.
    pub(crate) fn skip(&mut self, random: &mut fastrand::Rng) {
        for asked in self.asked.drain(random.usize(..=self.asked.len())..) {
            self.known.remove(&asked.question);
        }
    }

    /// The answers, for a report.
    pub(crate) fn describe(&self) -> String {
        let each = |Asked { question, answer, answers }: &Asked| format!("    {question:?}: {answer} of {answers}\n");
        self.asked.iter().map(each).collect()
    }
}
