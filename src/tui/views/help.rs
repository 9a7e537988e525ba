//! The help page: how to read the screen, every action of the table, the taxonomy, the filters, and what is loaded.

use super::super::action::{Context, bindings, everyday_words};
use super::super::keymap;
use super::super::theme::{Role, Theme};
use super::{popup, text};
use crate::cases::filter::field::FIELDS;
use crate::tui::state::help_page::{HelpPage, Jump};
use crate::tui::state::overlay::Notice;
use crate::tui::update::app::App;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

/// Columns for keys.
const KEYS: usize = 14;
/// Columns of the page if there is room.
const WIDEST: u16 = 96;

/// Signs and terms used on the screen.
const SIGNS: [(&str, &str); 27] = [
    ("closed-book", "the model's answer without any retrieved document"),
    ("fused", "the answer that the hits give together; each hit was shown to the model alone"),
    ("=", "agree: this hit's answer equals the fused answer; in the queue: all answers of the case agree"),
    ("!", "differ: this hit's answer is not the fused answer; in the queue: the answers of the case disagree"),
    ("*", "right: equals the gold answer (only while gold is shown)"),
    (
        "↑ ↓",
        "↑ rescues: this hit alone is right, the fused answer wrong; ↓ ruins: the reverse (only while gold is shown)",
    ),
    (
        "weight",
        "the hit's share of the vote for the fused answer; out: the hit is dropped, or the row is not counted in",
    ),
    ("push", "how far the hit pushes towards the fused answer and away from the runner-up, in log-probability"),
    ("rests on", "the smallest set of hits whose removal changes the fused answer"),
    (
        "what if",
        "rows that were not retrieved: documents that you added, hits without caption or image; they count in no figure until Space counts them in",
    ),
    ("⇄", "a caption of another document, which the model was given in place of the document's own"),
    ("…", "not answered yet"),
    ("x", "failed; the case shows the error message"),
    ("A B C", "the labels of the task, in its order"),
    ("head", "the retrieval head that found the hit; several: the line below names them, the score is the first one's"),
    ("g ans", "in the queue: the gold answer and the fused answer"),
    ("mine", "your annotation: a category's key, s skipped, h categories for documents only, n a note only"),
    ("# ? ~ +", "in front of it: flagged; unsure; made on other answers or definitions; several categories"),
    ("▶ ┃", "the list that has the focus: an arrow and a line under its heading, a heavy line beside it"),
    ("▸ •", "the selected row; a marked case (S), which L labels together with the others"),
    ("#", "the place of a hit in the list of hits; image #2: the second hit of the image head"),
    ("?", "as a probability: the run recorded none; as a letter: the answer names no label"),
    ("≥", "at least this probable: the server returned the likeliest words only"),
    (
        "≈",
        "a share of sampled answers in place of a probability, with its 95 % interval: the server gives no log-probabilities",
    ),
    ("×1.5", "after your changes to the fusion, a hit counts one and a half times"),
    ("1+2", "in front of a caption: the categories that you gave this document"),
    ("↓entropy", "in the heading of the queue: its order; with --against, ↑ ↓ is a change of rank, + a new document"),
];

/// Signs that only runs with documents have.
const OF_RETRIEVAL: [&str; 6] = ["closed-book", "fused", "⇄", "head", "#", "what if"];
/// What a candidate is in a run of models.
const MODELS: &str = "nothing was retrieved: every candidate is the answer of one model";

/// Draws the page over the body.
pub fn draw(app: &App, page: &HelpPage, frame: &mut Frame, area: Rect) {
    let width = area.width.saturating_sub(4).min(WIDEST);
    let (lines, sections) = lines(app, usize::from(width).saturating_sub(4));
    let height = area.height.min(u16::try_from(lines.len() + 2).unwrap_or(u16::MAX));
    let popup = Rect { x: area.x + (area.width - width) / 2, width, height, ..area };
    let query = page.query();
    let has_query =
        |line: &HelpLine| line.words.contains(&query) || line.line.to_string().to_lowercase().contains(&query);
    let title = match query.as_str() {
        "" => "help".to_owned(),
        _ if lines.iter().any(has_query) => format!("help: {query}"),
        _ => format!("help: nothing has {query}"),
    };
    let inner = popup::framed(app, &title, frame, popup);
    let mut inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if let Some(input) = page.typing() {
        inner.height = inner.height.saturating_sub(1);
        popup::input_line(app, "/", input, frame, Rect { y: inner.bottom(), height: 1, ..inner });
    }
    let rows = usize::from(inner.height);
    let first = page.scroll().first_line(lines.len(), rows);
    let found = match page.take_jump() {
        Some(Jump::Section(context)) => sections.iter().find(|(other, _)| *other == context).map(|(_, line)| *line),
        Some(Jump::Match { after }) if !query.is_empty() => {
            (first + usize::from(after)..lines.len()).chain(0..first).find(|line| has_query(&lines[*line]))
        }
        Some(Jump::MatchBefore) if !query.is_empty() => (0..first).rev().find(|line| has_query(&lines[*line])),
        _ => None,
    };
    if let Some(line) = found {
        page.scroll().to(line);
    }
    let first = page.scroll().first_line(lines.len(), rows);
    let marked = |line: HelpLine| {
        let is_found = !query.is_empty() && has_query(&line);
        if is_found { line.line.patch_style(app.theme().style(Role::Match)) } else { line.line }
    };
    let visible: Vec<Line> = lines.into_iter().skip(first).take(rows).map(marked).collect();
    frame.render_widget(Paragraph::new(visible), inner);
}

