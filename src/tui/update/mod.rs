//! From an action to a new state, and the effects it asks for.
//!
//! | module | what is in it |
//! |---|---|
//! | [`app`] | the whole state |
//! | `engine_events`, `edit_result` | what the worker reports, and what the journal made of an edit |
//! | `queue_view` | filter, order and saved views of the queue |
//! | [`search`], [`user_evidence`] | documents looked for, and documents that a person puts in |
//! | [`annotations`] | the annotations of the cases on the screen |
//! | [`adjudication`], [`agreement`], [`definitions`] | deciding a case, how far annotators agree, the taxonomy |
//! | [`picker`] | lists to pick from: commands, orders, views, columns, themes |
//! | [`mouse`], `zoom` | clicks and wheel; how near one may come to an image |

pub mod adjudication;
pub mod agreement;
pub mod annotations;
pub mod app;
pub mod definitions;
pub mod edit_result;
mod engine_events;
pub mod mouse;
pub mod picker;
pub mod queue_view;
pub mod search;
pub mod user_evidence;
mod zoom;
use self::app::{App, Focus, Notice, Overlay, Shown, Side};
use self::picker::{Picker, PickerKind};
use self::search::Search;
use crate::annotation::{AnnotationEdit, CategoryId};
use crate::run::CaptionShown;
use crate::terminal::images::ViewChange;
use crate::tui::action::{Action, Context};
use crate::tui::effect::Effect;
use crate::tui::state::overview::Overview;
use crate::worker::Request;
use tui_input::{Input, InputRequest};

/// Places a page key moves by.
const PAGE: isize = 10;
/// Bytes of the longest line that is edited, as of `dissent annotate`.
const LONGEST_LINE: usize = 1 << 16;
/// Cases that the engine reads in advance.
const AHEAD: usize = 10;

impl App {
    /// What to ask of the engine before the first frame.
    pub fn start(&mut self) -> Vec<Effect> {
        let hit = self.hit;
        let effects = self.open_current();
        // Where the last session ended; hits that are still to come set it right when they are there.
        let are_known = self.queue.current().and_then(|case| self.answers_of(case)).is_some_and(|it| it.hits.is_some());
        self.hit = if are_known { hit.min(self.slots().saturating_sub(1)) } else { hit };
        effects
    }

    /// Carries out an action.
    pub fn update(&mut self, action: Action) -> Vec<Effect> {
        if matches!(self.notice, Some(Notice::Said(_))) {
            self.notice = None;
        }
        match action {
            Action::Interrupt => return vec![Effect::Quit(130)],
            Action::Redraw => return vec![Effect::Redraw],
            Action::SaveScreen => return vec![Effect::SaveScreen],
            _ => {}
        }
        match self.context() {
            Context::Explore => self.update_explorer(action),
            Context::Image => self.update_image(action),
            Context::Help => self.update_help(action),
            Context::Search => self.update_search(action),
            Context::Note => self.update_note(action),
            Context::Filter => self.update_filter(action),
            Context::Picker => self.update_picker(action),
            Context::Overview => self.update_overview(action),
            Context::Name => self.update_name(action),
            Context::Definitions => self.update_definitions(action),
            Context::Adjudication => self.update_adjudication(action),
            Context::Reason => self.update_reason(action),
            Context::Agreement => self.update_agreement(action),
        }
    }

