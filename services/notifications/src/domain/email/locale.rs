//! The languages of emails.

/// A language that emails are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Locale {
    /// For everybody who reads none of the others.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
}

impl Locale {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::English, Self::German, Self::French, Self::Spanish];

    /// Its BCP 47 tag.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
        }
    }

    /// The first of a person's languages (BCP 47, the best first) that emails are written in; English if none is.
    pub fn of<'a>(languages: impl IntoIterator<Item = &'a str>) -> Self {
        let known = |language: &str| {
            let primary = language.split(['-', '_']).next().unwrap_or_default();
            Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(primary))
        };
        languages.into_iter().find_map(known).unwrap_or_default()
    }
}
