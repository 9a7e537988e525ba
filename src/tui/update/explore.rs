//! Actions on the screen with cases and hits.

use super::app::App;
use crate::annotation::AnnotationEdit;
use crate::run::CaptionShown;
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::state::overlay::Overlay;
use crate::tui::state::overview::Overview;
use crate::tui::state::picker::PickerKind;
use crate::tui::state::search::Search;
use crate::tui::state::selection::Shown;
use tui_input::Input;

/// Number of places that a page key moves by.
const PAGE: isize = 10;

impl App {
    pub(super) fn update_explorer(&mut self, action: Action) -> Vec<Effect> {
        match action {
            Action::Down => return self.step(1),
            Action::Up => return self.step(-1),
            Action::PageDown => return self.step(PAGE),
            Action::PageUp => return self.step(-PAGE),
            Action::First => return self.step(isize::MIN),
            Action::Last => return self.step(isize::MAX),
            Action::NextHit => self.step_hit(1),
            Action::PreviousHit => self.step_hit(-1),
            Action::SwitchFocus => self.selection.switch_focus(),
            Action::SwitchImage => self.switch_image(),
            Action::Enlarge if self.images.enlarged().is_some() => self.images.shrink(),
            Action::Enlarge => self.images.enlarge(),
            Action::BothImages => self.images.toggle_both(),
            Action::ContactSheet => self.images.toggle_sheet(),
            Action::FullScreen => return self.full_screen(),
            Action::OpenInViewer => return self.open_in_viewer(),
            Action::Mouse => return self.toggle_mouse(),
            Action::Annotate(category) => return self.annotate(&category),
            Action::Mark => return self.toggle_mark(),
            Action::LabelMany => self.open_label_many(),
            Action::Note => self.open_note(),
            Action::Skip => return self.skip(),
            Action::Unsure => return self.toggle_remark(|case| AnnotationEdit::ToggleUnsure { case }),
            Action::Flag => return self.toggle_remark(|case| AnnotationEdit::ToggleFlag { case }),
            Action::Undo => return vec![Effect::Record(AnnotationEdit::Undo)],
            Action::Redo => return vec![Effect::Record(AnnotationEdit::Redo)],
            Action::Definitions => self.open_definitions(),
            Action::Adjudicate => self.open_adjudication(false),
            Action::Agreement => return self.open_agreement(),
            Action::ToggleGold => self.toggle_gold(),
            Action::KeepGold => self.keep_gold(),
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
            Action::Why => return self.open_why(),
            Action::OnlyInconsistent => return self.toggle_only_inconsistent(),
            Action::Filter => self.open_filter(),
            Action::ToggleFilter => return self.toggle_filter(),
            Action::NextMatch => return self.go_to_match(true),
            Action::PreviousMatch => return self.go_to_match(false),
            Action::Order => self.open_picker(PickerKind::Order),
            Action::Views => self.open_picker(PickerKind::View),
            Action::SaveView => self.open(Overlay::Name(Input::default())),
            Action::Columns => self.open_picker(PickerKind::Column),
            Action::Themes => self.open_picker(PickerKind::Theme { before: Box::new(self.theme.clone()) }),
            Action::CopyCase => return self.copy(self.current().map(|(_, case)| case.id.clone())),
            Action::CopyDocument => return self.copy(self.shown_document().map(|document| document.id.to_owned())),
            Action::ExportQueue => return self.export_queue(),
            Action::Overview => self.open(Overlay::Overview(Overview::of(&self.cases, self.queue.shown()))),
            Action::Compare => self.toggle_comparison(),
            Action::Palette => self.open_picker(PickerKind::Palette),
            Action::Search => self.open(Overlay::Search(Search::default())),
            Action::ReadRest => return self.read_rest(),
            Action::LockView => self.lock_view(),
            Action::Cancel => {
                let leaves_something = self.images.enlarged().is_some() || self.selection.shown() != Shown::Hit;
                if !leaves_something && let Some(effects) = self.stop_reading_rest() {
                    return effects;
                }
                self.images.shrink();
                self.selection.show_hit();
                self.notice = None;
            }
            Action::Suspend => return vec![Effect::Suspend],
            Action::Quit => return vec![Effect::Quit(0)],
            Action::View(change) => self.change_view(change),
            Action::Accept
            | Action::Help
            | Action::Complete
            | Action::Delete
            | Action::Reveal
            | Action::Redraw
            | Action::SaveScreen
            | Action::Interrupt => {}
        }
        Vec::new()
    }

    fn copy(&mut self, id: Option<String>) -> Vec<Effect> {
        let Some(id) = id else { return Vec::new() };
        self.say(format!("{id} sent to the clipboard (tmux: set-clipboard on)"));
        vec![Effect::Copy(id)]
    }

    fn toggle_gold(&mut self) {
        if let Some(case) = self.queue.current() {
            self.gold.toggle(case);
        }
    }

    fn keep_gold(&mut self) {
        self.gold.toggle_kept();
        let said = if self.gold.is_kept() {
            "gold answers stay shown from case to case; K hides them again"
        } else {
            "the gold answer is hidden; g shows it for one case"
        };
        self.say(said);
    }

    fn toggle_mouse(&mut self) -> Vec<Effect> {
        self.mouse = !self.mouse;
        let said = if self.mouse {
            "the mouse selects cases and hits; M leaves it to the terminal"
        } else {
            "the mouse selects text, as usual in this terminal"
        };
        self.say(said);
        vec![Effect::Mouse(self.mouse)]
    }
}