    fn update_explorer(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Down => return self.step(1),
            Action::Up => return self.step(-1),
            Action::PageDown => return self.step(PAGE),
            Action::PageUp => return self.step(-PAGE),
            Action::First => return self.step(isize::MIN),
            Action::Last => return self.step(isize::MAX),
            Action::NextHit => self.step_hit(1),
            Action::PreviousHit => self.step_hit(-1),
            Action::SwitchFocus => self.switch_focus(),
            Action::SwitchImage => self.switch_image(),
            Action::Enlarge => self.enlarged = !self.enlarged,
            Action::FullScreen => return self.full_screen(),
            Action::Mouse => return self.toggle_mouse(),
            Action::Annotate(category) => return self.annotate(&category),
            Action::Note => self.open_note(),
            Action::Skip => return self.record_here(|case| AnnotationEdit::Skip { case }),
            Action::Unsure => return self.record_here(|case| AnnotationEdit::ToggleUnsure { case }),
            Action::Flag => return self.record_here(|case| AnnotationEdit::ToggleFlag { case }),
            Action::Undo => return vec![Effect::Record(AnnotationEdit::Undo)],
            Action::Redo => return vec![Effect::Record(AnnotationEdit::Redo)],
            Action::Definitions => self.open_definitions(),
            Action::Adjudicate => self.open_adjudication(false),
            Action::Agreement => return self.open_agreement(),
            Action::ToggleGold => self.gold_visible = !self.gold_visible,
            Action::DropHit
            | Action::WeighUp
            | Action::WeighDown
            | Action::NextFuser
            | Action::Sharpen
            | Action::Flatten
            | Action::NextHead
            | Action::ResetFusion => self.change_fusion(action),
            Action::KeepWhatIf => return self.keep_what_if(),
            Action::WithoutCaption => return self.withhold(CaptionShown::None, false),
            Action::WithoutImage => return self.withhold(CaptionShown::Own, true),
            Action::SwapCaption => return self.withhold(CaptionShown::Swapped, false),
            Action::SearchImages => return self.search_images(),
            Action::OnlyInconsistent => return self.toggle_only_inconsistent(),
            Action::Filter => self.open_filter(),
            Action::ToggleFilter => return self.toggle_filter(),
            Action::NextMatch => return self.go_to_match(true),
            Action::PreviousMatch => return self.go_to_match(false),
            Action::Order => self.open_picker(PickerKind::Order),
            Action::Views => self.open_picker(PickerKind::View),
            Action::SaveView => self.overlay = Some(Overlay::Name(Input::default())),
            Action::Columns => self.open_picker(PickerKind::Column),
            Action::Themes => self.open_picker(PickerKind::Theme { before: Box::new(self.theme.clone()) }),
            Action::CopyCase => return self.copy(self.current().map(|(_, case)| case.id.clone())),
            Action::CopyDocument => return self.copy(self.shown_document().map(|document| document.id.clone())),
            Action::Overview => self.overlay = Some(Overlay::Overview(Overview::of(self))),
            Action::Compare => self.toggle_comparison(),
            Action::Palette => self.open_picker(PickerKind::Palette),
            Action::Search => self.overlay = Some(Overlay::Search(Search::default())),
            Action::Help => self.overlay = Some(Overlay::Help { scroll: std::cell::Cell::new(0) }),
            Action::Cancel => {
                self.enlarged = false;
                self.shown = Shown::Hit;
                self.notice = None;
            }
            Action::Suspend => return vec![Effect::Suspend],
            Action::Quit => return vec![Effect::Quit(0)],
            Action::View(change) => self.change_view(change),
            Action::Accept
            | Action::Complete
            | Action::Delete
            | Action::Reveal
            | Action::Redraw
            | Action::SaveScreen
            | Action::Interrupt => {}
        }
        Vec::new()
    }

    /// Pans where a part is visible; where the whole image is, the same keys go to other cases and hits.
    fn update_image(&mut self, action: Action) -> Vec<Effect> {
        let Action::View(change) = action else { return self.update_explorer(action) };
        if !self.image_view.is_zoomed(self.nearest_here()) {
            match change {
                ViewChange::Up => return self.step_case(-1),
                ViewChange::Down => return self.step_case(1),
                ViewChange::Left | ViewChange::Right => {
                    self.step_hit(if change == ViewChange::Right { 1 } else { -1 });
                    return Vec::new();
                }
                _ => {}
            }
        }
        self.change_view(change);
        Vec::new()
    }

    fn update_help(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Help { scroll }) = &self.overlay else { return Vec::new() };
        match action {
            Action::Down => scroll.set(scroll.get() + 1),
            Action::Up => scroll.set(scroll.get().saturating_sub(1)),
            Action::PageDown => scroll.set(scroll.get() + 10),
            Action::PageUp => scroll.set(scroll.get().saturating_sub(10)),
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }

    fn update_note(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Note(input)) = &self.overlay else { return Vec::new() };
        let text = input.value().trim().to_owned();
        match action {
            Action::Accept => {
                self.overlay = None;
                self.record_here(|case| AnnotationEdit::Note { case, text })
            }
            Action::Cancel => {
                self.overlay = None;
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn update_filter(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Filter(edit)) = &mut self.overlay else { return Vec::new() };
        let last = edit.completions.len().checked_sub(1);
        match action {
            Action::Down => edit.selected = last.map(|last| edit.selected.map_or(0, |at| (at + 1).min(last))),
            Action::Up => edit.selected = edit.selected.and_then(|at| at.checked_sub(1)),
            Action::Complete => self.complete_filter(),
            Action::Accept if edit.selected.is_some() => self.complete_filter(),
            Action::Accept => return self.accept_filter(),
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }

    fn update_overview(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Overview(overview)) = &mut self.overlay else { return Vec::new() };
        match action {
            Action::Down => overview.step_row(true),
            Action::Up => overview.step_row(false),
            Action::NextHit => overview.step_column(true),
            Action::PreviousHit => overview.step_column(false),
            Action::Accept => {
                let cell = overview.cell().map(|cell| cell.filter.clone()).unwrap_or_default();
                return self.open_cell(&cell);
            }
            Action::Cancel => self.overlay = None,
            _ => {}
        }
        Vec::new()
    }

    fn copy(&mut self, id: Option<String>) -> Vec<Effect> {
        let Some(id) = id else { return Vec::new() };
        self.notice = Some(Notice::Said(format!("{id} sent to the clipboard (tmux: set-clipboard on)")));
        vec![Effect::Copy(id)]
    }

    fn full_screen(&self) -> Vec<Effect> {
        let image = match self.side {
            Side::Query => self.current().map(|(_, case)| &case.image),
            Side::Document => self.shown_document().map(|document| &document.image),
        };
        image.map(|image| Effect::FullScreen(self.dataset.root.join(image))).into_iter().collect()
    }

    fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.mouse = !self.mouse;
        let said = if self.mouse {
            "the mouse selects cases and hits; M leaves it to the terminal"
        } else {
            "the mouse selects text, as usual in this terminal"
        };
        self.notice = Some(Notice::Said(said.into()));
        vec![Effect::Mouse(self.mouse)]
    }

    fn toggle_comparison(&mut self) {
        if self.compares_runs() {
            self.comparing = !self.comparing;
        } else {
            self.notice = Some(Notice::Said("no run to compare with: start with --against NAME".into()));
        }
    }

    fn update_name(&mut self, action: Action) -> Vec<Effect> {
        let Some(Overlay::Name(input)) = &self.overlay else { return Vec::new() };
        let name = input.value().trim().to_owned();
        match action {
            Action::Accept if name.is_empty() => return Vec::new(),
            Action::Accept | Action::Cancel => self.overlay = None,
            _ => return Vec::new(),
        }
        if action == Action::Accept { self.save_view(&name) } else { Vec::new() }
    }

    /// A change to the line being edited; a changed query searches at once.
    pub fn edit(&mut self, request: InputRequest) -> Vec<Effect> {
        let Some(overlay) = &mut self.overlay else { return Vec::new() };
        let input = match overlay {
            Overlay::Help { .. } | Overlay::Overview(_) | Overlay::Definitions(_) | Overlay::Agreement(_) => {
                return Vec::new();
            }
            Overlay::Adjudication(adjudication) => match &mut adjudication.typing {
                Some(input) => input,
                None => return Vec::new(),
            },
            Overlay::Note(input) | Overlay::Name(input) => input,
            Overlay::Search(search) => &mut search.input,
            Overlay::Filter(edit) => &mut edit.input,
            Overlay::Picker(picker) => &mut picker.input,
        };
        let changed = input.handle(request).is_some_and(|change| change.value);
        if changed { self.line_changed() } else { Vec::new() }
    }

    /// What follows from another text in the line being edited.
    fn line_changed(&mut self) -> Vec<Effect> {
        match &self.overlay {
            Some(Overlay::Search(_)) => return self.search(),
            Some(Overlay::Filter(edit)) => {
                let edit = self.filter_edit(edit.input.clone());
                self.overlay = Some(Overlay::Filter(edit));
            }
            Some(Overlay::Picker(picker)) => {
                let picker = Picker { selected: 0, ..picker.clone() };
                self.narrowed(picker);
            }
            _ => {}
        }
        Vec::new()
    }

    /// Pasted text goes into the line being edited, on one line, and nowhere else.
    pub fn paste(&mut self, text: &str) -> Vec<Effect> {
        let line = text.chars().map(|character| if character.is_control() { ' ' } else { character });
        let input = match &mut self.overlay {
            None
            | Some(Overlay::Help { .. } | Overlay::Overview(_) | Overlay::Definitions(_) | Overlay::Agreement(_)) => {
                return Vec::new();
            }
            Some(Overlay::Adjudication(adjudication)) => match &mut adjudication.typing {
                Some(input) => input,
                None => return Vec::new(),
            },
            Some(Overlay::Note(input) | Overlay::Name(input)) => input,
            Some(Overlay::Search(search)) => &mut search.input,
            Some(Overlay::Filter(edit)) => &mut edit.input,
            Some(Overlay::Picker(picker)) => &mut picker.input,
        };
        let length = input.value().len() + text.len();
        if length > LONGEST_LINE {
            let message =
                format!("nothing was pasted: expected a line of at most {LONGEST_LINE} bytes, found {length}");
            self.notice = Some(Notice::Error(message));
            return Vec::new();
        }
        // At once: a character at a time copies the whole line for each.
        let before = input.value().chars().take(input.cursor());
        let whole: String = before.chain(line).chain(input.value().chars().skip(input.cursor())).collect();
        let cursor = input.cursor() + text.chars().count();
        *input = Input::new(whole).with_cursor(cursor);
        self.line_changed()
    }

    fn step(&mut self, steps: isize) -> Vec<Effect> {
        if self.focus == Focus::Hits {
            self.step_hit(steps);
            return Vec::new();
        }
        self.step_case(steps)
    }

    fn step_case(&mut self, steps: isize) -> Vec<Effect> {
        if self.queue.step(steps) { self.open_current() } else { Vec::new() }
    }

    fn step_hit(&mut self, steps: isize) {
        let last = self.slots().saturating_sub(1);
        self.hit = self.hit.saturating_add_signed(steps).min(last);
        self.shown = Shown::Hit;
        self.side = Side::Document;
    }

    fn switch_focus(&mut self) {
        (self.focus, self.side) = match self.focus {
            Focus::Queue => (Focus::Hits, Side::Document),
            Focus::Hits => (Focus::Queue, Side::Query),
        };
        self.shown = Shown::Hit;
    }

    fn switch_image(&mut self) {
        self.side = match self.side {
            Side::Query => Side::Document,
            Side::Document => Side::Query,
        };
    }

    /// Names the case, or the selected document where the hits have the focus and the category is one of documents.
    pub(super) fn annotate(&mut self, id: &CategoryId) -> Vec<Effect> {
        let Some(known) = self.categories.iter().find(|known| known.id == *id) else { return Vec::new() };
        let category = id.clone();
        let document = self.document_to_name().filter(|_| known.level.is_of_hit());
        if let Some(document) = document {
            return self.record_here(|case| AnnotationEdit::ToggleHitCategory { case, document, category });
        }
        if !known.level.is_of_case() {
            self.notice =
                Some(Notice::Said(format!("{} applies to documents: press Tab and select a hit", known.name)));
            return Vec::new();
        }
        self.record_here(|case| AnnotationEdit::ToggleCategory { case, category })
    }

    /// The retrieved document that a category's key names now.
    fn document_to_name(&self) -> Option<String> {
        let is_meant = self.focus == Focus::Hits && self.shown == Shown::Hit;
        self.hits().get(self.hit).filter(|_| is_meant).map(|hit| hit.document.clone())
    }

    /// Asks for an edit of the current case.
    fn record_here(&mut self, edit: impl FnOnce(String) -> AnnotationEdit) -> Vec<Effect> {
        let Some((_, case)) = self.current() else { return Vec::new() };
        vec![Effect::Record(edit(case.id.clone()))]
    }

    fn open_note(&mut self) {
        let Some(case) = self.queue.current() else { return };
        let text = self.marks.get(&case).and_then(|mark| mark.note.clone()).unwrap_or_default();
        self.overlay = Some(Overlay::Note(Input::new(text)));
    }

    /// The fused answer follows in the same frame: no model is asked.
    fn change_fusion(&mut self, action: Action) {
        let Some(case) = self.queue.current() else { return };
        let hit = self.hit;
        let has_hit = hit < self.slots();
        let of_one_hit = matches!(action, Action::DropHit | Action::WeighUp | Action::WeighDown);
        if of_one_hit && self.shown != Shown::Hit {
            self.notice = Some(Notice::Said("the document shown is not a hit: Esc returns to the hits".into()));
            return;
        }
        match action {
            Action::DropHit if has_hit => self.what_if.toggle_drop(case, hit),
            Action::WeighUp if has_hit => self.what_if.weigh(case, hit, true),
            Action::WeighDown if has_hit => self.what_if.weigh(case, hit, false),
            Action::NextFuser => self.what_if.next_fuser(),
            Action::Sharpen | Action::Flatten if !self.what_if.has_temperature() => {
                self.notice = Some(Notice::Said(format!(
                    "{} does not use the temperature: m changes the method",
                    self.what_if.fuser().name()
                )));
            }
            Action::Sharpen => self.what_if.change_temperature(false),
            Action::Flatten => self.what_if.change_temperature(true),
            Action::NextHead => {
                let hits = self.hits().to_vec();
                self.what_if.next_head(&hits);
            }
            Action::ResetFusion => {
                self.what_if.reset(case);
                self.remove_own(case);
            }
            _ => {}
        }
    }

    fn keep_what_if(&mut self) -> Vec<Effect> {
        let Some(case) = self.queue.current() else { return Vec::new() };
        let Some(words) = self.what_if_words() else {
            self.notice = Some(Notice::Said(
                "the fusion is unchanged: Space drops a hit, + and - weigh it, m changes the method".into(),
            ));
            return Vec::new();
        };
        let answer =
            self.fused_now().map_or_else(|| "no answer".to_owned(), |fused| self.answer_in_words(&fused.prediction));
        let words = format!("what if {words}: {answer}");
        let before = self.marks.get(&case).and_then(|mark| mark.note.clone());
        let text = before.map_or(words.clone(), |note| format!("{note}; {words}"));
        self.record_here(|case| AnnotationEdit::Note { case, text })
    }

    /// The place changed: start the case from its first hit and ask the engine for it.
    pub(super) fn open_current(&mut self) -> Vec<Effect> {
        self.hit = 0;
        self.shown = Shown::Hit;
        if self.focus == Focus::Queue {
            self.side = Side::Query;
        }
        let Some(case) = self.queue.current() else { return self.work_ahead() };
        self.seen.insert(case);
        let mut effects = Vec::new();
        // A settled case needs no answer, but its opening still cancels work on the case one left.
        effects.push(Effect::Engine(Request::Open { case }));
        effects.extend(self.work_ahead());
        effects
    }

    /// Asks the engine to read the next cases in advance; with the filter on, the next ones that nobody has read and that
    /// could pass, from the first again after the last, so that the list grows.
    pub(super) fn work_ahead(&mut self) -> Vec<Effect> {
        let filtered = !self.filter.is_empty();
        let source = if filtered { self.queue.all() } else { self.queue.shown() };
        let here = self.queue.here().and_then(|case| source.iter().position(|other| *other == case)).unwrap_or(0);
        let (before, after) = source.split_at(here);
        // The current case is asked for by itself; where there is none, the list was emptied at this one.
        let after = if self.queue.current().is_some() { after.get(1..).unwrap_or_default() } else { after };
        let before = if filtered { before } else { &[] };
        let cases: Vec<usize> = after
            .iter()
            .chain(before)
            .copied()
            .filter(|case| self.is_unread(*case) && self.filter.may_pass(self, *case))
            .take(AHEAD)
            .collect();
        if cases == self.ahead {
            return Vec::new();
        }
        self.ahead.clone_from(&cases);
        vec![Effect::Engine(Request::Ahead { cases })]
    }
}
