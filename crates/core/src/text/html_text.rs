//! Our HTML pages: text of others on them, and what they have in common.

use super::printable::our_lines;

/// What all pages look like; a page may add rules of its own.
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#222}\
table{border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}\
th,td{padding:.15rem .7rem;text-align:left;border-bottom:1px solid #ddd;white-space:nowrap}\
th{border-bottom:2px solid #888}.scroll{overflow-x:auto}figure{margin:1rem 0}figcaption,p.note{color:#555;max-width:50rem}";

/// The start of a page, up to its heading of the first level. The browser is told to load nothing and to run no script.
pub fn page_start(title: &str, own_style: &str) -> String {
    let title = escaped(title);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}{own_style}</style></head>\n\
         <body><h1>{title}</h1>\n"
    )
}

/// The end of a page.
pub const PAGE_END: &str = "</body></html>\n";

/// Text of others, as text or as the value of an attribute in double quotes.
pub fn escaped(text: &str) -> String {
    our_lines(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_others_opens_no_tag_and_ends_no_attribute() {
        assert_eq!(escaped("<b title=\"x\">&\u{1b}"), "&lt;b title=&quot;x&quot;&gt;&amp;␛");
        assert!(page_start("a<b", "").contains("<title>a&lt;b</title>"));
    }
}
