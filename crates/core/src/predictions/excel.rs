//! The cells of an Excel file (.xlsx, ECMA-376) with one sheet, as texts.
//!
//! The crate calamine reads more, but it switches flate2 to another compressor for the whole program, which changes the bytes of
//! every PNG that is written here, and so the fingerprints of images that are drawn again.

use anyhow::{Context, Result, anyhow, bail, ensure};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::HashMap;
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// Size of the longest part, unpacked, in bytes.
const LONGEST_PART: u64 = 1 << 30;
/// Excel's number of columns.
const MOST_COLUMNS: usize = 16_384;

/// A row with its number in the sheet, from 1, and its cells from the first column on.
pub(super) type ExcelRow = (usize, Vec<String>);

/// The rows that have cells.
///
/// # Errors
/// Fails if the file is no Excel file or has several sheets, and with the number of the row if a cell is a date or an error.
pub(super) fn read_rows(bytes: Vec<u8>) -> Result<Vec<ExcelRow>> {
    let mut parts = ZipArchive::new(Cursor::new(bytes))?;
    let workbook = part(&mut parts, "xl/workbook.xml")?.context("xl/workbook.xml is missing")?;
    let sheets = elements(&workbook, "sheet")?;
    let [sheet] = sheets.as_slice() else {
        let names: Vec<&str> = sheets.iter().filter_map(|sheet| sheet.get("name").map(String::as_str)).collect();
        bail!("expected one sheet, found {}: {}", sheets.len(), names.join(", "))
    };
    let relations = part(&mut parts, "xl/_rels/workbook.xml.rels")?.context("xl/_rels/workbook.xml.rels is missing")?;
    let relations = elements(&relations, "Relationship")?;
    let relation = relations.iter().find(|relation| relation.get("Id") == sheet.get("id"));
    let target = relation.and_then(|relation| relation.get("Target")).context("the sheet has no file")?;
    let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
    let sheet = part(&mut parts, &path)?.with_context(|| format!("{path} is missing"))?;
    let shared = match part(&mut parts, "xl/sharedStrings.xml")? {
        Some(text) => shared_texts(&text)?,
        None => Vec::new(),
    };
    let dates = match part(&mut parts, "xl/styles.xml")? {
        Some(text) => styles_of_dates(&text)?,
        None => Vec::new(),
    };
    rows_of(&sheet, &shared, &dates)
}

/// A part as text; `None` if there is none.
fn part(parts: &mut ZipArchive<Cursor<Vec<u8>>>, name: &str) -> Result<Option<String>> {
    if parts.index_for_name(name).is_none() {
        return Ok(None);
    }
    let file = parts.by_name(name)?;
    let mut text = String::new();
    let read = file.take(LONGEST_PART + 1).read_to_string(&mut text).with_context(|| name.to_owned())?;
    ensure!(read as u64 <= LONGEST_PART, "{name}: expected at most {LONGEST_PART} bytes, found more");
    Ok(Some(text))
}

/// Attributes by their names without prefixes.
type Attributes = HashMap<String, String>;

fn attributes(element: &BytesStart) -> Result<Attributes> {
    let mut found = Attributes::new();
    for attribute in element.attributes() {
        let attribute = attribute?;
        found.insert(
            attribute.key.local_name().as_ref().to_owned(),
            attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned(),
        );
    }
    Ok(found)
}

/// The attributes of all elements of a name.
fn elements(xml: &str, name: &str) -> Result<Vec<Attributes>> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(element) | Event::Empty(element) if element.local_name().as_ref() == name => {
                found.push(attributes(&element)?);
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// Adds the text of an event, if it is one.
fn add_text(text: &mut String, event: &Event) -> Result<()> {
    match event {
        Event::Text(part) => text.push_str(&part.xml10_content()),
        Event::CData(part) => text.push_str(&part.xml10_content()),
        Event::GeneralRef(reference) => match reference.resolve_char_ref()? {
            Some(letter) => text.push(letter),
            None => text.push(match &**reference {
                "amp" => '&',
                "lt" => '<',
                "gt" => '>',
                "quot" => '"',
                "apos" => '\'',
                other => bail!("expected a text, found the entity {other:?}"),
            }),
        },
        _ => {}
    }
    Ok(())
}

/// The texts that cells name by their positions; without the reading aids of Japanese (`rPh`).
fn shared_texts(xml: &str) -> Result<Vec<String>> {
    let mut reader = Reader::from_str(xml);
    let mut texts = Vec::new();
    let (mut text, mut is_text, mut is_aid) = (String::new(), false, false);
    loop {
        let event = reader.read_event()?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                "si" => text.clear(),
                "t" => is_text = !is_aid,
                "rPh" => is_aid = true,
                _ => {}
            },
            Event::Empty(element) if element.local_name().as_ref() == "si" => texts.push(String::new()),
            Event::End(element) => match element.local_name().as_ref() {
                "si" => texts.push(unescaped(&text)),
                "t" => is_text = false,
                "rPh" => is_aid = false,
                _ => {}
            },
            Event::Eof => return Ok(texts),
            _ if is_text => add_text(&mut text, &event)?,
            _ => {}
        }
    }
}

