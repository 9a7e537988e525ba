//! Closed-book questions about single phantoms.

use crate::data::{Case, Split};
use crate::phantom::rng::PhantomRng;
use crate::phantom::subject::Subject;
use crate::phantom::tasks::{FUNDUS_QUESTIONS, GRADE, ULTRASOUND_QUESTIONS};

/// The questions that are asked about an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    SignsOnly,
    /// The signs, and two nuisances of an ultrasound or one of a fundus.
    SignsAndSomeNuisances,
}

/// Number of signs at the start of [`ULTRASOUND_QUESTIONS`].
const ULTRASOUND_SIGNS: usize = 2;

/// The cases about one phantom.
pub fn question_cases(
    subject: &Subject,
    index: usize,
    image: &str,
    split: Split,
    asked: Asked,
    rng: &mut PhantomRng,
) -> Vec<Case> {
    let mut answers: Vec<(&str, &str)> = Vec::new();
    match subject {
        Subject::Ultrasound(shown) => {
            let mut nuisances: Vec<usize> = (ULTRASOUND_SIGNS..ULTRASOUND_QUESTIONS.len()).collect();
            rng.shuffle(&mut nuisances);
            nuisances.truncate(if asked == Asked::SignsOnly { 0 } else { 2 });
            for number in (0..ULTRASOUND_SIGNS).chain(nuisances) {
                let question = &ULTRASOUND_QUESTIONS[number];
                answers.push((question.id, (question.answer)(shown)));
            }
        }
        Subject::Fundus(shown) => {
            answers.push((GRADE, shown.grade.word()));
            if asked == Asked::SignsAndSomeNuisances {
                let question = &FUNDUS_QUESTIONS[rng.below(FUNDUS_QUESTIONS.len())];
                answers.push((question.id, (question.answer)(shown)));
            }
        }
    }
    answers
        .into_iter()
        .map(|(task, answer)| Case {
            id: format!("q{index:06}-{task}"),
            task: task.into(),
            split,
            image: image.into(),
            question: None,
            answer: answer.into(),
            unknown: Vec::new(),
            group: None,
        })
        .collect()
}
