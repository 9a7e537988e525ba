//! The page. Everything that people or files said passes `escaped`.

use super::case_page::{Agreement, AnswerText, CasePage, HitEntry, Remark};
use super::explained;
use super::images::{Embedded, ImageEncoder};
use super::{Casebook, Written};
use crate::cases::given_evidence::{CAPTION_WITHHELD, IMAGE_WITHHELD};
use crate::text::html_text::{PAGE_END, escaped, page_start};
use std::fmt::Write as _;

pub(super) const END: &str = PAGE_END;

/// On paper each case begins a page, and no hit is cut.
const STYLE: &str = "h2{margin-top:3rem;border-top:2px solid #888;padding-top:.7rem}\
.case{display:grid;grid-template-columns:minmax(12rem,20rem) 1fr;gap:1.5rem}\
.case img{width:100%}.question{font-size:1.1rem;font-weight:600}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}dt{color:#555}dd{margin:0}\
.hits{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:1rem;padding:0;margin:1rem 0}\
.hit{border:1px solid #ccc;border-radius:4px;padding:.6rem;margin:0;list-style:none}\
.hit.differs{border:2px dashed #b04000}.hit img{width:100%;max-height:14rem;object-fit:contain;background:#000}\
.hit p{margin:.3rem 0}.hit .answer{font-weight:600}.hit .given{font-style:italic;color:#b04000}.faint{color:#555;font-size:.87em}\
.bar{display:block;height:.45rem;background:#ddd}.bar i{display:block;height:100%;background:#0072b2}\
.hit svg{width:100%;max-height:14rem;background:#000}.case svg{width:100%}\
.strong{font-weight:700}.strong,.some{text-decoration:underline}.hit .why{font-size:.87em}\
.note{white-space:pre-wrap}td{white-space:normal;vertical-align:top}.broken{border:1px solid #b04000;padding:.5rem}\
@page{margin:12mm}@media print{body{max-width:none;margin:0;padding:0;font-size:9.5pt}article{break-before:page}\
h2{margin-top:0;border:0}.hit,tr,.case{break-inside:avoid}.case{grid-template-columns:7cm 1fr}\
.hits{grid-template-columns:repeat(4,1fr);gap:.5rem}.hit img,.hit svg{max-height:4.5cm}a{color:inherit;text-decoration:none}\
.bar,.bar i,.hit img,.hit svg,.hit span{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

const LEGEND: &str = "For each case the computer retrieved documents (an image with its caption), the hits. The model answered \
                      the question once with each hit in view. The fused answer combines these answers by how well each hit \
                      matches the case. A hit with a dashed border led the model to another answer than the fused one. \
                      Percentages are the model's own confidence, not the chance that it is right.";

/// Said where the page shows what decided an answer.
const EXPLAINED: &str = "Where a hit has the line “Why”, its words and regions show what decided that answer: each word was left out \
                         of the caption, and each region covered, in turn. Blue ones speak for the answer, orange ones against it, the \
                         more so the stronger the colour; a box marks the strongest region, and the numbers are what the answer loses \
                         without them (log-odds). On synthetic images the strongest word was the deciding one in 199 of 200 \
                         predictions, the strongest region in 6 of 10: trust words more than regions.";

/// The page up to its first case.
pub(super) fn start(casebook: &Casebook) -> String {
    let mut html = page_start(&format!("Casebook: {}", casebook.dataset), STYLE);
    for line in &casebook.about {
        html.push_str(&format!("<p>{}</p>\n", escaped(line)));
    }
    html.push_str(&format!("<p class=\"note\">{LEGEND}</p>\n"));
    let (hits, explained) = casebook.explained_hits();
    if explained > 0 {
        html.push_str(&format!("<p class=\"note\">{EXPLAINED} {explained} of {hits} hits are explained.</p>\n"));
    }
    html.push_str("<nav class=\"scroll\"><table>");
    html.push_str("<tr><th>case</th><th>question</th><th>fused answer</th><th>answers</th><th>annotations</th></tr>\n");
    for (case, place) in casebook.cases.iter().zip(1..) {
        let fused = case.fused.as_ref().map_or_else(|| "-".to_owned(), answer_html);
        let said: Vec<String> =
            case.remarks.iter().map(|remark| escaped(&format!("{}: {}", remark.by, remark.text))).collect();
        html.push_str(&format!(
            "<tr><td><a href=\"#{0}\">{1}</a></td><td>{2}</td><td>{fused}</td><td>{3}</td><td>{4}</td></tr>\n",
            anchor(place),
            escaped(&case.id),
            escaped(&case.question),
            case.agreement.map_or("", agreement_word),
            said.join("<br>")
        ));
    }
    html.push_str("</table></nav>\n");
    html
}