/// `_x000D_` is how Excel writes a carriage return.
fn unescaped(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some(start) = rest.find("_x") {
        let code = rest.get(start + 2..start + 6).filter(|_| rest.get(start + 6..start + 7) == Some("_"));
        let letter = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        let end = if letter.is_some() { start + 7 } else { start + 2 };
        plain.push_str(&rest[..start]);
        match letter {
            Some(letter) => plain.push(letter),
            None => plain.push_str("_x"),
        }
        rest = &rest[end..];
    }
    plain.push_str(rest);
    plain
}

/// For each style of cells whether it shows a number as a date or time.
fn styles_of_dates(xml: &str) -> Result<Vec<bool>> {
    let mut own_dates = HashMap::new();
    for format in elements(xml, "numFmt")? {
        if let (Some(id), Some(code)) = (format.get("numFmtId"), format.get("formatCode")) {
            own_dates.insert(id.clone(), is_date_code(code));
        }
    }
    let is_date = |id: &String| match own_dates.get(id) {
        Some(is_date) => *is_date,
        None => id.parse::<u32>().is_ok_and(|id| matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58)),
    };
    let mut reader = Reader::from_str(xml);
    let (mut styles, mut is_of_cells) = (Vec::new(), false);
    loop {
        match reader.read_event()? {
            Event::Start(element) if element.local_name().as_ref() == "cellXfs" => is_of_cells = true,
            Event::End(element) if element.local_name().as_ref() == "cellXfs" => return Ok(styles),
            Event::Start(element) | Event::Empty(element) if is_of_cells && element.local_name().as_ref() == "xf" => {
                styles.push(attributes(&element)?.get("numFmtId").is_some_and(is_date));
            }
            Event::Eof => return Ok(styles),
            _ => {}
        }
    }
}

/// Whether a number format shows parts of a date or time outside quotes and brackets.
fn is_date_code(code: &str) -> bool {
    let mut letters = code.chars();
    let mut is_quoted = false;
    let mut is_bracketed = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '\\' => drop(letters.next()),
            '[' => is_bracketed = true,
            ']' => is_bracketed = false,
            'd' | 'm' | 'y' | 'h' | 's' | 'D' | 'M' | 'Y' | 'H' | 'S' if !is_quoted && !is_bracketed => return true,
            _ => {}
        }
    }
    false
}

/// A cell while it is read.
#[derive(Default)]
struct Cell {
    attributes: Attributes,
    value: String,
    inline: String,
}

fn rows_of(xml: &str, shared: &[String], dates: &[bool]) -> Result<Vec<ExcelRow>> {
    let mut reader = Reader::from_str(xml);
    let mut rows: Vec<ExcelRow> = Vec::new();
    let mut line = 0;
    let mut cells: Vec<String> = Vec::new();
    let mut cell = Cell::default();
    let mut inside = String::new();
    loop {
        let event = reader.read_event()?;
        match &event {
            Event::Start(element) => match element.local_name().as_ref() {
                "row" => {
                    line = number_of_row(&attributes(element)?, line)?;
                    cells.clear();
                }
                "c" => cell = Cell { attributes: attributes(element)?, ..Cell::default() },
                name @ ("v" | "t" | "rPh") => name.clone_into(&mut inside),
                _ => {}
            },
            Event::Empty(element) => match element.local_name().as_ref() {
                "row" => line = number_of_row(&attributes(element)?, line)?,
                "c" => {
                    let place = place_of(&attributes(element)?, cells.len())?;
                    cells.resize(place + 1, String::new());
                }
                _ => {}
            },
            Event::End(element) => match element.local_name().as_ref() {
                "row" => rows.push((line, std::mem::take(&mut cells))),
                "c" => {
                    let place = place_of(&cell.attributes, cells.len())?;
                    cells.resize(place, String::new());
                    let text = text_of(&cell, shared, dates).with_context(|| format!("row {line}"))?;
                    cells.push(text);
                }
                "v" | "t" | "rPh" => inside.clear(),
                _ => {}
            },
            Event::Eof => return Ok(rows),
            _ => match inside.as_str() {
                "v" => add_text(&mut cell.value, &event)?,
                "t" => add_text(&mut cell.inline, &event)?,
                _ => {}
            },
        }
    }
}

fn number_of_row(attributes: &Attributes, before: usize) -> Result<usize> {
    match attributes.get("r") {
        None => Ok(before + 1),
        Some(text) => text.parse().with_context(|| format!("expected the number of a row, found {text:?}")),
    }
}

