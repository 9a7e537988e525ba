//! The view of the queue: filter, order, columns, and saved views.

use super::order::Order;
use super::queue::Queue;
use super::queue_columns::Column;
use super::session_state::SavedView;
use crate::cases::Cases;
use crate::cases::filter::Filter;
use rustc_hash::FxHashSet;

/// Filter, order and columns of the queue.
#[derive(Clone, Debug, Default)]
pub struct QueueView {
    filter: Filter,
    last_filter: Filter,
    order: Order,
    columns: Vec<Column>,
    saved_views: Vec<SavedView>,
    /// Cases read since the list was sorted; they keep the places they had as unread cases.
    unsorted: FxHashSet<usize>,
}

impl QueueView {
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The last filter that was not empty; `.` and `F` use it.
    pub fn last_filter(&self) -> &Filter {
        &self.last_filter
    }

    /// Sets the filter; an empty one keeps the last filter for `.` and `F`.
    pub fn set_filter(&mut self, filter: Filter) {
        if !filter.is_empty() {
            self.last_filter = filter.clone();
        }
        self.filter = filter;
    }

    /// Sets the filter that `.` and `F` use, empty or not.
    pub fn set_last_filter(&mut self, filter: Filter) {
        self.last_filter = filter;
    }

    pub fn order(&self) -> Order {
        self.order
    }

    pub fn set_order(&mut self, order: Order) {
        self.order = order;
    }

    /// Columns beside id, fused answer, verdict and annotation.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn set_columns(&mut self, columns: Vec<Column>) {
        self.columns = columns;
    }

    /// Adds a column at the end, or removes it.
    pub fn toggle_column(&mut self, column: Column) {
        let had = self.columns.contains(&column);
        self.columns.retain(|other| *other != column);
        if !had {
            self.columns.push(column);
        }
    }

    /// Saved views, by name.
    pub fn saved_views(&self) -> &[SavedView] {
        &self.saved_views
    }

    pub fn saved_view(&self, name: &str) -> Option<&SavedView> {
        self.saved_views.iter().find(|view| view.name == name)
    }

    pub fn set_saved_views(&mut self, views: Vec<SavedView>) {
        self.saved_views = views;
    }

    /// Saves filter and order under a name and replaces an older view with that name.
    pub fn save(&mut self, name: &str) {
        let view =
            SavedView { name: name.to_owned(), filter: self.filter.to_string(), order: self.order.name().to_owned() };
        self.remove_saved(name);
        self.saved_views.push(view);
        self.saved_views.sort_by(|one, other| one.name.cmp(&other.name));
    }

    pub fn remove_saved(&mut self, name: &str) {
        self.saved_views.retain(|view| view.name != name);
    }

    /// Sorts cases by the chosen order; afterwards no case counts as unsorted.
    pub fn sort(&mut self, cases: &Cases, queue: &Queue, list: &mut [usize]) {
        self.order.sort(cases, queue, list);
        self.unsorted.clear();
    }

    /// Notes that the case has been read and would move if the list were sorted again.
    pub fn add_unsorted(&mut self, case: usize) {
        self.unsorted.insert(case);
    }

    /// Number of listed cases that have been read since the list was sorted and would move if it were sorted again.
    pub fn unsorted_count(&self, queue: &Queue) -> usize {
        if !self.order.depends_on_answers() {
            return 0;
        }
        self.unsorted.iter().filter(|case| queue.shows(**case)).count()
    }
}
