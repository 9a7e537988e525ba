//! State saved for the next session: place, filter, order, columns, saved views, opened and marked cases.

use super::app::App;
use super::label_many::cases_in_words;
use crate::cases::filter::Filter;
use crate::tui::state::order::Order;
use crate::tui::state::queue_columns::Column;
use crate::tui::state::session_state::{Place, SessionState};

impl App {
    /// The state to save for the next session.
    pub fn session_state(&self) -> SessionState {
        let id = |case: usize| self.cases.get(case).map(|case| case.id.clone());
        SessionState {
            place: Some(Place {
                case: self.queue.current().and_then(id),
                hit: self.selection.hit(),
                filter: self.view.filter().to_string(),
                order: self.view.order().name().to_owned(),
                columns: self.view.columns().iter().map(|column| column.name().to_owned()).collect(),
            }),
            view: self.view.saved_views().to_vec(),
            seen: self.cases.seen().filter_map(id).collect(),
            marked: self.marked.iter().copied().filter_map(id).collect(),
        }
    }

    /// Restores the place of the last session while only the cases are read. The filter must wait, because it needs
    /// answers that are not there yet.
    pub fn recall_place(&mut self, session_state: &SessionState) {
        let Some(place) = &session_state.place else { return };
        self.view.set_columns(self.columns_named(&place.columns));
        let case = self.dataset().cases.iter().position(|case| Some(&case.id) == place.case.as_ref());
        if let Some(case) = case {
            self.queue.go_to(case);
        }
    }

    /// Restores the state of the last session as far as it still applies. The answers of a stored run must be loaded
    /// before, because filters need them.
    pub fn recall(&mut self, session_state: SessionState) {
        let ids: std::collections::HashMap<&str, usize> =
            self.dataset().cases.iter().enumerate().map(|(index, case)| (case.id.as_str(), index)).collect();
        let seen: Vec<usize> = session_state.seen.iter().filter_map(|id| ids.get(id.as_str()).copied()).collect();
        let case = session_state.place.as_ref().and_then(|place| ids.get(place.case.as_deref()?).copied());
        let marked: Vec<Option<usize>> = session_state.marked.iter().map(|id| ids.get(id.as_str()).copied()).collect();
        let gone = session_state.marked.iter().zip(&marked).find(|(_, case)| case.is_none()).map(|(id, _)| id.clone());
        self.cases.replace_seen(seen.into_iter());
        self.recall_marks(&marked, gone.as_deref());
        self.view.set_saved_views(session_state.view);
        let Some(place) = session_state.place else { return };
        self.view.set_columns(self.columns_named(&place.columns));
        let order = Order::named(&place.order).filter(|order| *order != Order::Flips || self.cases.compares_runs());
        self.view.set_order(order.unwrap_or_default());
        let filter = place.filter.parse::<Filter>().unwrap_or_default();
        self.view.set_last_filter(filter.clone());
        let is_there = case.is_some_and(|case| self.queue.go_to(case));
        // `start` repeats these requests to the worker. A list that is still empty begins with this case.
        drop(self.set_filter(filter));
        self.selection.set_hit(if is_there && self.queue.current() == case { place.hit } else { 0 });
        self.ahead.clear();
    }

    /// Restores the marks of the last session; `None` stands for a case that the dataset lacks now, and `gone` is the id of
    /// one.
    fn recall_marks(&mut self, marked: &[Option<usize>], gone: Option<&str>) {
        self.marked = marked.iter().copied().flatten().collect();
        let mut words = Vec::new();
        if let Some(id) = gone {
            let count = marked.iter().filter(|case| case.is_none()).count();
            words.push(match count {
                1 => format!("the mark of {id} is dropped: this case is not in the dataset any more"),
                _ => format!(
                    "{count} marks are dropped, that of {id} among them: these cases are not in the dataset any more"
                ),
            });
        }
        let kept = self.marked_cases().len();
        if kept > 0 {
            words.push(format!("{} marked in an earlier session; L labels them", cases_in_words(kept)));
        }
        if !words.is_empty() {
            self.say(words.join("; "));
        }
    }

    /// The columns with these names that have something to show here.
    fn columns_named(&self, names: &[String]) -> Vec<Column> {
        let columns = names.iter().filter_map(|name| Column::named(name));
        columns.filter(|column| *column != Column::Against || self.cases.compares_runs()).collect()
    }
}
