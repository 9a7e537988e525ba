//! How the queue is looked at: filter, order, columns, and views saved of them.

use super::cases::Cases;
use super::filter::Filter;
use super::order::Order;
use super::queue::Queue;
use super::queue_columns::Column;
use super::session_state::SavedView;
use rustc_hash::FxHashSet;

/// Filter, order and columns of the queue.
#[derive(Clone, Debug, Default)]
pub struct QueueView {
    filter: Filter,
    last_filter: Filter,
    order: Order,
    columns: Vec<Column>,
    saved_views: Vec<SavedView>,
    /// Cases read since the list was sorted: they stand where they stood when they were unread.
    unsorted: FxHashSet<usize>,
}

impl QueueView {
    pub fn filter(&self) -> &Filter {
        &self.filter
    }

    /// The latest filter that was not empty: what `.` and `F` go by.
    pub fn last_filter(&self) -> &Filter {
        &self.last_filter
    }

    /// Sets the filter; an empty one leaves the last as it was.
    pub fn set_filter(&mut self, filter: Filter) {
        if !filter.is_empty() {
            self.last_filter = filter.clone();
        }
        self.filter = filter;
    }

    /// Sets what `.` and `F` go by, empty or not.
    pub fn set_last_filter(&mut self, filter: Filter) {
        self.last_filter = filter;
    }

    pub fn order(&self) -> Order {
        self.order
    }

    pub fn set_order(&mut self, order: Order) {
        self.order = order;
    }

    /// Columns beside id, fused answer, verdict and mark.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub fn set_columns(&mut self, columns: Vec<Column>) {
        self.columns = columns;
    }

    /// Adds a column at the end, or takes it out.
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

    /// Keeps filter and order under a name; an old view of that name is replaced.
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

    /// Sorts cases by the order chosen; nothing is unsorted then.
    pub fn sort(&mut self, cases: &Cases, queue: &Queue, list: &mut [usize]) {
        self.order.sort(cases, queue, list);
        self.unsorted.clear();
    }

    /// The case is read now and would stand elsewhere if the list were sorted again.
    pub fn add_unsorted(&mut self, case: usize) {
        self.unsorted.insert(case);
    }

    /// How many cases of the list have been read since it was sorted by what was read; sorting again puts them in their
    /// place.
    pub fn unsorted_count(&self, queue: &Queue) -> usize {
        if matches!(self.order, Order::Dataset | Order::UnseenFirst) {
            return 0;
        }
        self.unsorted.iter().filter(|case| queue.shows(**case)).count()
    }
}
