//! Contexts: the parts of the screen that have their own keys.

/// The part of the screen that keys act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Context {
    Explore,
    Search,
    Note,
    Help,
    /// Input of the words searched on the help page.
    HelpSearch,
    Filter,
    Picker,
    /// Input of the name under which a view is saved.
    Name,
    Overview,
    Definitions,
    Adjudication,
    /// Input of the reason for a decision.
    Reason,
    Agreement,
    /// The question before many cases are labelled.
    LabelMany,
    /// The question before many requests to a server.
    Spend,
    /// Images that fill the body of the screen: one, two or the contact sheet.
    Image,
    /// The page that explains a prediction.
    Why,
}

impl Context {
    pub const ALL: [Self; 17] = [
        Self::Explore,
        Self::Image,
        Self::Why,
        Self::Definitions,
        Self::LabelMany,
        Self::Spend,
        Self::Adjudication,
        Self::Reason,
        Self::Agreement,
        Self::Overview,
        Self::Filter,
        Self::Picker,
        Self::Name,
        Self::Search,
        Self::Note,
        Self::Help,
        Self::HelpSearch,
    ];

    /// Name of the context in a file of keys.
    pub fn name(self) -> &'static str {
        match self {
            Self::Explore => "explore",
            Self::Search => "search",
            Self::Note => "note",
            Self::Help => "help",
            Self::HelpSearch => "help-search",
            Self::Filter => "filter",
            Self::Picker => "picker",
            Self::Name => "name",
            Self::Overview => "overview",
            Self::Definitions => "definitions",
            Self::Adjudication => "adjudication",
            Self::Reason => "reason",
            Self::Agreement => "agreement",
            Self::Image => "image",
            Self::Why => "why",
            Self::LabelMany => "label-many",
            Self::Spend => "many-requests",
        }
    }

    /// Whether text is typed in this context.
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Search | Self::Note | Self::Filter | Self::Picker | Self::Name | Self::Reason | Self::HelpSearch
        )
    }

    /// Whether the taxonomy's keys work in this context.
    pub fn takes_categories(self) -> bool {
        matches!(self, Self::Explore | Self::Image | Self::Definitions | Self::LabelMany | Self::Adjudication)
    }

    /// Heading on the help screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Explore => "Cases and hits",
            Self::Search => "Caption search",
            Self::Note => "Note",
            Self::Help => "This page",
            Self::HelpSearch => "Searching this page",
            Self::Filter => "Filter",
            Self::Picker => "Lists",
            Self::Name => "Name of a view",
            Self::Overview => "Overview",
            Self::Definitions => "Definitions",
            Self::Adjudication => "Adjudication: press a category's key to choose it",
            Self::Reason => "Reason for a decision",
            Self::Agreement => "Agreement",
            Self::Image => "Enlarged images and contact sheet",
            Self::Why => "Why this answer",
            Self::LabelMany => "Labelling many cases: press a category's key to choose it",
            Self::Spend => "Many requests to a server",
        }
    }
}