/// The case at this place, from 1, and how many images it has.
pub(super) fn case(case: &CasePage, place: usize, encoder: &ImageEncoder) -> (String, Written) {
    let mut written = Written::default();
    let explains_query =
        case.hits.iter().filter_map(|hit| hit.explanation.as_ref()).any(|explanation| explanation.query.is_some());
    let description = format!("image of case {}", case.id);
    let embedded = encoder.of_case(&case.image);
    // Hits show the image again with its regions, without a second copy of it.
    let query =
        embedded.as_ref().ok().filter(|_| explains_query).map(|embedded| Query { place, size: embedded.stored_size });
    let image = match &query {
        Some(query) => picture_html(embedded, &description, &query.id(), "", &mut written),
        None => image_html(embedded, &description, &mut written),
    };
    let mut html = format!(
        "<article id=\"{}\"><h2>{}</h2>\n<div class=\"case\"><div>{image}</div><div>\n<p class=\"question\">{}</p>\n<dl>",
        anchor(place),
        escaped(&case.id),
        escaped(&case.question)
    );
    for (term, definition) in facts(case) {
        html.push_str(&format!("<dt>{term}</dt><dd>{definition}</dd>\n"));
    }
    html.push_str("</dl></div></div>\n");
    if !case.hits.is_empty() {
        html.push_str("<ol class=\"hits\">\n");
        for (rank, hit) in case.hits.iter().enumerate() {
            html.push_str(&hit_html(case, hit, rank + 1, (encoder, query.as_ref()), &mut written));
        }
        html.push_str("</ol>\n");
    }
    html.push_str("</article>\n");
    (html, written)
}

/// Terms and their definitions, which are escaped.
fn facts(case: &CasePage) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if !case.labels.is_empty() {
        facts.push(("possible answers", escaped(&case.labels.join(", "))));
    }
    facts.extend(case.gold.as_ref().map(|gold| ("gold answer", format!("<b>{}</b>", escaped(gold)))));
    facts.extend(case.fused.as_ref().map(|fused| ("fused answer", format!("<b>{}</b>", answer_html(fused)))));
    if let Some(Agreement { agreeing, of, .. }) = case.agreement {
        facts.push(("agreement", format!("{agreeing} of {of} hits lead to the fused answer")));
    }
    facts.extend(case.closed_book.as_ref().map(|answer| ("without documents", answer_html(answer))));
    facts.extend(case.unanswered.as_ref().map(|reason| ("answers", escaped(reason))));
    facts.push(("task, split", escaped(&format!("{}, {}", case.task, case.split))));
    facts.extend(case.remarks.iter().map(|remark| ("annotation", remark_html(remark))));
    facts
}

fn remark_html(remark: &Remark) -> String {
    let mut html = format!("<b>{}</b>: {}", escaped(&remark.by), escaped(&remark.text));
    if let Some(note) = &remark.note {
        html.push_str(&format!("<br><span class=\"note\">“{}”</span>", escaped(note)));
    }
    html
}

/// The image of a case, which its hits show again.
struct Query {
    /// Number of the case on the page.
    place: usize,
    /// In pixels.
    size: (u32, u32),
}

impl Query {
    fn id(&self) -> String {
        format!("query-{}", self.place)
    }
}

