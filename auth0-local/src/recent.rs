//! The last requests to a tenant, for its page: what was asked for, and what was answered. There are no secrets, tokens
//! or codes in it.
use std::{borrow::Cow, collections::VecDeque, time::Duration};

/// The most requests that are kept.
const MAX_KEPT: usize = 50;

/// The most characters of a text that are kept.
const MAX_CHARACTERS: usize = 300;

#[derive(Debug, Default)]
pub(crate) struct RecentRequests {
    /// The number of requests so far.
    count: u64,
    /// The oldest first.
    kept: VecDeque<RecentRequest>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecentRequest {
    number: u64,
    /// The time since 1970.
    pub(crate) at: Duration,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The parameters that are no secrets.
    pub(crate) parameters: String,
    /// `None` while there is no answer.
    pub(crate) answer: Option<Answer>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) error: Option<Cow<'static, str>>,
}

impl RecentRequests {
    /// Keeps a request. Returns its number.
    pub(crate) fn begin(
        &mut self,
        at: Duration,
        method: &str,
        path: &str,
        parameters: &str,
    ) -> u64 {
        self.count += 1;
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(RecentRequest {
            number: self.count,
            at,
            method: shortened(method),
            path: shortened(path),
            parameters: shortened(parameters),
            answer: None,
        });
        self.count
    }

    /// Adds the answer to a request, and the parameters of its body, if it is still kept.
    pub(crate) fn end(&mut self, number: u64, answer: Answer, parameters: Option<&str>) {
        let Some(request) = self.kept.iter_mut().find(|request| request.number == number) else {
            return;
        };
        let error = answer.error.map(|error| shortened(&error).into());
        request.answer = Some(Answer { error, ..answer });
        if let Some(parameters) = parameters {
            request.parameters = shortened(parameters);
        }
    }

    /// Returns the requests, the newest first.
    pub(crate) fn newest(&self) -> Vec<RecentRequest> {
        self.kept.iter().rev().cloned().collect()
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_requests_are_kept_and_texts_are_cut() {
        let mut recent = RecentRequests::default();
        let long = "é".repeat(1000);
        let numbers: Vec<u64> =
            (0..60).map(|_| recent.begin(Duration::ZERO, &long, &long, &long)).collect();
        let answer = Answer { status: 400, error: Some(long.clone().into()) };
        // The first one is no longer kept.
        for number in [numbers[0], numbers[59]] {
            recent.end(number, answer.clone(), Some(&long));
        }
        let kept = recent.newest();
        assert_eq!((kept.len(), kept[0].number, kept[49].number), (50, 60, 11));
        assert!(kept.iter().skip(1).all(|request| request.answer.is_none()));
        let error = kept[0].answer.clone().and_then(|answer| answer.error).unwrap();
        for text in [&kept[0].method, &kept[0].path, &kept[0].parameters, &*error] {
            assert_eq!(text.chars().count(), MAX_CHARACTERS);
        }
    }
}
