//! What is said about a file: one value for each error and each warning.
//!
//! Owns the original's error texts (`piranha-daemons.md` 1.10) and the stable names of all
//! messages. Never draws anything.

use std::fmt;

use crate::model::Span;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The file cannot be used.
    Error,
    /// The file can be used, but may not do what its author wanted.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal $(=> $text:literal)?,)*) => {
        /// The kind of a message. Names never change, so that scripts can rely on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// All kinds, errors first.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in machine-readable output.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The original's text for an error; `None` for warnings, which it did not have.
            pub const fn original_text(self) -> Option<&'static str> {
                match self { $(Self::$variant => codes!(@text $($text)?),)* }
            }
        }
    };
    (@text $text:literal) => { Some($text) };
    (@text) => { None };
}

codes! {
    /// A file of zero bytes.
    EmptyConfiguration = "empty-configuration" => "Empty configuration",
    /// A quote that is not closed.
    QuotationMismatch = "quotation-mismatch" => "quotation mismatch",
    /// The file ends inside a block.
    UnexpectedEndOfFile = "unexpected-end-of-file" => "unexpected end of file",
    /// More words than the statement takes.
    UnexpectedArguments = "unexpected-arguments" => "unexpected arguments",
    /// The second word is not `=`.
    EqualExpected = "equal-expected" => "equal (=) expected after command",
    /// Fewer words than the statement takes.
    MissingArguments = "missing-arguments" => "missing arguments",
    /// 0.0.0.0 where an address is needed, or an unreadable sorry server.
    InvalidHost = "invalid-host" => "invalid host name or ip address",
    /// A value outside of what the keyword takes.
    InvalidArgument = "invalid-argument" => "invalid argument",
    /// Not a number.
    IntegerExpected = "integer-expected" => "integer expected",
    /// A number other than 0 and 1.
    BooleanExpected = "boolean-expected" => "boolean expected",
    /// Not a keyword of this place.
    UnknownCommand = "unknown-command" => "unknown command",
    /// `dirs` without brackets.
    ListExpected = "list-expected" => "list expected",
    /// Not a mask.
    BadSubnetMask = "bad-subnet-mask" => "Bad subnet mask specified",

    /// The file starts with a byte-order mark.
    ByteOrderMark = "byte-order-mark",
    /// Lines end in CR LF.
    CrlfLineEnds = "crlf-line-ends",
    /// Lines end in CR.
    CrLineEnds = "cr-line-ends",
    /// Quotes that original daemons read otherwise, or not at all.
    OriginalQuotes = "original-quotes",
    /// A text in single quotes, which the original handed on with its marks.
    SingleQuotes = "single-quotes",
    /// A keyword given twice; the last one counts.
    DuplicateKeyword = "duplicate-keyword",
    /// Two blocks of one name; both count.
    DuplicateBlock = "duplicate-block",
    /// The original would have taken another port for the server.
    ServerPortOrder = "server-port-order",
    /// A keyword that original daemons refuse.
    Extension = "extension",
    /// `deadtime` is not above `keepalive`.
    DeadtimeNotAboveKeepalive = "deadtime-not-above-keepalive",
    /// `deadtime` leaves room for fewer than three heartbeats.
    ShortDeadtime = "short-deadtime",
    /// `keepalive = 0`.
    ZeroKeepalive = "zero-keepalive",
    /// `heartbeat_port = 0`.
    ZeroHeartbeatPort = "zero-heartbeat-port",
    /// No `primary`.
    NoPrimary = "no-primary",
    /// `backup_active = 1` without an address of the backup.
    BackupUndefined = "backup-undefined",
    /// Primary and backup are the same address.
    SameRouters = "same-routers",
    /// One private address given, the other not.
    LonePrivateAddress = "lone-private-address",
    /// `nat_router` or `nat_nmask` without `network = nat`.
    NatIgnored = "nat-ignored",
    /// `syncd_id` above 255.
    SyncIdCut = "sync-id-cut",
    /// No block of the kind that `service` selects is active.
    NoActiveService = "no-active-service",
    /// `service = fos`.
    FailoverUnsupported = "failover-unsupported",
    /// Blocks that `service` does not select.
    BlocksIgnored = "blocks-ignored",
    /// An active service without an address or a mark.
    NoAddress = "no-address",
    /// An active service without an active server.
    NoActiveServer = "no-active-server",
    /// An active server without an address.
    ServerWithoutAddress = "server-without-address",
    /// A device without alias number.
    NoAlias = "no-alias",
    /// An alias longer than the kernel's 15 bytes.
    LongLabel = "long-label",
    /// One alias for two addresses.
    SharedLabel = "shared-label",
    /// One address with two aliases or two masks.
    AddressMismatch = "address-mismatch",
    /// A VIP that is a router's own address.
    VipIsRouter = "vip-is-router",
    /// Two services that are the same one for the kernel.
    DuplicateService = "duplicate-service",
    /// Two services with one firewall mark.
    SharedFwmark = "shared-fwmark",
    /// Two servers of a service with one address and port.
    DuplicateServer = "duplicate-server",
    /// `pmask` without `persistent`.
    PmaskIgnored = "pmask-ignored",
    /// An active server with weight 0.
    ZeroWeight = "zero-weight",
    /// A UDP service without a check program.
    UdpUnchecked = "udp-unchecked",
    /// A port number without meaning for the kernel.
    ZeroPort = "zero-port",
    /// A server port that direct routing and tunnelling cannot change.
    PortNotChanged = "port-not-changed",
    /// The sorry server is one of the real servers.
    SorryServerIsServer = "sorry-server-is-server",
    /// A backslash sequence that the checker does not know.
    UnknownEscape = "unknown-escape",
    /// A keyword without effect in this place.
    KeywordIgnored = "keyword-ignored",
}

impl Code {
    /// Whether it is an error or a warning.
    pub const fn severity(self) -> Severity {
        match self.original_text() {
            Some(_) => Severity::Error,
            None => Severity::Warning,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One error or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// The kind.
    pub code: Code,
    /// Line, counted from 1; 0 when it concerns the file as a whole.
    pub line: usize,
    /// Byte within the line, counted from 1; 0 when it concerns the line or file as a whole.
    pub column: usize,
    /// The bytes meant.
    pub span: Span,
    /// An error's text is the original's.
    pub message: String,
    /// What would have been right at this place.
    pub expected: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// The first error of a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ParseError {
    /// Line, counted from 1; 0 for an empty file.
    pub line: usize,
    /// The original's text.
    pub message: String,
    /// All that is known about it.
    pub diagnostic: Box<Diagnostic>,
}

impl ParseError {
    /// What each program says first: `NAME: error parsing FILE at line N: TEXT`.
    pub fn first_line(&self, program: &str, file: &str) -> String {
        first_line(program, file, self.line, &self.message)
    }
}

impl From<Diagnostic> for ParseError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            line: diagnostic.line,
            message: diagnostic.message.clone(),
            diagnostic: Box::new(diagnostic),
        }
    }
}

pub(crate) fn first_line(program: &str, file: &str, line: usize, text: &str) -> String {
    format!("{program}: error parsing {file} at line {line}: {text}")
}

impl Code {
    /// Whether it is about the first byte of the file, when it stands there.
    pub(crate) const fn at_start(self) -> bool {
        matches!(
            self,
            Self::ByteOrderMark | Self::CrlfLineEnds | Self::CrLineEnds
        )
    }
}
