//! The explorer: event, action, update, view.
