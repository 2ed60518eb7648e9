//! Whether the partner still answers for the VIPs while none of its heartbeats is heard.
//!
//! Owns the count of questions and answers of one silence. Must not decide what follows.

use std::time::Duration;

/// Answers in a silence after which their end tells that the partner's VIPs are gone, whether or
/// not the deadtime has passed: their lifetime may end before it.
const CONVINCING: u32 = 8;
/// VIPs that were answered for are not gone before they were silent for this long.
pub(crate) const SHORTEST: Duration = Duration::from_millis(60);
/// How likely it may be that all questions since the last answer were lost on the way, judged by
/// those lost before.
const DOUBT: f64 = 1e-5;
/// Questions without an answer that count as silence, and one that is still on its way.
const UNANSWERED: u32 = 2 + 1;
/// So many do whatever was lost before: that may have been a cut that is over.
const MOST_UNANSWERED: u32 = 32;

/// What the VIPs tell of the partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Too few questions asked yet.
    Open,
    /// It serves: somebody answers for it.
    Serving,
    /// Nobody answers.
    Silent,
    /// Nobody answers any more, after so many answers that the VIPs must have ended.
    Ended,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct VipWatch {
    asked: u32,
    answered: u32,
    /// Questions up to the last one that was answered.
    asked_until_answer: u32,
    last_question: Option<Duration>,
    last_answer: Option<Duration>,
    /// People were told that the partner still serves.
    pub(crate) told: bool,
}

impl VipWatch {
    /// When the next question is due.
    pub(crate) fn next_question(&self, from: Duration, interval: Duration) -> Duration {
        self.last_question
            .map_or(from, |last| from.max(last + interval))
    }

    pub(crate) fn ask(&mut self, now: Duration) {
        self.asked = self.asked.saturating_add(1);
        self.last_question = Some(now);
    }

    pub(crate) fn answer(&mut self, now: Duration) {
        if self.asked > self.asked_until_answer {
            self.asked_until_answer = self.asked;
            self.answered += 1;
        }
        self.last_answer = Some(now);
    }

    pub(crate) fn answered_after(&self, time: Duration) -> bool {
        self.last_answer.is_some_and(|answer| answer > time)
    }

    /// `shortest`: how long VIPs that were answered for must be silent at least.
    pub(crate) fn verdict(&self, now: Duration, shortest: Duration) -> Verdict {
        let unanswered = self.asked - self.asked_until_answer;
        let Some(last_answer) = self.last_answer else {
            return if unanswered < UNANSWERED {
                Verdict::Open
            } else {
                Verdict::Silent
            };
        };
        if unanswered < self.convincing_silence() || now < last_answer + shortest {
            Verdict::Serving
        } else if self.answered >= CONVINCING {
            Verdict::Ended
        } else {
            Verdict::Silent
        }
    }

    /// How many questions in a row must be without an answer, one on its way included.
    fn convincing_silence(&self) -> u32 {
        let lost = f64::from(self.asked_until_answer - self.answered + 1)
            / f64::from(self.asked_until_answer + 2);
        let (mut doubt, mut questions) = (1.0, 0);
        while doubt > DOUBT {
            doubt *= lost;
            questions += 1;
        }
        (questions + 1).clamp(UNANSWERED, MOST_UNANSWERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Asks every 20 ms; gives the watch and the time of the last question.
    fn asked(questions: u64, answered: impl Fn(u64) -> bool) -> (VipWatch, Duration) {
        let mut watch = VipWatch::default();
        for question in 0..questions {
            watch.ask(ms(20 * question));
            if answered(question) {
                watch.answer(ms(20 * question + 1));
            }
        }
        (watch, ms(20 * questions))
    }

    #[test]
    fn two_questions_without_any_answer_are_silence() {
        assert_eq!(
            asked(2, |_| false).0.verdict(ms(60), SHORTEST),
            Verdict::Open
        );
        assert_eq!(
            asked(3, |_| false).0.verdict(ms(60), SHORTEST),
            Verdict::Silent
        );
    }

    #[test]
    fn answers_that_end_are_convincing_after_eight_and_a_row_without_any() {
        let (watch, now) = asked(100, |question| question < 96);
        assert_eq!(watch.verdict(now, SHORTEST), Verdict::Ended);
        let (watch, now) = asked(98, |question| question < 96);
        assert_eq!(watch.verdict(now, SHORTEST), Verdict::Serving);
        let (watch, now) = asked(40, |question| question < 7);
        assert_eq!(watch.verdict(now, SHORTEST), Verdict::Silent);
    }

    #[test]
    fn one_answer_after_a_cut_does_not_hold_up_a_take_over_for_long() {
        let (watch, now) = asked(99, |question| question == 66);
        assert_eq!(watch.verdict(now, SHORTEST), Verdict::Silent);
    }

    #[test]
    fn on_a_lossy_network_the_row_must_be_longer() {
        let (watch, now) = asked(62, |question| question < 52 && question % 2 == 0);
        assert_eq!(watch.verdict(now, SHORTEST), Verdict::Serving);
        let (watch, now) = asked(80, |question| question < 52 && question % 2 == 0);
        assert_eq!(watch.verdict(now, SHORTEST), Verdict::Ended);
    }
}
