//! Every key of `lastgood.toml`.

use super::value::{AGE, BROTLI, GZIP, KEEP, LEASE, LIFETIME, ROWS, SIZE, TIME, VERSION};

/// Which table a key stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The file itself.
    Top,
    /// `[compression]`
    Compression,
    /// `[retention]`
    Retention,
    /// `[defaults]`, for all datasets, and `[datasets.NAME]`, for one.
    Dataset,
}

impl Section {
    /// The headings of its tables.
    #[must_use]
    pub fn headings(self) -> &'static str {
        match self {
            Section::Top => "the top of the file",
            Section::Compression => "[compression]",
            Section::Retention => "[retention]",
            Section::Dataset => "[defaults] or [datasets.NAME]",
        }
    }
}

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Where it stands.
    pub section: Section,
    /// Its name.
    pub name: &'static str,
    /// What its value must be.
    pub expected: &'static str,
    /// A value, as it stands in the file: the default, unless [`default`](Self::default) is there.
    pub example: &'static str,
    /// The default in words, where no value says it.
    pub default: Option<&'static str>,
    /// What it is for, in one sentence.
    pub about: &'static str,
}

const fn key(section: Section, name: &'static str, expected: &'static str, example: &'static str) -> Key {
    Key { section, name, expected, example, default: None, about: "" }
}

impl Key {
    const fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

const MODE: &str = "permissions in octal, such as \"0644\"";
const BOOL: &str = "true or false";

/// Every key, in the order in which `lastgood init` writes them.
pub const KEYS: &[Key] = &[
    key(Section::Top, "dir", "the path of a directory", "\"data\"")
        .default("./data, from the working directory")
        .about("The feed directory, relative to this file."),
    key(Section::Top, "strict", BOOL, "false")
        .about("Refuse to publish datasets that are not listed below: this catches mistyped names."),
    key(Section::Top, "lock_wait", TIME, "\"30s\"")
        .about("How long to wait for other publishers and for the lock markers of older scripts."),
    key(Section::Top, "lease", LEASE, "\"60s\"")
        .about("How long readers believe the lock marker of a publisher that has died."),
    key(Section::Top, "stale_marker_after", AGE, "\"never\"")
        .about("From which age on the lock marker of an older script counts as left behind."),
    key(Section::Top, "expires_in", LIFETIME, "\"never\"").about("How long readers may take the published datasets for current."),
    key(Section::Top, "plain_copies", BOOL, "true")
        .about("Keep NAME.json and NAME_backup.json beside the objects, for pages and tools without lastgood."),
    key(Section::Top, "file_mode", MODE, "\"0644\"").about("The permissions of published files, whatever the umask."),
    key(Section::Top, "dir_mode", "permissions in octal, such as \"0755\", or \"2750\" with setgid", "\"0755\"").about(
        "The permissions of published directories; with setgid what is published has the group of the feed directory.",
    ),
    key(Section::Compression, "gzip", GZIP, "6").about("The .gz beside each object and plain copy."),
    key(Section::Compression, "brotli", BROTLI, "5").about("The .br beside each object and plain copy."),
    key(Section::Compression, "min_size", SIZE, "\"1KiB\"").about("Smaller payloads are not compressed."),
    key(Section::Retention, "keep", KEEP, "20").about("How many generations are kept to be read and rolled back to."),
    key(Section::Retention, "grace", TIME, "\"1h\"")
        .about("For how long nothing is removed that a reader or a cache may still ask for."),
    key(Section::Retention, "auto", BOOL, "false").about("Collect garbage after each publish."),
    key(Section::Dataset, "format", "\"auto\", \"json\", \"csv\" or \"jsonl\"", "\"auto\"")
        .about("What the input is written in; auto goes by the extension of the file."),
    key(Section::Dataset, "delimiter", "one ASCII character, \"tab\" or \"auto\"", "\",\"")
        .default("a comma; for .tsv a tab")
        .about("What stands between the fields of CSV; auto finds it in the first rows."),
    key(Section::Dataset, "columns", "a table of names with \"integer\", \"float\", \"boolean\" or \"text\"", "{}")
        .about("Columns of CSV whose type is given instead of inferred."),
    key(Section::Dataset, "unnamed", "\"auto\", \"drop\" or a name", "\"auto\"")
        .about("Columns of CSV without a name: auto leaves out a counter in the first place and refuses others, drop leaves out all."),
    key(Section::Dataset, "null", "a list of words", "[]").about("Words of CSV that stand for null, such as NA."),
    key(Section::Dataset, "schema", "the path of a JSON Schema", "\"schemas/performance.json\"")
        .default("none")
        .about("The JSON Schema that the payload must match, relative to this file."),
    key(Section::Dataset, "schema_version", VERSION, "1")
        .about("Your own number for the shape that the schema describes."),
    key(Section::Dataset, "assert_formats", BOOL, "false")
        .about("Refuse texts that do not have the `format` that the schema says, such as date or uuid."),
    key(Section::Dataset, "nan", "\"refuse\" or \"null\"", "\"refuse\"")
        .about("What becomes of NaN, Infinity and -Infinity."),
    key(
        Section::Dataset,
        "allow",
        "a list of \"unsafe-numbers\", \"duplicate-names\" and \"unpaired-surrogates\"",
        "[]",
    )
    .about("What is published although a browser would silently change or drop it."),
    key(Section::Dataset, "max_bytes", SIZE, "\"64MiB\"").about("The largest payload."),
    key(Section::Dataset, "min_rows", ROWS, "1")
        .default("none")
        .about("Guard: the payload is an array with at least this many elements."),
    key(Section::Dataset, "max_shrink", "a part such as \"50%\" or 0.5", "\"50%\"")
        .default("none")
        .about("Guard: how much smaller than what is published it may be; rows when both are arrays, else bytes."),
    key(Section::Dataset, "require_meta", "a list of names", "[]").about("Guard: members that the meta must have."),
    key(Section::Dataset, "time_column", "the name of a member", "\"day\"")
        .default("none")
        .about("Guard: the member of each row that never decreases, and never ends before what is published."),
    key(Section::Dataset, "meta", "a table", "{}").about("Members of the meta; those of --meta come on top."),
];