fn hit_html(
    case: &CasePage,
    hit: &HitEntry,
    rank: usize,
    (encoder, query): (&ImageEncoder, Option<&Query>),
    written: &mut Written,
) -> String {
    let class = if hit.differs { "hit differs" } else { "hit" };
    let answer = match &hit.answer {
        Some(answer) => answer_html(answer),
        None => "not answered".to_owned(),
    };
    let differs = if hit.differs { " (differs)" } else { "" };
    let mut html = format!("<li class=\"{class}\"><p class=\"answer\">Hit {rank}: {answer}{differs}</p>\n");
    if let Some(probability) = hit.answer.as_ref().and_then(|answer| answer.probability) {
        // Writing to a string cannot fail.
        let _ = writeln!(html, "<span class=\"bar\"><i style=\"width:{:.0}%\"></i></span>", probability * 100.0);
    }
    match &hit.image {
        Some(image) => {
            let description = format!("image of document {}", hit.document);
            let embedded = encoder.of_document(image);
            let regions = hit.explanation.as_ref().and_then(|explanation| explanation.document.as_ref());
            html.push_str(&match (regions, &embedded) {
                (Some(regions), Ok(Embedded { stored_size, .. })) => {
                    let tint = explained::regions(regions, *stored_size);
                    picture_html(embedded, &description, "", &tint, written)
                }
                _ => image_html(embedded, &description, written),
            });
        }
        None => html.push_str(&given_html(IMAGE_WITHHELD)),
    }
    html.push_str(&caption_html(hit));
    if let Some(explanation) = &hit.explanation {
        html.push_str(&format!("<p class=\"why\">{}</p>\n", explained::summary(explanation, case)));
        if let (Some(regions), Some(query)) = (&explanation.query, query) {
            let tint = explained::regions(regions, query.size);
            let (width, height) = query.size;
            html.push_str(&format!(
                "<p class=\"faint\">the case's image, with this hit:</p><svg viewBox=\"0 0 {width} {height}\"><use href=\"#{}\"/>\
                 {tint}</svg>\n",
                query.id()
            ));
        }
    }
    let mut origin = vec![hit.document.clone()];
    origin.extend(hit.source.iter().map(|source| format!("source {source}")));
    origin.extend(hit.found_by.iter().cloned());
    origin.extend(hit.weight.map(|weight| format!("{:.0} % of the vote", weight * 100.0)));
    html.push_str(&format!("<p class=\"faint\">{}</p></li>\n", escaped(&origin.join(" · "))));
    html
}

/// The caption, after the document that it is taken from.
fn caption_html(hit: &HitEntry) -> String {
    let Some(caption) = &hit.caption else { return given_html(CAPTION_WITHHELD) };
    let caption = if caption.is_empty() { "no caption" } else { caption };
    let source = hit.caption_source.as_deref().map(given_html).unwrap_or_default();
    let words = hit.explanation.as_ref().and_then(|explanation| explanation.words.as_ref());
    format!("{source}<p>{}</p>\n", words.map_or_else(|| escaped(caption), explained::caption))
}

/// Says what the reader was given in place of the document's own image or caption.
fn given_html(words: &str) -> String {
    format!("<p class=\"given\">{}</p>\n", escaped(words))
}

/// "Yes, 64 %", with right or wrong where gold is told.
fn answer_html(answer: &AnswerText) -> String {
    let mut text = answer.name.clone();
    if let Some(probability) = answer.probability {
        let sign = match (answer.interval, answer.is_at_least) {
            (Some(_), _) => "≈ ",
            (None, true) => "at least ",
            (None, false) => "",
        };
        text.push_str(&format!(", {sign}{:.0} %", probability * 100.0));
        if let Some((low, high)) = answer.interval {
            text.push_str(&format!(" of the sampled answers ({:.0} to {:.0} %)", low * 100.0, high * 100.0));
        }
    }
    match answer.is_right {
        Some(true) => text.push_str(" — right"),
        Some(false) => text.push_str(" — wrong"),
        None => {}
    }
    escaped(&text)
}

fn agreement_word(agreement: Agreement) -> &'static str {
    if agreement.is_consistent { "agree" } else { "differ" }
}

/// The image; where it cannot be read, the reason.
fn image_html(image: Result<Embedded, String>, description: &str, written: &mut Written) -> String {
    written.images += 1;
    match image {
        Ok(Embedded { uri, stored_size: (width, height) }) => {
            format!("<img src=\"{uri}\" alt=\"{0}\" title=\"{0}, {width} x {height} pixels\">\n", escaped(description))
        }
        Err(reason) => {
            written.unreadable += 1;
            format!("<p class=\"broken\">{}: {}</p>\n", escaped(description), escaped(&reason))
        }
    }
}

/// The image as SVG, which may have an id and something over it.
fn picture_html(
    image: Result<Embedded, String>,
    description: &str,
    id: &str,
    over: &str,
    written: &mut Written,
) -> String {
    let Ok(Embedded { uri, stored_size: (width, height) }) = image else {
        return image_html(image, description, written);
    };
    written.images += 1;
    let id = if id.is_empty() { String::new() } else { format!(" id=\"{id}\"") };
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" role=\"img\"><title>{}, {width} x {height} pixels</title>\
         <image{id} href=\"{uri}\" width=\"{width}\" height=\"{height}\"/>{over}</svg>\n",
        escaped(description)
    )
}

fn anchor(place: usize) -> String {
    format!("case-{place}")
}