/// The column of a cell, from 0: `AB12` is 27.
fn place_of(attributes: &Attributes, next: usize) -> Result<usize> {
    let Some(name) = attributes.get("r") else { return Ok(next) };
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.fold(0, |sum: usize, letter| {
        sum.saturating_mul(26).saturating_add(usize::from(letter.to_ascii_uppercase() - b'A') + 1)
    });
    let place = column.checked_sub(1).filter(|place| *place < MOST_COLUMNS && *place >= next);
    place.with_context(|| format!("expected the place of a cell after those before it, found {name:?}"))
}

/// A number that is whole is written as its digits: Excel keeps an answer `2` as 2.0.
fn text_of(cell: &Cell, shared: &[String], dates: &[bool]) -> Result<String> {
    let value = cell.value.trim();
    let kind = cell.attributes.get("t").map_or("n", String::as_str);
    Ok(match kind {
        "inlineStr" => unescaped(&cell.inline),
        _ if value.is_empty() && kind != "str" => String::new(),
        "s" => {
            let text = value.parse::<usize>().ok().and_then(|place| shared.get(place));
            text.with_context(|| format!("expected the position of a text, found {value:?}"))?.clone()
        }
        "str" => unescaped(&cell.value),
        "d" => value.to_owned(),
        "b" => (if value == "1" { "True" } else { "False" }).to_owned(),
        "e" => bail!("expected a text or a number, found the error {value}: Excel took an answer for a formula"),
        "n" => {
            let style = cell.attributes.get("s").and_then(|style| style.parse::<usize>().ok());
            if style.and_then(|style| dates.get(style)).is_some_and(|is_date| *is_date) {
                bail!("expected a text or a number, found a date: Excel has turned an answer into one");
            }
            let number: f64 = value.parse().with_context(|| format!("expected a number, found {value:?}"))?;
            number.to_string()
        }
        other => return Err(anyhow!("expected a known type of cell, found {other:?}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_read_by_their_place_and_kind() {
        let shared = ["a & b".to_owned()];
        let sheet = "<x:worksheet><x:sheetData><x:row r=\"2\"><x:c r=\"A2\" t=\"s\"><x:v>0</x:v></x:c><x:c r=\"C2\"><x:v>2</x:v></x:c>\
                     <x:c r=\"D2\"/><x:c t=\"inlineStr\"><x:is><x:t>x &lt; y&#33;_x000D_</x:t></x:is></x:c>\
                     <x:c t=\"b\"><x:v>1</x:v></x:c><x:c><x:f>1/4</x:f><x:v>0.25</x:v></x:c></x:row><x:row/><x:row><x:c t=\"str\"><x:v>s</x:v></x:c></x:row>\
                     </x:sheetData></x:worksheet>";
        let rows = rows_of(sheet, &shared, &[]).unwrap();
        assert_eq!(rows[0], (2, ["a & b", "", "2", "", "x < y!\r", "True", "0.25"].map(String::from).to_vec()));
        assert_eq!(rows[1], (4, vec!["s".to_owned()]));
    }

    #[test]
    fn dates_and_errors_are_refused() {
        let styles = "<styleSheet><numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy\\-mm\"/><numFmt numFmtId=\"165\" \
                      formatCode=\"0 &quot;days&quot;\"/></numFmts><cellStyleXfs><xf numFmtId=\"14\"/></cellStyleXfs><cellXfs><xf \
                      numFmtId=\"0\"/><xf numFmtId=\"164\"/><xf numFmtId=\"165\"/><xf numFmtId=\"14\"></xf></cellXfs></styleSheet>";
        let dates = styles_of_dates(styles).unwrap();
        assert_eq!(dates, [false, true, false, true]);
        let cell = |cell: &str| rows_of(&format!("<row>{cell}</row>"), &[], &dates);
        for (wrong, expected) in [
            ("<c s=\"1\"><v>45000</v></c>", "found a date"),
            ("<c t=\"e\"><v>#NAME?</v></c>", "found the error #NAME?"),
            ("<c t=\"s\"><v>7</v></c>", "expected the position of a text"),
            ("<c r=\"B1\"><v>1</v></c><c r=\"A1\"><v>1</v></c>", "expected the place of a cell"),
            ("<c><v>one</v></c>", "expected a number"),
        ] {
            let error = format!("{:#}", cell(wrong).unwrap_err());
            assert!(error.contains(expected), "{error}");
        }
        assert_eq!(cell("<c s=\"2\"><v>3</v></c>").unwrap()[0].1, ["3"]);
    }

    #[test]
    fn texts_are_joined_from_their_runs() {
        let texts = "<sst><si><t>one</t></si><si><r><t>tw</t></r><r><t xml:space=\"preserve\">o </t></r><rPh><t>aid</t></rPh></si><si/></sst>";
        assert_eq!(shared_texts(texts).unwrap(), ["one", "two ", ""]);
        assert_eq!(unescaped("_x0041__xZZZZ_ _x"), "A_xZZZZ_ _x");
    }
}