/// A line of the page.
struct HelpLine {
    line: Line<'static>,
    /// Everyday words by which a search finds it, too.
    words: &'static str,
}

impl From<Line<'static>> for HelpLine {
    fn from(line: Line<'static>) -> Self {
        Self { line, words: "" }
    }
}

/// The whole page, and the first line of each context's section.
fn lines(app: &App, width: usize) -> (Vec<HelpLine>, Vec<(Context, usize)>) {
    let theme = app.theme();
    let heading = |text: &'static str| HelpLine::from(Line::styled(text, theme.style(Role::Accent)));
    let blank = || HelpLine::from(Line::default());
    let mut sections = Vec::new();
    let mut lines = vec![heading("How to read the screen")];
    for (sign, meaning) in SIGNS {
        let of_retrieval = app.cases().models_stand_in() && OF_RETRIEVAL.contains(&sign);
        if !of_retrieval {
            lines.extend(entry(theme, sign, &app.cases().in_words_of_run(meaning), width));
        }
    }
    if app.cases().models_stand_in() {
        lines.extend(entry(theme, "model", MODELS, width));
        lines.extend(entry(theme, "fused", "the answer that the models give together", width));
    }
    lines.push(blank());
    for context in Context::ALL {
        sections.push((context, lines.len()));
        lines.push(heading(context.title()));
        for binding in bindings().filter(|binding| binding.context == context) {
            let keys: Vec<String> = app.keymap().keys(binding).iter().map(|key| keymap::shown(key)).collect();
            let first = lines.len();
            let description = app.cases().in_words_of_run(binding.description);
            lines.extend(entry(theme, &keys.join(" "), &description, width));
            lines[first].words = everyday_words(binding.name);
        }
        lines.push(blank());
        if context == Context::Explore {
            lines.push(heading("Annotate the case with an error category and go to the next case"));
            for category in app.cases().categories() {
                let sentence = format!("{}: {}", category.name, category.definition);
                lines.extend(entry(theme, &category.key.to_string(), &sentence, width));
            }
            lines.push(blank());
        }
    }
    lines.push(heading("Fields of a filter: field:value or field:one,other; a minus in front negates it"));
    for row in FIELDS {
        lines.extend(entry(theme, row.name, &app.cases().in_words_of_run(row.meaning), width));
    }
    lines.push(blank());
    lines.push(heading("Loaded"));
    for (name, value) in loaded(app) {
        lines.extend(entry(theme, name, &value, width));
    }
    (lines, sections)
}

fn loaded(app: &App) -> Vec<(&'static str, String)> {
    let mut rows = vec![("dataset", app.dataset().root.display().to_string())];
    if let Some(note) = &app.dataset().note {
        rows.push(("note", note.clone()));
    }
    if let Some(licence) = &app.dataset().licence {
        rows.push(("licence", licence.clone()));
    }
    if let Some(models) = app.worker().models() {
        rows.push(("retriever", models.retriever.clone()));
        rows.push(("reader", models.reader.clone()));
        rows.push(("device", models.device.clone()));
        rows.push(("index", models.index.clone()));
    }
    // The status line may have cut the message.
    if let Some(message) = app.worker().failure() {
        rows.push(("no answers", message.to_owned()));
    }
    if let Some(Notice::Error(message)) = app.notice() {
        rows.push(("error", message.clone()));
    }
    rows.push(("images", app.images().mode().name().to_owned()));
    rows.extend(app.left_out().iter().map(|sentence| ("left out", sentence.clone())));
    rows
}

fn entry(theme: &Theme, key: &str, sentence: &str, width: usize) -> Vec<HelpLine> {
    let wrapped = text::wrap(sentence, width.saturating_sub(KEYS + 1));
    let mut lines = Vec::new();
    for (index, part) in wrapped.into_iter().enumerate() {
        let left = if index == 0 { text::column(key, KEYS) } else { " ".repeat(KEYS) };
        let spans = vec![
            Span::styled(left, theme.style(Role::Key)),
            Span::raw(" "),
            Span::styled(part, theme.style(Role::Text)),
        ];
        lines.push(Line::from(spans).into());
    }
    lines
}
